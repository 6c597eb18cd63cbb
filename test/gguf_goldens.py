#!/usr/bin/env python3
"""Writes test/data/gguf: a small file and a split model made by gguf-py, and goldens.txt: what
gguf-py reads from them and from the models and vocabularies of a data directory.
test_gguf_files.c reads the same files with Inox and compares.

    python3 test/gguf_goldens.py ../shared/data test/data/gguf

Needs the packages gguf and numpy.  One line of goldens.txt per file:

    file PATH VERSION ALIGNMENT KEYS TENSORS DATA_OFFSET METADATA_HASH TENSORS_HASH

Then, for a few keys and tensors that a person may want to look at, the values themselves.  The
hashes are FNV-1a (64 bits) over the parts in the file's order; numbers go in as 8 little-endian
bytes (integers and bools as int64, floats as the bits of a double), strings as their length and
bytes:

    metadata: key, type, item type, item count, items
    tensors:  name, GGUF type number, rank, dims, bytes, offset in the file, first and last byte
"""
import pathlib
import struct
import sys

import numpy as np
from gguf import GGUFReader, GGUFValueType, GGUFWriter

FLOATS = (GGUFValueType.FLOAT32, GGUFValueType.FLOAT64)


class Hash:
    def __init__(self):
        self.value = 0xCBF29CE484222325

    def bytes(self, data):
        for byte in data:
            self.value = (self.value ^ byte) * 0x100000001B3 % 2**64

    def integer(self, n):
        self.bytes(struct.pack("<Q", int(n) % 2**64))

    def real(self, x):
        self.bytes(struct.pack("<d", float(x)))

    def text(self, data):
        self.integer(len(data))
        self.bytes(data)


def hash_metadata(fields):
    h = Hash()
    for f in fields:
        is_array = f.types[0] == GGUFValueType.ARRAY
        item_type = GGUFValueType(int(f.parts[3][0])) if is_array else f.types[0]
        h.text(f.name.encode())
        h.integer(f.types[0])
        h.integer(item_type)
        h.integer(len(f.data) if is_array else 1)
        for index in f.data:
            part = f.parts[index]
            if item_type == GGUFValueType.STRING:
                h.text(bytes(part))
            elif item_type in FLOATS:
                h.real(part[0])
            else:
                h.integer(part[0])
    return h.value


def hash_tensors(tensors):
    h = Hash()
    for t in tensors:
        raw = t.data.view(np.uint8).reshape(-1)
        h.text(t.name.encode())
        h.integer(t.tensor_type)
        h.integer(len(t.shape))
        for dim in t.shape:
            h.integer(dim)
        h.integer(t.n_bytes)
        h.integer(t.data_offset)
        h.integer(raw[0])
        h.integer(raw[-1])
    return h.value


def describe(root, path, out):
    reader = GGUFReader(path)
    fields = [f for name, f in reader.fields.items() if not name.startswith("GGUF.")]
    version = int(reader.fields["GGUF.version"].parts[0][0])
    # The data section of a file without tensors has no place.
    offset = reader.data_offset if reader.tensors else 0
    print(f"file {path.relative_to(root)} {version} {reader.alignment} {len(fields)} "
          f"{len(reader.tensors)} {offset} {hash_metadata(fields):016x} "
          f"{hash_tensors(reader.tensors):016x}", file=out)
    for key in ("general.architecture", "tokenizer.ggml.model", "tokenizer.ggml.pre"):
        if key in reader.fields:
            text = bytes(reader.fields[key].parts[-1]).decode()
            print(f"string {key} {text}", file=out)
    if "tokenizer.ggml.tokens" in reader.fields:
        count = len(reader.fields["tokenizer.ggml.tokens"].data)
        print(f"count tokenizer.ggml.tokens {count}", file=out)
    for t in reader.tensors[:2]:
        shape = " ".join(str(d) for d in t.shape)
        print(f"tensor {t.name} {t.tensor_type.name} {t.n_bytes} {t.data_offset} {shape}", file=out)


def write_small(path, tensors_per_file):
    writer = GGUFWriter(path, "small", split_max_tensors=tensors_per_file)
    writer.add_custom_alignment(64)
    for kind in ("uint8", "uint16", "uint32", "uint64"):
        getattr(writer, f"add_{kind}")(f"one.{kind}", 200)
    for kind in ("int8", "int16", "int32", "int64"):
        getattr(writer, f"add_{kind}")(f"one.{kind}", -100)
    writer.add_float32("one.float32", 0.1)
    writer.add_float64("one.float64", 0.1)
    writer.add_bool("one.bool", True)
    writer.add_string("one.string", "gr\u00fc\u00dfe")
    writer.add_array("array.int32", [-1, 0, 1])
    writer.add_array("array.float32", [0.5, -0.25])
    writer.add_array("array.bool", [True, False])
    writer.add_array("array.string", ["a", "", "\u00e9"])
    for i in range(5):
        values = np.arange(3 * (i + 1), dtype=np.float32 if i % 2 == 0 else np.float16)
        writer.add_tensor(f"tensor.{i}", values.reshape(i + 1, 3) + i)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def main():
    root, here = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    for old in here.glob("*.gguf"):
        old.unlink()
    write_small(here / "small.gguf", 0)
    write_small(here / "split.gguf", 2)
    with open(here / "goldens.txt", "w", encoding="utf-8") as out:
        print("# Made by test/gguf_goldens.py with gguf-py; do not edit.", file=out)
        describe(here, here / "small.gguf", out)
        for path in sorted(root.glob("llm/*/*.gguf")) + sorted(root.glob("vocab/*.gguf")):
            describe(root, path, out)


main()
