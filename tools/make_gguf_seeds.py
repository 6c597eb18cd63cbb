#!/usr/bin/env python3
"""Writes the seeds of the GGUF fuzzer, fuzz/corpus/gguf: well-formed files, and the files of known
bugs of other readers, rebuilt from their descriptions.

    python3 tools/make_gguf_seeds.py [fuzz/corpus/gguf]

Needs nothing but Python.  Seeds named good-* open; all others must be refused with an error
(the test gguf_seeds says so).
"""
import pathlib
import struct
import sys

U8, I8, U16, I16, U32, I32, F32, BOOL, STRING, ARRAY, U64, I64, F64 = range(13)
FORMAT = {U8: "B", I8: "b", U16: "H", I16: "h", U32: "I", I32: "i", F32: "f", BOOL: "B", U64: "Q",
          I64: "q", F64: "d"}
TYPE_F32, TYPE_F16, TYPE_Q4_0, TYPE_Q8_0, TYPE_I8, TYPE_I64 = 0, 1, 2, 8, 24, 27
ALL = 2**64


def u32(n):
    return struct.pack("<I", n % 2**32)


def u64(n):
    return struct.pack("<Q", n % ALL)


def text(s):
    data = s if isinstance(s, bytes) else s.encode()
    return u64(len(data)) + data


def header(tensors, keys, version=3):
    return b"GGUF" + u32(version) + u64(tensors) + u64(keys)


def one(type_id, value):
    return text(value) if type_id == STRING else struct.pack("<" + FORMAT[type_id], value)


def key(name, type_id, value):
    return text(name) + u32(type_id) + one(type_id, value)


def array(name, type_id, values, count=None):
    items = b"".join(one(type_id, v) for v in values)
    head = text(name) + u32(ARRAY) + u32(type_id)
    return head + u64(len(values) if count is None else count) + items


def tensor(name, dims, type_id, offset, rank=None):
    return (text(name) + u32(len(dims) if rank is None else rank) + b"".join(u64(d) for d in dims)
            + u32(type_id) + u64(offset))


def pad(data, alignment=32):
    return data + bytes(-len(data) % alignment)


def good():
    every = b"".join(key(f"k{t}", t, 1) + array(f"a{t}", t, [1, 0]) for t in FORMAT)
    every += key("s", STRING, "text") + array("as", STRING, ["a", "", b"\xff\x00"])
    yield "good-values", header(0, 2 * len(FORMAT) + 2) + every
    yield "good-empty", header(0, 0)
    yield "good-version-2", header(0, 1, version=2) + key("a", U32, 1)
    tensors = (tensor("a", [4, 2], TYPE_F32, 0) + tensor("b", [32], TYPE_Q8_0, 32)
               + tensor("c", [1, 1, 1, 3], TYPE_F16, 96))
    yield "good-tensors", pad(header(3, 0) + tensors) + bytes(range(102))
    aligned = (key("general.alignment", U32, 64) + tensor("a", [1], TYPE_F32, 64)
               + tensor("b", [1], TYPE_F32, 0))
    yield "good-alignment", pad(header(2, 1) + aligned, 64) + bytes(68)
    blocks = [2, 3, 6, 7, *range(10, 15), *range(16, 24), 29, 30, 34, 35, 39, 40, 41, 42]
    many = b"".join(tensor(f"t{t}", [256], t, 512 * i) for i, t in enumerate(blocks))
    yield "good-blocks", pad(header(25, 0) + many) + bytes(25 * 512)
    yield "good-split-keys", (header(0, 3) + key("split.no", U16, 0) + key("split.count", U16, 1)
                              + key("split.tensors.count", I32, 0))


def bugs():
    def f32(dims, rank=None):
        return pad(header(1, 0) + tensor("a", dims, TYPE_F32, 0, rank)) + bytes(64)

    # info->ne is written beyond its four entries: the rank is not checked.
    yield "cve-2024-21802-rank-5", f32([1, 1, 1, 1, 1])
    yield "cve-2024-21802-rank-64", f32([1] * 64)
    yield "cve-2024-21802-rank-huge", f32([1], rank=2**32 - 1)
    # Its siblings of the same report: lengths and counts whose products wrap before the allocation.
    yield "cve-2024-23496-string-length-minus-1", header(0, 1) + u64(-1) + b"a" * 20
    minus_1 = text("a") + u32(STRING) + u64(-1) + b"aaaa"
    yield "cve-2024-23496-value-length-minus-1", header(0, 1) + minus_1
    strings = array("a", STRING, ["x"], ALL // 16 + 1)
    numbers = array("a", F64, [1.0], ALL // 8 + 1)
    yield "cve-2024-21825-string-array-count", header(0, 1) + strings
    yield "cve-2024-21825-number-array-count", header(0, 1) + numbers
    yield "cve-2024-21836-tensor-count", header(ALL // 80 + 1, 0) + tensor("a", [1], TYPE_F32, 0)
    yield "cve-2024-23605-key-count", header(0, ALL // 48 + 1) + key("a", U32, 1)
    # The sum of the padded sizes wraps, so the data is written behind a small block.
    def i8(first, second, offset):
        tensors = tensor("a", first, TYPE_I8, 0) + tensor("b", second, TYPE_I8, offset)
        return pad(header(2, 0) + tensors) + bytes(4096)

    half = 0x7FFFFFFFFFFFFFC0
    yield "cve-2025-53630-size-sum", i8([half], [half], half)
    yield "cve-2025-53630-size-sum-in-limits", i8([2**40, 2**22], [2**40, 2**22], 2**62)
    fifths = b"".join(tensor(f"t{i}", [2**40, 2**22], TYPE_I8, i * 2**62) for i in range(5))
    yield "cve-2025-53630-size-sum-of-five", pad(header(5, 0) + fifths) + bytes(256)
    # The sum fits, but with the overhead of the descriptions it wraps.
    yield "cve-2026-27940-context-size", i8([half], [half - 256], half)
    yield "cve-2026-27940-context-size-in-limits", i8([2**40, 2**23 - 1], [2**40, 2**23 - 1],
                                                      2**63 - 2**40)
    # The product of the dimensions fits into 63 bits, but its bytes wrap to a small number.
    yield "cve-2026-33298-bytes-near-2-64", f32([2**31, 2**31 - 1])
    yield "cve-2026-33298-bytes-wrap-to-4-mib", f32([1024, 2**52 + 1024])
    yield "cve-2026-33298-bytes-wrap-to-4-mib-in-limits", f32([2**20, 5, 879609302221])
    i64 = tensor("a", [2**31, 2**30 + 1], TYPE_I64, 0)
    yield "cve-2026-33298-bytes-wrap-i64", pad(header(1, 0) + i64) + bytes(64)
    # 2^64 - 16 bytes: rounding up to the alignment wraps to 0.
    yield "llama-cpp-pad-wrap", f32([4, 2**30 - 1, 2**30 + 1])
    # 37 bytes: an empty key reaches an assertion.
    empty = header(0, 1) + text("") + u32(U8) + b"\x01"
    assert len(empty) == 37
    yield "llama-cpp-24884-empty-key", empty
    yield "llama-cpp-negative-dimension", f32([-1])
    yield "llama-cpp-zero-dimension", f32([0, 4])
    yield "llama-cpp-negative-type", pad(header(1, 0) + tensor("a", [1], -1, 0)) + bytes(64)
    yield "llama-cpp-duplicate-key", header(0, 2) + key("a", U32, 1) + key("a", U32, 2)
    yield "llama-cpp-duplicate-tensor", (pad(header(2, 0) + tensor("a", [1], TYPE_F32, 0)
                                             + tensor("a", [1], TYPE_F32, 32)) + bytes(64))
    for alignment in (0, 1, 3, 2**31, 2**32 - 1):
        yield f"alignment-{alignment}", (pad(header(1, 1) + key("general.alignment", U32, alignment)
                                             + tensor("a", [1], TYPE_F32, 0)) + bytes(64))
    yield "alignment-wrong-type", header(0, 1) + key("general.alignment", STRING, "32")
    yield "alignment-array", header(0, 1) + array("general.alignment", U32, [32])


def malformed():
    nested = text("a") + u32(ARRAY) + u32(ARRAY) + u64(1) + u32(ARRAY) + u64(1) + u32(U8) + u64(0)
    yield "nested-array", header(0, 1) + nested
    yield "bool-2", header(0, 1) + key("a", BOOL, 2)
    yield "key-with-nul", header(0, 1) + key(b"a\0b", U8, 1)
    yield "value-type-13", header(0, 1) + text("a") + u32(13) + u32(0)
    yield "version-1", header(0, 0, version=1)
    yield "version-4", header(0, 0, version=4)
    yield "big-endian", b"GGUF" + struct.pack(">IQQ", 3, 0, 0)
    yield "type-removed", pad(header(1, 0) + tensor("a", [256], 31, 0)) + bytes(256)
    yield "type-q8-k", pad(header(1, 0) + tensor("a", [256], 15, 0)) + bytes(512)
    yield "row-not-whole-blocks", pad(header(1, 0) + tensor("a", [33], TYPE_Q4_0, 0)) + bytes(64)
    yield "offset-unaligned", pad(header(1, 0) + tensor("a", [1], TYPE_F32, 4)) + bytes(64)
    yield "offset-beyond", pad(header(1, 0) + tensor("a", [1], TYPE_F32, 2**40)) + bytes(64)
    yield "offset-wraps", pad(header(1, 0) + tensor("a", [1], TYPE_F32, ALL - 32)) + bytes(64)
    yield "overlap", (pad(header(2, 0) + tensor("a", [16], TYPE_F32, 0)
                          + tensor("b", [1], TYPE_F32, 32)) + bytes(64))
    yield "only-the-version", b"GGUF" + u32(3)
    yield "rank-0", pad(header(1, 0) + tensor("a", [], TYPE_F32, 0)) + bytes(64)
    yield "split-of-two", header(0, 2) + key("split.no", U16, 0) + key("split.count", U16, 2)
    yield "split-number-beyond", header(0, 2) + key("split.no", U16, 9) + key("split.count", U16, 2)
    yield "split-count-text", header(0, 1) + key("split.count", STRING, "2")


def main():
    out = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "fuzz/corpus/gguf")
    out.mkdir(parents=True, exist_ok=True)
    for old in out.glob("*.gguf"):
        old.unlink()
    for group in (good, bugs, malformed):
        for name, data in group():
            (out / f"{name}.gguf").write_bytes(data)


main()
