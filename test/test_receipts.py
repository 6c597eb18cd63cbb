#!/usr/bin/env python3
"""Receipts: a replay is identical on other threads and instruction sets, and anything changed shows.

Long (INOX_TEST_LONG=1): every byte of a receipt, not a sample.
"""
import hashlib
import json
import os
import shutil
import stat
import struct
import subprocess
from concurrent.futures import ThreadPoolExecutor

from support import (DEFAULT, DIFFERENT, FORMAT, LONG, NOT_FOUND, ROOT, SCRATCH, SLOWER, UNSUPPORTED, USAGE, check, fails,
                     generator, good, inox, main, object_of, path, read, test, version, write)

STATE = path("state/inox/receipts")
BAD_RECEIPT = (DIFFERENT, FORMAT, UNSUPPORTED)


def run(*arguments):
    return object_of(good("run", *arguments, "--json"))


def kept(identity):
    return os.path.join(STATE, identity + ".json")


def canonical(receipt):
    """The bytes and the id that a receipt with these members has (docs/RECEIPTS.md)."""
    body = {k: v for k, v in receipt.items() if k != "sha256"}

    def text(value):
        return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    identity = hashlib.sha256(text(body).encode()).hexdigest()
    return (text(dict(body, sha256=identity)) + "\n").encode(), identity


def tree(data):
    """The identity of a file: RFC 6962's tree over leaves of 1 MiB."""
    leaves = [data[i:i + (1 << 20)] for i in range(0, len(data), 1 << 20)] or [b""]
    level = [hashlib.sha256(b"\0" + leaf).digest() for leaf in leaves]
    while len(level) > 1:
        level = [hashlib.sha256(b"\1" + level[i] + level[i + 1]).digest() if i + 1 < len(level) else level[i]
                 for i in range(0, len(level), 2)]
    return level[0].hex()


@test
def replays_everywhere():
    """Greedy, sampled, penalties, biases, stops: the same bits on every instruction set and thread count."""
    isas = version()["isa_present"]
    requests = [["--temp", "0"], ["--temp", "0.9", "--seed", 5], ["--temp", "1.5", "--top-k", "0", "--top-p", "0.9"],
                ["--temp", "0.8", "--typical", "0.7", "--min-p", "0.1", "--cache", "f32"],
                ["--repeat-penalty", "1.3", "--presence-penalty", "0.5", "--frequency-penalty", "0.25"],
                ["--logit-bias", "12=-inf", "--logit-bias", "13=2.5", "--stop", "the", "--stop", "\n\""],
                ["--ignore-end", "--ctx", "50", "--chunk", "3", "--penalty-window", "-1", "--repeat-penalty", "1.1"]]
    for i, request in enumerate(requests):
        was = isas[i % len(isas)]
        got = run("Once upon a time there was", "-n", 20, "--isa", was, "--threads", 1 + i % 3, *request)
        for k, isa in enumerate(isas):
            for threads in (1, 2, 3, 7) if isa == isas[-1] else ((1, 2, 3, 7)[(i + k) % 4],):
                done = good("replay", got["receipt"], "--isa", isa, "--threads", threads)
                check(done.out.startswith(f"identical: {len(got['ids'])} tokens"), done.out)
                check(f"was: {was}, {1 + i % 3} threads; now: {isa}, {threads} threads" in done.out, done.out)
        report = object_of(good("replay", got["receipt"][:10], "--json"))
        check(report["identical"] is True and report["first_difference"] is None, report)
        check(report["tokens"] == report["rows"] == len(got["ids"]) and report["same_build"], report)
        check(report["was_isa"] == was, report)


@test
def is_what_the_document_says():
    """Hashes and identity computed here, rows from `inox logits`."""
    got = run(DEFAULT, "It was", "-n", 12, "--seed", 18446744073709551615, "--stop", 'né"\\\t\x01\x7f')
    data = read(kept(got["receipt"]))
    receipt = json.loads(data)
    check(canonical(receipt) == (data, got["receipt"]), data)
    check(receipt["output"] == got["ids"] and receipt["sampling"]["seed"] == "18446744073709551615")
    check(receipt["model"]["sha256"] == tree(read(DEFAULT)) and receipt["model"]["path"] == DEFAULT)
    check(receipt["stops"] == ['né"\\\t\x01\x7f'], receipt["stops"])
    check(receipt["prompt"] == object_of(good("tokenize", "default", "--text", "It was", "--special", "--json"))["ids"])
    v = version()
    check(receipt["contract"]["sha256"] == v["contract"]["sha256"] and receipt["engine"]["build"] == v["build"])
    ids = write("all.json", receipt["prompt"] + receipt["output"])
    good("logits", DEFAULT, "--ids", ids, "--out", path("rows.f32"), "--cache", receipt["cache"])
    rows, size = read(path("rows.f32")), 2048 * 4
    first = len(receipt["prompt"]) - 1
    digests = [hashlib.sha256(rows[(first + i) * size:(first + i + 1) * size]).digest()
               for i in range(len(receipt["output"]))]
    check(receipt["rows"] == "".join(d.hex()[:8] for d in digests))
    check(receipt["logits_sha256"] == hashlib.sha256(b"".join(digests)).hexdigest())


@test
def where_they_are():
    got = run("Once", "-n", 3)
    name = kept(got["receipt"])
    check(stat.S_IMODE(os.stat(name).st_mode) == 0o600, oct(os.stat(name).st_mode))
    count = len(os.listdir(STATE))
    none = run("Once", "-n", 3, "--no-receipt")
    check(none["receipt"] is None and len(os.listdir(STATE)) == count)
    target = path("mine.json")
    both = run("Once", "-n", 3, "--seed", 4, "--receipt", target)
    check(read(target) == read(kept(both["receipt"])))
    only = run("Once", "-n", 3, "--seed", 6, "--receipt", target, "--no-receipt")
    check(only["receipt"] == json.loads(read(target))["sha256"] and not os.path.exists(kept(only["receipt"])))
    good("replay", target)
    for length in (4, 6, 12, 63, 64):
        good("replay", both["receipt"][:length])
    fails(NOT_FOUND, "replay", both["receipt"][:3])
    fails(NOT_FOUND, "replay", "0123456789abcdef")
    fails(NOT_FOUND, "replay", path("nothing.json"))
    fails(NOT_FOUND, "replay", both["receipt"] + "0")
    shutil.copy(kept(both["receipt"]), os.path.join(STATE, both["receipt"][:6] + "f" * 58 + ".json"))
    fails(USAGE, "replay", both["receipt"][:6], says="2 receipts")
    os.remove(os.path.join(STATE, both["receipt"][:6] + "f" * 58 + ".json"))
    fails(USAGE, "replay")
    fails(USAGE, "replay", target, target)
    check(inox("replay", SCRATCH).returncode not in (0, 130))
    # a directory for receipts that cannot be written is an error, and the text is not lost
    done = inox("run", "Once", "-n", 3, "-q", environment={"XDG_STATE_HOME": "/dev/null"})
    check(done.returncode != 0 and done.out.startswith("Once"), done.returncode, done.err)
    # a relative directory is not one (XDG Base Directory Specification)
    inox("run", "Once", "-n", 1, environment={"XDG_STATE_HOME": "relative"}, cwd=SCRATCH)
    check(not os.path.exists(path("relative")), "a relative XDG_STATE_HOME is used")


@test
def each_changed_byte():
    """One bit of each byte: never exit status 0, never a crash."""
    got = run(DEFAULT, "Once upon a time", "-n", 6, "--stop", "zzz", "--logit-bias", "9=0.5", "--seed", 3)
    data = read(kept(got["receipt"]))
    random = generator(4)
    places = range(len(data)) if LONG else sorted(random.sample(range(len(data)), 240))

    def flip(place):
        changed = bytearray(data)
        changed[place] ^= 1 << random.randrange(8)
        return inox("replay", write(f"flip{place}.json", bytes(changed))), bytes(changed)
    with ThreadPoolExecutor(3) as pool:
        for place, (done, changed) in zip(places, pool.map(flip, places)):
            check(done.returncode in BAD_RECEIPT, "byte", place, changed[max(0, place - 9):place + 9], "gave",
                  done.returncode, done.err)
            check(done.err.startswith("inox: "), done.err)
            os.remove(path(f"flip{place}.json"))
    print(f"  {len(places)} of {len(data)} bytes changed")
    for text in (b"", b"\n", b"{}", b"[]", b"{", b"null", data[:-1], data + b"\n", data + b" ", b" " + data,
                 data[:-2], data[:100], data.replace(b",", b", ", 1), data * 2, data + b"\0", data[:50] + b"\0" + data[50:],
                 b"\xef\xbb\xbf" + data, b"[" * 100000, data.replace(b'"f16"', b'"\\u006616"')):
        done = inox("replay", write("bad.json", text))
        check(done.returncode in BAD_RECEIPT, text[:60], "gave", done.returncode, done.err)


def replay_of(receipt, **changes):
    """Replays a receipt with other members, whose own hash is right again."""
    other = json.loads(json.dumps(receipt))
    for key, value in changes.items():
        *outer, last = key.split("__")
        place = other
        for o in outer:
            place = place[o]
        if value is None:
            del place[last]
        else:
            place[last] = value
    return inox("replay", write("forged.json", canonical(other)[0]))


@test
def forged_answers():
    """The receipt's own hash is right; what it says is not."""
    got = run(DEFAULT, "Once upon a time", "-n", 10, "--seed", 3)
    receipt = json.loads(read(kept(got["receipt"])))
    check(replay_of(receipt).returncode == 0)
    for i in (0, 4, 9):
        output = list(receipt["output"])
        output[i] = (output[i] + 1) % 2000
        done = replay_of(receipt, output=output)
        check(done.returncode == DIFFERENT and f"tokens differ from token {i} on" in done.err, i, done.err)
        rows = receipt["rows"]
        rows = rows[:8 * i] + f"{int(rows[8 * i:8 * i + 8], 16) ^ 1:08x}" + rows[8 * i + 8:]
        done = replay_of(receipt, rows=rows)
        check(done.returncode == DIFFERENT and f"logits differ from token {i} on" in done.err, i, done.err)
    sampling = "sampling__"
    digest = receipt["logits_sha256"]
    changes = [{"prompt": receipt["prompt"][:-1]}, {"prompt": receipt["prompt"] + [5]}, {"prompt": []},
               {"cache": "f32"}, {sampling + "seed": "4"}, {"logits_sha256": digest[::-1]},
               {"logits_sha256": digest.upper()}, {"rows": receipt["rows"][:-8]}, {"rows": receipt["rows"] + "0" * 8},
               {"rows": receipt["rows"].upper()}, {"output": receipt["output"] + [7]}, {"output": receipt["output"][:-1]},
               {"output": []}, {sampling + "logit_bias": [[receipt["output"][0], "-inf"]]},
               {"model__sha256": receipt["model"]["sha256"][::-1]}, {"contract__sha256": "0" * 64},
               {sampling + "temperature": "9"}, {"context": 4}]
    for change in changes:
        done = replay_of(receipt, **change)
        check(done.returncode not in (0, 130), change, "gave", done.returncode, done.out, done.err)


@test
def forged_members():
    """Wrong kinds and impossible values: an error that says which."""
    got = run(DEFAULT, "Once", "-n", 3, "--seed", 3)
    receipt = json.loads(read(kept(got["receipt"])))
    for key in receipt:
        if key == "sha256":
            continue
        for wrong in (None, 5.5, [1.5], "x" * 100, {"a": 1}, True, -7, 2**62):
            done = replay_of(receipt, **{key: wrong})
            if done.returncode == 0:  # what a replay does not derive, with a right type
                check(key in ("time", "max_tokens", "ignore_end", "finish"), key, wrong, done.out)
            check(done.returncode != 130 and (done.returncode == 0 or done.err.startswith("inox: ")),
                  key, wrong, done.err)
    for key, value in receipt["sampling"].items():
        wrongs = [None, "", "x", "1x", " 1", "1.0", "+1", "0x1p0", "nan", "-1e99", [[1]], [["a", "b"]],
                  [[1, "x"]], [[-1, "1"]], [[1, "1", 2]], [[1, "0.10"]]]
        if not isinstance(value, int):
            wrongs += [5]
        for wrong in wrongs:
            done = replay_of(receipt, **{"sampling__" + key: wrong})
            check(done.returncode not in (0, 130), key, wrong, done.out)
    for key in ("more", "model__more", "contract__more", "engine__more", "sampling__more"):
        done = replay_of(receipt, **{key: "x"})
        check(done.returncode == FORMAT and "members" in done.err, key, done.err)
    done = replay_of(receipt, inox_receipt=1)
    check(done.returncode == UNSUPPORTED and "version" in done.err, done.err)
    done = replay_of(receipt, prompt=[2048])
    check(done.returncode not in (0, 130), done.err)
    if SLOWER < 20:  # ThreadSanitizer keeps a shadow of all memory, several times its size
        done = replay_of(receipt, context=2**24)
        check(done.returncode in (0, 3), done.returncode, done.err)
    done = replay_of(receipt, engine__build="0" * 64)
    check(done.returncode == 0 and "another build" in done.out, done.out)


def sections(data):
    """(start of tensor data, some offsets of metadata, tensor data, padding)"""
    end = data.index(b"tokenizer.ggml.tokens")
    return {"magic": 0, "version": 4, "counts": 8, "a key": 40, "metadata": end - 100, "tokens": end + 200,
            "the end": len(data) - 1}


@test
def each_changed_model_byte():
    """A receipt of a model does not replay on a file that differs in a byte, wherever."""
    data = read(DEFAULT)
    model = write("model.gguf", data)
    got = run(model, "Once", "-n", 3, "--seed", 3)
    random = generator(5)
    places = sections(data)
    for i in range(40 if LONG else 14):
        places[f"place {i}"] = random.randrange(len(data))
    places["a leaf's end"], places["a leaf's begin"] = (1 << 20) - 1, 1 << 20
    for name, place in places.items():
        changed = bytearray(data)
        changed[place] ^= 1 << random.randrange(8)
        write("model.gguf", bytes(changed))
        done = inox("replay", got["receipt"])
        check(done.returncode in BAD_RECEIPT or done.returncode == NOT_FOUND, name, place, "gave", done.returncode,
              done.err)
    for other in (data[:-1], data + b"\0", b""):
        write("model.gguf", other)
        check(inox("replay", got["receipt"]).returncode in BAD_RECEIPT, len(other))
    os.remove(model)
    fails(NOT_FOUND, "replay", got["receipt"], says="model.gguf")
    good("replay", got["receipt"], "--model", DEFAULT)
    good("replay", got["receipt"], "--model", "default")
    moved = write("moved to/é.gguf".replace(" ", "_").replace("/", "_"), data)
    good("replay", got["receipt"], "--model", moved)
    write("model.gguf", data)
    good("replay", got["receipt"])
    print(f"  {len(places)} places")


def _padding(data):
    """Offset of a byte of padding between the tensor table and the tensors, by the file's own header."""
    at, (tensors, keys) = 24, struct.unpack("<QQ", data[8:24])
    sizes = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}

    def string(at):
        return at + 8 + struct.unpack("<Q", data[at:at + 8])[0]

    def value(at, kind):
        if kind == 8:
            return string(at)
        if kind != 9:
            return at + sizes[kind]
        item, count = struct.unpack("<IQ", data[at:at + 12])
        at += 12
        for _ in range(count):
            at = value(at, item)
        return at
    for _ in range(keys):
        at = string(at)
        at = value(at + 4, struct.unpack("<I", data[at:at + 4])[0])
    for _ in range(tensors):
        at = string(at)
        at += 4 + 8 * struct.unpack("<I", data[at:at + 4])[0] + 12
    return at if at % 32 else None


@test
def padding_counts():
    """Bytes that no computation reads are part of the identity too."""
    data = read(DEFAULT)
    place = _padding(data)
    if place is None:
        data += bytes(32)  # bytes behind the last tensor
        place = len(data) - 1
    got = run(write("padded.gguf", data), "Once", "-n", 3)
    changed = bytearray(data)
    changed[place] ^= 1
    write("padded.gguf", bytes(changed))
    done = fails(DIFFERENT, "replay", got["receipt"], says="another model")
    check(done.out == "", done.out)


@test
def cache_of_identities():
    """A file changed in place, with its size and modification time set back, is noticed by ctime."""
    data = read(DEFAULT)
    model = write("cached.gguf", data)
    got = run(model, "Once", "-n", 3)
    cache = path("cache/inox/identities")
    check(os.listdir(cache), "the identity is remembered")
    good("replay", got["receipt"])
    before = os.stat(model)
    changed = bytearray(data)
    changed[-5] ^= 4
    with open(model, "r+b") as f:
        f.seek(len(data) - 5)
        f.write(changed[-5:-4])
    os.utime(model, ns=(before.st_atime_ns, before.st_mtime_ns))
    after = os.stat(model)
    check((after.st_size, after.st_mtime_ns, after.st_ino) == (before.st_size, before.st_mtime_ns, before.st_ino))
    fails(DIFFERENT, "replay", got["receipt"], says="another model")
    # what is in the cache but is no digest is not believed
    write("cached.gguf", data)
    good("replay", got["receipt"])
    for name in os.listdir(cache):
        with open(os.path.join(cache, name), "wb") as f:
            f.write(b"not a digest")
    good("replay", got["receipt"])
    shutil.rmtree(cache)
    good("replay", got["receipt"])
    # without a place for the cache everything is hashed
    good("replay", got["receipt"], environment={"XDG_CACHE_HOME": "/dev/null"})


@test
def ids_of_models():
    """The embedded model and its file are the same model; a path through a link, too."""
    got = run("Once", "-n", 3, "--seed", 1)
    good("replay", got["receipt"], "--model", DEFAULT)
    receipt = json.loads(read(kept(got["receipt"])))
    check(receipt["model"]["path"] == "", receipt["model"])
    check(receipt["model"]["sha256"] == good("inspect", "--identity").out.strip() == tree(read(DEFAULT)))
    os.symlink(DEFAULT, path("link.gguf"))
    check(good("inspect", path("link.gguf"), "--identity").out.strip() == receipt["model"]["sha256"])
    # relative paths replay from another directory only with --model; the error names the path
    os.makedirs(path("elsewhere"), exist_ok=True)
    here = object_of(good("run", "link.gguf", "Once", "-n", 2, "--json", cwd=SCRATCH))
    good("replay", here["receipt"], cwd=SCRATCH)
    done = inox("replay", here["receipt"], cwd=path("elsewhere"))
    check(done.returncode in (0, NOT_FOUND), done.returncode, done.err)


@test
def seeds():
    """The fuzzer's receipts: good-* are read (and name another model), the others are refused."""
    folder = os.path.join(ROOT, "fuzz", "corpus", "receipt")
    for name in sorted(os.listdir(folder)):
        done = inox("replay", os.path.join(folder, name))
        check(done.returncode in BAD_RECEIPT, name, done.returncode, done.err)
        check(("another model" in done.err) == name.startswith("good-"), name, done.err)


@test
def many_at_once():
    """Several programs write receipts and identities at the same time."""
    model = write("shared.gguf", read(DEFAULT))
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda seed: run(model, "Once", "-n", 2, "--seed", seed), range(8)))
    check(len({r["receipt"] for r in results}) == 8)
    for r in results[:3]:
        good("replay", r["receipt"])
    left = [n for folder in (STATE, path("cache/inox/identities")) for n in os.listdir(folder) if "tmp" in n]
    check(left == [], left)


main()
