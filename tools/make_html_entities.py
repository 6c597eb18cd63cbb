#!/usr/bin/env python3
"""Writes src/text/jinja/entities_table.c: HTML's named characters, as Python's html.unescape has them.

    python3 tools/make_html_entities.py > src/text/jinja/entities_table.c
"""
import html.entities


def quoted(text):
    out = ""
    for b in text.encode():
        out += chr(b) if 32 <= b < 127 and chr(b) not in '"\\?' else f"\\{b:03o}"
    return f'"{out}"'


def main():
    names = sorted(html.entities.html5.items(), key=lambda item: item[0].encode())
    print("/* HTML's named characters, sorted. Written by tools/make_html_entities.py; do not edit. */")
    print('#include "text/jinja/entities.h"\n')
    print(f"const size_t ix_html_entity_count = {len(names)};")
    print(f"const ix_html_entity ix_html_entities[{len(names)}] = {{")
    line = "   "
    for name, text in names:
        item = f" {{ {quoted(name)}, {quoted(text)} }},"
        if len(line) + len(item) > 100:
            print(line)
            line = "   "
        line += item
    print(line)
    print("};")


main()
