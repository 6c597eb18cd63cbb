#!/usr/bin/env python3
"""Writes the identity of the numeric contract as a C header:  contract_hash.py SOURCE_ROOT OUTPUT

SHA-256 over docs/NUMERICS.md and then every test/vectors/*.jsonl sorted by name; each file adds the line
"<path relative to the root> <bytes>\\n" and its bytes (docs/NUMERICS.md, "Identity").  With one argument the
64 digits are printed.
"""
import hashlib
import pathlib
import sys


def files(root):
    return [root / "docs/NUMERICS.md", *sorted((root / "test/vectors").glob("*.jsonl"), key=lambda p: p.name)]


def identity(root):
    h = hashlib.sha256()
    for path in files(root):
        data = path.read_bytes()
        h.update(f"{path.relative_to(root).as_posix()} {len(data)}\n".encode())
        h.update(data)
    return h.hexdigest()


def main():
    root = pathlib.Path(sys.argv[1]).resolve()
    if len(sys.argv) < 3:
        print(identity(root))
        return
    text = f'/* Written by tools/contract_hash.py. */\n#define IX_CONTRACT_IDENTITY "{identity(root)}"\n'
    out = pathlib.Path(sys.argv[2])
    if not out.exists() or out.read_text() != text:
        out.write_text(text)


if __name__ == "__main__":
    main()
