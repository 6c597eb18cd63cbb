#!/usr/bin/env python3
"""Writes src/text/regex/property_table.c: properties and case folding of regular expressions.

    python3 tools/make_regex_tables.py > src/text/regex/property_table.c

Exactness means agreeing with the libraries for which tokenizer files are written, so they are asked
themselves, about every name and every code point: Oniguruma through Hugging Face `tokenizers` and
Rust's fancy-regex through `tiktoken`.  The names to ask about come from the package `regex`.  Made with
tokenizers 0.23.3 (Oniguruma 6.9.10), tiktoken 0.14.0 (regex-syntax 0.8.11), both of Unicode 16.0.

Rows in capitals are what expressions write without a name: PERLW is \\w, POSIXALPHA is [:alpha:].
Long folds are those of Unicode's CaseFolding.txt as Python knows them, which never change.
"""
import sys

import regex._regex_core
import tiktoken
from tokenizers import Regex, pre_tokenizers

# Stretches of which the first character stands for all: unassigned planes and private ones.
STRETCHES = [range(plane << 16, (plane << 16) + 0xFFFE) for plane in [*range(4, 14), 15, 16]]
CODE_POINTS = [c for c in range(0x110000)
               if not 0xD800 <= c < 0xE000 and not any(c in s and c != s[0] for s in STRETCHES)]
TEXT = "".join(map(chr, CODE_POINTS))
POSIX = ["alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct",
         "space", "upper", "word", "xdigit"]
BYTES = {bytes([b]): b for b in range(256)}
NO_SET = 0xFFFF


def oniguruma(pattern, text=TEXT):
    """Characters of the text that match, or None: the library refuses the pattern."""
    try:
        split = pre_tokenizers.Split(Regex(pattern), "removed", invert=True)
    except Exception:  # the binding has no type of its own for this
        return None
    return frozenset(ord(c) for piece, _ in split.pre_tokenize_str(text) for c in piece)


def rust(pattern, text=TEXT):
    try:
        encoding = tiktoken.Encoding("ask", pat_str=pattern, mergeable_ranks=BYTES, special_tokens={})
    except Exception:
        return None
    return frozenset(map(ord, bytes(encoding.encode_ordinary(text)).decode()))


def complete(chars):
    """With the rest of the stretches.  Surrogates, which no text can hold, are in no set."""
    if chars is None:
        return None
    return chars.union(*(s for s in STRETCHES if s[0] in chars))


def names():
    properties = regex._regex_core.PROPERTIES
    found = {"any", "assigned", "ascii", "l&", "lc", "casedletter", *POSIX}
    for name, (_, values) in properties.items():
        lowered = {v.lower() for v in values}
        if name in ("GENERALCATEGORY", "GC", "SCRIPT", "SC", "SCRIPTEXTENSIONS", "SCX"):
            found |= {f"{name.lower()}={v}" for v in lowered}
            found |= lowered
        elif name in ("BLOCK", "BLK"):
            found |= {f"in{v}" for v in lowered}
        elif {"yes", "no"} <= lowered:
            found.add(name.lower())
    return sorted(n for n in found if set(n) <= set("abcdefghijklmnopqrstuvwxyz0123456789="))


def bounds(chars):
    out = []
    for c in sorted(chars):
        if out and out[-1] == c:
            out[-1] = c + 1
        else:
            out += [c, c + 1]
    return tuple(out)


def folds(ask, cased):
    text = "\u4e00".join(map(chr, cased))
    rows = []
    for c in cased:
        rows += [(c, d) for d in sorted(ask(f"(?i)\\x{{{c:X}}}", text) - {c, 0x4E00})]
    return rows


def print_numbers(values):
    line = "    "
    for v in values:
        if len(line) + len(v) + 2 > 100:
            print(line.rstrip())
            line = "    "
        line += v + ", "
    print(line.rstrip())


def main():
    rows, sets = [], {}
    asked = [(n, f"\\p{{{n}}}") for n in names()]
    asked += [("POSIX" + n.upper(), f"[[:{n}:]]") for n in POSIX]
    asked += [("PERL" + c.upper(), f"\\{c}") for c in "dsw"]
    for name, pattern in sorted(asked):
        both = [complete(oniguruma(pattern)), complete(rust(pattern))]
        if both != [None, None]:
            rows.append((name, [NO_SET if chars is None else sets.setdefault(bounds(chars), len(sets))
                                for chars in both]))
            if None not in both and both[0] != both[1]:
                print(f"{name}: {len(both[0])} characters in Oniguruma, {len(both[1])} in Rust",
                      file=sys.stderr)
    cased = sorted(rust(r"[\p{Cased}\p{CWCM}\p{CWCF}\p{M}]") | oniguruma(r"[\p{Cased}\p{CWCM}\p{CWCF}]"))
    both = [folds(oniguruma, cased), folds(rust, cased)]
    for only, other in ((0, 1), (1, 0)):
        print(f"folds only in {'Oniguruma Rust'.split()[only]}:",
              sorted(set(both[only]) - set(both[other])), file=sys.stderr)
    long_folds = [(c, chr(c).casefold()) for c in CODE_POINTS if len(chr(c).casefold()) > 1]

    print("/* Properties and case folding of regular expressions.  Written by")
    print(" * tools/make_regex_tables.py; do not edit. */")
    print('#include "text/regex/property.h"\n')
    print("const ix_regex_property ix_regex_properties[] = {")
    for name, (a, b) in rows:
        print(f'    {{ "{name}", {{ {a}, {b} }} }},')
    print("};\nconst size_t ix_regex_property_count =")
    print("    sizeof ix_regex_properties / sizeof *ix_regex_properties;\n")
    starts = [0]
    for s in sets:
        starts.append(starts[-1] + len(s))
    print(f"const uint32_t ix_regex_set_starts[{len(starts)}] = {{")
    print_numbers(map(str, starts))
    print(f"}};\n\nconst uint32_t ix_regex_set_bounds[{starts[-1]}] = {{")
    print_numbers([str(b) for s in sets for b in s])
    print("};\n\nconst uint32_t ix_regex_folds[][2] = {")
    print_numbers([f"{{ {c}, {d} }}" for c, d in both[0]])
    print("};\nconst size_t ix_regex_fold_count = sizeof ix_regex_folds / sizeof *ix_regex_folds;\n")
    print("const uint32_t ix_regex_long_folds[][4] = {")
    print_numbers(["{ " + ", ".join(map(str, [c, *map(ord, f)])) + " }" for c, f in long_folds])
    print("};\nconst size_t ix_regex_long_fold_count =")
    print("    sizeof ix_regex_long_folds / sizeof *ix_regex_long_folds;")


main()
