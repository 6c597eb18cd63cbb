#!/usr/bin/env python3
"""The numeric contract a second time: docs/NUMERICS.md in plain Python, sharing nothing with the library.

tools/contract_vectors.py writes the published vectors with it, and compares the block formats with the
gguf package.  Needs nothing but Python.

A float is a Python float whose value is a binary32 number.  Every operation is done exactly, on integers
and fractions, and rounded once by `rnd`.  Rules that are in double (C8) use Python's own + - * /, which
are binary64.  The names follow the rules: dot_c2, dot_c3, quantize_c3a, sum_c4, exp_c5, attention_c6, ...
"""
import json
import math
import pathlib
import struct
import sys
from fractions import Fraction

NAN, INF = math.nan, math.inf
ROOT = pathlib.Path(__file__).resolve().parent.parent


# ---- floats -----------------------------------------------------------------------------------------

def bits(x):
    """binary32 bits; NaN is always the one NaN."""
    return 0x7FC00000 if math.isnan(x) else struct.unpack("<I", struct.pack("<f", x))[0]


def flt(u):
    return struct.unpack("<f", struct.pack("<I", u & 0xFFFFFFFF))[0]


def nearest_even(q):
    """The whole number nearest to a fraction, halves to even."""
    low = q.numerator // q.denominator
    rest = q - low
    return low + (rest > Fraction(1, 2) or (rest == Fraction(1, 2) and low % 2 == 1))


def rnd(value, zero=0.0, precision=24, emin=-126, emax=127):
    """An exact fraction rounded to a binary format; `zero` is returned for an exact zero."""
    if value == 0:
        return zero
    sign = -1.0 if value < 0 else 1.0
    a = abs(value)
    e = a.numerator.bit_length() - a.denominator.bit_length()
    if a < Fraction(2) ** e:
        e -= 1
    place = max(e, emin) - (precision - 1)
    n = nearest_even(a / Fraction(2) ** place)
    if Fraction(n) * Fraction(2) ** place >= Fraction(2) ** (emax + 1):
        return sign * INF
    return math.copysign(math.ldexp(n, place), sign)


def special(*xs):
    return any(math.isnan(x) or math.isinf(x) for x in xs)


def add(x, y):
    if special(x, y):
        return x + y
    return rnd(Fraction(x) + Fraction(y), zero=x + y)


def sub(x, y):
    return add(x, -y)


def mul(x, y):
    if special(x, y):
        return x * y
    return rnd(Fraction(x) * Fraction(y), zero=x * y)


def div(x, y):
    if math.isnan(x) or math.isnan(y):
        return NAN
    sign = math.copysign(1.0, x) * math.copysign(1.0, y)
    if math.isinf(x):
        return NAN if math.isinf(y) else sign * INF
    if y == 0:
        return NAN if x == 0 else sign * INF
    if math.isinf(y) or x == 0:
        return sign * 0.0
    return rnd(Fraction(x) / Fraction(y))


def fma(x, y, z):
    if special(x, y, z):
        if math.isnan(x) or math.isnan(y) or math.isnan(z):
            return NAN
        if special(x, y):
            return x * y + z
        return z
    exact = Fraction(x) * Fraction(y) + Fraction(z)
    if exact != 0:
        return rnd(exact)
    product_negative = math.copysign(1.0, x) * math.copysign(1.0, y) < 0
    return -0.0 if product_negative and z == 0 and math.copysign(1.0, z) < 0 else 0.0


def sqrt(x):
    if math.isnan(x) or x < 0:
        return NAN
    if x == 0 or math.isinf(x):
        return x
    v = Fraction(x)
    scale = 100
    root = math.isqrt(v.numerator * 4**scale // v.denominator)
    # One more bit says whether the root is exact; it lies far below the place of rounding.
    exact = Fraction(root * root, 4**scale) == v
    return rnd(Fraction(2 * root + (not exact), 2 ** (scale + 1)))


def rhe(x):
    if special(x) or x == 0:
        return x
    return math.copysign(float(nearest_even(Fraction(abs(x)))), x)


def power_of_two(n):
    return 0.0 if n < -126 else INF if n > 127 else math.ldexp(1.0, n)


def to_float(n):
    """(float) of an integer."""
    return rnd(Fraction(n))


def stored(x):
    """C11 for C2, C3, C4, C6."""
    return add(x, 0.0)


def h(text):
    return float.fromhex(text)


def horner(coefficients, x):
    p = coefficients[-1]
    for c in reversed(coefficients[:-1]):
        p = fma(p, x, c)
    return p


def poly(text):
    return [h(t) for t in text.split()]


# ---- C2, C3, C3a, C4 ------------------------------------------------------------------------------------

def tree(s):
    if not s:
        return 0.0
    if len(s) == 1:
        return s[0]
    p = 1
    while 2 * p < len(s):
        p *= 2
    return add(tree(s[:p]), tree(s[p:]))


def dot_c2_unstored(a, b):
    sums = []
    for k in range(0, len(a), 1024):
        acc = 0.0
        for x, y in zip(a[k:k + 1024], b[k:k + 1024]):
            acc = fma(x, y, acc)
        sums.append(acc)
    return tree(sums)


def dot_c2(a, b):
    return stored(dot_c2_unstored(a, b))


def quantize_c3a(x, block):
    """(e, a): scales of blocks, and integers."""
    e, a = [], []
    for k in range(0, len(x), block):
        part = x[k:k + block]
        u = 0x7F800000 if any(math.isnan(v) for v in part) else max(bits(v) & 0x7FFFFFFF for v in part)
        if u >= 0x7F800000 or u < 0x0D800000:
            e.append(NAN if u >= 0x7F800000 else 0.0)
            a += [0] * len(part)
            continue
        amax = flt(u)
        r = div(127.0, amax)
        e.append(div(amax, 127.0))
        a += [int(rhe(mul(v, r))) for v in part]
    return e, a


def step_c3(kind, parts, e, a, acc):
    """One block of C3; parts: dict with q, d and, by type, m, sc, mn."""
    q, d = parts["q"], parts["d"]
    if "sc" not in parts:
        acc = fma(mul(d, e), to_float(sum(x * y for x, y in zip(q, a))), acc)
        if kind in ("Q4_1", "Q5_1"):
            acc = fma(mul(parts["m"], e), to_float(sum(a)), acc)
        return acc
    n = 256 // len(parts["sc"])
    subs = range(len(parts["sc"]))
    whole = sum(parts["sc"][s] * sum(q[i] * a[i] for i in range(s * n, s * n + n)) for s in subs)
    acc = fma(mul(d, e), to_float(whole), acc)
    if "mn" in parts:
        b = sum(parts["mn"][s] * sum(a[s * n:s * n + n]) for s in subs)
        acc = fma(-mul(parts["m"], e), to_float(b), acc)
    return acc


def dot_c3(kind, blocks, x):
    """blocks: parts of one row of weights; x: the row of activations."""
    size = len(x) // len(blocks)
    e, a = quantize_c3a(x, size)
    per_segment, sums = 1024 // size, []
    for first in range(0, len(blocks), per_segment):
        acc = 0.0
        for i in range(first, min(first + per_segment, len(blocks))):
            acc = step_c3(kind, blocks[i], e[i], a[i * size:i * size + size], acc)
        sums.append(acc)
    return stored(tree(sums))


def fold(lane):
    half = 16
    while half:
        for i in range(half):
            lane[i] = add(lane[i], lane[i + half])
        half //= 2
    return lane[0]


def sum_c4(x, squares=False):
    sums = []
    for k in range(0, len(x), 1024):
        lane = [0.0] * 32
        for i, v in enumerate(x[k:k + 1024]):
            lane[i % 32] = fma(v, v, lane[i % 32]) if squares else add(lane[i % 32], v)
        sums.append(fold(lane))
    return tree(sums)


# ---- C5 ---------------------------------------------------------------------------------------------------

LOG2E, LN2H, LN2L = h("0x1.715476p+0"), h("0x1.62e43p-1"), h("-0x1.05c61p-29")
EXP = poly("0x1p0 0x1p0 0x1.fffffcp-2 0x1.555492p-3 0x1.5558aap-5 0x1.12396ep-7 0x1.6a524ep-10")
LOG = poly("-0x1.fffff8p-2 0x1.55555p-2 -0x1.000438p-2 0x1.99a428p-3 -0x1.542422p-3 0x1.226b34p-3 -0x1.0f4cb2p-3 "
           "0x1.087d9p-3 -0x1.385102p-4")
TANH = poly("-0x1.555532p-2 0x1.1106f6p-3 -0x1.b835a4p-5 0x1.51f8cep-6 -0x1.750ce4p-8")
ERF_SMALL = poly("0x1.06eba8p-3 -0x1.81274p-2 0x1.ce2d64p-4 -0x1.b80116p-6 0x1.5449a2p-8 -0x1.a6023p-11 "
                 "0x1.4f3dfep-14")
ERF_LARGE = poly("-0x1.a0663cp-13 -0x1.20ae92p+0 -0x1.463f6p-1 -0x1.a9a1cap-4 0x1.6c071cp-6 -0x1.8e9adp-9 "
                 "0x1.9a769p-13")
EXP2 = poly("0x1p0 0x1.62e43p-1 0x1.ebfbdcp-3 0x1.c6af7cp-5 0x1.3b2dep-7 0x1.5f082ep-10 0x1.416b52p-13")


def exp_c5(x):
    if math.isnan(x):
        return NAN
    if x < -87:
        return 0.0
    if x > h("0x1.62e426p+6"):
        return INF
    n = rhe(mul(x, LOG2E))
    r = fma(n, -LN2H, x)
    r = fma(n, -LN2L, r)
    return flt(bits(horner(EXP, r)) + int(n) * 2**23)


def log_c5(x):
    if math.isnan(x) or x < 0:
        return NAN
    if x == 0:
        return -INF
    if math.isinf(x):
        return x
    k = 0
    if x < 2.0**-126:
        x, k = mul(x, 2.0**23), -23
    u = (bits(x) - 0x3F3504F3) >> 23
    f = sub(flt(bits(x) - u * 2**23), 1.0)
    n = float(k + u)
    p = fma(mul(f, f), horner(LOG, f), f)
    p = fma(n, LN2L, p)
    return fma(n, LN2H, p)


def tanh_c5(x):
    if math.isnan(x):
        return NAN
    a = abs(x)
    if a < 0.625:
        y = fma(mul(a, mul(a, a)), horner(TANH, mul(a, a)), a)
    else:
        y = sub(1.0, div(2.0, add(exp_c5(add(a, a)), 1.0)))
    return math.copysign(y, x)


def erf_c5(x):
    if math.isnan(x):
        return NAN
    a = abs(x)
    if a < 0.921875:
        y = fma(a, horner(ERF_SMALL, mul(a, a)), a)
    else:
        y = sub(1.0, exp_c5(horner(ERF_LARGE, min(a, 4.0))))
    return math.copysign(y, x)


def sigmoid_c5(x):
    return div(1.0, add(1.0, exp_c5(-x)))


def silu_c5(x):
    return div(x, add(1.0, exp_c5(-x)))


def gelu_tanh_c5(x):
    inner = mul(h("0x1.988454p-1"), fma(mul(h("0x1.6e4e26p-5"), mul(x, x)), x, x))
    return mul(mul(0.5, x), add(1.0, tanh_c5(inner)))


def gelu_erf_c5(x):
    return mul(mul(0.5, x), add(1.0, erf_c5(mul(h("0x1.6a09e6p-1"), x))))


def softplus_c5(x):
    if math.isnan(x):
        return NAN
    u = exp_c5(-abs(x))
    w = add(1.0, u)
    t = u if w == 1 else mul(log_c5(w), div(u, sub(w, 1.0)))
    return add(x if x > 0 else 0.0, t)


def exp2_fraction_c6(f):
    return horner(EXP2, f)


ELEMENTARY = {"exp": exp_c5, "log": log_c5, "tanh": tanh_c5, "erf": erf_c5, "sigmoid": sigmoid_c5, "silu": silu_c5,
              "gelu_tanh": gelu_tanh_c5, "gelu_erf": gelu_erf_c5, "softplus": softplus_c5}


# ---- C6 ---------------------------------------------------------------------------------------------------

def split_score(t):
    t = max(-2.0**30, min(2.0**30, t))
    n = rhe(t)
    return int(n), exp2_fraction_c6(sub(t, n))


def join_c6(state, chunk):
    if state is None:
        return chunk
    (m, l, o), (m_c, l_c, o_c) = state, chunk
    top = max(m, m_c)
    alpha, beta = power_of_two(m - top), power_of_two(m_c - top)
    return top, fma(l, alpha, mul(l_c, beta)), [fma(x, alpha, mul(y, beta)) for x, y in zip(o, o_c)]


def attention_c6(q, keys, values, scale, window=0, softcap=0.0, sink=None):
    """One query row at the last position; keys[p], values[p] are rows as they stand in the cache."""
    width, last = len(values[0]), len(keys) - 1
    first = max(0, last - window + 1) if window > 0 else 0
    state = None
    if sink is not None:
        t = mul(sink, LOG2E)
        if math.isnan(t) or t == INF:
            return [NAN] * width
        if t != -INF:
            n, power = split_score(t)
            state = n, power, [0.0] * width
    for begin in range(0, last + 1, 128):
        seen = []
        for p in range(max(begin, first), min(begin + 128, last + 1)):
            d = dot_c2_unstored(q, keys[p])
            if softcap == 0:
                t = mul(rnd(Fraction(scale * h("0x1.71547652b82fep+0"))), d)
            else:
                s = mul(rnd(Fraction(scale)), d)
                t = mul(mul(softcap, tanh_c5(div(s, softcap))), LOG2E)
            if math.isnan(t) or t == INF:
                return [NAN] * width
            if t != -INF:
                seen.append((p, *split_score(t)))
        if not seen:
            continue
        m_c = max(n for _, n, _ in seen)
        lane, o_c = [0.0] * 32, [0.0] * width
        for p, n, power in seen:
            w = 0.0 if n - m_c < -64 else mul(power, power_of_two(n - m_c))
            lane[p % 32] = add(lane[p % 32], w)
            o_c = [fma(w, v, o) for v, o in zip(values[p], o_c)]
        state = join_c6(state, (m_c, fold(lane), o_c))
    if state is None:
        return [0.0] * width
    r = div(1.0, state[1])
    return [stored(mul(o, r)) for o in state[2]]


# ---- C7 ---------------------------------------------------------------------------------------------------

def rms_norm_c7(x, w, eps):
    b = add(div(sum_c4(x, squares=True), to_float(len(x))), eps)
    r = div(1.0, sqrt(b))
    y = [mul(v, r) for v in x]
    return [mul(v, g) for v, g in zip(y, w)] if w else y


def layer_norm_c7(x, w, b, eps):
    n = to_float(len(x))
    mu = div(sum_c4(x), n)
    c = [sub(v, mu) for v in x]
    r = div(1.0, sqrt(add(div(sum_c4(c, squares=True), n), eps)))
    y = [mul(v, r) for v in c]
    if w and b:
        return [fma(v, g, k) for v, g, k in zip(y, w, b)]
    if w:
        return [mul(v, g) for v, g in zip(y, w)]
    return [add(v, k) for v, k in zip(y, b)] if b else y


# ---- C8: Python's float is binary64 --------------------------------------------------------------------------

EXP2_F64 = [1.0] + poly("0x1.62e42fefa39efp-1 0x1.ebfbdff82c58fp-3 0x1.c6b08d704a0cp-5 0x1.3b2ab6fba4e77p-7 "
                        "0x1.5d87fe78a6731p-10 0x1.430912f86c787p-13 0x1.ffcbfc588b0c7p-17 0x1.62c0223a5c824p-20 "
                        "0x1.b5253d395e7c4p-24 0x1.e4cf5158b8ecap-28 0x1.e8cac7351bb25p-32 0x1.c3bd650fc2986p-36 "
                        "0x1.816193166d0f9p-40 0x1.314964d5878a9p-44")
LOG2_F64 = poly("0x1.71547652b82fep+1 0x1.ec709dc3a03fdp-1 0x1.2776c50ef9bfep-1 0x1.a61762a7aded9p-2 "
                "0x1.484b13d7c02a9p-2 0x1.0c9a84994022dp-2 0x1.c68f568d31760p-3 0x1.89f3b1694cffep-3 "
                "0x1.5b9ac9b743f0dp-3 0x1.3703c1f4d0ffep-3 0x1.1964ec6fc9491p-3 0x1.00ecd7e080215p-3")
SIN_F64 = poly("-0x1.5555555555555p-3 0x1.1111111111111p-7 -0x1.a01a01a01a01ap-13 0x1.71de3a556c734p-19 "
               "-0x1.ae64567f544e4p-26 0x1.6124613a86d09p-33 -0x1.ae7f3e733b81fp-41 0x1.952c77030ad4ap-49")
COS_F64 = poly("-0x1p-1 0x1.5555555555555p-5 -0x1.6c16c16c16c17p-10 0x1.a01a01a01a01ap-16 -0x1.27e4fb7789f5cp-22 "
               "0x1.1eed8eff8d898p-29 -0x1.93974a8c07c9dp-37 0x1.ae7f3e733b81fp-45")


def bits64(x):
    return struct.unpack("<Q", struct.pack("<d", x))[0]


def dbl(u):
    return struct.unpack("<d", struct.pack("<Q", u))[0]


def whole(x):
    return (x + h("0x1.8p+52")) - h("0x1.8p+52")


def horner_f64(coefficients, x):
    p = coefficients[-1]
    for c in reversed(coefficients[:-1]):
        p = p * x + c
    return p


def exp2_f64(x):
    if math.isnan(x):
        return NAN
    if x < -1022:
        return 0.0
    if x >= 1023.5:
        return INF
    n = whole(x)
    return math.ldexp(horner_f64(EXP2_F64, x - n), int(n))


def log2_f64(x):
    if x == 0:
        return -INF
    if math.isnan(x) or x < 0:
        return NAN
    if math.isinf(x):
        return x
    k = 0
    if x < 2.0**-1022:
        x, k = x * 2.0**54, -54
    u = (bits64(x) - 0x3FE6A09E667F3BCD) >> 52
    m = dbl(bits64(x) - u * 2**52)
    s = (m - 1.0) / (m + 1.0)
    return float(k + u) + s * horner_f64(LOG2_F64, s * s)


def narrow(x):
    """double to float"""
    return x if special(x) or x == 0 else rnd(Fraction(x), zero=x)


def rope_frequencies_c8(base, d, factor=None):
    log2_base = log2_f64(base)
    return [narrow(exp2_f64(log2_base * (float(-2 * i) / float(d))) / (factor[i] if factor else 1.0))
            for i in range(d // 2)]


def sincos_c8(angle):
    if math.isnan(angle) or abs(angle) >= 2.0**25:
        return NAN, NAN
    n = whole(angle * h("0x1.45f306dc9c883p-1"))
    r = angle - n * h("0x1.921fb54p+0")
    r = r - n * h("0x1.10b461p-30")
    r = r - n * h("0x1.a62632p-58")
    r = r - n * h("0x1.145c06e0e6894p-82")
    z = r * r
    s = r + (r * z) * horner_f64(SIN_F64, z)
    c = 1.0 + z * horner_f64(COS_F64, z)
    s, c = [(s, c), (c, -s), (-s, -c), (-c, s)][int(n) % 4]
    return narrow(s), narrow(c)


def rope_c8(x, cosines, sines, half, interleaved, head_dim):
    y = list(x)
    for first in range(0, len(x), head_dim):
        for i in range(half):
            i0, i1 = (2 * i, 2 * i + 1) if interleaved else (i, i + half)
            x0, x1 = x[first + i0], x[first + i1]
            y[first + i0] = fma(x0, cosines[i], -mul(x1, sines[i]))
            y[first + i1] = fma(x0, sines[i], mul(x1, cosines[i]))
    return y


# ---- C10 -------------------------------------------------------------------------------------------------

def philox(seed, position):
    c = [position & 0xFFFFFFFF, position >> 32, 0, 0]
    k0, k1 = seed & 0xFFFFFFFF, seed >> 32
    for _ in range(10):
        p0, p1 = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [(p1 >> 32) ^ c[1] ^ k0, p1 & 0xFFFFFFFF, (p0 >> 32) ^ c[3] ^ k1, p0 & 0xFFFFFFFF]
        k0, k1 = (k0 + 0x9E3779B9) & 0xFFFFFFFF, (k1 + 0xBB67AE85) & 0xFFFFFFFF
    return c[0] | c[1] << 32


SAMPLING = {"temperature": 1.0, "top_k": 0, "top_p": 1.0, "min_p": 0.0, "typical_p": 1.0, "repetition": 1.0,
            "presence": 0.0, "frequency": 0.0, "window": 64, "seed": 0, "bias_ids": [], "bias_values": []}


def fraction16(p):
    return int(rhe(mul(p, 65536.0)))


def prefix(candidates, wanted):
    """The shortest non-empty prefix of (.., W) that weighs wanted / 2^16 of the whole."""
    total, cumulative = sum(c[-1] for c in candidates), 0
    for i, c in enumerate(candidates):
        cumulative += c[-1]
        if cumulative * 65536 >= wanted * total:
            return candidates[:i + 1]
    return candidates


def sample_c10(logits, p, previous, position):
    """The token, or None for a row without a choice (NaN, or all -inf)."""
    x = list(logits)
    for i, v in zip(p["bias_ids"], p["bias_values"]):
        x[i] = add(x[i], v)
    if (p["repetition"], p["presence"], p["frequency"]) != (1.0, 0.0, 0.0):
        seen = previous if p["window"] < 0 else previous[len(previous) - min(p["window"], len(previous)):]
        for i in set(seen):
            v = div(x[i], p["repetition"]) if x[i] > 0 else mul(x[i], p["repetition"])
            x[i] = sub(v, add(mul(p["frequency"], to_float(seen.count(i))), p["presence"]))
    if any(math.isnan(v) for v in x) or max(x) == -INF:
        return None
    if p["temperature"] == 0:
        return x.index(max(x))
    s = [div(v, p["temperature"]) for v in x]
    order = sorted(range(len(s)), key=lambda i: (-s[i], i))
    top = s[order[0]]
    if p["top_k"] > 0:
        order = order[:p["top_k"]]
    candidates = []
    for rank, i in enumerate(order):
        d = 0.0 if s[i] == top else sub(s[i], top)
        w = int(rhe(mul(exp_c5(d), 2.0**28)))
        if w:
            candidates.append((rank, i, int(rhe(mul(-d, 4096.0))), w))
    if p["typical_p"] < 1:
        total = sum(c[3] for c in candidates)
        mean = (sum(c[3] * c[2] for c in candidates) + total // 2) // total
        by_distance = sorted(candidates, key=lambda c: (abs(c[2] - mean), c[0]))
        candidates = sorted(prefix(by_distance, fraction16(p["typical_p"])))
    if p["top_p"] < 1:
        candidates = prefix(candidates, fraction16(p["top_p"]))
    if p["min_p"] > 0:
        largest = max(c[3] for c in candidates)
        candidates = [c for c in candidates if c[3] * 65536 >= fraction16(p["min_p"]) * largest]
    at, cumulative = philox(p["seed"], position) * sum(c[3] for c in candidates) >> 64, 0
    for c in candidates:
        cumulative += c[3]
        if cumulative > at:
            return c[1]
    return None


# ---- C12 -------------------------------------------------------------------------------------------------

def f16_bits(x):
    if math.isnan(x):
        return 0x7E00
    y = x if special(x) or x == 0 else rnd(Fraction(x), precision=11, emin=-14, emax=15)
    return struct.unpack("<H", struct.pack("<e", y))[0]


def bf16_bits(x):
    if math.isnan(x):
        return 0x7FC0
    y = x if special(x) or x == 0 else rnd(Fraction(x), precision=8)
    return bits(y) >> 16


def f16(u):
    y = struct.unpack("<e", struct.pack("<H", u))[0]
    return NAN if math.isnan(y) else y


def le(b, at, n):
    return int.from_bytes(b[at:at + n], "little")


def d16(b, at):
    return f16(le(b, at, 2))


def nibbles(b):
    return [v & 15 for v in b] + [v >> 4 for v in b]


def planes(b):
    return [b[32 * (i // 128) + i % 32] >> 2 * (i // 32 % 4) & 3 for i in range(256)]


def i8(v):
    return v - 256 if v > 127 else v


IQ4 = [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113]
E2M1 = [0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12]


def scales_6(s):
    sc = [s[i] & 63 for i in range(4)] + [(s[8 + i] & 15) + 16 * (s[i] >> 6) for i in range(4)]
    mn = [s[4 + i] & 63 for i in range(4)] + [(s[8 + i] >> 4) + 16 * (s[4 + i] >> 6) for i in range(4)]
    return sc, mn


def parts_c12(kind, b):
    """Integer parts of one block of a type of C3."""
    if kind == "Q4_0":
        return {"d": d16(b, 0), "q": [v - 8 for v in nibbles(b[2:18])]}
    if kind == "Q4_1":
        return {"d": d16(b, 0), "m": d16(b, 2), "q": nibbles(b[4:20])}
    if kind in ("Q5_0", "Q5_1"):
        at = 2 if kind == "Q5_0" else 4
        q = [v + 16 * (le(b, at, 4) >> i & 1) for i, v in enumerate(nibbles(b[at + 4:at + 20]))]
        return {"d": d16(b, 0), "q": [v - 16 for v in q]} if at == 2 else {"d": d16(b, 0), "m": d16(b, 2), "q": q}
    if kind == "Q8_0":
        return {"d": d16(b, 0), "q": [i8(v) for v in b[2:34]]}
    if kind == "IQ4_NL":
        return {"d": d16(b, 0), "q": [IQ4[v] for v in nibbles(b[2:18])]}
    if kind == "MXFP4":
        return {"d": math.ldexp(1.0, b[0] - 128), "q": [E2M1[v] for v in nibbles(b[1:17])]}
    if kind == "Q2_K":
        return {"d": d16(b, 80), "m": d16(b, 82), "sc": [v & 15 for v in b[:16]], "mn": [v >> 4 for v in b[:16]],
                "q": planes(b[16:80])}
    if kind == "Q3_K":
        s = b[96:108]
        low = [s[i % 8] & 15 if i < 8 else s[i % 8] >> 4 for i in range(16)]
        sc = [(low[i] | (s[8 + i % 4] >> 2 * (i // 4) & 3) << 4) - 32 for i in range(16)]
        q = [v - (0 if b[i % 32] >> (i // 32) & 1 else 4) for i, v in enumerate(planes(b[32:96]))]
        return {"d": d16(b, 108), "sc": sc, "q": q}
    if kind == "Q4_K":
        sc, mn = scales_6(b[4:16])
        q = sum((nibbles(b[16 + 32 * c:48 + 32 * c]) for c in range(4)), [])
        return {"d": d16(b, 0), "m": d16(b, 2), "sc": sc, "mn": mn, "q": q}
    if kind == "Q5_K":
        sc, mn = scales_6(b[4:16])
        q = sum((nibbles(b[48 + 32 * c:80 + 32 * c]) for c in range(4)), [])
        q = [v + 16 * (b[16 + i % 32] >> (i // 32) & 1) for i, v in enumerate(q)]
        return {"d": d16(b, 0), "m": d16(b, 2), "sc": sc, "mn": mn, "q": q}
    if kind == "Q6_K":
        q = nibbles(b[0:64]) + nibbles(b[64:128])
        q = [v + 16 * u - 32 for v, u in zip(q, planes(b[128:192]))]
        return {"d": d16(b, 208), "sc": [i8(v) for v in b[192:208]], "q": q}
    if kind == "IQ4_XS":
        low = [b[4 + s // 2] >> 4 * (s % 2) & 15 for s in range(8)]
        sc = [low[s] + 16 * (le(b, 2, 2) >> 2 * s & 3) - 32 for s in range(8)]
        q = sum(([IQ4[v] for v in nibbles(b[8 + 16 * s:24 + 16 * s])] for s in range(8)), [])
        return {"d": d16(b, 0), "sc": sc, "q": q}
    raise ValueError(kind)


def from_parts(p):
    if "sc" not in p:
        x = [mul(p["d"], float(v)) for v in p["q"]]
        return [add(v, p["m"]) for v in x] if "m" in p else x
    n = 256 // len(p["sc"])
    x = [mul(mul(p["d"], float(p["sc"][i // n])), float(v)) for i, v in enumerate(p["q"])]
    if "mn" in p:
        x = [sub(v, mul(p["m"], float(p["mn"][i // n]))) for i, v in enumerate(x)]
    return x


GRIDS = {}


def grid(name, index, count):
    """Numbers of one grid entry: eight of 2 bits or four of 4 bits."""
    if not GRIDS:
        for line in (ROOT / "test/vectors/grids.jsonl").read_text().splitlines():
            row = json.loads(line)
            GRIDS[row["grid"]] = [int(row["entries"][i:i + 4], 16) for i in range(0, len(row["entries"]), 4)]
    width = 16 // count
    return [GRIDS[name][index] >> width * i & (2**width - 1) for i in range(count)]


def eight_signs(seven):
    return seven | (bin(seven).count("1") % 2) << 7


def signed(db, values, signs):
    return [mul(mul(db, float(v)), -1.0 if signs >> i & 1 else 1.0) for i, v in enumerate(values)]


def nibble_at(b, at, n):
    """The n-th nibble from byte `at` on."""
    return b[at + n // 2] >> 4 * (n % 2) & 15


def group_c12(kind, b, j):
    """8 elements of a codebook type."""
    g, k = j // 4, j % 4
    iq2 = [8, 25, 43]
    if kind == "IQ2_XXS":
        r = le(b, 6 + 8 * g, 4)
        db = mul(mul(d16(b, 0), 0.5 + (r >> 28)), 0.25)
        return signed(db, [iq2[v] for v in grid("iq2_xxs", b[2 + 8 * g + k], 8)], eight_signs(r >> 7 * k & 127))
    if kind == "IQ2_XS":
        q = le(b, 2 + 2 * j, 2)
        db = mul(mul(d16(b, 0), 0.5 + nibble_at(b, 66, j // 2)), 0.25)
        return signed(db, [iq2[v] for v in grid("iq2_xs", q & 511, 8)], eight_signs(q >> 9))
    if kind == "IQ2_S":
        db = mul(mul(d16(b, 0), 0.5 + nibble_at(b, 74, j // 2)), 0.25)
        index = b[2 + j] + 256 * (b[66 + g] >> 2 * k & 3)
        return signed(db, [iq2[v] for v in grid("iq2_s", index, 8)], b[34 + j])
    if kind == "IQ3_XXS":
        r = le(b, 66 + 4 * g, 4)
        db = mul(mul(d16(b, 0), 0.5 + (r >> 28)), 0.5)
        numbers = grid("iq3_xxs", b[2 + 2 * j], 4) + grid("iq3_xxs", b[3 + 2 * j], 4)
        return signed(db, [[4, 12, 20, 28, 36, 44, 52, 62][v] for v in numbers], eight_signs(r >> 7 * k & 127))
    if kind == "IQ3_S":
        db = mul(d16(b, 0), 1.0 + 2 * nibble_at(b, 106, j // 4))
        ninth = b[66 + g] >> 2 * k
        numbers = grid("iq3_s", b[2 + 2 * j] + 256 * (ninth & 1), 4)
        numbers += grid("iq3_s", b[3 + 2 * j] + 256 * (ninth >> 1 & 1), 4)
        return signed(db, [2 * v + 1 for v in numbers], b[74 + j])
    if kind == "IQ1_S":
        r = le(b, 34 + 2 * g, 2)
        index, delta = b[2 + j] + 256 * (r >> 3 * k & 7), -0.125 if r >> 15 else 0.125
        dl = mul(d16(b, 0), 2.0 * (r >> 12 & 7) + 1)
    else:  # IQ1_M
        words = [le(b, 48 + 2 * i, 2) for i in range(4)]
        d = f16(sum((w >> 12) << 4 * i for i, w in enumerate(words)))
        high = nibble_at(b, 32, j)
        index, delta = b[j] + 256 * (high & 7), -0.125 if high & 8 else 0.125
        dl = mul(d, 2.0 * (words[j // 8] >> 3 * (j // 2 % 4) & 7) + 1)
    return [mul(dl, (v - 1) + delta) for v in grid("iq1", index, 8)]


def dequantize_c12(kind, b):
    """One block as floats."""
    if kind in C3_TYPES:
        return from_parts(parts_c12(kind, b))
    if kind.startswith("IQ"):
        return sum((group_c12(kind, b, j) for j in range(32)), [])
    if kind == "TQ1_0":
        d = d16(b, 52)
        digits = [(b[at + l] * 3**n % 256) * 3 >> 8
                  for at, count, depth in ((0, 32, 5), (32, 16, 5), (48, 4, 4)) for n in range(depth) for l in range(count)]
        return [mul(d, float(v - 1)) for v in digits]
    if kind == "TQ2_0":
        return [mul(d16(b, 64), float(v - 1)) for v in planes(b[0:64])]
    if kind == "NVFP4":
        x = []
        for s in range(4):
            e, f = b[s] >> 3 & 15, b[s] & 7
            d = 0.0 if b[s] == 0x7F else math.ldexp(f, -10) if e == 0 else math.ldexp(8 + f, e - 11)
            x += [mul(d, float(E2M1[v])) for v in nibbles(b[4 + 8 * s:12 + 8 * s])]
        return x
    if kind == "Q1_0":
        return [d16(b, 0) if b[2 + i // 8] >> i % 8 & 1 else -d16(b, 0) for i in range(128)]
    if kind == "Q2_0":
        return [mul(float((b[2 + i // 4] >> 2 * (i % 4) & 3) - 1), d16(b, 0)) for i in range(64)]
    raise ValueError(kind)


# type: (elements, bytes, positions of f16 scales)
C3_TYPES = {"Q4_0": (32, 18, [0]), "Q4_1": (32, 20, [0, 2]), "Q5_0": (32, 22, [0]), "Q5_1": (32, 24, [0, 2]),
            "Q8_0": (32, 34, [0]), "IQ4_NL": (32, 18, [0]), "MXFP4": (32, 17, []), "Q2_K": (256, 84, [80, 82]),
            "Q3_K": (256, 110, [108]), "Q4_K": (256, 144, [0, 2]), "Q5_K": (256, 176, [0, 2]),
            "Q6_K": (256, 210, [208]), "IQ4_XS": (256, 136, [0])}
OTHER_TYPES = {"IQ2_XXS": (256, 66, [0]), "IQ2_XS": (256, 74, [0]), "IQ2_S": (256, 82, [0]), "IQ3_XXS": (256, 98, [0]),
               "IQ3_S": (256, 110, [0]), "IQ1_S": (256, 50, [0]), "IQ1_M": (256, 56, []), "TQ1_0": (256, 54, [52]),
               "TQ2_0": (256, 66, [64]), "NVFP4": (64, 36, []), "Q1_0": (128, 18, [0]), "Q2_0": (64, 18, [0])}
