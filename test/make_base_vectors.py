#!/usr/bin/env python3
"""Prints the hash tree vectors of test_base.c, computed as RFC 6962 writes the tree: from the top."""
import hashlib

MIB = 1 << 20


def data(n):
    return bytes((i * i * 31 + i * 7 + (i >> 8) * 13) & 255 for i in range(n))


def tree(leaves):
    if len(leaves) == 1:
        return hashlib.sha256(b"\0" + leaves[0]).digest()
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return hashlib.sha256(b"\1" + tree(leaves[:k]) + tree(leaves[k:])).digest()


for n in (0, 1, MIB - 1, MIB, MIB + 1, 2 * MIB, 3 * MIB, 5 * MIB + 12345, 7 * MIB, 11 * MIB + 1):
    d = data(n)
    print(f'    {{ {n}u, "{tree([d[i:i + MIB] for i in range(0, n, MIB)] or [b""]).hex()}" }},')
