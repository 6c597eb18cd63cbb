#!/usr/bin/env python3
"""Speed of tokenizers: Inox beside the formats' own libraries on the same documents, one thread, as ratios.

    bench/tokenizers.py BUILD TEXT VOCABULARY... [--python PYTHON]... [--rounds 3] [--threads N] [--json FILE]

TEXT is cut behind line ends into documents of about 10,000 bytes.  A vocabulary is a tokenizer.json, a
tiktoken file with its tiktoken.json beside it, or a SentencePiece model; its peer is the library in PYTHON
(each one that has it is measured: a release and its successor's candidate, say).  fresh: the first time that
a new tokenizer sees the text; repeated: the same again.  Peers and Inox take turns; medians over the rounds,
the peers' from a process of their own each.  Memory bandwidth of the machine beside it (bench-limits).
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import time


def documents(path, size=10000):
    with open(path, "rb") as f:
        data = f.read()
    out, at = [], 0
    while at < len(data):
        end = min(at + size, len(data))
        if end < len(data) and data[end - 1:end] != b"\n":
            end = data.find(b"\n", end) + 1 or len(data)
        out.append(data[at:end].decode())
        at = end
    return out


def library_of(path):
    if path.endswith(".json"):
        return "tokenizers"
    return "sentencepiece" if path.endswith(".model") else "tiktoken"


def peer_encode(path):
    """The peer's encode of one document, and what to call it."""
    library = library_of(path)
    if library == "tokenizers":
        import tokenizers
        tokenizer = tokenizers.Tokenizer.from_file(path)
        tokenizer.no_padding()
        tokenizer.no_truncation()
        call = getattr(tokenizer, "encode_fast", tokenizer.encode)
        return lambda text: call(text, add_special_tokens=False), f"tokenizers {tokenizers.__version__}"
    if library == "sentencepiece":
        import sentencepiece
        return (sentencepiece.SentencePieceProcessor(model_file=path).encode,
                f"sentencepiece {sentencepiece.__version__}")
    import base64
    import tiktoken
    with open(os.path.join(os.path.dirname(path), "tiktoken.json"), encoding="utf-8") as f:
        entry = next(e for e in json.load(f).values() if e["file"] == os.path.basename(path))
    with open(path, "rb") as f:
        ranks = {base64.b64decode(t): int(r) for t, r in (row.split() for row in f if row.strip())}
    encoding = tiktoken.Encoding("x", pat_str=entry["pattern"], mergeable_ranks=ranks, special_tokens=entry["special_tokens"])
    return encoding.encode_ordinary, f"tiktoken {tiktoken.__version__}"


def peer(path, text):
    """Runs in the peer's Python: one line of JSON."""
    encode, name = peer_encode(path)
    texts = documents(text)
    encode("A first call may set things up.")
    times = []
    for _ in range(2):
        start = time.perf_counter()
        for t in texts:
            encode(t)
        times.append(time.perf_counter() - start)
    size = sum(len(t.encode()) for t in texts)
    print(json.dumps({"name": name, "fresh": 1e-6 * size / times[0], "repeated": 1e-6 * size / times[1]}))


def output(*command):
    environment = dict(os.environ, TOKENIZERS_PARALLELISM="false", RAYON_NUM_THREADS="1")
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment, check=False)
    return json.loads(done.stdout) if done.returncode == 0 else None


def main():
    if sys.argv[1:2] == ["--peer"]:
        return peer(*sys.argv[2:4])
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("build")
    parser.add_argument("text")
    parser.add_argument("vocabulary", nargs="+")
    parser.add_argument("--python", action="append")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--json")
    options = parser.parse_args()
    limits = output(os.path.join(options.build, "bench", "bench-limits"), "--threads", "1", "--json") or {"read_gb_per_s": 0}
    print(f"One thread reads {limits['read_gb_per_s']:.1f} GB/s. Figures are MB/s of text; batch: {options.threads} threads.\n")
    print("| vocabulary | program | fresh | ratio | repeated | ratio | batch | decoded |\n|---|---|---|---|---|---|---|---|")
    rows = []
    for path in options.vocabulary:
        own, others = [], {}
        for _ in range(options.rounds):
            figure = output(os.path.join(options.build, "bench", "bench-tokenizers"), path, options.text, "--rounds", "1",
                            "--threads", str(options.threads), "--json")
            if figure is None:
                sys.exit(f"bench-tokenizers does not read {path}")
            own.append(figure)
            for python in options.python or [sys.executable]:
                figure = output(python, os.path.abspath(__file__), "--peer", path, options.text)
                if figure is not None:
                    others.setdefault(figure["name"], []).append(figure)
        mine = {k: statistics.median(f[k] for f in own) for k in ("fresh", "repeated", "batch", "decoded")}
        name = os.path.basename(path)
        print(f"| {name} | inox | {mine['fresh']:.1f} | | {mine['repeated']:.1f} | | {mine['batch']:.1f} | {mine['decoded']:.1f} |", flush=True)
        rows.append({"vocabulary": name, "program": "inox", **mine})
        for program, figures in others.items():
            theirs = {k: statistics.median(f[k] for f in figures) for k in ("fresh", "repeated")}
            print(f"| {name} | {program} | {theirs['fresh']:.1f} | {mine['fresh'] / theirs['fresh']:.1f} | {theirs['repeated']:.1f} | "
                  f"{mine['repeated'] / theirs['repeated']:.1f} | | |", flush=True)
            rows.append({"vocabulary": name, "program": program, **theirs})
    if options.json:
        with open(options.json, "w", encoding="utf-8") as f:
            json.dump(rows, f, indent=1)
    return None


if __name__ == "__main__":
    main()
