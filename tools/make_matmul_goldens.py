#!/usr/bin/env python3
"""Writes test/data/matmul/: small matrix products computed from the rule text alone (C2, C3, C3a, C11).

Independent of the C code: arithmetic is exact on Python integers and rounded once per written operation; weights are
unpacked by the published `gguf` package (PyPI) with their scales replaced by 1 and 0, which leaves sc * q and the
minimums as integers.  Q1_0 and Q2_0, which that package lacks, are unpacked here.

    acts.bin     u32 rows, depth | float32 x[rows][depth]
    <type>.bin   u32 cols, depth, row bytes | weights[cols][row bytes] | uint32 bits of y[rows][cols]

A product of `depth` uses the first `depth` values of each row of acts.bin.  Usage: make_matmul_goldens.py DIRECTORY
"""
import os
import struct
import sys

import gguf
import numpy as np

NAN = 0x7FC00000
BLOCK_32 = ["Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "IQ4_NL", "MXFP4"]
BLOCK_256 = ["Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K", "IQ4_XS"]
FLOATS = ["F32", "F16", "BF16", "IQ2_XXS", "IQ2_XS", "IQ2_S", "IQ3_XXS", "IQ3_S", "IQ1_S", "IQ1_M", "TQ1_0",
          "TQ2_0", "NVFP4", "Q1_0", "Q2_0"]
OWN_SIZES = {"Q1_0": (128, 18), "Q2_0": (64, 18)}
# Byte positions of d and of m or dmin in a block.
SCALES = {"Q4_0": (0, None), "Q4_1": (0, 2), "Q5_0": (0, None), "Q5_1": (0, 2), "Q8_0": (0, None), "IQ4_NL": (0, None),
          "Q2_K": (80, 82), "Q3_K": (108, None), "Q4_K": (0, 2), "Q5_K": (0, 2), "Q6_K": (208, None),
          "IQ4_XS": (0, None)}


# ---- binary32 on integers: a number is its bits -----------------------------------------------------------

def is_finite(u):
    return u & 0x7F800000 != 0x7F800000


def exact(u):
    """(m, e) with value m * 2^e."""
    exponent, fraction = u >> 23 & 255, u & 0x7FFFFF
    m, e = (fraction | 0x800000, exponent - 150) if exponent else (fraction, -149)
    return (-m if u >> 31 else m), e


def rounded(m, e, sticky=False):
    """Bits of m * 2^e (plus something below its last place if sticky), to nearest, halves to even."""
    if m == 0:
        return 0
    sign, m = (0x80000000, -m) if m < 0 else (0, m)
    if sticky:
        m, e = m * 4 + 1, e - 2
    place = max(m.bit_length() + e - 24, -149)  # exponent of the result's last place
    drop = place - e
    if drop <= 0:
        q = m << -drop
    else:
        q, rest, half = m >> drop, m & ((1 << drop) - 1), 1 << (drop - 1)
        q += rest > half or (rest == half and q & 1)
    if q == 1 << 24:
        q, place = q >> 1, place + 1
    if q < 1 << 23:
        return sign | q
    if place + 23 > 127:
        return sign | 0x7F800000
    return sign | (place + 150) << 23 | (q & 0x7FFFFF)


def of(u):
    return struct.unpack("<f", struct.pack("<I", u))[0]


def bits(x):
    """Of a Python float that is a binary32 number, an infinity or NaN."""
    return NAN if x != x else struct.unpack("<I", struct.pack("<f", x))[0]


def fma(a, b, c):
    if not (is_finite(a) and is_finite(b) and is_finite(c)):
        return bits(of(a) * of(b) + of(c))
    (ma, ea), (mb, eb), (mc, ec) = exact(a), exact(b), exact(c)
    p, ep = ma * mb, ea + eb
    if p == 0 and mc == 0:  # signs of zero: binary64 has the same rule, and all is exact
        return bits(of(a) * of(b) + of(c))
    e = min(ep, ec)
    return rounded((p << (ep - e)) + (mc << (ec - e)), e)


def mul(a, b):
    if not (is_finite(a) and is_finite(b)):
        return bits(of(a) * of(b))
    (ma, ea), (mb, eb) = exact(a), exact(b)
    return rounded(ma * mb, ea + eb) or (a ^ b) & 0x80000000


def add(a, b):
    return fma(a, 0x3F800000, b)


def div(a, b):
    """Of positive finite numbers."""
    (ma, ea), (mb, eb) = exact(a), exact(b)
    q, r = divmod(ma << 60, mb)
    return rounded(q, ea - eb - 60, sticky=r != 0)


def from_int(i):
    return rounded(i, 0)


# ---- the rules --------------------------------------------------------------------------------------------

def tree(s):
    if len(s) == 1:
        return s[0]
    p = 1
    while 2 * p < len(s):
        p *= 2
    return add(tree(s[:p]), tree(s[p:]))


def stored(u):
    u = add(u, 0)
    return u if (u & 0x7FFFFFFF) <= 0x7F800000 else NAN


def quantised(x):
    """C3a: one block of bits -> (bits of e, integers)."""
    top = max(u & 0x7FFFFFFF for u in x)
    if top >= 0x7F800000:
        return NAN, [0] * len(x)
    if top < 0x0D800000:
        return 0, [0] * len(x)
    e, r = div(top, from_int(127)), div(from_int(127), top)
    out = []
    for u in x:
        m, exponent = exact(mul(u, r))
        if exponent >= 0:
            out.append(m << exponent)
            continue
        whole, rest, half = m >> -exponent, m & ((1 << -exponent) - 1), 1 << (-exponent - 1)
        out.append(whole + (rest > half or (rest == half and whole & 1 == 1)))
    assert max(map(abs, out)) <= 127
    return e, out


def product_of_floats(x, w):
    sums = []
    for k in range(0, len(x), 1024):
        acc = 0
        for a, b in zip(x[k : k + 1024], w[k : k + 1024]):
            acc = fma(a, b, acc)
        sums.append(acc)
    return stored(tree(sums))


def product_of_blocks(x, w):
    """x: (e, integers) per block; w: (d, m or None, q, minimums, sign of the second term) per block."""
    sums, elements, acc = [], 0, 0
    for (e, a), (d, m, q, mins, sign) in zip(x, w):
        acc = fma(mul(d, e), from_int(sum(i * j for i, j in zip(q, a))), acc)
        if m is not None:
            acc = fma(mul(m, e) ^ sign, from_int(sum(i * j for i, j in zip(mins, a))), acc)
        elements += len(a)
        if elements % 1024 == 0:
            sums.append(acc)
            acc = 0
    if elements % 1024:
        sums.append(acc)
    return stored(tree(sums))


# ---- weights ----------------------------------------------------------------------------------------------

def sizes(name):
    return OWN_SIZES.get(name) or gguf.GGML_QUANT_SIZES[gguf.GGMLQuantizationType[name]]


def dequantised(name, blocks):
    with np.errstate(all="ignore"):
        if name in OWN_SIZES:
            d = blocks[:, :2].copy().view(np.float16).astype(np.float32)
            per_byte = 8 if name == "Q1_0" else 4
            shifts = np.arange(per_byte, dtype=np.uint8) * np.uint8(8 // per_byte)
            q = (blocks[:, 2:, None] >> shifts & (1 if per_byte == 8 else 3)).reshape(len(blocks), -1).astype(np.int32)
            q = 2 * q - 1 if name == "Q1_0" else q - 1
            return d * q.astype(np.float32)
        return gguf.quants.dequantize(blocks, gguf.GGMLQuantizationType[name])


def f16_bits(blocks, at):
    return [bits(float(v)) for v in blocks[:, at : at + 2].copy().view(np.float16)[:, 0]]


def integers(name, blocks, d, m):
    """Dequantised with the scales set to d and m (0 or 1)."""
    blocks = blocks.copy()
    if name == "MXFP4":
        blocks[:, 0] = 128  # 2^(128 - 128)
    else:
        for at, value in zip(SCALES[name], (d, m)):
            if at is not None:
                blocks[:, at : at + 2] = np.frombuffer(np.float16(value).tobytes(), np.uint8)
    return [[int(v) for v in row] for row in dequantised(name, blocks)]


def weight_parts(name, blocks):
    q = integers(name, blocks, 1, 0)
    if name == "MXFP4":
        d = [bits(2.0 ** (int(e) - 128)) for e in blocks[:, 0]]
    else:
        d = f16_bits(blocks, SCALES[name][0])
    if name == "MXFP4" or SCALES[name][1] is None:
        return [(d[i], None, q[i], None, 0) for i in range(len(blocks))]
    m, mins = f16_bits(blocks, SCALES[name][1]), integers(name, blocks, 0, 1)
    if name in BLOCK_256:  # dequantised as 0 - min
        return [(d[i], m[i], q[i], [-v for v in mins[i]], 0x80000000) for i in range(len(blocks))]
    return [(d[i], m[i], q[i], mins[i], 0) for i in range(len(blocks))]


def random_blocks(name, count, rng, special):
    """Random bytes; all but `special` blocks with ordinary magnitudes."""
    elements, size = sizes(name)
    done = []
    while len(done) < count:
        raw = rng.integers(0, 256, (max(64, count), size), dtype=np.uint8)
        if name in ("F32", "BF16"):
            v = rng.normal(size=len(raw)).astype(np.float32).view(np.uint32)
            v = v if name == "F32" else (v >> np.uint32(16)).astype(np.uint16)
            raw = v.view(np.uint8).reshape(len(raw), size).copy()
        with np.errstate(all="ignore"):
            top = np.abs(dequantised(name, raw).astype(np.float64)).reshape(len(raw), -1).max(axis=1)
        ordinary = (top > 2.0**-14) & (top < 2.0**14)
        done += [r for r, good in zip(raw, ordinary) if good]
    blocks = np.array(done[:count])
    for i in rng.integers(0, count, special):
        blocks[i] = rng.integers(0, 256, size, dtype=np.uint8)
    return blocks


# ---- files ------------------------------------------------------------------------------------------------

def activations(rng, depth):
    x = rng.normal(size=(4, depth)).astype(np.float32)
    x[0] *= np.exp2(rng.integers(-20, 20, depth // 32).repeat(32)).astype(np.float32)
    x[1, 256:512] = 0
    x[1, 512:544] = np.float32(2.0**-100) * rng.choice([-1, 1], 32).astype(np.float32)
    x[1, 544:576] = rng.integers(1, 1 << 23, 32).astype(np.uint32).view(np.float32)  # subnormal
    x[1, 576:608] = -0.0
    x[2] = rng.integers(-254, 255, depth).astype(np.float32) / 2  # halves: ties of rhe
    x[2, ::32] = 127
    x[3, 1000] = np.inf
    return x


def main():
    directory = sys.argv[1]
    os.makedirs(directory, exist_ok=True)
    rng = np.random.default_rng(20240229)
    depth_blocks, depth_floats = 3328, 3089  # four segments, the last short; for blocks 13 super-blocks
    x = activations(rng, depth_blocks)
    with open(os.path.join(directory, "acts.bin"), "wb") as f:
        f.write(struct.pack("<II", *x.shape) + x.tobytes())
    rows = [[int(u) for u in r] for r in x.view(np.uint32)]
    acts = {b: [[quantised(r[k : k + b]) for k in range(0, len(r), b)] for r in rows] for b in (32, 256)}
    for name in BLOCK_32 + BLOCK_256 + FLOATS:
        elements, size = sizes(name)
        depth = depth_floats if elements == 1 else depth_blocks
        cols, per_row = 3, depth // elements
        blocks = [random_blocks(name, per_row, rng, special=2 if c == 2 else 0) for c in range(cols)]
        y = []
        for r in range(len(rows)):
            for b in blocks:
                if name in FLOATS:
                    w = np.ascontiguousarray(dequantised(name, b).reshape(-1)).view(np.uint32)
                    y.append(product_of_floats(rows[r][:depth], [int(u) for u in w]))
                else:
                    y.append(product_of_blocks(acts[elements][r], weight_parts(name, b)))
        with open(os.path.join(directory, name.lower() + ".bin"), "wb") as f:
            f.write(struct.pack("<III", cols, depth, per_row * size))
            f.write(b"".join(b.tobytes() for b in blocks))
            f.write(np.array(y, np.uint32).tobytes())


main()
