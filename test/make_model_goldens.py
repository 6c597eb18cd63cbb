#!/usr/bin/env python3
"""Writes test/data/text/models.json: small models of all four kinds with every option, words, and the
tokens that Hugging Face's tokenizers gives for them (Model.tokenize: ids and byte offsets).
test_model.c compares.

    python3 test/make_model_goldens.py test/data/text/models.json

Needs the package tokenizers (0.23).
"""
import json
import random
import sys

from tokenizers import Tokenizer


def bpe(vocab, merges, **options):
    return {"type": "BPE", "vocab": {p: i for i, p in enumerate(vocab)}, "merges": merges, **options}


def unigram(vocab, **options):
    return {"type": "Unigram", "vocab": vocab, **options}


BYTES = [f"<0x{b:02X}>" for b in range(256)]
LETTERS = list("abcde") + ["\u00e9", "\u4e2d"]
MERGES = [["a", "b"], ["ab", "c"], ["b", "c"], ["c", "d"], ["a", "bc"], ["ab", "cd"], ["a", "a"], ["aa", "aa"],
          ["\u00e9", "a"]]
WHOLE = LETTERS + ["ab", "abc", "bc", "cd", "abcd", "aa", "aaaa", "\u00e9a"]
PREFIXED = LETTERS + ["##" + p for p in LETTERS] + ["ab", "##bc", "abc", "##ab", "##abc"]
PREFIX_MERGES = [["a", "##b"], ["##b", "##c"], ["ab", "##c"], ["##a", "##b"], ["##ab", "##c"]]
SUFFIXED = LETTERS + [p + "</w>" for p in LETTERS] + ["ab", "ab</w>", "abc</w>", "bc</w>"]
SUFFIX_MERGES = [["b", "c</w>"], ["a", "b"], ["a", "b</w>"], ["a", "bc</w>"]]
PIECES = [["<unk>", 0.0], ["a", -1.0], ["b", -1.5], ["ab", -2.5], ["abc", -3.0], ["c", -2.0], ["bc", -3.5],
          ["\u4e2d", -4.0], ["aa", -2.0], ["<unk>a", -9.0], ["xy", -1.0]]

MODELS = {
    "bpe": bpe(["<unk>"] + WHOLE, MERGES),
    "bpe-strings": bpe(["<unk>"] + WHOLE, ["#version: 0.2"] + [" ".join(m) for m in MERGES]),
    "bpe-unknown": bpe(["<unk>"] + WHOLE, MERGES, unk_token="<unk>"),
    "bpe-fused": bpe(["<unk>"] + WHOLE, MERGES, unk_token="<unk>", fuse_unk=True),
    "bpe-unknown-missing": bpe(WHOLE, MERGES, unk_token="<unk>"),
    "bpe-bytes": bpe(["<unk>"] + BYTES + WHOLE, MERGES, unk_token="<unk>", byte_fallback=True, fuse_unk=True),
    "bpe-some-bytes": bpe(["<unk>"] + BYTES[:0xE0] + WHOLE, MERGES, unk_token="<unk>", byte_fallback=True),
    "bpe-some-bytes-fused": bpe(["<unk>"] + BYTES[:0xE0] + WHOLE, MERGES, unk_token="<unk>", byte_fallback=True,
                                fuse_unk=True),
    "bpe-ignore": bpe(WHOLE + ["dcba", "ede"], MERGES, ignore_merges=True),
    "bpe-unreachable": bpe(WHOLE + ["dcba", "ede"], MERGES),
    "bpe-dropout": bpe(WHOLE, MERGES, dropout=1.0, ignore_merges=True),
    "bpe-no-dropout": bpe(WHOLE, MERGES, dropout=0.0),
    "bpe-prefix": bpe(["<unk>"] + PREFIXED, PREFIX_MERGES, continuing_subword_prefix="##", unk_token="<unk>"),
    "bpe-suffix": bpe(["<unk>"] + SUFFIXED, SUFFIX_MERGES, end_of_word_suffix="</w>", unk_token="<unk>"),
    "bpe-twice": bpe(WHOLE, MERGES + [["a", "b"], ["b", "c"]]),
    "bpe-collapse": bpe(["a", "##b", "##", "ab", "##c"], [["a", "##"], ["a", "##b"]], continuing_subword_prefix="##"),
    "bpe-merged-unknown": bpe(["<unk>", "a", "b", "<unk>a", "ab"], [["<unk>", "a"], ["a", "b"]], unk_token="<unk>"),
    "wordpiece": {"type": "WordPiece", "vocab": {p: i for i, p in enumerate(["[UNK]"] + PREFIXED + ["##d", "dd"])},
                  "unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 40},
    "wordpiece-short": {"type": "WordPiece", "vocab": {p: i for i, p in enumerate(["[UNK]"] + WHOLE)},
                        "unk_token": "[UNK]", "continuing_subword_prefix": "", "max_input_chars_per_word": 6},
    "wordpiece-no-unknown": {"type": "WordPiece", "vocab": {"a": 0, "##b": 1}, "unk_token": "[UNK]",
                             "continuing_subword_prefix": "##", "max_input_chars_per_word": 100},
    "wordlevel": {"type": "WordLevel", "vocab": {"<unk>": 9, "abc": 3, "\u4e2d": 1}, "unk_token": "<unk>"},
    "wordlevel-no-unknown": {"type": "WordLevel", "vocab": {"abc": 3}, "unk_token": "<unk>"},
    "unigram": unigram(PIECES, unk_id=0, byte_fallback=False),
    "unigram-bytes": unigram(PIECES + [[b, -20.0] for b in BYTES], unk_id=0, byte_fallback=True),
    "unigram-some-bytes": unigram(PIECES + [[b, -20.0] for b in BYTES[:0xE0]], unk_id=0, byte_fallback=True),
    "unigram-no-unknown": unigram(PIECES[1:], unk_id=None, byte_fallback=False),
    "unigram-ties": unigram([["<unk>", 0], ["a", -1], ["b", -1], ["ab", -2], ["ba", -2], ["aba", -3], ["a", -1]],
                            unk_id=0, byte_fallback=False),
    "unigram-positive": unigram([["<unk>", 5.0], ["a", 3.0], ["b", 2.0], ["ab", 4.5], ["xy", 1e6], ["x", 0.1]],
                                unk_id=0, byte_fallback=False),
}


def words():
    draw = random.Random(11)
    alphabet = list("aaabbcde") + ["\u00e9", "\u4e2d", "x", "y", "<unk>", "\U0001F600", " ", "##", "</w>"]
    out = ["", "a", "abcd", "abcdabcd", "dcba", "ede", "a" * 70, "ab" * 40, "abc" * 30, "xy" * 30, "\u4e2d" * 20,
           "x\u4e2dy", "\u00e9\u00e9", "xya", "<unk>", "x<unk>y", "a##", "abc\U0001F600\U0001F600d"]
    for _ in range(36):
        out.append("".join(draw.choice(alphabet) for _ in range(draw.randrange(1, 40))))
    return out


def tokens(model, word):
    try:
        return " ".join(f"{t.id}:{t.offsets[0]}-{t.offsets[1]}" for t in model.tokenize(word))
    except BaseException:  # errors and panics alike
        return "error"


def main():
    records = []
    for name, model in MODELS.items():
        whole = {"version": "1.0", "truncation": None, "padding": None, "added_tokens": [], "normalizer": None,
                 "pre_tokenizer": None, "post_processor": None, "decoder": None, "model": model}
        tokenizer = Tokenizer.from_str(json.dumps(whole))
        records.append({"name": name, "model": model, "cases": [[w, tokens(tokenizer.model, w)] for w in words()]})
    with open(sys.argv[1], "w", encoding="utf-8") as out:
        out.write("[\n" + ",\n".join(json.dumps(r, ensure_ascii=False, separators=(",", ":")) for r in records) + "\n]\n")


if __name__ == "__main__":
    main()
