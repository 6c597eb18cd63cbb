#!/usr/bin/env python3
"""Writes src/text/unicode_table.c: the character properties that pre-tokenizers ask for.

    python3 tools/make_unicode.py > src/text/unicode_table.c

The properties are asked of Hugging Face `tokenizers` itself (its regular expressions, its
Digits and Punctuation), because exactness means agreeing with it about every character.  Made with
tokenizers 0.23.3.  The table does not depend on the C library's Unicode.
"""
import string

from tokenizers import Regex, pre_tokenizers

BLOCK = 128
CODE_POINTS = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]
TEXT = "".join(map(chr, CODE_POINTS))


def matching(pattern):
    """All code points that match a pattern for one character."""
    split = pre_tokenizers.Split(Regex(pattern), "removed", invert=True)
    return {ord(c) for piece, _ in split.pre_tokenize_str(TEXT) for c in piece}


def rust_punctuation():
    """Rust's older idea of punctuation, and all of ASCII's."""
    split = pre_tokenizers.Punctuation("removed")
    kept = {ord(c) for piece, _ in split.pre_tokenize_str(TEXT) for c in piece}
    return set(CODE_POINTS) - kept


def rust_numeric():
    """Rust's char::is_numeric, which is of a newer Unicode than \\p{N} of the expressions."""
    split = pre_tokenizers.Digits(True)
    pieces = split.pre_tokenize_str("a".join(map(chr, CODE_POINTS)) + "a")
    return {ord(piece) for piece, _ in pieces if len(piece) == 1} - {ord("a")}


PROPERTIES = [
    ("IX_UPPER", matching(r"[\p{Lu}\p{Lt}]")),
    ("IX_LOWER", matching(r"\p{Ll}")),
    ("IX_OTHER_LETTER", matching(r"[\p{Lm}\p{Lo}]")),
    ("IX_MARK", matching(r"\p{M}")),
    ("IX_NUMBER", matching(r"\p{N}")),
    ("IX_DIGIT", matching(r"\d")),
    ("IX_PUNCTUATION", matching(r"\p{P}")),
    ("IX_SYMBOL", matching(r"\p{S}")),
    ("IX_SPACE", matching(r"\s")),
    ("IX_WORD", matching(r"\w")),
    ("IX_OLD_PUNCTUATION", rust_punctuation()),
    ("IX_NUMERIC", rust_numeric()),
    ("IX_HAN", matching(r"\p{Han}")),
]


def main():
    assert matching(r"\p{L}") == PROPERTIES[0][1] | PROPERTIES[1][1] | PROPERTIES[2][1]
    assert {ord(c) for c in string.punctuation} <= PROPERTIES[10][1]
    kinds, of = {(): 0}, bytearray(0x110000)
    members = {}
    for name, chars in PROPERTIES:
        for c in chars:
            members.setdefault(c, []).append(name)
    for c, names in sorted(members.items()):
        of[c] = kinds.setdefault(tuple(names), len(kinds))
    blocks, index = {}, []
    for start in range(0, 0x110000, BLOCK):
        index.append(blocks.setdefault(bytes(of[start:start + BLOCK]), len(blocks)))
    print("/* Properties of characters. Written by tools/make_unicode.py; do not edit. */")
    print('#include "text/unicode.h"\n')
    print(f"const uint16_t ix_unicode_kinds[{len(kinds)}] = {{")
    for names in kinds:
        print("    " + (" | ".join(names) or "0") + ",")
    print("};\n")
    print(f"const uint16_t ix_unicode_index[{len(index)}] = {{")
    table(index)
    print(f"const uint8_t ix_unicode_blocks[{len(blocks)}][{BLOCK}] = {{")
    for block in blocks:
        print("    {")
        table(block, "      ", None)
        print("    },")
    print("};")


def table(values, indent="    ", end="};\n"):
    line = indent
    for v in values:
        if len(line) + len(str(v)) + 2 > 100:
            print(line.rstrip())
            line = indent
        line += f"{v}, "
    print(line.rstrip())
    if end:
        print(end)


main()
