#!/usr/bin/env python3
"""Writes test/vectors/*.jsonl, the published vectors of the numeric contract, with tools/contract_oracle.py.

    python tools/contract_vectors.py            all files but grids.jsonl; needs nothing but Python
    python tools/contract_vectors.py --grids    grids.jsonl, from the gguf package
    python tools/contract_vectors.py --gguf     compares the block formats of the oracle with the gguf package
    python tools/contract_vectors.py --worst    the worst errors of tools/measure_elementary.c, by mpmath

The format is in docs/NUMERICS.md ("Vectors").  The same inputs always: the generator has a fixed seed.
"""
import itertools
import json
import math
import random
import sys

import contract_oracle as o

OUT = o.ROOT / "test/vectors"
DICE = random.Random(20250101)
SPECIAL = [0x00000000, 0x80000000, 0x00000001, 0x80000001, 0x007FFFFF, 0x00800000, 0x80800000, 0x33800000, 0x3F000000,
           0x3F800000, 0xBF800000, 0x3F800001, 0x3FC00000, 0x40200000, 0x4B000001, 0x7F7FFFFF, 0xFF7FFFFF, 0x7F800000,
           0xFF800000, 0x7FC00000, 0xFFC12345, 0x7F800001]


def hexed(xs):
    return "".join(f"{o.bits(x):08x}" for x in xs)


def hex_bits(us, digits=8):
    return "".join(f"{u:0{digits}x}" for u in us)


def hex64(xs):
    return "".join(f"{0x7ff8000000000000 if math.isnan(x) else o.bits64(x):016x}" for x in xs)


def floats(us):
    return [o.flt(u) for u in us]


def gen(seed, n):
    v, out = seed, []
    for _ in range(n):
        v = (1664525 * v + 1013904223) % 2**32
        out.append(o.flt((v & 0x807FFFFF) | ((120 + (v >> 23 & 7)) << 23)))
    return out


def write(name, rows):
    text = "".join(json.dumps(r, separators=(",", ":")) + "\n" for r in rows)
    (OUT / name).write_text(text)
    print(f"{name}: {len(rows)} lines, {len(text)} bytes")


def any_bits(low=0, high=255):
    return DICE.getrandbits(1) << 31 | DICE.randint(low, high) << 23 | DICE.getrandbits(23)


# ---- one row of a file ------------------------------------------------------------------------------------

def fma_cases():
    triples = DICE.sample(list(itertools.product(SPECIAL, repeat=3)), 350)
    for _ in range(150):
        triples.append((any_bits(), any_bits(), any_bits()))
    for _ in range(200):  # z near -x * y, and results near the edges of the range
        x, y = any_bits(1, 254), any_bits(1, 254)
        product = o.bits(o.mul(o.flt(x), o.flt(y)))
        triples.append((x, y, (product ^ 0x80000000) + DICE.choice([0, 0, 1, -1, 5]) & 0xFFFFFFFF))
    for _ in range(150):
        x = any_bits(1, 60)
        triples.append((x, any_bits(60, 127), any_bits(0, 30)))
    return triples


def scalar():
    t = fma_cases()
    x, y, z = zip(*t)
    rows = [{"op": "fma", "x": hex_bits(x), "y": hex_bits(y), "z": hex_bits(z),
             "out": hexed(o.fma(*floats(v)) for v in t)}]
    for name, f in (("sqrt", o.sqrt), ("rhe", o.rhe)):
        us = SPECIAL + [any_bits() for _ in range(60)] + [any_bits(124, 152) for _ in range(60)]
        rows.append({"op": name, "x": hex_bits(us), "out": hexed(f(v) for v in floats(us))})
    edge = [0x477FEFFF, 0x477FF000, 0x477FE000, 0x38800000, 0x387FFFFF, 0x33000000, 0x33000001, 0x32FFFFFF, 0x33C00000,
            0x7F7F8000, 0x7F7F7FFF, 0x3F808000, 0x3F818000, 0x3F801000, 0x3F803000]
    us = SPECIAL + edge + [v ^ 0x80000000 for v in edge] + [any_bits(100, 145) for _ in range(120)]
    rows.append({"op": "to_f16", "x": hex_bits(us), "out": hex_bits(map(o.f16_bits, floats(us)), 4)})
    rows.append({"op": "to_bf16", "x": hex_bits(us), "out": hex_bits(map(o.bf16_bits, floats(us)), 4)})
    hs = [0, 0x8000, 1, 0x8001, 0x3FF, 0x400, 0x7BFF, 0x7C00, 0xFC00, 0x7C01, 0x7E00, 0xFE01, 0x7F80, 0xFF80, 0x7F81]
    hs += [DICE.getrandbits(16) for _ in range(100)]
    rows.append({"op": "from_f16", "x": hex_bits(hs, 4), "out": hexed(o.f16(v) for v in hs)})
    rows.append({"op": "from_bf16", "x": hex_bits(hs, 4), "out": hexed(o.flt(v << 16) for v in hs)})
    write("scalar.jsonl", rows)


def elementary():
    rows = []
    edges = {"exp": [-87.0, 88.7228, 88.0, -86.9, 0.34657359, 0.3466, -88.0, 89.0, 1e-8],
             "tanh": [0.625, 0.62499994, 9.0, 9.1, 45.0], "erf": [0.921875, 0.9218749, 3.9, 4.0, 4.1, 1e30],
             "log": [0.70710677, 0.70710683, 1.4142135, 0.9999999], "softplus": [-16.0, -17.0, 20.0, -87.0, -88.0]}
    for name, f in o.ELEMENTARY.items():
        us = list(SPECIAL)
        for v in edges.get(name, []) + [-100.0, 100.0]:
            u = o.bits(v)
            us += [u, u + 1, u - 1, u ^ 0x80000000]
        us += [any_bits(118, 130) for _ in range(90)] + [any_bits(130, 134) for _ in range(30)]
        us += [any_bits() for _ in range(30)]
        rows.append({"op": name, "x": hex_bits(us), "out": hexed(f(v) for v in floats(us))})
    us = [0, 0x80000000, 0x3F000000, 0xBF000000] + [any_bits(100, 125) for _ in range(120)]
    rows.append({"op": "exp2_fraction", "x": hex_bits(us), "out": hexed(o.exp2_fraction_c6(v) for v in floats(us))})
    write("elementary.jsonl", rows)


def products():
    rows = []
    for n in (0, 1, 2, 100, 1023, 1024, 1025, 2048, 2049, 3100, 5000, 7300):
        rows.append({"op": "dot", "a": {"gen": [n + 1, n]}, "b": {"gen": [n + 77, n]},
                     "out": hexed([o.dot_c2(gen(n + 1, n), gen(n + 77, n))])})
    for a, b in (([0, 0x80000000], [0xBF800000, 0x3F800000]), ([0x7F800000, 0], [0, 0x3F800000]),
                 ([0x00000001], [0x80000001]), ([0x7F7FFFFF, 0x7F7FFFFF], [0x40000000, 0xC0000000]),
                 ([0x3F800000, 0xFFC12345], [0x3F800000, 0x3F800000]), ([0x3F800001, 0xBF800000], [0x3F800001] * 2)):
        rows.append({"op": "dot", "a": hex_bits(a), "b": hex_bits(b), "out": hexed([o.dot_c2(floats(a), floats(b))])})
    for block in (32, 256):
        for change in ([], [(3, 0x7FC00001)], [(0, 0xFF800000)], [(i, 0) for i in range(block)],
                       [(i, 0x0D7FFFFF) for i in range(block)], [(i, 0x0D800000) for i in range(block)],
                       [(5, 0x7F7FFFFF)], [(i, 0x3F800000 + (i << 16)) for i in range(32)]):
            us = [o.bits(v) for v in gen(block + len(change), block)]
            for i, u in change:
                us[i] = u
            e, a = o.quantize_c3a(floats(us), block)
            rows.append({"op": "quantize", "block": block, "x": hex_bits(us), "e": hexed(e),
                         "out": hex_bits([v & 255 for v in a], 2)})
    write("products.jsonl", rows)


def random_block(kind, types, special=None):
    _, size, scales = types[kind]
    b = bytearray(DICE.getrandbits(8) for _ in range(size))
    for at in scales:
        scale = special if special is not None else DICE.getrandbits(15) & 0x83FF | 0x2000 + (DICE.getrandbits(3) << 10)
        b[at:at + 2] = (scale ^ DICE.getrandbits(1) << 15).to_bytes(2, "little")
    if kind == "MXFP4":
        b[0] = 255 if special else DICE.randint(118, 130)
    return bytes(b)


def blocks():
    rows = []
    for kind, (elements, _, _) in o.C3_TYPES.items():
        counts = (1, 1024 // elements + 2) if elements == 256 else (1, 3, 34)
        for count in counts:
            bs = [random_block(kind, o.C3_TYPES) for _ in range(count)]
            x = gen(count * 7 + len(kind), count * elements)
            rows.append({"op": "product", "type": kind, "w": b"".join(bs).hex(),
                         "x": {"gen": [count * 7 + len(kind), len(x)]},
                         "out": hexed([o.dot_c3(kind, [o.parts_c12(kind, b) for b in bs], x)])})
        for special, set_bits in ((0x7E00, None), (None, 0x7FC00000), (None, 0)):
            b = random_block(kind, o.C3_TYPES, special)
            x = [o.bits(v) for v in gen(3, elements)]
            if set_bits is not None:
                x = [set_bits if set_bits == 0 or i == 7 else v for i, v in enumerate(x)]
            rows.append({"op": "product", "type": kind, "w": b.hex(), "x": hex_bits(x),
                         "out": hexed([o.dot_c3(kind, [o.parts_c12(kind, b)], floats(x))])})
    for kind in o.OTHER_TYPES:
        elements = o.OTHER_TYPES[kind][0]
        count = 1024 // elements + 1
        bs = [random_block(kind, o.OTHER_TYPES) for _ in range(count)]
        x = gen(11, count * elements)
        w = sum((o.dequantize_c12(kind, b) for b in bs), [])
        if any(map(o.special, w)):  # a scale that came out infinite says nothing about the rest
            bs[0] = bytes(len(bs[0]))
        w = sum((o.dequantize_c12(kind, b) for b in bs), [])
        rows.append({"op": "product", "type": kind, "w": b"".join(bs).hex(), "x": {"gen": [11, len(x)]},
                     "out": hexed([o.dot_c2(x, w)])})
    for kind, types in [(k, o.C3_TYPES) for k in o.C3_TYPES] + [(k, o.OTHER_TYPES) for k in o.OTHER_TYPES]:
        b = random_block(kind, types)
        rows.append({"op": "dequantize", "type": kind, "w": b.hex(), "out": hexed(o.dequantize_c12(kind, b))})
    write("blocks.jsonl", rows)


def rows_file():
    rows = []
    for n in (0, 1, 31, 33, 1023, 1024, 1025, 2048, 3100, 5000):
        x = gen(n + 5, n)
        rows.append({"op": "sum", "x": {"gen": [n + 5, n]}, "out": hexed([o.stored(o.sum_c4(x))])})
        rows.append({"op": "sum_squares", "x": {"gen": [n + 5, n]}, "out": hexed([o.stored(o.sum_c4(x, True))])})
    for us in ([0x80000000] * 3, [0x7F800000, 0xFF800000], [0x3F800000, 0xFFC00001], [1, 0x80000001], [0x7F7FFFFF] * 33):
        x = floats(us)
        rows.append({"op": "sum", "x": hex_bits(us), "out": hexed([o.stored(o.sum_c4(x))])})
        rows.append({"op": "sum_squares", "x": hex_bits(us), "out": hexed([o.stored(o.sum_c4(x, True))])})
    eps = o.flt(0x3727C5AC)
    for n, use in ((1, "w"), (5, ""), (33, "w"), (200, "w"), (1100, "")):
        x, w = gen(n, n), gen(n + 9, n) if use else None
        row = {"op": "rms_norm", "eps": hexed([eps]), "x": {"gen": [n, n]}}
        if w:
            row["w"] = {"gen": [n + 9, n]}
        rows.append({**row, "out": hexed(o.rms_norm_c7(x, w, eps))})
    for n, use in ((1, "wb"), (5, ""), (33, "wb"), (100, "w"), (100, "b"), (1100, "wb")):
        x, w, b = gen(n, n), gen(n + 9, n) if "w" in use else None, gen(n + 21, n) if "b" in use else None
        row = {"op": "layer_norm", "eps": hexed([eps]), "x": {"gen": [n, n]}}
        if w:
            row["w"] = {"gen": [n + 9, n]}
        if b:
            row["b"] = {"gen": [n + 21, n]}
        rows.append({**row, "out": hexed(o.layer_norm_c7(x, w, b, eps))})
    for op in ("rms_norm", "layer_norm"):
        for us in ([0] * 4, [0x7FC00000, 0x3F800000], [0x7F800000, 0x3F800000], [0x7F7FFFFF] * 2, [1, 0x80000001, 0]):
            x = floats(us)
            y = o.rms_norm_c7(x, None, 0.0) if op == "rms_norm" else o.layer_norm_c7(x, None, None, 0.0)
            rows.append({"op": op, "eps": "00000000", "x": hex_bits(us), "out": hexed(y)})
    us, vs = zip(*(DICE.sample(list(itertools.product(SPECIAL, repeat=2)), 120) + [(any_bits(), any_bits())
                                                                                 for _ in range(60)]))
    a, b = floats(us), floats(vs)
    for op, f in (("add", o.add), ("sub", o.sub), ("mul", o.mul), ("swiglu", lambda g, u: o.mul(o.silu_c5(g), u))):
        rows.append({"op": op, "a": hex_bits(us), "b": hex_bits(vs), "out": hexed(map(f, a, b))})
    write("rows.jsonl", rows)


def rotary():
    rows = []
    xs = [0.0, -0.0, 1.0, -1.0, 0.5, -1022.0, -1022.5, 1023.49, 1023.5, 1e-300, math.nan, math.inf, -math.inf]
    xs += [DICE.uniform(-60, 60) for _ in range(60)]
    rows.append({"op": "exp2_f64", "x": hex64(xs), "out": hex64(map(o.exp2_f64, xs))})
    xs = [0.0, -0.0, 1.0, 2.0, 10000.0, 500000.0, 1e6, 5e-324, 2.0**-1022, -1.0, math.nan, math.inf, 0.7071067811865476]
    xs += [math.exp(DICE.uniform(-30, 30)) for _ in range(60)]
    rows.append({"op": "log2_f64", "x": hex64(xs), "out": hex64(map(o.log2_f64, xs))})
    for base, d, factor in ((10000.0, 64, 0), (500000.0, 128, 5), (1e6, 128, 0), (10000.0, 12, 3)):
        f = [abs(v) for v in gen(factor, d // 2)] if factor else None
        row = {"op": "rope_frequencies", "base": hex64([base]), "d": d}
        if f:
            row["factor"] = hexed(f)
        rows.append({**row, "out": hexed(o.rope_frequencies_c8(base, d, f))})
    us = [0, 0x80000000, 0x3FC90FDB, 0x3F490FDB, 0x40490FDB, 0x4016CBE4, 0x4BFFFFFF, 0x4C000000, 0x4BFFFFFE, 0x7F800000,
          0x7FC00000, 1] + [any_bits(110, 151) for _ in range(100)]
    us += [o.bits(o.mul(float(p), f)) for p in (1, 77, 4095, 131071) for f in o.rope_frequencies_c8(10000.0, 32)]
    s, c = zip(*map(o.sincos_c8, floats(us)))
    rows.append({"op": "sincos", "x": hex_bits(us), "sin": hexed(s), "cos": hexed(c)})
    for interleaved in (0, 1):
        half, head_dim, heads = 5, 13, 3
        s, c = zip(*(o.sincos_c8(o.mul(9.0, f)) for f in o.rope_frequencies_c8(10000.0, 2 * half)))
        us = [o.bits(v) for v in gen(8, heads * head_dim)]
        us[3], us[12], us[27] = 0xFFC00001, 0x7F800001, 0x7F800000
        rows.append({"op": "rope", "half": half, "head_dim": head_dim, "interleaved": interleaved, "x": hex_bits(us),
                     "cos": hexed(c), "sin": hexed(s),
                     "out": hexed(o.rope_c8(floats(us), c, s, half, interleaved, head_dim))})
    write("rotary.jsonl", rows)


def attention_case(n, dim, width, cache, scale, window=0, softcap=0.0, sink=None, k_set=(), v_set=()):
    row = {"op": "attention", "n": n, "dim": dim, "width": width, "cache": cache, "scale": hex64([scale]),
           "window": window, "softcap": hexed([softcap]), "q": {"gen": [n + dim, dim]}, "k": {"gen": [n + 1, n * dim]},
           "v": {"gen": [n + 2, n * width]}}
    if sink is not None:
        row["sink"] = hexed([sink])
    q, k, v = gen(n + dim, dim), gen(n + 1, n * dim), gen(n + 2, n * width)
    for name, values, changes in (("k_set", k, k_set), ("v_set", v, v_set)):
        if changes:
            row[name] = "".join(f"{i:08x}{u:08x}" for i, u in changes)
        for i, u in changes:
            values[i] = o.flt(u)
    if cache == "f16":
        k, v = [o.f16(o.f16_bits(x)) for x in k], [o.f16(o.f16_bits(x)) for x in v]
    keys = [k[p * dim:p * dim + dim] for p in range(n)]
    values = [v[p * width:p * width + width] for p in range(n)]
    row["out"] = hexed(o.attention_c6(q, keys, values, scale, window, softcap, sink))
    return row


def attention():
    c, rows = attention_case, []
    for n in (1, 2, 33, 127, 128, 129, 300, 520):
        rows.append(c(n, 8, 5, "f16" if n % 2 else "f32", 8**-0.5))
    rows.append(c(140, 64, 16, "f16", 0.125))
    rows.append(c(3, 1030, 3, "f32", 1030**-0.5))
    rows.append(c(300, 8, 4, "f16", 3.0))                  # large scores: weights that vanish
    rows.append(c(400, 8, 4, "f32", 40.0))
    rows.append(c(300, 8, 4, "f32", 1e30))                 # clamped
    rows.append(c(300, 8, 4, "f16", 0.35, window=7))
    rows.append(c(300, 8, 4, "f32", 0.35, window=150))
    rows.append(c(260, 8, 4, "f16", 2.0, softcap=5.0))
    for sink in (0.5, -3.0, 60.0, -INFINITE, INFINITE, math.nan, 3e38):
        rows.append(c(150, 8, 4, "f16", 0.35, sink=sink))
    rows.append(c(20, 8, 4, "f16", 2.0, window=5, softcap=3.0, sink=1.0))
    minus = [(p * 4 + i, 0xFF800000) for p in (1, 2, 130) for i in range(1)]
    rows.append(c(200, 4, 4, "f32", 0.5, k_set=minus))     # keys that come out infinite
    for u in (0x7FC00000, 0x7F800000, 0xFF800000, 0x80000000):
        rows.append(c(140, 1, 4, "f32", 0.5, k_set=[(5, u)]))
        rows.append(c(140, 4, 4, "f32", 0.5, v_set=[(21, u)]))
        rows.append(c(140, 4, 4, "f16", 0.5, window=3, k_set=[(5, u)], v_set=[(6, u)]))  # masked: unseen
    rows.append(c(2, 1, 2, "f32", 0.5, k_set=[(0, 0x7F800000), (1, 0x7F800000)]))
    # every score -inf: nothing is seen (q of this size is positive or negative: both signs of inf are tried)
    for u in (0x7F800000, 0xFF800000):
        rows.append(c(140, 1, 2, "f32", 0.5, k_set=[(p, u) for p in range(140)]))
        rows.append(c(300, 1, 2, "f32", 0.5, k_set=[(p, u) for p in range(128, 256)]))
    rows.append(c(130, 4, 2, "f32", 60.0, v_set=[(2 * p, 0x80000001) for p in range(130)]))
    write("attention.jsonl", rows)


INFINITE = math.inf


def sampling_case(logits, previous=(), positions=range(12), **changes):
    p = {**o.SAMPLING, **changes}
    row = {"op": "sample", "logits": logits if isinstance(logits, dict) else hex_bits(logits)}
    x = gen(*logits["gen"]) if isinstance(logits, dict) else floats(logits)
    x = [o.mul(v, p.pop("times", 1.0)) for v in x] if "times" in changes else x
    if "times" in changes:
        row["logits"] = hexed(x)
    for key in ("temperature", "top_p", "min_p", "typical_p", "repetition", "presence", "frequency"):
        p[key] = o.narrow(p[key])
        row[key] = hexed([p[key]])
    for key in ("top_k", "window"):
        row[key] = p[key]
    row["seed"] = f"{p['seed']:016x}"
    row["bias_ids"] = hex_bits(p["bias_ids"])
    row["bias_values"] = hexed(p["bias_values"])
    row["previous"] = hex_bits(previous)
    row["first"] = positions[0]
    ids = [o.sample_c10(x, p, list(previous), n) for n in positions]
    row["out"] = hex_bits([0xFFFFFFFF if i is None else i for i in ids])
    return row


def sampling():
    c, rows, base = sampling_case, [], {"gen": [4, 60]}
    big = {"gen": [9, 1500]}
    for seed in (0, 1, 2**64 - 1):
        rows.append(c(base, seed=seed, times=4.0))
    rows.append(c(base, temperature=0.0))
    rows.append(c(base, temperature=0.3, times=8.0))
    rows.append(c(base, temperature=1.7))
    rows.append(c(base, temperature=1e-42))
    rows.append(c(base, top_k=1))
    rows.append(c(base, top_k=7, temperature=0.8, seed=3))
    rows.append(c(big, top_k=1200, seed=4))
    rows.append(c(big, seed=5, positions=range(2**33, 2**33 + 8)))
    for p in (0.05, 0.5, 0.95, 1e-9):
        rows.append(c(base, top_p=p, seed=6, times=2.0))
        rows.append(c(base, min_p=p, seed=7, times=2.0))
        rows.append(c(base, typical_p=p, seed=8, times=2.0))
    rows.append(c(base, min_p=1.0, seed=7))
    rows.append(c(base, typical_p=0.7, top_p=0.8, min_p=0.02, top_k=40, temperature=0.9, seed=99, times=3.0))
    previous = [3, 3, 9, 12, 3, 59, 0, 12]
    rows.append(c(base, previous, repetition=1.3, seed=1, times=4.0))
    rows.append(c(base, previous, repetition=1.1, presence=0.5, frequency=0.25, window=3, seed=1, times=4.0))
    rows.append(c(base, previous, frequency=2.0, window=-1, temperature=0.0, times=2.0))
    rows.append(c(base, previous, frequency=2.0, window=0, temperature=0.0, times=2.0))
    rows.append(c(base, bias_ids=[5, 7, 5], bias_values=[3.0, -math.inf, 2.5], seed=2))
    rows.append(c(base, bias_ids=list(range(59)), bias_values=[-math.inf] * 59, seed=2, temperature=0.7))
    rows.append(c([0x3F800000] * 40, seed=12, top_k=10))
    rows.append(c([0x3F800000] * 40, seed=12, top_p=0.3))
    rows.append(c([0x80000000, 0, 0x80000000, 0], temperature=0.0))
    rows.append(c([0x80000000, 0, 0x80000000, 0], top_k=2, seed=3))
    rows.append(c([0x7F800000, 0x3F800000, 0x7F800000], seed=3))
    rows.append(c([0xFF800000, 0x3F800000, 0xFF800000], seed=3))
    rows.append(c([0xFF800000, 0xFF800000]))
    rows.append(c([0x3F800000, 0x7FC00000]))
    rows.append(c([0x41A00000, 0, 0x3F800000], seed=1))  # 20, 0, 1: weights near the last bit
    write("sampling.jsonl", rows)


def write_grids():
    from gguf import quants
    rows = []
    for name, cls in (("iq1", quants.IQ1_S), ("iq2_xxs", quants.IQ2_XXS), ("iq2_xs", quants.IQ2_XS),
                      ("iq2_s", quants.IQ2_S), ("iq3_xxs", quants.IQ3_XXS), ("iq3_s", quants.IQ3_S)):
        cls.init_grid()
        count, width = cls.grid_shape
        numbers = {float(v): i for i, v in enumerate(cls.grid_map)}
        entries = [sum(numbers[float(v)] << 16 // width * i for i, v in enumerate(row))
                   for row in cls.grid.reshape(count, width)]
        rows.append({"grid": name, "entries": hex_bits(entries, 4)})
    write("grids.jsonl", rows)


def compare_with_gguf():
    import gguf
    import numpy as np
    compared = 0
    for types in (o.C3_TYPES, o.OTHER_TYPES):
        for kind in types:
            if kind in ("Q1_0", "Q2_0"):
                continue
            for _ in range(200):
                b = bytes(DICE.getrandbits(8) for _ in range(types[kind][1]))
                with np.errstate(all="ignore"):
                    y = gguf.quants.dequantize(np.frombuffer(b, np.uint8), gguf.GGMLQuantizationType[kind])
                want = [float(v) for v in np.asarray(y, np.float32).ravel()]
                assert hexed(want) == hexed(o.dequantize_c12(kind, b)), kind
                compared += 1
    print(f"{compared} blocks equal gguf-py's")


WORST = {"exp": "-0x1.765026p+2", "log": "0x1.91059cp+0", "tanh": "0x1.429024p-1", "erf": "0x1.ee419p-1",
         "sigmoid": "-0x1.0a2bd8p+4", "silu": "-0x1.0af4e2p+4", "softplus": "-0x1.63017cp+1",
         "gelu_tanh": "0x1.2cb0b2p+0", "gelu_erf": "0x1.060da2p+1", "exp2_fraction": "-0x1.ff2c82p-2"}


def show_worst():
    import mpmath as mp
    mp.mp.dps = 40
    exact = {"exp": mp.exp, "log": mp.log, "tanh": mp.tanh, "erf": mp.erf, "sigmoid": lambda x: 1 / (1 + mp.exp(-x)),
             "silu": lambda x: x / (1 + mp.exp(-x)), "softplus": lambda x: mp.log1p(mp.exp(x)),
             "gelu_tanh": lambda x: x / 2 * (1 + mp.tanh(mp.sqrt(2 / mp.pi) * (x + mp.mpf("0.044715") * x**3))),
             "gelu_erf": lambda x: x / 2 * mp.erfc(-x / mp.sqrt(2)), "exp2_fraction": lambda x: mp.power(2, x)}
    ours = {**o.ELEMENTARY, "exp2_fraction": o.exp2_fraction_c6}
    for name, at in WORST.items():
        x = o.h(at)
        y = exact[name](mp.mpf(x))
        unit = mp.mpf(abs(x)) / 2**24 if name.startswith("gelu") else mp.mpf(2) ** (mp.floor(mp.log(abs(y), 2)) - 23)
        print(f"{name:14} {float(abs(ours[name](x) - y) / unit):.4f}")


def main():
    if "--worst" in sys.argv:
        return show_worst()
    if "--grids" in sys.argv:
        return write_grids()
    if "--gguf" in sys.argv:
        return compare_with_gguf()
    for part in (scalar, elementary, products, blocks, rows_file, rotary, attention, sampling):
        part()


if __name__ == "__main__":
    main()
