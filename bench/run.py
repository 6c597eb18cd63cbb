#!/usr/bin/env python3
"""Whole-program speed: Inox beside other engines on the same file, in one run, as ratios.

    bench/run.py BUILD [MODEL.gguf ...] [--llama DIR] [--candle PROGRAM] [--suite NAMES] [--rounds N] [--json FILE]

A round runs each program once on a file, the peer and Inox taking turns at going first, and measures the machine's
limits between them.  Printed are medians over the rounds with the least and the most, the ratio of medians (Inox over
peer), the limit that holds for the figure and the share of it that Inox reached.  The table is Markdown.

suites    what                                                       peer's program
prompt    256 and 2048 tokens                                        llama-bench
decode    32 tokens behind 256                                       llama-bench
batch     8, 32 and 128 sequences decoded together                   llama-batched-bench
long      512 tokens and 16 tokens behind 16384                      llama-bench
start     process start to the first byte of the answer to a prompt  llama-completion --no-warmup
          of 32 tokens, in ms; the file is in the page cache
memory    peak resident MB of a prompt of 256 and 32 tokens          llama-bench, which maps the file
candle    prompt of 256, 32 tokens behind it                         the program of --candle

Peers are built outside this repository and run as they ship, with their own defaults.  Every process must be seen with
the file open, and the file's sha256 is the same before and after.  Without models the embedded one is measured; without
a peer there are no ratios.  Environment: INOX_BENCH_MODELS (paths, separated by spaces), INOX_BENCH_LLAMA,
INOX_BENCH_CANDLE.
"""
import argparse
import hashlib
import json
import os
import statistics
import sys

from peers import Candle, Failed, Inox, LlamaCpp

FLOATS = ("F32", "F16", "BF16")


class Figure:
    """One number to measure: `measure(program)` runs a program and returns it; `limit_s` is the least time that the
    machine needs per unit, by limit."""

    def __init__(self, what, unit, peer, measure, limit=None):
        self.what, self.unit, self.peer, self.measure, self.limit = what, unit, peer, measure, limit


# ---- what the machine has to do at least ------------------------------------------------------------

class Work:
    """Bytes and operations of a model, by the shapes of its tensors."""

    def __init__(self, facts):
        s = facts["summary"]
        tensors = {t["name"]: t for t in facts["tensors"]}
        head = "output.weight" if "output.weight" in tensors else "token_embd.weight"
        self.operations = {"integer": 0, "float": 0}  # of one row through all layers
        self.head = {"integer": 0, "float": 0}        # of one row of logits
        self.bytes = 0                                # read for one token
        for name, t in tensors.items():
            if len(t["shape"]) != 2 or (name == "token_embd.weight" and name != head):
                continue
            unit = "float" if t["type"] in FLOATS else "integer"
            (self.head if name == head else self.operations)[unit] += 2 * t["shape"][0] * t["shape"][1]
            self.bytes += t["bytes"]
        self.attention = 4 * s["heads"] * s["head_dim"] * s["layers"]  # operations of one row and one key
        element = 4 if self.operations["integer"] == 0 else 2          # the cache's type unless it is told
        self.key = 2 * s["kv_heads"] * s["head_dim"] * s["layers"] * element

    def prompt_s(self, rows, depth, limits):
        keys = sum(range(depth + 1, depth + rows + 1))
        times = {unit: (rows * self.operations[unit] + self.head[unit]) / limits[unit] for unit in self.head}
        times["float"] += keys * self.attention / limits["float"]
        return sum(times.values()), max(times, key=times.get)

    def decode_s(self, sequences, depth, limits):
        """One step of so many sequences with `depth` keys each."""
        reading = (self.bytes + sequences * depth * self.key) / limits["read"]
        computing = {unit: sequences * (self.operations[unit] + self.head[unit]) / limits[unit] for unit in self.head}
        computing["float"] += sequences * depth * self.attention / limits["float"]
        if sum(computing.values()) > reading:
            return sum(computing.values()), max(computing, key=computing.get)
        return reading, "read"


def per_token(tokens):
    """Turns (seconds, limit) of `tokens` tokens into (tokens/s, limit)."""
    return lambda found: (tokens / found[0], found[1])


# ---- suites: figures of a model ---------------------------------------------------------------------

def prompt_figure(model, work, tokens, depth, peer="llama"):
    what = f"prompt {tokens}" + (f" behind {depth}" if depth else "")
    return Figure(what, "tokens/s", peer, lambda p: p.prompt(model, tokens, depth),
                  lambda limits: per_token(tokens)(work.prompt_s(tokens, depth, limits)))


def decode_figure(model, work, tokens, depth, peer="llama"):
    return Figure(f"decode {tokens} behind {depth}", "tokens/s", peer, lambda p: p.decode(model, tokens, depth),
                  lambda limits: per_token(1)(work.decode_s(1, depth + tokens / 2, limits)))


def batch_figure(model, work, sequences):
    return Figure(f"{sequences} sequences", "tokens/s", "llama", lambda p: p.batch(model, sequences, 32),
                  lambda limits: per_token(sequences)(work.decode_s(sequences, 48, limits)))


def start_figure(model, inox):
    text = inox.text_of(model, 32)
    return Figure("start to first token", "ms", "llama", lambda p: p.start_ms(model, text))


SUITES = {
    "prompt": lambda model, work, inox: [prompt_figure(model, work, n, 0) for n in (256, 2048)],
    "decode": lambda model, work, inox: [decode_figure(model, work, 32, 256)],
    "batch": lambda model, work, inox: [batch_figure(model, work, n) for n in (8, 32, 128)],
    "long": lambda model, work, inox: [prompt_figure(model, work, 512, 16384), decode_figure(model, work, 16, 16384)],
    "start": lambda model, work, inox: [start_figure(model, inox)],
    "memory": lambda model, work, inox: [Figure("peak memory", "MB", "llama", lambda p: p.memory_mb(model, 256, 32))],
    "candle": lambda model, work, inox: [prompt_figure(model, work, 256, 0, "candle"),
                                         decode_figure(model, work, 32, 256, "candle")],
}


# ---- measuring --------------------------------------------------------------------------------------

def sha256(path):
    h = hashlib.sha256()
    with open(path, "rb") as f:
        for piece in iter(lambda: f.read(1 << 22), b""):
            h.update(piece)
    return h.hexdigest()


def summary(values):
    return {"median": statistics.median(values), "least": min(values), "most": max(values), "values": values}


def measure(a, inox, peer, figure):
    """One figure over all rounds as a row of the result."""
    ours, theirs, machine = [], [], []
    for i in range(a.rounds):
        if peer is not None and i % 2 == 0:
            theirs.append(figure.measure(peer))
        ours.append(figure.measure(inox))
        machine.append(inox.limits())
        if peer is not None and i % 2 == 1:
            theirs.append(figure.measure(peer))
    row = {"what": figure.what, "unit": figure.unit, "rounds": a.rounds, "inox": summary(ours)}
    row["machine"] = {key: statistics.median(m[key] for m in machine) for key in machine[0]}
    if peer is not None:
        row["peer"] = dict(summary(theirs), name=peer.name)
        row["ratio"] = row["inox"]["median"] / row["peer"]["median"]
    if figure.limit is not None and min(row["machine"].values()) > 0:
        most, name = figure.limit(row["machine"])
        row.update(limit=name, limit_value=most, limit_share=row["inox"]["median"] / most)
    return row


def text_of(row):
    def spread(s):
        digits = 1 if s["median"] < 100 else 0
        return f"{s['median']:.{digits}f} ({s['least']:.{digits}f} to {s['most']:.{digits}f})"
    cells = [row["file"], row["what"] + ", " + row["unit"], spread(row["inox"]),
             f"{row['peer']['name']} {spread(row['peer'])}" if "peer" in row else "",
             f"{row['ratio']:.2f}" if "ratio" in row else "",
             f"{100 * row['limit_share']:.0f} % of {row['limit']}" if "limit" in row else ""]
    return "| " + " | ".join(cells) + " |"


def print_head(a, inox, facts):
    limits = inox.limits()
    print(f"Inox {facts['isa']}, {a.threads} threads, {a.rounds} rounds; reading {limits['read'] * 1e-9:.1f} GB/s, integer "
          f"peak {limits['integer'] * 1e-9:.0f} Gop/s, float peak {limits['float'] * 1e-9:.0f} Gop/s\n")
    print("| file | what | Inox: median (least to most) | peer | ratio | share of the limit |")
    print("|---|---|---|---|---|---|", flush=True)


def measure_model(a, inox, peers, model, rows):
    facts = inox.facts(model)
    work = Work(facts)
    before = sha256(model) if model else None
    if not rows:
        print_head(a, inox, facts)
    for suite in a.suite:
        for figure in SUITES[suite](model, work, inox):
            peer = peers.get(figure.peer) if model else None
            try:
                row = measure(a, inox, peer, figure)
            except Failed as why:
                print(f"{suite}, {figure.what}, {model or 'embedded model'}: {why}", file=sys.stderr)
                a.failed = True
                continue
            row.update(suite=suite, file=os.path.basename(model) if model else "embedded", sha256=before,
                       description=facts["description"], isa=facts["isa"], threads=a.threads)
            rows.append(row)
            print(text_of(row), flush=True)
    if model and sha256(model) != before:
        raise Failed(f"{model} changed while it was measured")


def arguments():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("build", help="folder that Inox was built in")
    p.add_argument("models", nargs="*", default=os.environ.get("INOX_BENCH_MODELS", "").split(), help="GGUF files")
    p.add_argument("--suite", default="prompt,decode", metavar="NAMES", help="of the list above, with commas, or 'all'")
    p.add_argument("--llama", default=os.environ.get("INOX_BENCH_LLAMA"), metavar="DIR", help="folder of llama-bench")
    p.add_argument("--candle", default=os.environ.get("INOX_BENCH_CANDLE"), metavar="PROGRAM")
    p.add_argument("-t", "--threads", type=int, default=len(os.sched_getaffinity(0)))
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--json", metavar="FILE", help="write all figures, of every round, as a JSON array")
    a = p.parse_intermixed_args()
    a.suite = list(SUITES) if a.suite == "all" else a.suite.split(",")
    for name in a.suite:
        if name not in SUITES:
            p.error(f"'{name}' is no suite; there are {', '.join(SUITES)}, and 'all'")
    if a.rounds < 1 or a.threads < 1:
        p.error("--rounds and --threads begin at 1")
    a.models = [os.path.abspath(m) for m in a.models] or [None]
    for m in a.models:
        if m is not None and not os.path.isfile(m):
            p.error(f"{m}: no such file")
    return a


def main():
    a = arguments()
    a.failed = False
    rows = []
    peers = {"llama": LlamaCpp(a.llama, a.threads) if a.llama else None,
             "candle": Candle(a.candle, a.threads) if a.candle else None}
    try:
        inox = Inox(a.build, a.threads)
        for model in a.models:
            measure_model(a, inox, peers, model, rows)
    except Failed as why:
        sys.exit(f"bench/run.py: {why}")
    if not any(peers.values()):
        print("\nNo peer: name them with --llama and --candle, and give model files, for ratios.")
    if a.json:
        with open(a.json, "w", encoding="utf-8") as f:
            json.dump(rows, f, indent=1)
    sys.exit(1 if a.failed else 0)


if __name__ == "__main__":
    main()
