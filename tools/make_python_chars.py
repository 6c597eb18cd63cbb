#!/usr/bin/env python3
"""Writes src/text/jinja/chars_table.c: what Python's str knows about every character.

    python3.11 tools/make_python_chars.py > src/text/jinja/chars_table.c

Python itself is asked.  Which version (3.11, Unicode 14) is a decision: see chars.h.
"""
import sys
import unicodedata

BLOCK = 128
SIGMA = "\u03a3"


def flags(c):
    name = []
    if c.isalpha():
        name.append("ALPHA")
    if c.isdecimal():
        name.append("DECIMAL")
    if c.isdigit():
        name.append("DIGIT")
    if c.isnumeric():
        name.append("NUMERIC")
    if c.islower():
        name.append("LOWER")
    if c.isupper():
        name.append("UPPER")
    if c.istitle() and not c.isupper():
        name.append("TITLE")
    # A capital sigma is final behind a cased letter and any ignorable characters.
    if ("A" + c + SIGMA).lower()[-1] == "\u03c2" and ("1" + c + SIGMA).lower()[-1] == "\u03c3":
        name.append("IGNORABLE")
    if c.isspace():
        name.append("SPACE")
    if c.splitlines() == [""]:
        name.append("LINE_END")
    if c.isprintable():
        name.append("PRINTABLE")
    if c.isidentifier():
        name.append("ID_START")
    if ("a" + c).isidentifier():
        name.append("ID_CONTINUE")
    return " | ".join("IX_CHAR_" + n for n in name) or "0"


def main():
    if unicodedata.unidata_version != "14.0.0":
        sys.exit("this Python has Unicode " + unicodedata.unidata_version + ", not 14.0.0")
    kinds, special, of = {}, {}, []
    for code in range(0x110000):
        c = chr(code)
        to, many = [], 0
        for k, mapped in enumerate((c.upper(), c.lower(), c.title(), c.casefold())):
            if len(mapped) == 1:
                to.append(ord(mapped) - code)
            else:
                row = (len(mapped), *map(ord, mapped))
                to.append(special.setdefault(row + (0,) * (4 - len(row)), len(special)))
                many |= 1 << k
        kind = (tuple(to), flags(c), many, unicodedata.decimal(c, 0))
        of.append(kinds.setdefault(kind, len(kinds)))
    assert len(kinds) < 65536 and all(v < 65536 for row in special for v in row)
    blocks, index = {}, []
    for start in range(0, 0x110000, BLOCK):
        index.append(blocks.setdefault(tuple(of[start:start + BLOCK]), len(blocks)))
    print("/* Characters as Python's str sees them. Written by tools/make_python_chars.py; do not "
          "edit. */")
    print('#include "text/jinja/chars.h"\n')
    print(f"const ix_char ix_chars_kinds[{len(kinds)}] = {{")
    for to, names, many, number in kinds:
        body = f"    {{ {{ {', '.join(map(str, to))} }}, {names}, {many}, {number} }},"
        if len(body) > 100:
            cut = body.rfind(" | ", 0, 98)
            body = body[:cut + 2] + "\n      " + body[cut + 3:]
        if len(body.split("\n")[-1]) > 100:
            head, last = body.split("\n")
            cut = last.rfind(" | ", 0, 98)
            body = head + "\n" + last[:cut + 2] + "\n      " + last[cut + 3:]
        print(body)
    print("};\n")
    print(f"const uint16_t ix_chars_special[{len(special)}][4] = {{")
    for row in special:
        print(f"    {{ {', '.join(map(str, row))} }},")
    print("};\n")
    print(f"const uint16_t ix_chars_index[{len(index)}] = {{")
    table(index)
    print(f"const uint16_t ix_chars_blocks[{len(blocks)}][{BLOCK}] = {{")
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
