#!/usr/bin/env python3
"""Speed of tokenizers on one thread, against the field's libraries, in turns.

    bench/tokenize.py BUILD DATA [--only NAME]... [--rounds 5] [--peers PYTHON] [--text FILE]... [--megabytes N] [--lines]
                      [--json FILE]

BUILD has bench/bench-tokenize (ninja -C BUILD tests); DATA is ../shared/data; the text is its books.txt where no
FILE is named.  PYTHON is an interpreter with the
packages tokenizers (1.0.0rc3 is the peer to beat), tiktoken and sentencepiece; what it lacks is left out.  This
interpreter needs the package gguf to make a tokenizer.json from a GGUF vocabulary.

With --lines, each line is a text of its own, as documents are; peers get them all at once where they take lists.

Every round runs Inox and each peer once, one after another, each as a process of its own: a new tokenizer encodes the
text (fresh), then encodes it once more (second), then five times more, of which the median counts (steady).  Figures
are MB/s of processor time; medians of the ratios of the rounds are what counts.  Ids must be the same.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

LLAMA3 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|"
          r"\s+(?!\S)|\s+")


def from_gguf(path, pattern, nfc, ignore_merges, out):
    """A tokenizer.json with the arrays of a GGUF vocabulary, without added tokens."""
    from gguf import GGUFReader
    reader = GGUFReader(path)
    field = lambda key: [bytes(reader.fields[key].parts[i]).decode() for i in reader.fields[key].data]
    vocab = {piece: i for i, piece in enumerate(field("tokenizer.ggml.tokens"))}
    merges = [m for m in field("tokenizer.ggml.merges")]
    split = {"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": False}
    level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": False, "use_regex": False}
    with open(out, "w", encoding="utf-8") as f:
        json.dump({"version": "1.0", "truncation": None, "padding": None, "added_tokens": [],
                   "normalizer": {"type": "NFC"} if nfc else None,
                   "pre_tokenizer": {"type": "Sequence", "pretokenizers": [split, level]},
                   "post_processor": None,
                   "decoder": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
                   "model": {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None,
                             "end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False,
                             "ignore_merges": ignore_merges, "vocab": vocab, "merges": merges}}, f)
    return out


PASSES = 7


def id_hash(ids):
    value = 0
    for i in ids:
        value = (value * 31 + i) & 0xFFFFFFFFFFFFFFFF
    return f"{value:016x}"


def measure(encode, text, list_of=lambda ids: ids):
    """list_of makes Python's list of ids of what `encode` gives; "alone" is without it."""
    size, rows = len(("".join(text)).encode()), []
    for _ in range(PASSES):
        start = time.process_time()
        encoded = encode(text)
        middle = time.process_time()
        ids = list_of(encoded)
        rows.append((1e-6 * size / (time.process_time() - start), 1e-6 * size / (middle - start)))
    if isinstance(text, list):
        ids = [i for line in ids for i in line]
    steady = [statistics.median(column) for column in zip(*rows[2:])]
    return {"fresh": rows[0][0], "warm": rows[1][0], "steady": steady[0], "alone": [rows[0][1], rows[1][1], steady[1]],
            "tokens": len(ids), "hash": id_hash(ids)}


def peer(kind, file, text, lines):
    """Runs in the peers' interpreter."""
    with open(text, encoding="utf-8", newline="") as f:
        text = f.read()
    if lines == "lines":
        text = [line + "\n" for line in text.split("\n")]
        text[-1] = text[-1][:-1]
    if kind == "tokenizers":
        os.environ["TOKENIZERS_PARALLELISM"] = "false"
        from tokenizers import Tokenizer
        with open(file, encoding="utf-8") as f:
            whole = json.load(f)
        whole["truncation"] = whole["padding"] = None
        with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as f:  # not all releases read strings
            json.dump(whole, f)
            f.flush()
            tokenizer = Tokenizer.from_file(f.name)
        if lines == "lines":
            return measure(lambda t: tokenizer.encode_batch(t, add_special_tokens=False), text,
                           lambda encodings: [encoding.ids for encoding in encodings])
        return measure(lambda t: tokenizer.encode(t, add_special_tokens=False), text, lambda encoding: encoding.ids)
    if kind == "tiktoken":
        import base64
        import tiktoken
        with open(file, "rb") as f:
            ranks = {base64.b64decode(a): int(b) for a, b in (line.split() for line in f if line.strip())}
        encoding = tiktoken.Encoding("bench", pat_str=LLAMA3, mergeable_ranks=ranks, special_tokens={})
        if lines == "lines":
            return measure(lambda t: [encoding.encode_ordinary(line) for line in t], text)
        return measure(encoding.encode_ordinary, text)
    import sentencepiece
    model = sentencepiece.SentencePieceProcessor(model_file=file)
    return measure(model.encode, text)


def run(argv):
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        return None
    return json.loads(done.stdout.splitlines()[-1])


def rows(data, folder):
    """name, file of the tokenizer, [(peer, file)]"""
    real, vocab = os.path.join(data, "tokenizers", "real"), os.path.join(data, "vocab")
    gpt2 = os.path.join(data, "tokenizers", "gpt2.tokenizer.json")
    minilm = os.path.join(real, "minilm.tokenizer.json")
    llama = from_gguf(os.path.join(vocab, "ggml-vocab-llama-bpe.gguf"), LLAMA3, False, True,
                      os.path.join(folder, "llama3.json"))
    qwen = from_gguf(os.path.join(vocab, "ggml-vocab-qwen2.gguf"), LLAMA3.replace("{1,3}", ""), True, False,
                     os.path.join(folder, "qwen2.json"))
    return [("GPT-2", gpt2, [("tokenizers", gpt2)]),
            ("Llama 3", llama, [("tokenizers", llama), ("tiktoken", os.path.join(real, "llama3.tiktoken")),
                                ("sentencepiece", os.path.join(real, "mistral_v1.model"))]),
            ("Qwen 2", qwen, [("tokenizers", qwen)]),
            ("BERT", minilm, [("tokenizers", minilm)])] + [
                (name, os.path.join(data, "tokenizers", file), [("sentencepiece", os.path.join(data, "tokenizers", file))])
                for name, file in (("Mistral 1", "real/mistral_v1.model"), ("Mistral 3", "real/mistral_v3.model"),
                                   ("SP Unigram", "sentencepiece/sp-unigram-nmt-nfkc.model"),
                                   ("SP bytes", "sentencepiece/sp-unigram-byte-fallback.model"),
                                   ("SP symbols", "sentencepiece/sp-unigram-symbols.model"),
                                   ("SP suffix", "sentencepiece/sp-unigram-suffix.model"))] + [
                (name, path, [("tokenizers", path)]) for name, path in
                ((name, os.path.join(data, "tokenizers", "components", f"unigram-{file}.json")) for name, file in
                 (("Metaspace", "metaspace"), ("Precompiled", "precompiled"), ("T5", "t5-template")))]


def beginning(text, megabytes, folder):
    """The text, or a file with the whole lines of its beginning."""
    if not megabytes:
        return text
    with open(text, "rb") as f:
        content = f.read(int(1e6 * megabytes))
        if f.read(1):
            content = content[:content.rfind(b"\n") + 1]
    text = os.path.join(folder, "text.txt")
    with open(text, "wb") as f:
        f.write(content)
    return text


def measure_text(args, program, text, table):
    results = []
    for name, file, peers in table:
        for _ in range(args.rounds):
            own = run([program, "--passes", str(PASSES), *(["--lines"] if args.lines else []), file, text])
            if own is None:
                sys.exit(f"{program} {file} fails")
            results.append({"name": name, "who": "inox", **own})
            for kind, of in peers:
                found = run([args.peers, os.path.abspath(__file__), "--peer", kind, of, text,
                             "lines" if args.lines else "whole"])
                if found is None:
                    continue
                same = found["hash"] == own["hash"] if kind == "tokenizers" or of == file else None
                results.append({"name": name, "who": kind, **found, "same_ids": same, "own": own})
    return results


def show(results):
    columns = ("fresh", "warm", "steady")
    print(f"{'':12}{'':16}{'fresh':>9}{'second':>9}{'steady':>9}   Inox to it")
    for name, who in dict.fromkeys((r["name"], r["who"]) for r in results):
        of = [r for r in results if (r["name"], r["who"]) == (name, who)]
        middle = lambda key: statistics.median(key(r) for r in of)
        line = f"{name:12}{who:16}" + "".join(f"{middle(lambda r: r[column]):9.1f}" for column in columns)
        if who == "inox":
            line += f"   (memory reads at {middle(lambda r: r['read_gb_per_s']):.1f} GB/s)"
        else:
            line += "   " + ", ".join(f"{middle(lambda r: r['own'][column] / r[column]):.1f}x" for column in columns)
            if who == "tokenizers":
                alone = ", ".join(f"{middle(lambda r: r['alone'][k]):.0f}" for k in range(len(columns)))
                line += f"   ({alone} without the list of ids)"
            if any(r["same_ids"] is False for r in of):
                line += "   OTHER IDS"
        print(line, flush=True)


def main():
    if len(sys.argv) == 6 and sys.argv[1] == "--peer":
        print(json.dumps(peer(*sys.argv[2:])))
        return
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("build")
    p.add_argument("data")
    p.add_argument("--only", action="append", help="a row of the table")
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--peers", default=sys.executable)
    p.add_argument("--text", action="append", help="UTF-8; several are measured one after another")
    p.add_argument("--megabytes", type=float, help="only the beginning of each text")
    p.add_argument("--lines", action="store_true", help="each line is a text of its own")
    p.add_argument("--json")
    args = p.parse_args()
    program = os.path.join(args.build, "bench", "bench-tokenize")
    results = []
    with tempfile.TemporaryDirectory() as folder:
        table = [row for row in rows(args.data, folder) if not args.only or row[0] in args.only]
        for text in args.text or [os.path.join(args.data, "text", "books.txt")]:
            if args.text:
                print(text)
            found = measure_text(args, program, beginning(text, args.megabytes, folder), table)
            show(found)
            results += [{"text": text, **r} for r in found]
    if args.json:
        with open(args.json, "w", encoding="utf-8") as f:
            json.dump(results, f, indent=1)


if __name__ == "__main__":
    main()
