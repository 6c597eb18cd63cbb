#!/usr/bin/env python3
"""Answers of Hugging Face's tokenizers to single normalizers, pre-tokenizers and decoders.

    python3 test/make_component_goldens.py test/data/text
        writes components.json (small texts with ranges) and characters.json (a digest per component
        over every character), which test_components.c compares with
    python3 test/make_component_goldens.py --compare build/test/component-run SEED COUNT
        compares COUNT seeded random texts per component, and random sequences of components
    python3 test/make_component_goldens.py --every build/test/component-run
        compares every character with every component

Needs the package tokenizers (0.23).  Ranges of a normalizer are those of each character of its
text, as the library gives them to FixedLength(1) behind it.
"""
import base64
import hashlib
import json
import os
import random
import struct
import subprocess
import sys
import unicodedata

os.environ["RUST_BACKTRACE"] = "0"
from tokenizers import PreTokenizedString, Tokenizer, pre_tokenizers  # noqa: E402

EVERY = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]
BLOCK = 1024


def charsmap(rules):
    """SentencePiece's format: a double array over the keys' bytes, then the strings."""
    strings, tree = b"", {}
    for key, to in rules.items():
        node = tree
        for byte in key.encode():
            node = node.setdefault(byte, {})
        node[0] = len(strings)
        strings += to.encode() + b"\0"
    units, used = {0: 0}, {0}

    def place(at, node):
        # every step goes by exclusive or, so that children stay within a block of 256
        base = next(b for b in range(1, 1 << 20) if not any(b ^ c in used for c in node))
        used.update(base ^ c for c in node)
        offset = at ^ base
        assert offset < 1 << 21
        units[at] |= offset << 10 | (256 if 0 in node else 0)
        for byte, child in node.items():
            units[base ^ byte] = child | 1 << 31 if byte == 0 else byte
        for byte, child in node.items():
            if byte:
                place(base ^ byte, child)

    place(0, tree)
    size = (max(units) | 255) + 1
    trie = b"".join(struct.pack("<I", units.get(i, 0)) for i in range(size))
    return base64.b64encode(struct.pack("<I", len(trie)) + trie + strings).decode()


MAP = charsmap({"\ufb01": "fi", "a": "b", "\u00e9": "e", "e\u0301": "\u00e9", "\u3000": " ",
                "\u200b": "", "\u0915": "k", "\u00bd": "1/2", "\u0600": "<", "\u304b\u3099": "ga",
                "\r": "", "\u00a9": "(c)", "0": ""})
BERT = {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True,
        "strip_accents": None, "lowercase": True}
BYTE_LEVEL = {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True,
              "use_regex": True}
METASPACE = {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "always",
             "split": True}
BEHAVIORS = ["Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous"]
NORMALIZERS = {
    **{t.lower(): {"type": t} for t in ("NFC", "NFD", "NFKC", "NFKD", "Nmt", "Lowercase",
                                        "StripAccents", "ByteLevel")},
    "bert": BERT,
    "bert-cased": {**BERT, "lowercase": False},
    "bert-accents": {**BERT, "strip_accents": False},
    "bert-strip-only": {"type": "BertNormalizer", "clean_text": False,
                        "handle_chinese_chars": False, "strip_accents": True, "lowercase": False},
    "bert-not-clean": {**BERT, "clean_text": False},
    "strip": {"type": "Strip", "strip_left": True, "strip_right": True},
    "strip-left": {"type": "Strip", "strip_left": True, "strip_right": False},
    "strip-right": {"type": "Strip", "strip_left": False, "strip_right": True},
    "replace": {"type": "Replace", "pattern": {"String": " "}, "content": "\u2581"},
    "replace-nothing": {"type": "Replace", "pattern": {"String": ""}, "content": "x"},
    "replace-regex": {"type": "Replace", "pattern": {"Regex": "\\s+"}, "content": " "},
    "replace-empty": {"type": "Replace", "pattern": {"Regex": "\\s*"}, "content": "_"},
    "prepend": {"type": "Prepend", "prepend": "\u2581"},
    "prepend-nothing": {"type": "Prepend", "prepend": ""},
    "precompiled": {"type": "Precompiled", "precompiled_charsmap": MAP},
    "sequence": {"type": "Sequence", "normalizers": [
        {"type": "NFKD"}, {"type": "Strip", "strip_left": True, "strip_right": False},
        {"type": "StripAccents"}, {"type": "Lowercase"}, {"type": "Prepend", "prepend": "_"}]},
}
PRE_TOKENIZERS = {
    **{t.lower(): {"type": t} for t in ("BertPreTokenizer", "Whitespace", "WhitespaceSplit",
                                        "UnicodeScripts")},
    "digits": {"type": "Digits", "individual_digits": False},
    "digits-each": {"type": "Digits", "individual_digits": True},
    "fixed-length": {"type": "FixedLength", "length": 3},
    "delimiter": {"type": "CharDelimiterSplit", "delimiter": "\u00e9"},
    "byte-level": BYTE_LEVEL,
    "byte-level-no-regex": {**BYTE_LEVEL, "use_regex": False},
    "byte-level-no-prefix": {**BYTE_LEVEL, "add_prefix_space": False},
    "metaspace": METASPACE,
    "metaspace-first": {**METASPACE, "prepend_scheme": "first"},
    "metaspace-never": {**METASPACE, "prepend_scheme": "never"},
    "metaspace-whole": {**METASPACE, "split": False},
    **{f"punctuation-{b}": {"type": "Punctuation", "behavior": b} for b in BEHAVIORS},
    **{f"split-{b}": {"type": "Split", "pattern": {"Regex": "[-\\s]+"}, "behavior": b,
                      "invert": False} for b in BEHAVIORS},
    **{f"split-invert-{b}": {"type": "Split", "pattern": {"Regex": "[a-z]"}, "behavior": b,
                             "invert": True} for b in BEHAVIORS},
    "split-string": {"type": "Split", "pattern": {"String": "--"}, "behavior": "Isolated",
                     "invert": False},
    "split-nothing": {"type": "Split", "pattern": {"String": ""}, "behavior": "Contiguous",
                      "invert": False},
    "sequence-metaspace": {"type": "Sequence", "pretokenizers": [
        {"type": "WhitespaceSplit"}, {**METASPACE, "prepend_scheme": "first"}]},
    "sequence-bytes": {"type": "Sequence", "pretokenizers": [
        {"type": "Digits", "individual_digits": True}, BYTE_LEVEL, {"type": "Punctuation"}]},
}
STRIP = {"type": "Strip", "content": " ", "start": 1, "stop": 0}
REPLACE = {"type": "Replace", "pattern": {"String": "\u2581"}, "content": " "}
DECODERS = {
    "byte-level": BYTE_LEVEL,
    "wordpiece": {"type": "WordPiece", "prefix": "##", "cleanup": True},
    "wordpiece-plain": {"type": "WordPiece", "prefix": "", "cleanup": False},
    "metaspace": METASPACE,
    "metaspace-never": {**METASPACE, "prepend_scheme": "never"},
    "bpe": {"type": "BPEDecoder", "suffix": "</w>"},
    "bpe-nothing": {"type": "BPEDecoder", "suffix": ""},
    "ctc": {"type": "CTC", "pad_token": "<pad>", "word_delimiter_token": "|", "cleanup": True},
    "ctc-nothing": {"type": "CTC", "pad_token": "", "word_delimiter_token": "", "cleanup": True},
    "byte-fallback": {"type": "ByteFallback"},
    "fuse": {"type": "Fuse"},
    "strip": STRIP,
    "strip-both": {"type": "Strip", "content": "a", "start": 2, "stop": 1},
    "replace": REPLACE,
    "replace-regex": {"type": "Replace", "pattern": {"Regex": "[aeiou]+"}, "content": "-"},
    "replace-nothing": {"type": "Replace", "pattern": {"String": ""}, "content": "-"},
    "llama": {"type": "Sequence", "decoders": [REPLACE, {"type": "ByteFallback"},
                                               {"type": "Fuse"}, STRIP]},
    "fused": {"type": "Sequence", "decoders": [
        {"type": "Fuse"}, {"type": "Replace", "pattern": {"String": "a<"}, "content": "!"},
        {"type": "Strip", "content": " ", "start": 2, "stop": 3}, METASPACE]},
    "bytes-then": {"type": "Sequence", "decoders": [
        BYTE_LEVEL, {"type": "WordPiece", "prefix": "##", "cleanup": True},
        {"type": "Strip", "content": "a", "start": 1, "stop": 2}]},
}
TOKENS = ["", " ", "a", "aa", "aab", "##a", "##", "a</w>", "</w>", "\u2581", "\u2581a",
          "\u2581\u2581", "<0xE4>", "<0xBD>", "<0xA0>", "<0x41>", "<0x+A>", "<0xF0>", "<0x9F>",
          "<0x98>", "<0x80>", "<0xzz>", "<pad>", "|", "|a", "\u0120a", "\u0120", "\u00e4\u00bd",
          "\u0142", "\u00ed", "\u00e9\u00e9", "\u4f60", ".", " .", " ?", "n't", " n't", "'", " '",
          "'s", "do", " do not", "\u00e6\u013a", "a<", "<", "\U0001f600", "\u00f0\u0141",
          "\u013a\u0122"]


def component(kind, c):
    """The library's object for a part of tokenizer.json."""
    whole = {"version": "1.0", "truncation": None, "padding": None, "added_tokens": [],
             "normalizer": None, "pre_tokenizer": None, "post_processor": None, "decoder": None,
             "model": {"type": "WordLevel", "vocab": {"a": 0}, "unk_token": "a"}, kind: c}
    return getattr(Tokenizer.from_str(json.dumps(whole)), kind)


def answer(kind, c, given):
    """[[text, start, end]], bytes of what is given; a string of a decoder; None: it panics."""
    try:
        if kind == "decoder":
            return c.decode(given)
        p = PreTokenizedString(given)
        if kind == "normalizer":
            p.normalize(c.normalize)
            pre_tokenizers.FixedLength(1).pre_tokenize(p)
        else:
            c.pre_tokenize(p)
        splits = p.get_splits("original", "char")
    except BaseException:  # a Rust panic is not an Exception
        return None
    at, places = 0, []
    for ch in given:
        places.append(at)
        at += len(ch.encode())
    places.append(at)
    return [[piece, places[start], places[end]] for piece, (start, end), _ in splits]


def pools():
    marks = [c for c in EVERY if unicodedata.combining(chr(c))]
    others = [c for c in EVERY if unicodedata.category(chr(c)) in ("Mc", "Me")]
    wholes = [c for c in EVERY if unicodedata.decomposition(chr(c))]
    spaces = [9, 10, 11, 12, 13, 28, 0x85, 0xA0, 0x1680, 0x2000, 0x2028, 0x2029, 0x202F, 0x205F,
              0x3000, 0x200B, 0x200C, 0x200D, 0xFEFF, 0xFFFD, 0, 1, 0x7F, 0xAD, 0x2581]
    odd = [0x130, 0x131, 0x1E9E, 0xDF, 0x3A3, 0x3C2, 0x212A, 0x212B, 0x344, 0xF73, 0xFB01, 0xFDFA,
           0xF77, 0x1D165, 0x1D166, 0x1D15E, 0x302E, 0x302F, 0x1039, 0x94D, 0xFE0F, 0x20E3, 0xBD]
    ranges = [(0x20, 0x7F), (0xA0, 0x250), (0x300, 0x370), (0x590, 0x700), (0x900, 0xE80),
              (0x4E00, 0x4F00), (0x1F300, 0x1F700), (0x1F1E6, 0x1F200), (0xFF00, 0xFFF0),
              (0x3040, 0x3100), (0x2000, 0x2200), (0x600, 0x606), (0x1100, 0x1200),
              (0xAC00, 0xAC40)]
    return [marks, others, wholes, spaces, odd, [0x41, 0x61, 0x20, 0x20, 0x2D, 0x5F, 0x27, 0x30],
            *(list(range(*r)) for r in ranges)]


def random_text(rng, found, words=10):
    def word():
        kind = rng.random()
        if kind < 0.25:
            pool = rng.choice(found)
            return "".join(chr(rng.choice(pool)) for _ in range(rng.randint(1, 12)))
        if kind < 0.85:
            return "".join(chr(rng.choice(rng.choice(found))) for _ in range(rng.randint(1, 8)))
        if kind < 0.95:
            return chr(rng.choice(EVERY))
        return chr(rng.choice(found[0])) * rng.randint(1, 40) + chr(rng.choice(found[0])) * 9

    return "".join(rng.choice(["", " ", "  "]) + word() for _ in range(rng.randint(0, words)))


def inputs(kind, rng, found, count, words=10):
    if kind == "decoder":
        return [[rng.choice(TOKENS) for _ in range(rng.randint(0, 9))] for _ in range(count)]
    return [random_text(rng, found, words) for _ in range(count)]


KINDS = [("normalizer", NORMALIZERS), ("pre_tokenizer", PRE_TOKENIZERS), ("decoder", DECODERS)]


def every_text():
    for i in range(0, len(EVERY), BLOCK):
        yield "".join("a" + chr(c) for c in EVERY[i:i + BLOCK])


def digest(kind, c):
    h = hashlib.sha256()
    for text in every_text():
        for piece, start, end in answer(kind, c, text):
            piece = piece.encode()
            h.update(struct.pack("<III", start, end, len(piece)) + piece)
    return h.hexdigest()


DIGESTS = [("normalizer", n) for n in ("nfc", "nfd", "nfkc", "nfkd", "nmt", "lowercase",
                                       "stripaccents", "bytelevel", "bert", "bert-cased",
                                       "bert-strip-only", "precompiled")]
DIGESTS += [("pre_tokenizer", n) for n in ("bertpretokenizer", "whitespace", "whitespacesplit",
                                           "unicodescripts", "digits", "punctuation-Isolated",
                                           "byte-level-no-regex", "metaspace")]


def write(folder):
    rng, found, goldens = random.Random(5), pools(), []
    for kind, components in KINDS:
        for name, c in components.items():
            given = inputs(kind, rng, found, 16 if kind == "decoder" else 6, 5)
            cases = [[g, answer(kind, component(kind, c), g)] for g in given]
            goldens.append({"kind": kind, "name": name, "component": c, "cases": cases})
    with open(os.path.join(folder, "components.json"), "w") as f:
        f.write("[\n" + ",\n".join(json.dumps(g) for g in goldens) + "\n]\n")
    every = [{"kind": kind, "name": name, "component": dict(KINDS)[kind][name],
              "sha256": digest(kind, component(kind, dict(KINDS)[kind][name]))}
             for kind, name in DIGESTS]
    with open(os.path.join(folder, "characters.json"), "w") as f:
        f.write("[\n" + ",\n".join(json.dumps(g) for g in every) + "\n]\n")


def compare(runner, kind, c, given):
    """Differences, of which the first is shown."""
    key = "tokens" if kind == "decoder" else "text"
    lines = [{kind: c}] + [{key: g} for g in given]
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    out = subprocess.run([runner], input=text.encode(), stdout=subprocess.PIPE, check=True).stdout
    got = [json.loads(line) for line in out.decode().split("\n") if line]
    assert len(got) == len(lines) and "error" not in got[0], got[0]
    library, differences = component(kind, c), 0
    for g, mine in zip(given, got[1:]):
        want = answer(kind, library, g)
        mine = mine.get("chars", mine.get("pieces", mine.get("out")))
        if mine == want:
            continue
        if not differences:
            at = next((i for i, (a, b) in enumerate(zip(mine or [], want or [])) if a != b), 0)
            print("DIFFERENT", json.dumps(c)[:200], repr(g)[:300], "at", at, "library",
                  (want or [])[at:at + 4], "inox", (mine or [])[at:at + 4])
        differences += 1
    return differences


def compare_random(runner, seed, count):
    rng, found = random.Random(seed), pools()
    records = differences = 0

    def one(kind, c, n):
        nonlocal records, differences
        records += n
        differences += compare(runner, kind, c, inputs(kind, rng, found, n))

    for kind, components in KINDS:
        for c in components.values():
            one(kind, c, count)
    # What Prepend and Replace do with nothing makes the library panic in the next stage.
    single = [[c for name, c in components.items()
               if c["type"] != "Sequence" and "nothing" not in name and "empty" not in name]
              for _, components in KINDS]
    for _ in range(60):
        for (kind, _), choice, key in zip(KINDS, single, ("normalizers", "pretokenizers",
                                                          "decoders")):
            c = {"type": "Sequence", key: [rng.choice(choice) for _ in range(rng.randint(2, 4))]}
            one(kind, c, count // 4 + 1)
    print(f"seed {seed}: {records} records, {differences} differences")
    return differences


def compare_every(runner):
    differences = 0
    for kind, components in KINDS[:2]:
        for name, c in components.items():
            differences += compare(runner, kind, c, list(every_text()))
            print(kind, name, "differences so far:", differences, flush=True)
    return differences


def main():
    if sys.argv[1] == "--compare":
        return 1 if compare_random(sys.argv[2], int(sys.argv[3]), int(sys.argv[4])) else 0
    if sys.argv[1] == "--every":
        return 1 if compare_every(sys.argv[2]) else 0
    write(sys.argv[1])
    return 0


if __name__ == "__main__":
    sys.exit(main())
