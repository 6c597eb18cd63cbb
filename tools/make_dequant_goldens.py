#!/usr/bin/env python3
"""Writes test/data/dequant/<type>.bin: random blocks of every block type and the SHA-256 of their float32 values.

    u32 block count | blocks | 32 bytes of SHA-256 over the float32 values, little-endian, every NaN as 0x7fc00000

The values are the published gguf package's (PyPI); where it has none (Q1_0, Q2_0), libggml's.
Usage: make_dequant_goldens.py DIRECTORY [path of libggml-base.so]
"""
import ctypes
import hashlib
import os
import struct
import sys

import gguf
import numpy as np

BLOCKS = 48
GGML_ONLY = {"Q1_0": (41, 128, 18), "Q2_0": (42, 64, 18)}
TYPES = ["F16", "BF16", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K", "IQ4_NL",
         "IQ4_XS", "MXFP4", "IQ2_XXS", "IQ2_XS", "IQ2_S", "IQ3_XXS", "IQ3_S", "IQ1_S", "IQ1_M", "TQ1_0", "TQ2_0",
         "NVFP4"]


class Traits(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p), ("block", ctypes.c_int64), ("interleave", ctypes.c_int64),
                ("size", ctypes.c_size_t), ("quantized", ctypes.c_bool), ("to_float", ctypes.c_void_p),
                ("from_float", ctypes.c_void_p)]


def by_ggml(library, number, blocks, elements):
    library.ggml_get_type_traits.restype = ctypes.POINTER(Traits)
    traits = library.ggml_get_type_traits(number).contents
    assert (traits.block, traits.size) == (elements, blocks.shape[1])
    out = np.empty(blocks.shape[0] * elements, np.float32)
    call = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64)(traits.to_float)
    call(blocks.ctypes.data, out.ctypes.data, out.size)
    return out


def write(directory, name, blocks, values):
    bits = np.ascontiguousarray(values, np.float32).reshape(-1).view(np.uint32).copy()
    bits[(bits & 0x7FFFFFFF) > 0x7F800000] = 0x7FC00000
    with open(os.path.join(directory, name.lower() + ".bin"), "wb") as f:
        f.write(struct.pack("<I", len(blocks)) + blocks.tobytes() + hashlib.sha256(bits.tobytes()).digest())


def main():
    directory = sys.argv[1]
    os.makedirs(directory, exist_ok=True)
    rng = np.random.default_rng(1958)
    np.seterr(all="ignore")
    for name in TYPES:
        kind = gguf.GGMLQuantizationType[name]
        elements, size = gguf.GGML_QUANT_SIZES[kind]
        count = BLOCKS if elements > 1 else 2048
        blocks = rng.integers(0, 256, (count, size), dtype=np.uint8)
        write(directory, name, blocks, gguf.quants.dequantize(blocks, kind))
    if len(sys.argv) > 2:
        library = ctypes.CDLL(sys.argv[2])
        for name, (number, elements, size) in GGML_ONLY.items():
            blocks = rng.integers(0, 256, (BLOCKS, size), dtype=np.uint8)
            write(directory, name, blocks, by_ggml(library, number, blocks, elements))


main()
