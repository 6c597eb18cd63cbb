#!/usr/bin/env python3
"""The program as scripts see it: arguments, output, exit codes, and what happens with bad input."""
import json
import os
import select
import signal
import subprocess
import threading
import time

from support import (CONTEXT, DEFAULT, ENVIRONMENT, FORMAT, INOX, INTERRUPTED, IO, ISA, LIMIT, NOT_FOUND,
                     SCRATCH, SLOWER, UNSUPPORTED, USAGE, check, fails, generator, good, inox, main, object_of,
                     path, read, test, version, write)

COMMANDS = ["run", "replay", "logits", "inspect", "tokenize", "template", "perplexity", "bench", "list"]
GREEDY = ["--temp", "0"]


def ids_of(text, *options):
    return object_of(good("tokenize", "default", "--text", text, "--json", *options))["ids"]


# ---- help, versions, usage -------------------------------------------------------------------------

@test
def help_answers():
    for arguments in (["--help"], ["-h"], ["help"]):
        done = good(*arguments)
        for command in COMMANDS:
            check(f"\n  {command} " in done.out, arguments, command)
    for command in COMMANDS:
        for flag in ("--help", "-h"):
            done = good(command, flag)
            check(done.out.startswith(f"usage: inox {command}"), command, done.out[:80])
            check("--help" in done.out and done.err == "", command, done.err)
        fails(USAGE, command, "--bogus", says="--bogus")
        fails(USAGE, command, "-Z", says="-Z")
        fails(USAGE, command, "--json=1", says="--json")
        if command in ("list", "template"):  # computes nothing: has none of the options about that
            fails(USAGE, command, "--threads", "1", says="--threads")
            continue
        fails(USAGE, command, "--threads", says="--threads")
        fails(USAGE, command, "--threads", "many", says="many")
        fails(USAGE, command, "--quiet=1", says="--quiet")
    fails(USAGE, "walk", says="walk")
    check(inox().returncode == USAGE)


@test
def versions():
    check(good("--version").out.startswith("inox "))
    v = version()
    check(v["version"] in good("--version").out)
    check(len(v["contract"]["sha256"]) == 64 and len(v["build"]) == 64, v)
    check("ref" in v["isa_present"] and set(v["isa_present"]) <= set(v["isa_built"]), v)


@test
def isa_names():
    v = version()
    for isa in v["isa_present"]:
        good("run", "Once", "-n", 1, "-q", "--no-receipt", "--isa", isa)
        good("run", "Once", "-n", 1, "-q", "--no-receipt", environment={"INOX_ISA": isa})
    for isa in ("sse9", "", "AVX2", "avx", "avx5120", "ref "):
        fails(ISA, "run", "Once", "-n", 1, "--isa", isa)
        if isa:
            fails(ISA, "run", "Once", "-n", 1, environment={"INOX_ISA": isa}, says=isa)
    for isa in set(v["isa_built"]) - set(v["isa_present"]):
        fails(ISA, "run", "Once", "-n", 1, "--isa", isa, says=isa)
    done = fails(ISA, "run", "Once", "--json", "--isa", "sse9")
    check(object_of(done)["error"]["code"] == "INOX_E_ISA", done.out)


# ---- run -------------------------------------------------------------------------------------------

def run_json(*arguments, **options):
    return object_of(good("run", *arguments, "--json", **options))


@test
def run_positionals():
    """--prompt: the argument is MODEL.  Alone: MODEL if it exists or has a model's ending."""
    base = run_json("Once upon a time", "-n", 4, *GREEDY)
    check(len(base["ids"]) == 4 and base["finish_reason"] == "length", base)
    for arguments in ([DEFAULT, "Once upon a time"], [DEFAULT, "--prompt", "Once upon a time"],
                      ["--prompt", "Once upon a time"], ["--prompt=Once upon a time", DEFAULT],
                      ["default", "--prompt", "Once upon a time"], ["-p", "Once upon a time"],
                      ["default", "Once upon a time"]):
        check(run_json(*arguments, "-n", 4, *GREEDY)["ids"] == base["ids"], arguments)
    check(good("run", "-q", "-n", 0, "--", "--n").out == "--n\n")
    for arguments in ([], ["-"], [DEFAULT], [DEFAULT, "-"], ["--file", "-"], ["--prompt", "-"]):
        got = run_json(*arguments, "-n", 4, *GREEDY, stdin=b"Once upon a time")
        check(got["ids"] == base["ids"], arguments, got["text"])
    missing = fails(NOT_FOUND, "run", path("nothing.gguf"), says="nothing.gguf")
    check(missing.out == "", missing.out)
    fails(NOT_FOUND, "run", "nothing.gguf", says="nothing.gguf")
    fails(NOT_FOUND, "run", path("nothing"), "--prompt", "x", says="nothing")
    fails(NOT_FOUND, "run", path("nothing.gguf"), "a prompt", says="nothing.gguf")
    fails(USAGE, "run", DEFAULT, "a", "b")
    fails(USAGE, "run", DEFAULT, "a", "--prompt", "b")
    # a name that does not exist and has no model's ending is a prompt
    check(run_json("no such thing", "-n", 1)["timings"]["prompt_tokens"] > 1)
    # an existing path is a model, whatever it holds
    fails(FORMAT, "run", write("story", "Once upon a time, long ago"), says="story")
    fails(UNSUPPORTED, "run", SCRATCH, says=SCRATCH)
    os.makedirs(path("data/inox/models"), exist_ok=True)
    os.symlink(DEFAULT, path("data/inox/models/small.gguf"))
    check(run_json("small", "Once upon a time", "-n", 4, *GREEDY)["ids"] == base["ids"])
    check(run_json("small.gguf", "--prompt", "Once upon a time", "-n", 4, *GREEDY)["ids"] == base["ids"])
    check("small" in good("list").out)
    names = {m["name"] for m in json.loads(good("list", "--json").out)}
    check({"default", "small"} <= names, names)


@test
def run_special_files():
    """A path that exists is the model, also where it cannot be one: an error, and never a wait."""
    os.mkfifo(path("pipe"))
    os.mkfifo(path("pipe.gguf"))
    for name in ("pipe", "pipe.gguf"):
        fails(IO, "run", path(name), timeout=20, says=name)
        fails(IO, "inspect", path(name), timeout=20, says=name)
        fails(IO, "run", path(name), "--prompt", "x", timeout=20, says=name)
    fails(IO, "run", "/dev/null", "--prompt", "x", says="/dev/null")
    os.makedirs(path("data/inox/models"), exist_ok=True)
    os.mkfifo(path("data/inox/models/waits.gguf"))
    good("list", timeout=20)
    os.remove(path("data/inox/models/waits.gguf"))
    secret = write("secret", b"GGUF")
    os.chmod(secret, 0)
    done = inox("run", secret)
    check(done.returncode in (IO, FORMAT), "unreadable file:", done.returncode, done.err)
    fails(FORMAT, "run", write("empty.gguf", b""), "x", says="empty.gguf")
    fails(FORMAT, "run", write("short.gguf", read(DEFAULT)[:100000]), "x", says="short.gguf")
    done = fails(FORMAT, "run", path("short.gguf"), "x", "--json")
    error = object_of(done)["error"]
    check(error["code"] == "INOX_E_FORMAT" and error["position"] >= 0, error)
    check(set(error) == {"code", "message", "position"}, error)


@test
def run_with_guesses():
    for request in (["--temp", 0], ["--seed", 5, "--repeat-penalty", 1.1]):
        plain = run_json("Once upon a time", "-n", 60, *request)
        check("draft" not in plain)
        rows = json.loads(read(path(f"state/inox/receipts/{plain['receipt']}.json")))["logits_sha256"]
        for guess in (["--draft", "default"], ["--lookup", 2], ["--lookup", 3, "--draft", DEFAULT],
                      ["--draft", DEFAULT, "--draft-tokens", 31, "--threads", 3, "--chunk", 5]):
            got = run_json("Once upon a time", "-n", 60, *request, *guess)
            check(got["text"] == plain["text"] and got["ids"] == plain["ids"], guess, got["text"])
            receipt = json.loads(read(path(f"state/inox/receipts/{got['receipt']}.json")))
            check(receipt["logits_sha256"] == rows, guess)
            good("replay", got["receipt"])
            draft = got["draft"]
            check(draft["guessed"] >= draft["right"] and 0 <= draft["acceptance"] <= 1, draft)
            if guess[0] == "--draft":  # by itself
                check(draft["guessed"] == draft["right"] > 30, draft)
    check("Guessed: " in good("run", "Once upon a time", "-n", 20, "--draft", "default").err)
    fails(USAGE, "run", "x", "--lookup", -1, says="--lookup")
    fails(USAGE, "run", "x", "--draft-tokens", 0, says="--draft-tokens")
    fails(NOT_FOUND, "run", "x", "--draft", "no-such-model")


@test
def run_json_members():
    got = run_json("Once upon a time", "-n", 8, "--seed", 7)
    check({"text", "ids", "finish_reason", "timings", "seed", "receipt"} <= set(got), got)
    check(len(got["ids"]) == 8 and all(isinstance(i, int) for i in got["ids"]))
    check(got["seed"] == 7 and got["finish_reason"] == "length")
    check(len(got["receipt"]) == 64)
    check({"prompt_s", "decode_s"} <= set(got["timings"]), got["timings"])
    check(os.path.exists(path(f"state/inox/receipts/{got['receipt']}.json")))
    check(run_json("x", "-n", 1, "--no-receipt")["receipt"] is None)
    # plain output: the prompt, the text; and on standard error the receipt's first digits
    done = good("run", "Once upon a time", "-n", 8, "--seed", 7)
    check(done.out == "Once upon a time" + got["text"] + "\n", repr(done.out), got["text"])
    check("8 tokens" in done.err and "Receipt " in done.err, done.err)
    check(good("run", "Once", "-n", 2, "-q").err == "")
    check(good("run", "Once upon a time", "-n", 8, "--seed", 7, "--no-echo", "-q").out ==
          got["text"] + "\n")


@test
def run_seeds():
    options = ["Once upon a time", "-n", 24, "--temp", "1.2", "--no-receipt"]
    first = run_json(*options, "--seed", 1)
    check(run_json(*options, "--seed", 1)["ids"] == first["ids"])
    check(run_json(*options, "--seed", 1, "--threads", 3, "--isa", "ref")["ids"] == first["ids"])
    check(run_json(*options, "--seed", 2)["ids"] != first["ids"])
    drawn = [run_json(*options) for _ in range(3)]
    check(len({d["seed"] for d in drawn}) == 3, "seeds that were drawn:", [d["seed"] for d in drawn])
    check(run_json(*options, "--seed", drawn[0]["seed"])["ids"] == drawn[0]["ids"])
    largest = run_json(*options, "--seed", 2**64 - 1)
    check(int(largest["seed"]) == 2**64 - 1)
    for bad in ("-1", str(2**64), "x", "", "1.5", " -1"):
        fails(USAGE, "run", *options, "--seed", bad)
    greedy = run_json(*options[:3], *GREEDY, "--seed", 1)
    check(greedy["ids"] == run_json(*options[:3], *GREEDY, "--seed", 2)["ids"])
    check(greedy["ids"] == run_json(*options[:3], "--temp", "1", "--top-k", 1, "--seed", 3)["ids"])


@test
def run_limits():
    """Nothing asked, too much asked, impossible numbers."""
    zero = run_json("Once upon a time", "-n", 0)
    check(zero["ids"] == [] and zero["text"] == "" and zero["finish_reason"] == "length", zero)
    check(good("run", "Once upon a time", "-n", 0, "-q").out == "Once upon a time\n")
    good("replay", zero["receipt"])
    empty = run_json("", "-n", 3, *GREEDY)
    check(len(empty["ids"]) == 3, empty)
    check(run_json("--prompt", "", "-n", 3, *GREEDY)["ids"] == empty["ids"])
    check(run_json("-n", 3, *GREEDY, stdin=b"")["ids"] == empty["ids"])
    fails(USAGE, "run", "", "-n", 3, "--no-special", says="no tokens")
    for bad in (["-n", "-1"], ["-n", "x"], ["-n", "1e3"], ["-n", str(2**40)], ["--temp", "warm"],
                ["--temp", "-1"], ["--temp", "nan"], ["--temp", "inf"], ["--top-k", "-1"], ["--top-p", "0"],
                ["--top-p", "-0.5"], ["--top-p", "nan"], ["--min-p", "2"], ["--min-p", "-1"],
                ["--typical", "nan"], ["--repeat-penalty", "0"], ["--repeat-penalty", "-1"],
                ["--repeat-penalty", "nan"], ["--presence-penalty", "nan"],
                ["--frequency-penalty", "inf"], ["--threads", "-1"], ["--threads", "257"],
                ["--threads", str(2**33)], ["--ctx", "-1"], ["--ctx", str(2**40)], ["--chunk", "-1"],
                ["--chunk", "70000"], ["--cache", "f8"], ["--logit-bias", "5"],
                ["--logit-bias", "x=1"], ["--logit-bias", "5=nan"], ["--logit-bias", "-5=1"],
                ["--logit-bias", "999999=1"], ["--stop", ""], ["--penalty-window", "-2"]):
        fails(USAGE, "run", "Once", "-n", 2, *bad)
    fails(LIMIT, "run", "Once", "-n", 2, *["--stop=x"] * 65)
    # a prompt longer than the context, and an answer that fills it
    fails(CONTEXT, "run", "Once upon a time " * 10, "--ctx", 16, "-n", 2, says="16")
    done = inox("run", "Once upon a time", "--ctx", 12, "-n", 50, "--json", "--ignore-end")
    got = object_of(done)
    check(done.returncode == CONTEXT and got["finish_reason"] == "context", done.returncode, got)
    check(len(got["ids"]) == 12 - got["timings"]["prompt_tokens"] + 1, got)
    good("replay", got["receipt"])
    # exactly full is no error
    fits = run_json("Once upon a time", "--ctx", got["timings"]["prompt_tokens"] + 4, "-n", 5,
                    "--ignore-end")
    check(fits["finish_reason"] == "length", fits)
    for chunk in (1, 2, 5, 512):
        check(run_json("Once upon a time", "-n", 6, *GREEDY, "--chunk", chunk)["ids"] ==
              run_json("Once upon a time", "-n", 6, *GREEDY)["ids"], chunk)


@test
def run_stops():
    """An answer ends before a stop text, wherever the borders of tokens are."""
    base = run_json("Once upon a time", "-n", 40, *GREEDY)["text"]
    random = generator(1)
    tried = set()
    for _ in range(25):
        begin = random.randrange(0, len(base) - 8)
        stop = base[begin:begin + random.randrange(1, 8)]
        if stop in tried:
            continue
        tried.add(stop)
        got = run_json("Once upon a time", "-n", 40, *GREEDY, "--stop", "never this", "--stop", stop,
                       "--no-receipt")
        check(got["text"] == base[:base.index(stop)], repr(stop), repr(got["text"]))
        check(got["finish_reason"] == "stop", repr(stop), got)
        done = good("run", "Once upon a time", "-n", 40, *GREEDY, "--stop", stop, "-q", "--no-echo",
                    "--no-receipt")
        check(done.out == base[:base.index(stop)] + "\n", repr(stop), repr(done.out))
    # a text that only begins like a stop is not lost
    partial = base[-3:] + "\x01"
    got = run_json("Once upon a time", "-n", 40, *GREEDY, "--stop", partial)
    check(got["text"] == base and got["finish_reason"] == "length", got)
    done = good("run", "Once upon a time", "-n", 40, *GREEDY, "--stop", partial, "-q", "--no-echo")
    check(done.out == base + "\n", repr(done.out))


@test
def run_logit_bias():
    base = run_json("Once upon a time", "-n", 6, *GREEDY)["ids"]
    banned = run_json("Once upon a time", "-n", 6, *GREEDY, "--logit-bias", f"{base[0]}=-inf")["ids"]
    check(base[0] not in banned, base, banned)
    forced = run_json("Once upon a time", "-n", 6, "--seed", 3, "--logit-bias", "77=1000", "--ignore-end")
    check(forced["ids"] == [77] * 6, forced)
    good("replay", forced["receipt"])
    zero = run_json("Once upon a time", "-n", 6, *GREEDY, "--logit-bias", "5=0", "--logit-bias=6=-0")
    check(zero["ids"] == base)


@test
def run_special_texts():
    """The texts of special tokens in a prompt are text unless they are asked to be more."""
    special = [i for i in range(4)
               if inox("tokenize", "default", "--decode", i, "--special").out.strip().startswith("<")]
    check(special, "the default model has special tokens")
    for i in special:
        spelling = good("tokenize", "default", "--decode", i, "--special").out[:-1]
        check(i not in ids_of(f"a{spelling}b"), spelling)
        check(i in ids_of(f"a{spelling}b", "--parse-special"), spelling)
        plain = run_json(f"a{spelling}b", "-n", 0)["timings"]["prompt_tokens"]
        parsed = run_json(f"a{spelling}b", "-n", 0, "--parse-special")["timings"]["prompt_tokens"]
        check(plain == len(ids_of(f"a{spelling}b", "--special")), plain)
        check(parsed == len(ids_of(f"a{spelling}b", "--special", "--parse-special")) < plain, parsed)


@test
def run_streams_whole_characters():
    """Every piece that a reader gets is UTF-8 on its own; bytes are forced by a logit bias."""
    letters = "äé漢🙂"
    ids = [i for c in letters for i in ids_of(c)]
    check(len(ids) > len(letters), "characters of several tokens")
    bias = [f"--logit-bias={i}=60" for i in set(ids)]
    for seed in range(6):
        command = [INOX, "run", "Once", "-n", "80", "--temp", "2", "--top-k", "0", "--min-p", "0", "--top-p", "1",
                   "--seed", str(seed), "--no-echo", "-q", "--no-receipt", *bias]
        with subprocess.Popen(command, stdout=subprocess.PIPE, env=ENVIRONMENT, bufsize=0) as p:
            pieces = []
            while True:
                piece = os.read(p.stdout.fileno(), 65536)
                if not piece:
                    break
                pieces.append(piece)
        check(p.returncode == 0)
        for piece in pieces:
            check(_is_utf8(piece), seed, piece)
        text = run_json("Once", "-n", 80, "--temp", 2, "--top-k", 0, "--min-p", 0, "--top-p", 1, "--seed", seed,
                        "--no-receipt", *bias)["text"]
        check(b"".join(pieces) == text.encode() + b"\n", seed, pieces)


def _is_utf8(data):
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


@test
def run_any_bytes():
    """Prompts of any bytes, from a pipe and as an argument."""
    for data in (b"\x00", b"a\x00b", b"\xff\xfe", b"\xe2\x82", b"\xed\xa0\x80", b"\r\n\t", b" " * 3000):
        good("run", "-n", 1, "--json", stdin=data)
        if b"\0" not in data:
            good("run", "--prompt", data.decode("utf-8", "surrogateescape"), "-n", 1, "--json")
    done = good("run", "-n", 1, "-q", stdin=b"a\x00b\xff")
    check(done.stdout.startswith(b"a\x00b\xff"), done.stdout)


# ---- tokenize --jsonl ------------------------------------------------------------------------------

def lines_of(*lines):
    data = b"\n".join(line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines)
    done = good("tokenize", "default", "--jsonl", stdin=data + b"\n", timeout=120)
    answers = [json.loads(line) for line in done.out.split("\n")[:-1]]
    check(len(answers) == len(lines), len(answers), "answers to", len(lines), "lines")
    return answers + [{}] * (len(lines) - len(answers))


@test
def jsonl_good_lines():
    texts = ["", "Hello", " a  b\n", "naïve 漢字 🙂", "\u0000", "a\u0000b", "<|endoftext|>", "\ufeff",
             "e\u0301", "x" * 5000, "\u0085\u2028", "\\u0041 \"quoted\""]
    encoded = lines_of(*[{"text": t} for t in texts])
    for text, answer in zip(texts, encoded):
        check(set(answer) == {"ids", "offsets"}, text, answer)
        data = text.encode()
        end = 0
        for start, stop in answer["offsets"]:
            check(start == end and stop > start, repr(text[:40]), answer["offsets"][:9])
            end = stop
        check(end == len(data), repr(text[:40]), end)
    for text, answer in zip(texts, lines_of(*[{"ids": a["ids"]} for a in encoded])):
        check(answer == {"text": text}, repr(text[:40]), answer)
    hexes = lines_of(*[{"bytes_hex": t.encode().hex()} for t in texts])
    check(hexes == encoded)
    check(lines_of({"bytes_hex": "C3A9"}) == lines_of({"text": "é"}))
    bad = lines_of({"bytes_hex": "ff"}, {"bytes_hex": "e282"}, {"bytes_hex": "00ff00"})
    check(all("ids" in a and len(a["ids"]) == len(a["offsets"]) for a in bad), bad)
    special = lines_of({"text": "a", "special": True}, {"text": "a"}, {"text": "a", "special": False})
    check(special[1] == special[2] and special[0]["ids"][-len(special[1]["ids"]):] == special[1]["ids"])
    check(len(special[0]["ids"]) > len(special[1]["ids"]), special)
    kept = lines_of({"ids": special[0]["ids"], "special": True}, {"ids": special[0]["ids"]},
                    {"ids": special[0]["ids"], "special": False}, {"ids": []})
    check(kept[1] == kept[2] == {"text": "a"} and kept[0]["text"].endswith("a") and
          len(kept[0]["text"]) > 1 and kept[3] == {"text": ""}, kept)
    spelling = kept[0]["text"][:-1]
    parsed = lines_of({"text": spelling + "a", "parse_special": True}, {"text": spelling + "a"})
    check(parsed[0]["ids"] == special[0]["ids"] and parsed[1]["ids"] != parsed[0]["ids"], parsed)
    # the line may end with a carriage return, and the last one without a newline
    done = good("tokenize", "default", "--jsonl", stdin=b'{"text": "a"}\r\n{"text": "a"}')
    check(done.out.count("\n") == 2 and len(set(done.out.split())) == 1, done.out)
    check(good("tokenize", "default", "--jsonl", stdin=b"").out == "")


@test
def jsonl_bad_lines():
    """Each line has one answer, in order, whatever it is."""
    bad = [b"", b" ", b"x", b"{", b"[]", b"[1]", b"1", b"null", b'"text"', b"{}", b'{"text"}', b'{"text": 1}',
           b'{"text": null}', b'{"text": ["a"]}', b'{"ids": 1}', b'{"ids": ["a"]}', b'{"ids": [1.5]}',
           b'{"ids": [-1]}', b'{"ids": [99999999]}', b'{"ids": [2048]}', b'{"ids": [4294967296]}',
           b'{"ids": [18446744073709551616]}', b'{"ids": [1e999]}', b'{"ids": [null]}', b'{"ids": [[1]]}',
           b'{"ids": [true]}', b'{"bytes_hex": "0"}', b'{"bytes_hex": "zz"}', b'{"bytes_hex": 0}',
           b'{"bytes_hex": "00 11"}', b'{"bytes_hex": "0x41"}', b'{"text": "a", "bytes_hex": "61"}',
           b'{"text": "a", "ids": [1]}', b'{"text": "a", "special": 1}', b'{"text": "a", "parse_special": "x"}',
           b'{"text": "\\ud800"}', b'{"text": "\\udc00x"}', b'{"text": "\\ud800\\ud800"}', b'{"text": "\xff"}',
           b'{"text": "\xed\xa0\x80"}', b'{"text": "\xc0\x80"}', b'{"text": "a\x00b"}', b"\x00", b'{"text": "a\tb"}',
           b'{"text": "\\x"}', b'{"text": "a"} x', b'{"text": "a"}{"text": "b"}', b"[" * 100000,
           b'{"a":' * 5000, b'{"text": "a",}', b"\xef\xbb\xbf{}", b"{'text': 'a'}", b"nan",
           b'{"text": "' + b"y" * 3000000]
    mixed = [line for b in bad for line in (b, {"text": "Hello"})]
    answers = lines_of(*mixed)
    hello = lines_of({"text": "Hello"})[0]
    for line, wrong, right in zip(bad, answers[::2], answers[1::2]):
        check(set(wrong) == {"error"} and isinstance(wrong["error"], str) and wrong["error"], line[:60], wrong)
        check(right == hello, "behind", line[:60], right)


@test
def jsonl_huge_line():
    text = "The quick brown fox. " * 100000
    answer = lines_of({"text": text}, {"text": "Hello"})
    check(answer[0]["offsets"][-1][1] == len(text))
    check(lines_of({"ids": answer[0]["ids"]})[0] == {"text": text})


@test
def jsonl_answers_at_once():
    """A program on the other side may wait for each answer before it asks again."""
    command = [INOX, "tokenize", "default", "--jsonl"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=ENVIRONMENT,
                          bufsize=0) as p:
        for i in range(5):
            p.stdin.write(json.dumps({"text": f"line {i}"}).encode() + b"\n")
            ready = select.select([p.stdout], [], [], 20)[0]
            check(ready, "no answer to line", i)
            if not ready:
                p.kill()
                return
            check(b"ids" in os.read(p.stdout.fileno(), 65536))
        p.stdin.close()
        check(p.wait(20) == 0)


@test
def bad_utf8_decodes_to_replacements():
    """Like Unicode's recommended practice (and Python's): one U+FFFD per maximal ill-formed part."""
    base = {}  # ids of the bytes, from two-byte characters, of which some have no token of their own
    characters = [chr(c) for c in range(0x80, 0x800)] + ["\U0010ffff", "\U000d0000", "\uffff", "\ue000", "a"]
    characters += [chr(c) for c in range(0x1000, 0x11000, 0x1000) if c != 0xd000] + ["\ud7ff", "\U00040000"]
    for c, answer in zip(characters, lines_of(*[{"text": c} for c in characters])):
        if len(answer["ids"]) == len(c.encode()):
            base.update(zip(c.encode(), answer["ids"]))
    samples = [b"\xff", b"\xe2\x82", b"\xe2\x82a", b"\xf0\x9f\x99", b"\xf0\x9f\x99\xe2", b"\xc3\xc3\xa9",
               b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe0\xa0", b"\xf0\x80", b"\xe0\x80", b"a\x80b", b"\xf0\x90\xc3\xa9"]
    random = generator(2)
    for _ in range(300):
        samples.append(bytes(random.choice(b"\xf0\x9f\x99\x82\xe2\x82\xac\xc3\xa9a\xed\xff\x80\x90\xf4")
                             for _ in range(random.randrange(1, 7))))
    samples = [s for s in samples if all(b in base for b in s)]
    check(len(samples) > 200, len(samples), sorted(base))
    for data, answer in zip(samples, lines_of(*[{"ids": [base[b] for b in s]} for s in samples])):
        check(answer.get("text") == data.decode("utf-8", "replace"), data, answer)


@test
def tokenize_for_people():
    text = "Once upon a time"
    ids = ids_of(text)
    line = " ".join(str(i) for i in ids) + "\n"
    name = write("text.txt", text)
    for arguments in (["--text", text], [name], ["--file", name], ["-"], []):
        check(good("tokenize", "default", *arguments, stdin=text.encode()).out == line, arguments)
    check(good("tokenize", "default", name, name).out == line * 2)
    check(good("tokenize", "default", "--text", text, "--count").out == f"{len(ids)}\n")
    check(good("tokenize", "default", name, "-", "--count", stdin=b"").out == f"{len(ids)} {name}\n0 -\n")
    check(object_of(good("tokenize", "default", name, "--count", "--json")) == {"tokens": len(ids), "bytes": len(text)})
    whole = object_of(good("tokenize", "default", name, "--json"))
    check(whole["ids"] == ids and whole["offsets"][-1][1] == len(text), whole)
    rows = good("tokenize", "default", name, "--offsets").out.splitlines()
    check([int(r.split()[0]) for r in rows] == ids and rows[0].split()[1:] == ["0..1", "O"], rows)
    check(good("tokenize", "default", "--text", "a\x1b[31m\n", "--offsets").out.count("\x1b") == 0)
    fails(USAGE, "tokenize")
    fails(USAGE, "tokenize", "default", name, "--text", "x")
    fails(USAGE, "tokenize", "default", "--jsonl", name)
    fails(USAGE, "tokenize", "default", name, "--parse-special", "--no-parse-special")
    fails(USAGE, "tokenize", DEFAULT, name, "--pattern", "x", says="tiktoken")
    fails(NOT_FOUND, "tokenize", path("nothing.gguf"), name, says="nothing.gguf")
    fails(NOT_FOUND, "tokenize", "default", path("nothing.txt"), says="nothing.txt")
    fails(IO, "tokenize", "default", SCRATCH, says=SCRATCH)
    check(not any(good("tokenize", "default", name, *o).err for o in ([], ["--json"], ["--count"])), "notes")


@test
def tokenize_decodes():
    text = "Once upon a time"
    ids = ids_of(text)
    for spelling in (json.dumps(ids), " ".join(map(str, ids)), "\n".join(map(str, ids)) + "\n"):
        check(good("tokenize", "default", "--decode", spelling).out == text + "\n", spelling)
        check(good("tokenize", "default", "--decode", "-", stdin=spelling.encode()).out == text + "\n", spelling)
        name = write("ids.txt", spelling)
        check(good("tokenize", "default", "--decode", "-", name).out == text + "\n", spelling)
        check(object_of(good("tokenize", "default", "--decode", "-", name, "--json")) == {"text": text}, spelling)
    check(good("tokenize", "default", "--decode", "").out == "\n")
    fails(USAGE, "tokenize", "default", "--decode", "999999")
    for bad in ("x", "1 x", "1.5", "-1", "99999999999", "1;2"):
        fails(USAGE, "tokenize", "default", "--decode", bad, says="token id")
    fails(USAGE, "tokenize", "default", "--decode", "1", "--text", "a")
    fails(NOT_FOUND, "tokenize", "default", "--decode", "-", path("nothing.txt"), says="nothing.txt")


@test
def tokenize_streams():
    """A file of many chunks gives what the whole gives, wherever the chunks are cut."""
    random = generator(7)
    text = "".join(random.choice(["naïve ", "漢字", "🙂🏽", "word ", " ", "\n", "12345", "x" * 50]) for _ in range(300000))
    name = write("long.txt", text)
    check(os.path.getsize(name) > 2 << 20)
    whole = object_of(good("tokenize", "default", name, "--json"))
    lines = [json.loads(a) for a in good("tokenize", "default", "--jsonl",
                                         stdin=json.dumps({"text": text}).encode() + b"\n").out.splitlines()]
    check(whole["ids"] == lines[0]["ids"] and whole["offsets"] == lines[0]["offsets"], "streamed or not")
    ids = good("tokenize", "default", name).out.split()
    check([int(i) for i in ids] == whole["ids"], "ids as text")
    check(good("tokenize", "default", "--decode", "-", stdin=" ".join(ids).encode()).out == text + "\n", "decoded")


@test
def tokenize_beside_a_configuration():
    """Published ones hold a number that is no 64-bit integer."""
    folder = path("tokenizer")
    os.mkdir(folder)
    write("tokenizer/tokenizer.json", {"model": {"type": "WordLevel", "unk_token": "?", "vocab": {"?": 0, "a": 1, "[S]": 2}},
                                       "pre_tokenizer": {"type": "Whitespace"}})
    write("tokenizer/tokenizer_config.json", {"model_max_length": 10 ** 30, "bos_token": "[S]"})
    check(good("tokenize", folder, "--text", "a b").out == "1 0\n")
    write("tokenizer/tokenizer_config.json", "{")
    fails(FORMAT, "tokenize", folder, "--text", "a b", says="tokenizer_config.json")


# ---- template --------------------------------------------------------------------------------------

@test
def template_for_people():
    source = write("chat.jinja", "{% for m in messages %}<|{{ m.role }}|>{{ m.content }}\n{% endfor %}{{ now }}")
    variables = {"messages": [{"role": "user", "content": "Hé <|x|>"}], "now": 123456789012345678901234567890}
    want = "<|user|>Hé <|x|>\n123456789012345678901234567890"
    name = write("chat.json", variables)
    check(good("template", source, name).out == want)
    check(good("template", source, stdin=json.dumps(variables).encode()).out == want)
    got = object_of(good("template", source, name, "--json"))
    spans = "".join(want.encode()[a:b].decode() for a, b in got["spans"])
    check(got["text"] == want and spans == "Hé <|x|>", got)
    rows = good("template", source, name, "--spans").out.splitlines()
    check(any(r.endswith(' "Hé <|x|>"') for r in rows), rows)
    config = write("tokenizer_config.json", {"model_max_length": 10 ** 30, "chat_template": [
        {"name": "default", "template": "{{ a }}"}, {"name": "tool_use", "template": "tools {{ a }}"}]})
    check(good("template", config, stdin=b'{"a": 1}').out == "1")
    check(good("template", SCRATCH, "--name", "tool_use", stdin=b'{"a": 1}').out == "tools 1")
    fails(NOT_FOUND, "template", config, "--name", "rag", stdin=b"{}", says="rag")
    fails(USAGE, "template")
    fails(USAGE, "template", source, name, "--jsonl")
    fails(USAGE, "template", source, "--now", "yesterday", stdin=b"{}", says="yesterday")
    fails(USAGE, "template", source, "--now", "2026-02-29 00:00:00", stdin=b"{}")
    fails(NOT_FOUND, "template", path("nothing.jinja"), says="nothing")
    fails(NOT_FOUND, "template", source, path("nothing.json"), says="nothing.json")
    fails(NOT_FOUND, "template", "default", stdin=b"{}", says="template")
    fails(FORMAT, "template", write("bad.jinja", "a\n{% if %}"), stdin=b"{}", says="2")
    for bad in (b"", b"[]", b"{", b'{"a": }', b'{"a": 1} x', b"\xff"):
        fails(FORMAT, "template", source, stdin=bad)


@test
def template_limits():
    """An error names a limit as the option does that raises it."""
    long = write("long.jinja", "{% for i in range(30000) %}{{ 'abc' ~ i }}{% endfor %}")
    for name, small, large in (("steps", 1000, 10 ** 6), ("memory", 10000, 10 ** 8), ("output", 1000, 10 ** 6)):
        fails(LIMIT, "template", long, f"--{name}-max", small, stdin=b"{}", says=f"the limit {name}_max")
        good("template", long, f"--{name}-max", large, stdin=b"{}")
    fails(USAGE, "template", long, "--steps-max", "-1", stdin=b"{}")


@test
def template_lines():
    source = write("lines.jinja", "{{ raise_exception('no') if x == 1 else x }}{{ strftime_now('%d %b %Y %H') }}")
    done = good("template", source, "--jsonl", "--now", "2026-07-04 15:30:45",
                stdin=b'{"x": "a"}\n{"x": 1}\n[]\n\n{"x": "\\u0000"}\n{"x": 1.5}')
    answers = [json.loads(line) for line in done.out.splitlines()]
    check(len(answers) == 6, done.out)
    check(answers[0] == {"text": "a04 Jul 2026 15"} and answers[5] == {"text": "1.504 Jul 2026 15"}, answers)
    check(answers[4] == {"text": "\x0004 Jul 2026 15"}, answers)
    check(all(set(answers[i]) == {"error"} for i in (1, 2, 3)) and "no" in answers[1]["error"], answers)
    # a template that is wrong itself answers every line, too
    wrong = fails(FORMAT, "template", write("wrong.jinja", "a\n{% if %}"), "--jsonl", stdin=b"{}\n{}\n")
    answers = [json.loads(line) for line in wrong.out.splitlines()]
    check(len(answers) == 2 and all("line 2" in a["error"] for a in answers), answers)


# ---- logits, perplexity, bench, inspect ----------------------------------------------------------

@test
def logits_output():
    ids = write("ids.json", [1, 2, 3, 4, 5])
    got = object_of(good("logits", "default", "--ids", ids, "--out", path("rows.f32")))
    check(got["rows"] == 5 and got["columns"] == 2048, got)
    check(os.path.getsize(path("rows.f32")) == 5 * 2048 * 4)
    last = object_of(good("logits", DEFAULT, "--ids", ids, "--out", path("last.f32"), "--last"))
    check(last["rows"] == 1 and read(path("last.f32")) == read(path("rows.f32"))[-2048 * 4:])
    piped = object_of(good("logits", DEFAULT, "--ids", "-", "--out", path("piped.f32"),
                           stdin=b"[1,2,3,4,5]"))
    check(piped == got)
    for text in ("", "[", "{}", "5", "[1, 2.5]", "[-1]", '["a"]', "[1] 2", "[]", "[99999999999]",
                 "[null]", "[true]"):
        fails(FORMAT, "logits", DEFAULT, "--ids", write("bad.json", text), "--out", path("x.f32"),
              says="bad.json")
    fails(USAGE, "logits", DEFAULT, "--ids", write("bad.json", [2048]), "--out", path("x.f32"))
    fails(USAGE, "logits", DEFAULT, "--ids", ids)
    fails(USAGE, "logits", DEFAULT, "--out", path("x.f32"))
    fails(USAGE, "logits", "--ids", ids, "--out", path("x.f32"))
    fails(NOT_FOUND, "logits", DEFAULT, "--ids", path("nothing.json"), "--out", path("x.f32"))
    fails(IO, "logits", DEFAULT, "--ids", SCRATCH, "--out", path("x.f32"))
    fails(NOT_FOUND, "logits", DEFAULT, "--ids", ids, "--out", path("no/where/x.f32"), says="x.f32")
    fails(IO, "logits", DEFAULT, "--ids", ids, "--out", SCRATCH)
    fails(IO, "logits", DEFAULT, "--ids", ids, "--out", "/dev/full", says="/dev/full")


@test
def perplexity_output():
    ids = write("ids.json", list(range(1, 40)))
    got = object_of(good("perplexity", "default", "--ids", ids, "--window", 8, "--json"))
    check(got["tokens"] == 39 - 5 and got["window"] == 8, got)
    check("nats per token" in good("perplexity", "default", "--ids", ids, "--window", 8).out)
    text = object_of(good("perplexity", "default", "-", "--json", stdin=b"It was the best of times."))
    check(text["tokens"] == len(ids_of("It was the best of times.")) - 1, text)
    for bad in ("[]", "[1]"):
        fails(FORMAT, "perplexity", "default", "--ids", write("bad.json", bad))
    fails(USAGE, "perplexity", "default", "--ids", ids, "--window", 1)
    fails(USAGE, "perplexity", "default")


@test
def bench_output():
    got = object_of(good("bench", "default", "-p", 16, "-n", 4, "--threads", 2, "--json"))
    check(got["prompt_tokens_per_s"] > 0 and got["decode_tokens_per_s"] > 0, got)
    check("tokens/s" in good("bench", "-p", 4, "-n", 2, "--repeat", 1).out)
    object_of(good("bench", "-p", 0, "-n", 2, "--repeat", 1, "--json"))
    object_of(good("bench", "-p", 2, "-n", 0, "--repeat", 1, "--json"))
    fails(USAGE, "bench", "-p", 0, "-n", 0)
    many = object_of(good("bench", "-p", 20, "-n", 3, "-b", 5, "--repeat", 1, "--depth", 3, "--chunk", 7, "--json"))
    check(many["sequences"] == 5 and many["prompt_tokens"] == 20 and many["decode_tokens_per_s"] > 0, many)
    check("5 x " in good("bench", "-p", 4, "-n", 2, "-b", 5, "--repeat", 1).out)
    fails(USAGE, "bench", "-b", 0)
    fails(USAGE, "bench", "-b", 5000)
    deep = object_of(good("bench", "-p", 3, "-n", 2, "-d", 700, "-r", 2, "--profile", "--json"))
    seen = next(line for line in deep["profile"]["decode"]["lines"] if line["name"] == "attention")
    check(deep["depth"] == 700 and seen["operations"] % (704 + 705) == 0, seen)
    fails(USAGE, "bench", "-d", -1, says="--depth")


@test
def bench_profile():
    """All time of all threads is in some line; bytes and operations are those of the shapes."""
    tensors = {t["name"]: t for t in object_of(good("inspect", "default", "--json"))["tensors"]}
    layers = sum(1 for name in tensors if name.endswith(".ffn_up.weight"))
    got = object_of(good("bench", "-p", 5, "-n", 2, "-r", 1, "-t", 2, "--profile", "--json"))["profile"]
    for part, rows, runs in (("prompt", 5, 1), ("decode", 1, 2)):
        profile = got[part]
        lines = {line["name"]: line for line in profile["lines"]}
        time = sum(line["time_s"] + line["idle_s"] for line in profile["lines"])
        check(abs(time - profile["wall_s"]) < 0.02 * profile["wall_s"] + 1e-5, part, time, profile["wall_s"])
        check(profile["runs"] == runs and 0 <= profile["idle_share"] <= 1, profile)
        check(profile["limits"]["read_bytes_per_s"] > 1e8, profile["limits"])
        up, one = lines["blk.*.ffn_up.weight"], tensors["blk.0.ffn_up.weight"]
        elements = one["shape"][0] * one["shape"][1]
        check(up["steps"] == layers and up["operations"] == 2.0 * elements * rows * layers * runs, part, up)
        check(one["bytes"] < up["bytes"] / layers / runs < 3 * one["bytes"], part, up)
        positions = sum(range(1, 6)) if part == "prompt" else 6 + 7
        heads = tensors["blk.0.attn_q.weight"]["shape"][0] * layers
        check(lines["attention"]["operations"] == 4.0 * heads * positions, part, lines["attention"])
    text = good("bench", "-p", 5, "-n", 0, "-r", 1, "--profile").out
    check("\nprompt: " in text and "\ndecode: " not in text and "blk.*.ffn_up.weight" in text, text)
    alone = object_of(good("bench", "-p", 0, "-n", 1, "-r", 1, "--profile", "--json"))["profile"]
    check(alone["prompt"] is None and alone["decode"]["runs"] == 1, alone)


@test
def inspect_output():
    check("llama" in good("inspect", "default").out)
    whole = object_of(good("inspect", DEFAULT, "--json"))
    check(whole["summary"]["architecture"] == "llama" and whole["metadata"] and whole["tensors"])
    check("token_embd.weight" in good("inspect", DEFAULT, "--tensors").out)
    check("general.architecture" in good("inspect", DEFAULT, "--metadata").out)
    check(len(good("inspect", DEFAULT, "--graph").out.split("\n")) > 30)
    check(good("inspect", DEFAULT, "--svg", "-").out.startswith("<"))
    embedded, file = good("inspect", "--identity").out, good("inspect", DEFAULT, "--identity").out
    check(embedded == file and len(file) == 65, embedded, file)
    fails(NOT_FOUND, "inspect", path("nothing.gguf"))
    fails(IO, "inspect", DEFAULT, "--svg", "/dev/full")


# ---- output that cannot be written, and Ctrl-C -----------------------------------------------------

@test
def full_disk():
    ids = write("ids.json", [1, 2, 3])
    for arguments in (["--help"], ["--version"], ["--version", "--json"], ["run", "Once", "-n", "4", "-q"],
                      ["run", "Once", "-n", "4", "--json"], ["inspect"], ["inspect", "--json"],
                      ["inspect", "--graph"], ["tokenize", "default", "--text", "Once"], ["list"],
                      ["tokenize", "default", "--text", "Once", "--json"], ["bench", "-p", "2", "-n", "2"],
                      ["logits", "default", "--ids", ids, "--out", path("x.f32")],
                      ["perplexity", "default", "--ids", ids, "--json"], ["run", "--help"]):
        with open("/dev/full", "wb") as full:
            done = inox(*arguments, stdout=full)
        check(done.returncode == IO, arguments, "to a full disk gave", done.returncode, done.err)
    with open("/dev/full", "wb") as full:
        done = inox("tokenize", "default", "--jsonl", stdin=b'{"text": "a"}\n' * 1000, stdout=full)
    check(done.returncode == IO, done.returncode, done.err)
    fails(IO, "run", "Once", "-n", 1, "--receipt", "/dev/full", says="/dev/full")
    fails(NOT_FOUND, "run", "Once", "-n", 1, "--receipt", path("no/where"), says="no/where")


@test
def closed_output():
    """A reader that went away, and a standard output that was never there."""
    for arguments in (["run", "Once", "-n", "300", "-q", "--ignore-end"], ["inspect", "--graph"],
                      ["run", "Once", "-n", "3", "--json"]):
        reader, writer = os.pipe()
        os.close(reader)
        done = inox(*arguments, stdout=writer)
        os.close(writer)
        check(done.returncode == IO, arguments, "to a closed pipe gave", done.returncode, done.err)
    out = path("closed.f32")
    ids = write("ids.json", [1, 2, 3])
    for arguments in (["logits", "default", "--ids", ids, "--out", out], ["inspect"],
                      ["run", "Once", "-n", "3", "-q"]):
        done = subprocess.run(["sh", "-c", 'exec "$@" >&-', "sh", INOX, *arguments], env=ENVIRONMENT,
                              stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, check=False)
        check(done.returncode == IO, arguments, "without standard output gave", done.returncode)
    with open("/proc/self/mem", "rb") as unreadable:  # its first byte gives EIO
        fails(IO, "tokenize", "default", "--jsonl", stdin_file=unreadable, says="standard input")
    check(os.path.getsize(out) == 3 * 2048 * 4, "rows beside a closed standard output")


def _interrupt(arguments, after, stdin=subprocess.DEVNULL, twice=False):
    with subprocess.Popen([INOX, *arguments], env=ENVIRONMENT, stdin=stdin, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE) as p:
        drain = threading.Thread(target=p.stderr.read)
        drain.start()
        if after is None:
            os.read(p.stdout.fileno(), 1)
        else:
            time.sleep(after * min(SLOWER, 3))
        p.send_signal(signal.SIGINT)
        if twice:
            time.sleep(0.05)
            p.send_signal(signal.SIGINT)
        try:
            p.stdout.read()
            code = p.wait(20 * SLOWER)
        except subprocess.TimeoutExpired:
            p.kill()
            code = None
        drain.join()
    return code


@test
def interrupts():
    """Ctrl-C ends with 130, and what was written so far has a receipt that replays."""
    receipt = path("interrupted.json")
    slow = ["run", "Once upon a time", "-n", "100000", "--ctx", "100000", "--ignore-end", "--isa", "ref"]
    check(_interrupt([*slow, "--receipt", receipt], None) == INTERRUPTED)
    check(os.path.exists(receipt) and good("replay", receipt).out.startswith("identical"))
    check(_interrupt([*slow, "--json"], 1.0) == INTERRUPTED)
    check(_interrupt(["tokenize", "default", "--jsonl"], 0.7, stdin=subprocess.PIPE) == INTERRUPTED)
    ids = write("many.json", [i % 2000 for i in range(100000)])
    check(_interrupt(["perplexity", "default", "--ids", ids, "--isa", "ref", "--window", "32"], 1.0) == INTERRUPTED)
    check(_interrupt(["bench", "-n", "100000", "--isa", "ref", "-p", "1"], 1.0) == INTERRUPTED)
    check(_interrupt(["logits", "default", "--ids", ids, "--out", path("x.f32"), "--chunk", "32", "--isa", "ref"],
                     1.0) == INTERRUPTED)
    long = object_of(good("run", "Once upon a time", "-n", 400, "--ignore-end", "--json"))
    check(_interrupt(["replay", long["receipt"], "--isa", "ref"], 1.0) == INTERRUPTED)


main()
