#!/usr/bin/env python3
"""Writes docs/OPERATORS.md from src/ir/ops.def.

    tools/make_operators_page.py            write the page
    tools/make_operators_page.py --check    exit status 1 if the page is not what would be written
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
TABLE = ROOT / "src/ir/ops.def"
PAGE = ROOT / "docs/OPERATORS.md"

ATTRIBUTES = {
    "NONE": "none",
    "SCALAR": "`value`: a finite float32 s",
    "NORM": "`eps`: finite, not negative",
    "SHAPE": "the dimensions of the result",
    "ROPE": "`base`, `factor` (positive, finite), `dims` (even: how many elements of a head are rotated), "
            "`interleaved` (pairs (2i, 2i + 1), else (i, i + dims / 2))",
    "CACHE": "`kv_heads`, `head_dim`, `value_dim`: what the cache holds per position",
    "ATTENTION": "`scale` (finite), `softcap` (0: none), `window` (0: none, else the last so many keys), and the "
                 "three numbers of the cache",
    "LINEAR": "`bias`, `residual`: which of the optional arguments are there, in this order",
}

SHAPES = {
    "LEAF": "chosen by the maker: 1 to 4 dimensions, each a symbol or a number from 1 to 2^40; weights have "
            "numbers only; a cache is [cache_pages, kv_heads, head_dim + value_dim, 128]",
    "SAME": "of the first argument, and all arguments have it",
    "BROADCAST": "of the first argument; counted from the last, each dimension of the second is the same or 1, and "
                 "missing ones in front count as 1",
    "REDUCE": "of the argument, the last dimension being 1",
    "RESHAPE": "chosen by the maker: the product of the numbers is the same, and each symbol stands at most once, in "
               "both shapes or in neither",
    "GATHER": "table [n, ..], ids [m] -> [m, ..]",
    "MATMUL": "x [.., k], w [n, k] of fixed size -> [.., n]; a bias is [n], a residual has the shape of the result",
    "ROPE": "x [tokens, heads, d], positions [tokens], factors [dims / 2] (a weight) -> the shape of x",
    "CACHE_STORE": "cache, k [tokens, kv_heads, head_dim], v [tokens, kv_heads, value_dim], positions [tokens], "
                   "sequence [tokens], pages [sequences, pages] -> the shape of the cache",
    "ATTENTION": "q [tokens, heads, head_dim], cache, positions [tokens], sequence [tokens], pages [sequences, pages], "
                 "sinks [heads] -> [tokens, heads, value_dim]; heads is a multiple of kv_heads",
    "NORM": "x [.., n], w [n] -> the shape of x",
}

TYPES = {
    "LEAF": "chosen by the maker; rows are whole blocks; a cache is F16 or F32",
    "SAME": "of the argument",
    "FLOATS": "F32 -> F32",
    "GATHER": "any type, I32 -> F32",
    "MATMUL": "F32, any type but integers and F64 -> F32",
    "ROPE": "F32, I32, F32 -> F32",
    "CACHE_STORE": "cache, F32, F32, I32, I32, I32 -> the type of the cache",
    "ATTENTION": "F32, cache, I32, I32, I32, F32 -> F32",
    "LINEAR": "as MATMUL; bias and residual F32",
}

HEAD = """# Operators

Made by `tools/make_operators_page.py` from `src/ir/ops.def`: change that table, not this page.

Everything that Inox computes is a graph of the operators below. A tensor is a leaf or the result of one
operator; arguments stand before their users. A dimension is a number or a symbol that is bound at run time
({symbols}); two dimensions are equal if they are the same number
or the same symbol. The meaning of an operator, to the bit, is its reference kernel `run_<NAME>` in `src/ir/interpret.c`; C1 to C14 are the rules of
[NUMERICS.md](NUMERICS.md).

A cache is memory that outlives a run. It can only be stored into and attended to, and after a store nothing may
use the version before it.

"""

COLUMNS = "| operator | arguments | attributes | shape | type | gradient | meaning |\n|---|---|---|---|---|---|---|\n"


def symbols():
    text = (ROOT / "src/ir/ops.c").read_text()
    return ", ".join(re.findall(r'\[IX_[A-Z_]+\] = "(\w+)"', text.split("SYMBOLS[IX_SYMBOL_COUNT]")[1].split("};")[0]))


def rows():
    text = re.sub(r"/\*.*?\*/", "", TABLE.read_text(), flags=re.S)
    pattern = (r'^(IX_OP|IX_FUSED)\((\w+),\s*"(\w+)",\s*(\d+),\s*(\d+),\s*(\w+),\s*(\w+),\s*(\w+),\s*(\w+),'
               r'\s*"([^"]*)"\)')
    return re.findall(pattern, text, flags=re.S | re.M)


def line(row):
    _, _, text, least, most, attributes, shape, kind, gradient, meaning = row
    count = least if least == most else f"{least} to {most}"
    return f"| `{text}` | {count} | {attributes} | {shape} | {kind} | {gradient} | {meaning} |\n"


def rules(title, meanings, used):
    missing = used - meanings.keys()
    if missing:
        sys.exit(f"make_operators_page.py: no words yet for {', '.join(sorted(missing))} ({title})")
    names = [name for name in meanings if name in used]
    return f"## {title}\n\n| rule | means |\n|---|---|\n" + "".join(f"| {n} | {meanings[n]} |\n" for n in names) + "\n"


def page():
    table = rows()
    primitive = [line(r) for r in table if r[0] == "IX_OP"]
    fused = [line(r) for r in table if r[0] == "IX_FUSED"]
    out = HEAD.format(symbols=symbols())
    out += f"## Primitives ({len(primitive)})\n\n" + COLUMNS + "".join(primitive) + "\n"
    out += (f"## Fused ({len(fused)})\n\nWhat a pass (`src/pass/fuse.c`) may put in place of a composition: the same bits, "
            "one pass over memory.\n\n" + COLUMNS + "".join(fused) + "\n")
    out += rules("Attributes", ATTRIBUTES, {r[5] for r in table})
    out += rules("Shapes", SHAPES, {r[6] for r in table})
    out += rules("Types", TYPES, {r[7] for r in table})
    return out.rstrip("\n") + "\n"


def main():
    text = page()
    if sys.argv[1:] == ["--check"]:
        if not PAGE.exists() or PAGE.read_text() != text:
            sys.exit("docs/OPERATORS.md is not up to date: run tools/make_operators_page.py")
        return
    if sys.argv[1:]:
        sys.exit(__doc__)
    PAGE.write_text(text)


if __name__ == "__main__":
    main()
