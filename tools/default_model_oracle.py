#!/usr/bin/env python3
"""Writes test/data/llm/default.json: what models/default.gguf computes, by another program.

    default_model_oracle.py models/default.gguf test/data/llm/default.json

A Llama forward pass in binary64 from the file's dequantised weights, after the paper's formulas; numpy and
gguf only.  Inox rounds activations to 8 bits beside Q8_0 weights, which this does not: the tests that read
the file allow for that.
"""
import json
import sys

import gguf
import numpy as np


class Model:
    def __init__(self, path):
        file = gguf.GGUFReader(path)
        self.keys = {k.removeprefix("llama."): f.contents() for k, f in file.fields.items()}
        self.weights = {t.name: gguf.quants.dequantize(t.data, t.tensor_type).astype(np.float64)
                        for t in file.tensors}
        self.heads = self.keys["attention.head_count"]
        self.kv_heads = self.keys["attention.head_count_kv"]
        self.layers = self.keys["block_count"]

    def norm(self, x, name):
        scale = np.sqrt(np.mean(x * x, axis=-1, keepdims=True) + self.keys["attention.layer_norm_rms_epsilon"])
        return x / scale * self.weights[name + ".weight"]

    def linear(self, x, name):
        return x @ self.weights[name + ".weight"].T

    def rotate(self, x):
        """x: [tokens, heads, dim]; pairs are neighbours."""
        tokens, _, dim = x.shape
        angle = np.outer(np.arange(tokens), self.keys["rope.freq_base"] ** (-np.arange(0, dim, 2) / dim))[:, None]
        a, b = x[..., 0::2], x[..., 1::2]
        y = np.empty_like(x)
        y[..., 0::2] = a * np.cos(angle) - b * np.sin(angle)
        y[..., 1::2] = a * np.sin(angle) + b * np.cos(angle)
        return y

    def attention(self, x, block):
        tokens = len(x)
        q, k, v = (self.linear(x, f"{block}.attn_{n}").reshape(tokens, h, -1)
                   for n, h in (("q", self.heads), ("k", self.kv_heads), ("v", self.kv_heads)))
        q, k = self.rotate(q), self.rotate(k)
        future = np.triu(np.ones((tokens, tokens), bool), 1)
        out = np.empty_like(q)
        for h in range(self.heads):
            g = h * self.kv_heads // self.heads
            s = q[:, h] @ k[:, g].T / np.sqrt(q.shape[-1])
            s[future] = -np.inf
            p = np.exp(s - s.max(axis=-1, keepdims=True))
            out[:, h] = p / p.sum(axis=-1, keepdims=True) @ v[:, g]
        return self.linear(out.reshape(tokens, -1), f"{block}.attn_output")

    def feed_forward(self, x, block):
        gate = self.linear(x, f"{block}.ffn_gate")
        return self.linear(gate / (1 + np.exp(-gate)) * self.linear(x, f"{block}.ffn_up"), f"{block}.ffn_down")

    def logits(self, ids):
        x = self.weights["token_embd.weight"][ids]
        for i in range(self.layers):
            block = f"blk.{i}"
            x = x + self.attention(self.norm(x, f"{block}.attn_norm"), block)
            x = x + self.feed_forward(self.norm(x, f"{block}.ffn_norm"), block)
        x = self.norm(x, "output_norm")
        head = "output" if "output.weight" in self.weights else "token_embd"
        return self.linear(x, head)


def nats(rows, ids):
    """Mean negative log-likelihood of ids[1:]."""
    top = rows.max(axis=-1, keepdims=True)
    z = np.log(np.exp(rows - top).sum(axis=-1)) + top[:, 0]
    return float(np.mean([z[i] - rows[i, ids[i + 1]] for i in range(len(ids) - 1)]))


def greedy(model, ids, count):
    """(tokens, margins to the second best)"""
    out, margins = [], []
    for _ in range(count):
        row = model.logits(ids + out)[-1]
        best = np.sort(row)[-2:]
        margins.append(round(float(best[1] - best[0]), 4))
        out.append(int(row.argmax()))
    return out, margins


PROMPTS = {
    "begin": [0],
    "once": [0, 47, 78, 372, 678, 259, 571],  # Once upon a time
    "story": [0, 708, 311, 263, 1060, 289, 1496, 12, 271, 263, 622, 317, 412, 285, 850, 348, 1675, 277, 263, 913,
              444, 263, 1233, 14],  # It was the best of times, and the old sailor told his story ...
    "every": list(range(0, 2048, 25)),
}


def case(model, name, ids):
    rows = model.logits(ids)
    order = np.argsort(-rows, kind="stable")[:, :2]
    tokens, margins = greedy(model, ids, 12)
    return {"name": name, "ids": ids, "last_logits": [round(float(x), 3) for x in rows[-1]],
            "top5": order.tolist(),
            "top5_logits": [[round(float(row[i]), 4) for i in best] for row, best in zip(rows, order)],
            "nats": round(nats(rows, ids), 5) if len(ids) > 1 else None,
            "greedy": tokens, "greedy_margins": margins}


def main():
    model = Model(sys.argv[1])
    cases = [case(model, name, ids) for name, ids in PROMPTS.items()]
    with open(sys.argv[2], "w", encoding="utf-8") as f:
        f.write('{"script": "tools/default_model_oracle.py", "cases": [\n')
        f.write(",\n".join(json.dumps(c, separators=(",", ":")) for c in cases) + "\n]}\n")


if __name__ == "__main__":
    main()
