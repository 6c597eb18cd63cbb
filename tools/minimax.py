#!/usr/bin/env python3
"""Coefficients of the elementary functions of rule C5 and C6 (docs/NUMERICS.md), as hexadecimal floats.

    python tools/minimax.py            needs mpmath and numpy

Lawson's iteration on a dense grid finds the polynomial with the least maximum of weight * error; then
coefficients are rounded to binary32 one after another, lowest order first, and the rest is fitted again, so
that the later ones make up for the rounding of the earlier.  The published coefficients are
those in docs/NUMERICS.md; this script shows where they come from.
"""
import numpy as np
import mpmath as mp

mp.mp.dps = 40


def grid(lo, hi, count=3001):
    """Chebyshev points: dense at both ends, where the error of a minimax polynomial peaks."""
    k = np.arange(count)
    return (lo + hi) / 2 + (hi - lo) / 2 * np.cos(np.pi * (2 * k + 1) / (2 * count))[::-1]


def minimax(powers, x, target, weight):
    """Coefficients c with sum c[j] x^powers[j] near target, least max of weight * |error| over x.

    Lawson's iteration: least squares whose weights grow where the error is large.  Unlike an exchange it
    needs no Haar system, so it also fits what is left once low orders are fixed on an interval around 0.
    """
    basis = np.array([x**p for p in powers]).T
    attention = np.full(len(x), 1.0 / len(x))
    best = None
    for _ in range(400):
        s = np.sqrt(attention) * weight
        c = np.linalg.lstsq(basis * s[:, None], target * s, rcond=None)[0]
        error = np.abs(weight * (basis @ c - target))
        if best is None or error.max() < best[1]:
            best = c, error.max()
        attention *= error
        attention /= attention.sum()
    return best


def rounded(powers, x, target, weight):
    """The fit with binary32 coefficients."""
    done, left, rest = [], list(powers), target.copy()
    while left:
        c, _ = minimax(left, x, rest, weight)
        first = float(np.float32(c[0]))
        done.append(first)
        rest = rest - first * x ** left[0]
        left.pop(0)
    error = np.max(np.abs(weight * rest))
    return done, error


def hex32(v):
    h = float(v).hex()
    mantissa, exponent = h.split("p")
    mantissa = mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa
    return f"{mantissa}p{exponent}f"


def exact(f, x):
    return np.array([float(f(mp.mpf(float(v)))) for v in x])


def show(name, powers, x, target, weight):
    c, error = rounded(powers, x, target, weight)
    print(f"{name}: largest weighted error {error:.3g} = 2^{np.log2(error):.2f}")
    for p, v in zip(powers, c):
        print(f"    {hex32(v):>20}   x^{p}   {v!r}")


def main():
    half_ln2 = float(mp.log(2) / 2) * 1.0001
    x = grid(-half_ln2, half_ln2, 2000)
    show("exp(r) = 1 + r + r^2 Q(r)", range(5), x, exact(lambda r: (mp.exp(r) - 1 - r) / r**2, x),
         exact(lambda r: r * r / mp.exp(r), x))
    x = grid(-0.5, 0.5, 2000)
    show("2^f = 1 + f Q(f)", range(6), x, exact(lambda f: (mp.power(2, f) - 1) / f, x),
         exact(lambda f: abs(f) / mp.power(2, f), x))
    x = grid(float(mp.sqrt(0.5)) - 1, float(mp.sqrt(2)) - 1, 2000)
    show("log(1 + f) = f + f^2 Q(f)", range(9), x, exact(lambda f: (mp.log1p(f) - f) / f**2, x),
         exact(lambda f: f * f / abs(mp.log1p(f)), x))
    x = grid(1e-3, 0.625)
    show("tanh(a) = a + a^3 Q(a^2)", range(5), x**2, exact(lambda a: (mp.tanh(a) - a) / a**3, x),
         exact(lambda a: a**3 / mp.tanh(a), x))
    x = grid(1e-3, 0.921875)
    show("erf(a) = a + a Q(a^2)", range(7), x**2, exact(lambda a: mp.erf(a) / a - 1, x),
         exact(lambda a: a / mp.erf(a), x))
    x = grid(0.921875, 4.0)
    show("erf(a) = 1 - exp(Q(a))", range(7), x, exact(lambda a: mp.log(mp.erfc(a)), x),
         exact(lambda a: mp.erfc(a) / mp.erf(a), x))


if __name__ == "__main__":
    main()
