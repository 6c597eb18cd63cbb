#!/usr/bin/env python3
"""How much slower than ordinary text a tokenizer is on texts that are made to be slow.

    bench/worst.py BUILD DATA [--megabytes 5] [--limit 2] [--words] [--only PART]... [--all]

BUILD has bench/bench-tokenize (ninja -C BUILD tests); DATA is ../shared/data.  Every tokenizer file in it runs
over the beginning of books.txt and over each of the other texts, all of the same size, each with a new
tokenizer.  A ratio is the time per byte beside that of books.txt; one above the limit is measured again, and the
least of three counts.  Prints a line per tokenizer with what is above the limit (--all: everything), and a
number of failures: exit status 1 if there are any.  --words: with the numbers of words.
"""
import argparse
import glob
import json
import os
import random
import subprocess
import sys
import tempfile

FAMILY = "\U0001F468\u200d\U0001F469\u200d\U0001F467\u200d\U0001F466"


def texts(data, size):
    """name -> bytes"""
    rng = random.Random(1)
    fill = lambda unit: (unit * (size // len(unit) + 1))[:size // len(unit) * len(unit)]
    mix = lambda letters: "".join(rng.choices(letters, k=size)).encode()
    with open(os.path.join(data, "text", "books.txt"), "rb") as f:
        ordinary = f.read(size).decode("utf-8", "ignore").encode()
    one = {"letter": "a", "capital": "A", "space": " ", "newline": "\n", "tab": "\t", "digit": "7", "mark": "!", "dash": "-",
           "emoji": FAMILY, "accents": "\u0301", "Han": "\u6f22", "Thai": "\u0e01\u0e33", "no-break": "\u00a0",
           "ideographic space": "\u3000", "unassigned": "\U000e1000", "ab": "ab", "space-newline": " \n", "a space": "a ",
           "two spaces": "a  ", "apostrophes": "'s", "metaspace": "\u2581"}
    out = {"ordinary": ordinary, "not UTF-8": fill(b"\xff"), "cut characters": fill(b"\xe6\xbc"), "NUL": fill(b"\0")}
    out.update((name, fill(unit.encode())) for name, unit in one.items())
    out.update({"random ab": mix("ab"), "random letters": mix("abcdefghijklmnopqrstuvwxyz"), "random digits": mix("0123456789"),
                "random spaces": mix(" \n\t"), "random marks": mix("!\"#$%&'()*+,-./")})
    return out


def tokenizers(data):
    """Every file that is a tokenizer."""
    base = os.path.join(data, "tokenizers")
    found = [os.path.join(base, "gpt2.tokenizer.json")]
    found += [p for p in sorted(glob.glob(os.path.join(base, "real", "*"))) if os.path.basename(p) != "tiktoken.json"]
    found += sorted(glob.glob(os.path.join(base, "sentencepiece", "*.model")))
    found += sorted(glob.glob(os.path.join(data, "vocab", "*.gguf")))
    for path in sorted(glob.glob(os.path.join(base, "components", "*.json"))):
        with open(path, encoding="utf-8") as f:
            if "model" in json.load(f):
                found.append(path)
    return found


def measure(program, words, tokenizer, files):
    """MB/s of each, or the message of the first that fails."""
    done = subprocess.run([program, *(["--words"] if words else []), tokenizer, *files], capture_output=True, text=True, check=False)
    rows = [json.loads(line)["fresh"] for line in done.stdout.splitlines()]
    return rows if done.returncode == 0 else done.stderr.strip()


def measure_all(program, words, tokenizer, files):
    """name -> MB/s; a text that the tokenizer refuses (no unknown token) is left out."""
    rows = measure(program, words, tokenizer, list(files.values()))
    if not isinstance(rows, str):
        return dict(zip(files, rows))
    each = {name: measure(program, words, tokenizer, [path, path]) for name, path in files.items()}
    return {name: row[0] for name, row in each.items() if not isinstance(row, str)}


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("build")
    p.add_argument("data")
    p.add_argument("--megabytes", type=float, default=5)
    p.add_argument("--limit", type=float, default=2)
    p.add_argument("--only", action="append", help="tokenizers whose path has this part")
    p.add_argument("--text", action="append", help="only these texts beside the ordinary one")
    p.add_argument("--words", action="store_true")
    p.add_argument("--all", action="store_true")
    args = p.parse_args()
    program, failures, count = os.path.join(args.build, "bench", "bench-tokenize"), 0, 0
    with tempfile.TemporaryDirectory() as folder:
        files = {}
        for name, content in texts(args.data, int(1e6 * args.megabytes)).items():
            if args.text and name != "ordinary" and name not in args.text:
                continue
            files[name] = os.path.join(folder, name.replace(" ", "_"))
            with open(files[name], "wb") as f:
                f.write(content)
        for path in tokenizers(args.data):
            name = os.path.relpath(path, args.data)
            if args.only and not any(part in name for part in args.only):
                continue
            speeds = measure_all(program, args.words, path, files)
            if "ordinary" not in speeds:
                print(f"{name}: does not take ordinary text")
                continue
            for _ in range(2):
                again = [k for k, v in speeds.items() if v * args.limit < speeds["ordinary"]]
                found = measure(program, args.words, path, [files[k] for k in again] * 2) if again else []
                for k, v in zip(again * 2, found):
                    speeds[k] = max(speeds[k], v)
            ratios = sorted(((speeds["ordinary"] / v, k) for k, v in speeds.items() if k != "ordinary"), reverse=True)
            slow = [r for r in ratios if r[0] > args.limit]
            failures += len(slow)
            count += len(ratios)
            shown = ratios if args.all else slow
            print(f"{name}: {speeds['ordinary']:.1f} MB/s" + "".join(f", {k} {r:.1f}x" for r, k in shown), flush=True)
    print(f"{failures} of {count} texts take more than {args.limit:g} times the time of ordinary text")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
