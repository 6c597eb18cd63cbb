#!/usr/bin/env python3
"""Writes the seeds of the session fuzzer, fuzz/corpus/session: tiny models that run.

    python3 tools/make_session_seeds.py [fuzz/corpus/session]

Needs nothing but Python.  Weights are pseudo-random; test_faults.c loads these models too.
"""
import math
import pathlib
import random
import struct
import sys

U32, F32, BOOL, STRING, ARRAY = 4, 6, 7, 8, 9
TYPE_F32, TYPE_F16, TYPE_Q4_0, TYPE_Q8_0, TYPE_BF16 = 0, 1, 2, 8, 30
WIDTH, HEADS, KV_HEADS, FORWARD = 32, 2, 1, 32
DIM = WIDTH // HEADS
PIECES = ["<s>", "</s>", "\u0120", "a", "b", "c", "t", "h", "e", ".", "\u0120a", "th", "the", "\u00c3", "\u00a9",
          "ab", "\u0120the", "\u010a"]
MERGES = ["\u0120 a", "t h", "th e", "a b", "\u0120 the"]


def u32(n):
    return struct.pack("<I", n)


def u64(n):
    return struct.pack("<Q", n)


def text(s):
    data = s.encode()
    return u64(len(data)) + data


def block(rng, kind):
    """32 weights as bytes."""
    values = [rng.gauss(0, 0.3) for _ in range(32)]
    if kind == TYPE_F32:
        return struct.pack("<32f", *values)
    if kind == TYPE_F16:
        return struct.pack("<32e", *values)
    if kind == TYPE_BF16:
        return b"".join(struct.pack("<f", v)[2:] for v in values)
    scale = struct.pack("<e", 0.9 / (127 if kind == TYPE_Q8_0 else 8))
    if kind == TYPE_Q8_0:
        return scale + struct.pack("<32b", *(max(-127, min(127, round(v * 127 / 0.9))) for v in values))
    return scale + bytes(rng.randrange(256) for _ in range(16))


def tensors(arch, kind, layers, tied, half_norms, rng):
    """(name, dims, type, bytes); dims as the file has them, the contiguous one first."""
    def matrix(name, rows, cols):
        return name, [cols, rows], kind, b"".join(block(rng, kind) for _ in range(rows * cols // 32))

    def vector(name, n):
        letter = "e" if half_norms else "f"
        return (name, [n], TYPE_F16 if half_norms else TYPE_F32,
                struct.pack(f"<{n}{letter}", *(1 + rng.gauss(0, 0.1) for _ in range(n))))
    yield matrix("token_embd.weight", len(PIECES), WIDTH)
    if not tied:
        yield matrix("output.weight", len(PIECES), WIDTH)
    yield vector("output_norm.weight", WIDTH)
    for i in range(layers):
        b = f"blk.{i}."
        yield vector(b + "attn_norm.weight", WIDTH)
        yield vector(b + "ffn_norm.weight", WIDTH)
        for name, rows in (("q", WIDTH), ("k", KV_HEADS * DIM), ("v", KV_HEADS * DIM)):
            yield matrix(b + f"attn_{name}.weight", rows, WIDTH)
            if arch == "qwen2":
                yield vector(b + f"attn_{name}.bias", rows)
        if arch == "qwen3":
            yield vector(b + "attn_q_norm.weight", DIM)
            yield vector(b + "attn_k_norm.weight", DIM)
        yield matrix(b + "attn_output.weight", WIDTH, WIDTH)
        yield matrix(b + "ffn_gate.weight", FORWARD, WIDTH)
        yield matrix(b + "ffn_up.weight", FORWARD, WIDTH)
        yield matrix(b + "ffn_down.weight", WIDTH, FORWARD)


def keys(arch, layers, more):
    def array(item, values, one):
        return u32(ARRAY) + u32(item) + u64(len(values)) + b"".join(one(v) for v in values)
    yield "general.architecture", u32(STRING) + text(arch)
    for name, value in (("block_count", layers), ("embedding_length", WIDTH), ("feed_forward_length", FORWARD),
                        ("attention.head_count", HEADS), ("attention.head_count_kv", KV_HEADS),
                        ("context_length", 64)):
        yield f"{arch}.{name}", u32(U32) + u32(value)
    yield f"{arch}.attention.layer_norm_rms_epsilon", u32(F32) + struct.pack("<f", 1e-5)
    yield from more
    yield "tokenizer.ggml.model", u32(STRING) + text("gpt2")
    yield "tokenizer.ggml.tokens", array(STRING, PIECES, text)
    yield "tokenizer.ggml.token_type", array(5, [3, 3] + [1] * (len(PIECES) - 2), u32)
    yield "tokenizer.ggml.merges", array(STRING, MERGES, text)
    yield "tokenizer.ggml.bos_token_id", u32(U32) + u32(0)
    yield "tokenizer.ggml.eos_token_id", u32(U32) + u32(1)
    yield "tokenizer.ggml.add_bos_token", u32(BOOL) + b"\1"


def model(arch, kind, layers=1, tied=False, more=(), extra=(), half_norms=False):
    rng = random.Random(f"{arch} {kind} {layers}")
    table, data = b"", b""
    all_tensors = list(tensors(arch, kind, layers, tied, half_norms, rng)) + list(extra)
    for name, dims, type_id, payload in all_tensors:
        table += text(name) + u32(len(dims)) + b"".join(u64(d) for d in dims) + u32(type_id) + u64(len(data))
        data += payload + bytes(-len(payload) % 32)
    all_keys = list(keys(arch, layers, more))
    head = b"GGUF" + u32(3) + u64(len(all_tensors)) + u64(len(all_keys))
    head += b"".join(text(k) + v for k, v in all_keys) + table
    return head + bytes(-len(head) % 32) + data


def main():
    folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else
                          pathlib.Path(__file__).parent.parent / "fuzz/corpus/session")
    folder.mkdir(parents=True, exist_ok=True)
    factors = ("rope_freqs.weight", [DIM // 2], TYPE_F32, struct.pack(f"<{DIM // 2}f", *[1, 2, 4, 8] * (DIM // 8)))
    linear = [("llama.rope.scaling.type", u32(STRING) + text("linear")),
              ("llama.rope.scaling.factor", u32(F32) + struct.pack("<f", 4))]
    window = [("llama.attention.sliding_window", u32(U32) + u32(3)),
              ("llama.rope.freq_base", u32(F32) + struct.pack("<f", math.pi * 1e5))]
    for name, data in {
            "llama-q8_0": model("llama", TYPE_Q8_0), "llama-q4_0-tied": model("llama", TYPE_Q4_0, tied=True),
            "llama-f16-factors": model("llama", TYPE_F16, extra=[factors]),
            "llama-bf16-linear": model("llama", TYPE_BF16, more=linear),
            "llama-q8_0-window": model("llama", TYPE_Q8_0, layers=2, tied=True, more=window),
            "qwen2-f32": model("qwen2", TYPE_F32, tied=True), "qwen2-q8_0": model("qwen2", TYPE_Q8_0),
            "qwen3-q8_0": model("qwen3", TYPE_Q8_0),
            # vectors that have to be widened were once freed with the graph that was fused
            "llama-q4_0-half-norms": model("llama", TYPE_Q4_0, half_norms=True)}.items():
        (folder / (name + ".gguf")).write_bytes(data)


if __name__ == "__main__":
    main()
