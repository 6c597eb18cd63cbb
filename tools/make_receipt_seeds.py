#!/usr/bin/env python3
"""Writes the seeds of the receipt fuzzer, fuzz/corpus/receipt: receipts by docs/RECEIPTS.md, and damaged ones.

    python3 tools/make_receipt_seeds.py [fuzz/corpus/receipt]

Needs nothing but Python.  Seeds named good-* are read; all others must be refused with an error.
"""
import hashlib
import json
import pathlib
import sys


def text(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def receipt(**changes):
    r = {"inox_receipt": 0, "cache": "f16", "context": 1024, "finish": "length", "ignore_end": False,
         "max_tokens": 3, "output": [5, 6, 7], "prompt": [0, 47, 78], "rows": "0011223344556677889900aa",
         "logits_sha256": "ab" * 32, "stops": [], "time": 1700000000,
         "contract": {"name": "inox-numerics-1", "sha256": "cd" * 32},
         "engine": {"build": "ef" * 32, "isa": "avx2", "threads": 2, "version": "0.1.0"},
         "model": {"name": "a", "path": "", "sha256": "12" * 32},
         "sampling": {"frequency_penalty": "0", "logit_bias": [], "min_p": "0.0500000007", "penalty_window": 64,
                      "presence_penalty": "0", "repetition_penalty": "1", "seed": "7",
                      "temperature": "0.800000012", "top_k": 40, "top_p": "0.949999988", "typical_p": "1"}}
    for key, value in changes.items():
        outer, _, inner = key.rpartition("__")
        (r[outer] if outer else r)[inner] = value
    r["sha256"] = hashlib.sha256(text(r).encode()).hexdigest()
    return (text(r) + "\n").encode()


def main():
    folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else
                          pathlib.Path(__file__).parent.parent / "fuzz/corpus/receipt")
    folder.mkdir(parents=True, exist_ok=True)
    plain = receipt()
    seeds = {
        "good-plain": plain,
        "good-empty": receipt(output=[], rows="", max_tokens=0),
        "good-stops-and-bias": receipt(stops=['n\u00e9"\\\t\u0001', "\U0001f642"], sampling__seed=str(2**64 - 1),
                                       sampling__logit_bias=[[5, "-inf"], [6, "2.5"], [7, "1.17549435e-38"]]),
        "version-1": receipt(inox_receipt=1), "float-spelling": receipt(sampling__top_p="0.95"),
        "seed-plus": receipt(sampling__seed="+7"), "rows-odd": receipt(rows="0011223"),
        "threads-0": receipt(engine__threads=0), "id-negative": receipt(prompt=[-1]),
        "id-large": receipt(output=[2**31]), "bias-triple": receipt(sampling__logit_bias=[[1, "2", 3]]),
        "more-members": receipt(more=1), "cut-short": plain[:200], "two": plain * 2, "spaces": b" " + plain,
        "hash-wrong": plain.replace(b"1700000000", b"1700000001"),
        "duplicate": plain.replace(b'"cache":"f16",', b'"cache":"f16","cache":"f16",'),
        "deep": b"[" * 5000, "number": b"7\n"}
    for name, data in seeds.items():
        (folder / (name + ".json")).write_bytes(data)


if __name__ == "__main__":
    main()
