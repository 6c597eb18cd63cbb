#!/usr/bin/env python3
"""bench/run.py beside peers that are made up here: what it runs, compares, prints and refuses."""
import json
import os
import subprocess
import sys

from support import BUILD, DEFAULT, ENVIRONMENT, ROOT, check, main, path, skip, test, write

RUN = os.path.join(ROOT, "bench", "run.py")
LIMITS = os.path.join(BUILD, "bench", "bench-limits")

# A llama-bench that opens the file, or does not, and says what it was asked for.
LLAMA_BENCH = """#!/usr/bin/env python3
import json, sys, time
a = dict(zip(sys.argv[1::2], sys.argv[2::2]))
f = open(a["-m"], "rb") if {opens} else None
time.sleep(0.2)
n = int(a["-p"]) or int(a["-n"])
print(json.dumps([{{"avg_ts": 100.0 + n + int(a.get("-d", 0)), "n_gen": int(a["-n"]), "build_commit": "x"}}]))
"""
CANDLE = """#!/usr/bin/env python3
import os, sys, time
f = open(sys.argv[1], "rb")
time.sleep(0.2)
print("load 1s\\npp{0} 1.0 t/s\\ntg{1} 1.0 t/s".format(*sys.argv[2:]))
print("pp{0} {2}.5 t/s\\ntg{1} 7.5 t/s".format(*sys.argv[2:], os.environ["RAYON_NUM_THREADS"]))
"""


def folder(name, **programs):
    os.makedirs(path(name), exist_ok=True)
    for program, text in programs.items():
        file = os.path.join(path(name), program.replace("_", "-"))
        write(file, text)
        os.chmod(file, 0o755)
    return path(name)


def bench(*arguments):
    environment = {k: v for k, v in ENVIRONMENT.items() if not k.startswith("INOX_BENCH")}
    return subprocess.run([sys.executable, RUN, BUILD, *map(str, arguments)], env=environment, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)


def rows(*arguments):
    done = bench("--rounds", 1, "-t", 1, "--json", path("rows.json"), *arguments)
    check(done.returncode == 0, done.stderr)
    with open(path("rows.json"), encoding="utf-8") as f:
        return json.load(f), done.stdout


@test
def help_and_wrong_words():
    done = bench("--help")
    check(done.returncode == 0 and all(s in done.stdout for s in ("--suite", "llama-batched-bench", "start")), done)
    for arguments, said in ((["--suite", "walk"], "walk"), (["no-such.gguf"], "no-such.gguf"), (["--rounds", 0], "--rounds")):
        done = bench(*arguments)
        check(done.returncode == 2 and said in done.stderr, arguments, done)


@test
def alone():
    if not os.path.exists(LIMITS):
        skip("bench-limits is not built")
    found, text = rows("--suite", "decode")
    check(len(found) == 1 and "ratio" not in found[0] and "No peer" in text, found, text)
    check(found[0]["file"] == "embedded" and found[0]["limit"] == "read" and found[0]["limit_share"] > 0, found)


@test
def beside_peers():
    if not os.path.exists(LIMITS):
        skip("bench-limits is not built")
    llama = folder("llama", llama_bench=LLAMA_BENCH.format(opens=True))
    candle = os.path.join(folder("candle", candle=CANDLE), "candle")
    found, text = rows(DEFAULT, "--suite", "decode,memory,candle", "--llama", llama, "--candle", candle)
    by = {(r["suite"], r["what"]): r for r in found}
    check(len(by) == 4 and text.count("\n| default.gguf |") == 4, text)
    decode = by["decode", "decode 32 behind 256"]
    check(decode["peer"]["median"] == 100 + 32 + 256 and decode["peer"]["name"] == "llama.cpp", decode)
    check(abs(decode["ratio"] * decode["peer"]["median"] - decode["inox"]["median"]) < 1e-6, decode)
    check(by["candle", "prompt 256"]["peer"]["median"] == 1.5, "one thread, the warm figure", by)
    check(by["candle", "decode 32 behind 256"]["peer"]["median"] == 7.5, by)
    memory = by["memory", "peak memory"]
    check(3 < memory["inox"]["median"] < 1000 and 3 < memory["peer"]["median"] < 1000, memory)
    check(len({r["sha256"] for r in found}) == 1 and found[0]["sha256"], found)


@test
def the_peer_reads_another_file():
    if not os.path.exists(LIMITS):
        skip("bench-limits is not built")
    llama = folder("liar", llama_bench=LLAMA_BENCH.format(opens=False))
    done = bench(DEFAULT, "--suite", "decode", "--rounds", 1, "-t", 1, "--llama", llama)
    check(done.returncode == 1 and "did not open" in done.stderr, done)
    done = bench(DEFAULT, "--suite", "decode", "--rounds", 1, "-t", 1, "--llama", folder("empty"))
    check(done.returncode == 1 and "llama-bench is not in" in done.stderr, done)


@test
def work_by_shapes():
    sys.path.insert(0, os.path.join(ROOT, "bench"))
    from run import Work  # pylint: disable=import-outside-toplevel
    tensors = [{"name": "token_embd.weight", "shape": [100, 8], "type": "Q8_0", "bytes": 850},
               {"name": "blk.0.ffn_up.weight", "shape": [16, 8], "type": "Q8_0", "bytes": 136},
               {"name": "output_norm.weight", "shape": [8], "type": "F32", "bytes": 32}]
    work = Work({"summary": {"heads": 2, "kv_heads": 1, "head_dim": 4, "layers": 1}, "tensors": tensors})
    limits = {"read": 10.0, "integer": 100.0, "float": 50.0}
    check(work.bytes == 986 and work.operations == {"integer": 256, "float": 0}, work.__dict__)
    check(work.decode_s(1, 5, limits) == ((986 + 5 * 16) / 10, "read"), work.decode_s(1, 5, limits))
    seconds, limit = work.prompt_s(3, 2, limits)
    check(limit == "integer" and abs(seconds - ((3 * 256 + 1600) / 100 + (3 + 4 + 5) * 32 / 50)) < 1e-9, seconds)
    untied = Work({"summary": {"heads": 2, "kv_heads": 1, "head_dim": 4, "layers": 1},
                   "tensors": tensors + [{"name": "output.weight", "shape": [100, 8], "type": "F16", "bytes": 1600}]})
    check(untied.bytes == 1736 and untied.head == {"integer": 0, "float": 1600}, untied.__dict__)


if __name__ == "__main__":
    main()
