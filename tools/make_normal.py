#!/usr/bin/env python3
"""Writes src/text/normal_table.c: what normalizers and pre-tokenizers know about characters.

    python3 tools/make_normal.py > src/text/normal_table.c

Everything is asked of Hugging Face `tokenizers` itself, code point by code point, because its stages
are of different versions of Unicode (docs/UNICODE.md); only the order of combining marks comes from
Python's unicodedata (it never changes once a mark is there; which marks the library knows is asked),
and the classes of grapheme clusters, which only Precompiled uses, from the package `regex`, where
the library agrees with them (it does not know the newest characters).
Made with tokenizers 0.23.3 and regex 2026.11.15; takes about a minute.
"""
import base64
import os
import sys
import unicodedata

import regex
from tokenizers import normalizers, pre_tokenizers

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "test"))
from make_component_goldens import charsmap  # noqa: E402

BLOCK = 128
CODE_POINTS = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]
JAMO_VOWELS, JAMO_FINALS = range(0x1161, 0x1176), range(0x11A8, 0x11C3)
HANGUL = range(0xAC00, 0xD7A4)

nfc = normalizers.NFC().normalize_str
nfd = normalizers.NFD().normalize_str
nfkc = normalizers.NFKC().normalize_str
nfkd = normalizers.NFKD().normalize_str
lower = normalizers.Lowercase().normalize_str
strip_accents = normalizers.StripAccents().normalize_str
words = pre_tokenizers.Whitespace().pre_tokenize_str
spaces = pre_tokenizers.WhitespaceSplit().pre_tokenize_str
scripts = pre_tokenizers.UnicodeScripts().pre_tokenize_str


def bert(**options):
    off = {"clean_text": False, "handle_chinese_chars": False, "strip_accents": False,
           "lowercase": False}
    return normalizers.BertNormalizer(**{**off, **options}).normalize_str


bert_clean = bert(clean_text=True)
bert_chinese = bert(handle_chinese_chars=True)
bert_strip = bert(strip_accents=True)

FLAGS = ["NFD", "NFKD", "NFC", "NFKC", "JOINS", "SECOND", "LOWER", "CLEAN", "SPACE", "CHINESE",
         "NONSPACING", "MARK", "WORD"]


def order(c):
    """The combining class in the library, whose marks newer than Unicode 9 are starters."""
    value = unicodedata.combining(chr(c))
    if not value:
        return 0
    # behind a mark of a higher class, or before one of a lower, it has to move
    text = "a\u035c" + chr(c) if value < 233 else "a" + chr(c) + "\u0334"
    return 0 if nfd(text) == text else value


def compositions(decomposed):
    """{first: [(second, whole)]} for all whole characters that composition gives."""
    pairs = {}
    for c, full in sorted(decomposed.items()):
        if c in HANGUL or nfc(chr(c)) != chr(c):
            continue
        first, second = nfc(full[:-1]), full[-1]
        assert len(first) == 1 and nfc(first + second) == chr(c), hex(c)
        pairs.setdefault(ord(first), []).append((ord(second), c))
    return pairs


def script_classes():
    """Number of the class of each code point that is of a script: 0 for none ("Any")."""
    def apart(text):
        return len(scripts(text)) > 1

    of, representatives = {}, []
    text = "".join(c for c in map(chr, CODE_POINTS) if apart("a" + c) or apart("\u044f" + c))
    for piece, _ in scripts(text):
        number = next((i for i, r in enumerate(representatives) if not apart(r + piece[0])), None)
        if number is None:
            number = len(representatives)
            representatives.append(piece[0])
        for c in piece:
            of[ord(c)] = number + 1
    return of


CLUSTERS = ["OTHER", "CR", "LF", "CONTROL", "EXTEND", "ZWJ", "REGIONAL", "PREPEND", "SPACING", "L",
            "V", "T", "LV", "LVT", "PICTOGRAPH", "CONSONANT"]


def cluster_properties():
    def has(what):
        return {ord(c) for c in regex.findall(r"\p{" + what + "}", "".join(map(chr, CODE_POINTS)))}

    names = {"CR": "GCB=CR", "LF": "GCB=LF", "CONTROL": "GCB=Control", "EXTEND": "GCB=Extend",
             "ZWJ": "GCB=ZWJ", "REGIONAL": "GCB=Regional_Indicator", "PREPEND": "GCB=Prepend",
             "SPACING": "GCB=SpacingMark", "L": "GCB=L", "V": "GCB=V", "T": "GCB=T",
             "LV": "GCB=LV", "LVT": "GCB=LVT", "PICTOGRAPH": "Extended_Pictographic",
             "CONSONANT": "InCB=Consonant"}
    of = {}
    for name, what in names.items():
        for c in has(what):
            assert c not in of, hex(c)
            of[c] = CLUSTERS.index(name)
    unknown = unknown_to_clusters(of)
    for c in unknown:
        del of[c]
    for c in has("InCB=Linker") - unknown:
        of[c] = of.get(c, 0) | 16
    for c in has("InCB=Extend") - unknown:
        of[c] = of.get(c, 0) | 32
    return of


def unknown_to_clusters(of):
    """Characters that do not join as their classes say: a cluster of less than 6 bytes becomes what
    its beginning becomes, so what stays of "a" and a character, or of two, tells."""
    def becomes(text, mapped):
        rules = normalizers.Precompiled(base64.b64decode(charsmap({mapped: "-"})))
        return rules.normalize_str(text)

    classes = {name: i for i, name in enumerate(CLUSTERS)}
    behind = normalizers.Precompiled(base64.b64decode(charsmap({"a": "-"}))).normalize_str
    unknown = set()
    for c, number in of.items():
        if number in (classes["EXTEND"], classes["ZWJ"], classes["SPACING"]):
            if behind("a" + chr(c)) != "-":
                unknown.add(c)
        elif number == classes["PREPEND"]:
            if becomes(chr(c) + "a", chr(c)) != "-":
                unknown.add(c)
        elif number == classes["CONSONANT"] and c < 0x10000:
            if becomes("\u0915\u094d" + chr(c) + "\u0301", chr(c)) == "\u0915\u094d-":
                unknown.add(c)
        elif number == classes["CONTROL"] and 0 < c < 0x10000:
            if becomes(chr(c) + "\u0301", chr(c)) == "-":
                unknown.add(c)
    print(f"unknown to the library's clusters: {sorted(map(hex, unknown))}", file=sys.stderr)
    return unknown


def classes_and_maps():
    """{code point: (flags, order)} and the pool of mappings with {code point: its place there}."""
    decomposed = {c: nfd(chr(c)) for c in CODE_POINTS if nfd(chr(c)) != chr(c)}
    compatible = {c: nfkd(chr(c)) for c in CODE_POINTS if nfkd(chr(c)) != chr(c)}
    lowered = {c: lower(chr(c)) for c in CODE_POINTS if lower(chr(c)) != chr(c)}
    pairs = compositions(decomposed)
    orders = {c: order(c) for c in CODE_POINTS if unicodedata.combining(chr(c))}
    seconds = {s for found in pairs.values() for s, _ in found}
    seconds |= set(JAMO_VOWELS) | set(JAMO_FINALS)

    def joins(c):
        firsts = {ord(decomposed.get(c, chr(c))[0]), ord(compatible.get(c, chr(c))[0])}
        return any(orders.get(f) or f in seconds for f in firsts)

    classes, pool, places = {}, [0], {}
    for c in CODE_POINTS:
        s = chr(c)
        around = [piece for piece, _ in words("a" + s)]
        holds = [c in decomposed, c in compatible, nfc(s) != s, nfkc(s) != s, joins(c), c in seconds,
                 c in lowered, bert_clean(s) == "", not spaces(s), bert_chinese(s) != s,
                 c not in decomposed and bert_strip(s) == "", strip_accents(s) == "",
                 around == ["a" + s]]
        assert (around == ["a"]) == (not spaces(s))
        assert not spaces(s) or bert_clean(s) in ("", s), hex(c)
        assert spaces(s) or bert_clean(s) in ("", " "), hex(c)
        classes[c] = sum(1 << i for i, yes in enumerate(holds) if yes), orders.get(c, 0)
        if c in HANGUL or not (c in compatible or c in lowered or c in pairs):
            continue
        places[c] = len(pool)
        canonical, full = decomposed.get(c, ""), compatible.get(c, "")
        same = full == canonical
        found = sorted(pairs.get(c, []))
        low = lowered.get(c, "")
        assert len(full) < 31 and len(low) < 4 and len(found) < 256
        pool.append(len(canonical) | (31 if same else len(full)) << 5 | len(low) << 10
                    | len(found) << 12)
        pool += map(ord, canonical + ("" if same else full) + low)
        for pair in found:
            pool += pair
    assert len(pool) < 1 << 16
    return classes, pool, places


def two_stages(name, of, kind, end="\n"):
    """Two arrays, <name>_index and <name>_blocks, for a value per code point."""
    values = [0] * 0x110000
    for c, v in of.items():
        values[c] = v
    blocks, index = {}, []
    for start in range(0, 0x110000, BLOCK):
        index.append(blocks.setdefault(tuple(values[start:start + BLOCK]), len(blocks)))
    print(f"const uint16_t {name}_index[{len(index)}] = {{")
    table(index)
    print(f"const {kind} {name}_blocks[{len(blocks)}][{BLOCK}] = {{")
    for block in blocks:
        print("    {")
        table(block, "      ", None)
        print("    },")
    print("};" + end)


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


def main():
    classes, pool, places = classes_and_maps()
    print("/* What normalizers and pre-tokenizers know about characters. Written by\n"
          " * tools/make_normal.py; do not edit. */")
    print('#include "text/normal.h"\n')
    kinds = {(0, 0): 0}
    of = {c: kinds.setdefault(kind, len(kinds)) for c, kind in classes.items()}
    print(f"const uint32_t ix_normal_kinds[{len(kinds)}] = {{")
    for flags, place in kinds:
        names = [f"IX_NORMAL_{n}" for i, n in enumerate(FLAGS) if flags >> i & 1]
        names += [f"{place}u << IX_NORMAL_ORDER"] if place else []
        line = "    " + (" | ".join(names) or "0") + ","
        while len(line) > 100:
            cut = line.rindex("|", 0, 100)
            print(line[:cut].rstrip())
            line = "        " + line[cut:]
        print(line)
    print("};\n")
    assert len(kinds) <= 256
    two_stages("ix_normal_kind", of, "uint8_t")
    two_stages("ix_normal_place", places, "uint16_t")
    print(f"const uint32_t ix_normal_pool[{len(pool)}] = {{")
    table(pool)
    two_stages("ix_script", script_classes(), "uint8_t")
    two_stages("ix_cluster", cluster_properties(), "uint8_t", "")


if __name__ == "__main__":
    sys.exit(main())
