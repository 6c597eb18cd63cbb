#!/usr/bin/env python3
"""Whole-program speed: Inox beside llama.cpp on the same file, in one run, as ratios.

    bench/run.py BUILD [MODEL.gguf ...] [--peer DIR] [-p 256] [-n 32] [--threads N] [--rounds 5] [--json FILE]

Environment: INOX_BENCH_MODELS (paths, separated by spaces), INOX_BENCH_PEER (folder that holds llama-bench).  Without
models the embedded one is measured; without a peer there are no ratios.

A round runs each program once on a file, the peer and Inox taking turns at going first; printed are medians over the
rounds, their spread, the ratio of medians, and beside decoding the share of the memory's read bandwidth, which
bench-limits measures in the same round.  The peer is built outside this repository and runs as it ships, with its own
defaults; both map the same file (its sha256 is checked before and after).
"""
import argparse
import hashlib
import json
import os
import statistics
import subprocess
import sys


def sha256(path):
    h = hashlib.sha256()
    with open(path, "rb") as f:
        for piece in iter(lambda: f.read(1 << 22), b""):
            h.update(piece)
    return h.hexdigest()


def call(argv):
    r = subprocess.run(argv, capture_output=True, text=True)
    if r.returncode != 0:
        sys.exit(f"{' '.join(argv)} failed:\n{r.stderr}")
    return r.stdout


def inox(a, model):
    argv = [os.path.join(a.build, "inox"), "bench"] + ([model] if model else [])
    r = json.loads(call(argv + ["-p", str(a.prompt), "-n", str(a.tokens), "-t", str(a.threads), "--repeat", "1", "--json"]))
    return {"prompt": r["prompt_tokens_per_s"], "decode": r["decode_tokens_per_s"], "bytes": r["weight_bytes"], "what": r["description"],
            "isa": r["isa"]}


def peer(a, model):
    argv = [os.path.join(a.peer, "llama-bench"), "-m", model, "-p", str(a.prompt), "-n", str(a.tokens), "-t", str(a.threads), "-r", "1",
            "-o", "json"]
    found = {}
    for row in json.loads(call(argv)):
        if row["n_gen"] == 0:
            found["prompt"] = row["avg_ts"]
        elif row["n_prompt"] == 0:
            found["decode"] = row["avg_ts"]
    return found


def limits(a):
    program = os.path.join(a.build, "bench", "bench-limits")
    return json.loads(call([program, "--threads", str(a.threads), "--json"])) if os.path.exists(program) else None


def spread(values):
    return f"{statistics.median(values):8.1f} ({min(values):.1f}..{max(values):.1f})"


def measure(a, model):
    ours, theirs, machine = [], [], []
    before = sha256(model) if model else None
    for i in range(a.rounds):
        order = [lambda: ours.append(inox(a, model))]
        if a.peer and model:
            order.insert(i % 2, lambda: theirs.append(peer(a, model)))
        for step in order:
            step()
        found = limits(a)
        if found:
            machine.append(found)
    if model and sha256(model) != before:
        sys.exit(f"{model} changed while it was measured")
    return ours, theirs, machine


def show(a, model, ours, theirs, machine):
    result = {"model": model or "embedded", "what": ours[0]["what"], "isa": ours[0]["isa"], "threads": a.threads, "rounds": a.rounds}
    print(f"\n{os.path.basename(model) if model else 'embedded model'}: {ours[0]['what']}, {ours[0]['isa']}, {a.threads} threads, "
          f"{a.rounds} rounds; tokens/s, median (least..most)")
    for part, count in (("prompt", a.prompt), ("decode", a.tokens)):
        mine = [r[part] for r in ours]
        line = f"  {part} {count:5d}  inox {spread(mine)}"
        result[part] = statistics.median(mine)
        if theirs:
            other = [r[part] for r in theirs]
            result[part + "_peer"] = statistics.median(other)
            result[part + "_ratio"] = result[part] / result[part + "_peer"]
            line += f"   llama.cpp {spread(other)}   ratio {result[part + '_ratio']:.2f}"
        if part == "decode" and machine:
            read = statistics.median(m["read_gb_per_s"] for m in machine)
            result["read_gb_per_s"] = read
            result["decode_share_of_read"] = result[part] * ours[0]["bytes"] / 1e9 / read
            line += f"   {100 * result['decode_share_of_read']:.0f} % of reading at {read:.1f} GB/s"
        print(line)
    return result


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("build")
    p.add_argument("models", nargs="*", default=os.environ.get("INOX_BENCH_MODELS", "").split())
    p.add_argument("--peer", default=os.environ.get("INOX_BENCH_PEER"))
    p.add_argument("-p", "--prompt", type=int, default=256)
    p.add_argument("-n", "--tokens", type=int, default=32)
    p.add_argument("-t", "--threads", type=int, default=len(os.sched_getaffinity(0)))
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--json")
    a = p.parse_args()
    results = []
    for model in a.models or [None]:
        results.append(show(a, model, *measure(a, model)))
    if not a.peer:
        print("\nNo peer: set INOX_BENCH_PEER to the folder of llama-bench, and INOX_BENCH_MODELS to files, for ratios.")
    if a.json:
        with open(a.json, "w", encoding="utf-8") as f:
            json.dump(results, f, indent=1)


if __name__ == "__main__":
    main()
