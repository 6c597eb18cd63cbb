#!/usr/bin/env python3
"""What guessing ahead gains: the same text with and without a draft model, and with lookup.

    bench/draft.py BUILD [--mb 640] [--tokens 256] [--rounds 3]

The target is the embedded model made large: its feed-forward layers are widened with zero weights, which add nothing to
any sum, so that it writes the same text but costs what a model of --mb MB costs.  The draft is the embedded model itself.
Such a draft guesses nearly always right: this is what a very good draft gains.  Lookup is shown on a prompt that repeats
itself.  A round runs the plain target and each way of guessing once; texts must be equal.  Needs the Python packages gguf
and numpy.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile

import gguf
import numpy

PROMPTS = ["Once upon a time there was", "The captain looked at the sea and said",
           "It was the best of times, it was the worst of times, "]
REPEATED = "The old man went to the sea and the sea was calm. " * 6
SAMPLED = ["--temp", "0.8", "--seed", "7"]
WAYS = {
    "plain": [],
    "draft": ["--draft", "default"],
    "lookup": ["--lookup", "3"],
}


def widened(path, out, megabytes):
    """Writes the model with feed-forward layers so wide that the file has about `megabytes`."""
    reader = gguf.GGUFReader(path)
    layers = reader.fields["llama.block_count"].contents()
    width = reader.fields["llama.embedding_length"].contents()
    block, block_bytes = 32, 34  # Q8_0
    wide = int(megabytes * 1e6 / (layers * 3 * width) * block / block_bytes) // 1024 * 1024
    writer = gguf.GGUFWriter(out, "llama")
    for name, field in reader.fields.items():
        if name.startswith("GGUF.") or name == "general.architecture":
            continue
        value = wide if name == "llama.feed_forward_length" else field.contents()
        kind = field.types[0]
        writer.add_key_value(name, value, kind, sub_type=field.types[-1] if kind == gguf.GGUFValueType.ARRAY else None)
    for t in reader.tensors:
        data = t.data  # Q8_0: bytes [rows][bytes of a row]
        if ".ffn_" in t.name and "norm" not in t.name:
            assert t.tensor_type == gguf.GGMLQuantizationType.Q8_0, t.name
            rows, row_bytes = data.shape
            down = "ffn_down" in t.name
            new = numpy.zeros((rows, wide // block * block_bytes) if down else (wide, row_bytes), dtype=numpy.uint8)
            new[:rows, :row_bytes] = data
            data = new
        writer.add_tensor(t.name, data, raw_dtype=t.tensor_type)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def answer(inox, model, prompt, arguments, tokens):
    done = subprocess.run([inox, "run", model, "--prompt", prompt, "-n", str(tokens), "--json", "--no-receipt", "-q",
                           "--ignore-end", *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"inox run {' '.join(arguments)}: {done.stderr.strip()}")
    return json.loads(done.stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("build")
    parser.add_argument("--mb", type=int, default=640)
    parser.add_argument("--tokens", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=3)
    o = parser.parse_args()
    inox = os.path.join(o.build, "inox")
    default = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "models", "default.gguf")
    print(f"target: the default model widened to {o.mb} MB; {o.tokens} tokens, {o.rounds} rounds\n")
    print("| text | guesses | tokens/s: median | gain | same text |\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        target = os.path.join(folder, "target.gguf")
        widened(default, target, o.mb)
        cases = [(f"{kind}, prompt {i + 1}", p, how) for kind, how in (("greedy", ["--temp", "0"]), ("sampled", SAMPLED))
                 for i, p in enumerate(PROMPTS)] + [("greedy, repeating", REPEATED, ["--temp", "0"])]
        for label, prompt, how in cases:
            speeds, texts = {way: [] for way in WAYS}, {}
            for _ in range(o.rounds):
                for way, more in WAYS.items():
                    a = answer(inox, target, prompt, how + more, o.tokens)
                    speeds[way].append(a["timings"]["decode_tokens_per_s"])
                    texts[way] = a["ids"]
            plain = statistics.median(speeds["plain"])
            for way, values in speeds.items():
                same = "yes" if texts[way] == texts["plain"] else "NO"
                print(f"| {label} | {way} | {statistics.median(values):.1f} | {statistics.median(values) / plain:.2f} | {same} |",
                      flush=True)
            if any(ids != texts["plain"] for ids in texts.values()):
                sys.exit("texts differ")


if __name__ == "__main__":
    main()
