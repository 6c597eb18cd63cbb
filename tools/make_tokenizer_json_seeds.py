#!/usr/bin/env python3
"""Writes fuzz/corpus/tokenizer_json: small tokenizer.json files, one per model and family of components, with a text
behind each, as fuzz/fuzz_tokenizer_json.c reads them: options | tokenizer.json | 0 | text."""
import json
import os

FOLDER = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "fuzz", "corpus", "tokenizer_json")
LETTERS = [chr(c) for c in range(ord("a"), ord("z") + 1)]
MERGES = ["h e", "l l", "he ll", "hell o", "o r", "w or", "l d", "wor ld"]


def added(identity, content, **flags):
    return {"id": identity, "content": content, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False,
            "special": True, **flags}


def bpe(letters, prefix=""):
    tokens = ["<unk>"] + letters + [m.replace(" ", "") for m in MERGES]
    return {"type": "BPE", "vocab": {t: i for i, t in enumerate(dict.fromkeys(tokens))}, "merges": MERGES,
            "unk_token": "<unk>", "continuing_subword_prefix": prefix or None}


def byte_letters():
    printable = [*range(0x21, 0x7f), *range(0xa1, 0xad), *range(0xae, 0x100)]
    return [chr(b) for b in printable] + [chr(0x100 + i) for i in range(256 - len(printable))]


def files():
    words = {w: i for i, w in enumerate(["[UNK]", "[CLS]", "[SEP]", "hello", "wor", "##ld", "##l", "h", "##e", "."])}
    template = {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}},
                                                        {"Sequence": {"id": "A", "type_id": 0}}],
                "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
                "special_tokens": {"[CLS]": {"id": "[CLS]", "ids": [1], "tokens": ["[CLS]"]}}}
    yield "bpe", {"model": bpe(LETTERS), "pre_tokenizer": {"type": "Whitespace"}}
    yield "bpe_bytes", {"model": bpe(byte_letters()), "decoder": {"type": "ByteLevel"},
                        "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": True, "use_regex": True},
                        "post_processor": {"type": "ByteLevel", "trim_offsets": True}}
    yield "bpe_split", {"model": bpe(byte_letters()), "normalizer": {"type": "NFC"}, "decoder": {"type": "ByteLevel"},
                        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
                            {"type": "Split", "pattern": {"Regex": "\\p{N}{1,3}| ?\\p{L}+|\\s+(?!\\S)|\\s+"},
                             "behavior": "Isolated", "invert": False},
                            {"type": "ByteLevel", "add_prefix_space": False, "use_regex": False}]},
                        "added_tokens": [added(300, "<|end|>"), added(301, "<mask>", lstrip=True, normalized=True)]}
    yield "wordpiece", {"model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
                                  "max_input_chars_per_word": 20, "vocab": words},
                        "normalizer": {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True,
                                       "strip_accents": None, "lowercase": True},
                        "pre_tokenizer": {"type": "BertPreTokenizer"}, "post_processor": template,
                        "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": True},
                        "truncation": {"direction": "Right", "max_length": 6, "strategy": "LongestFirst", "stride": 1},
                        "padding": {"strategy": "BatchLongest", "direction": "Right", "pad_to_multiple_of": 4, "pad_id": 0,
                                    "pad_type_id": 0, "pad_token": "[UNK]"}}
    yield "unigram", {"model": {"type": "Unigram", "unk_id": 0, "byte_fallback": False,
                                "vocab": [["<unk>", 0.0], ["\u2581hello", -2.5], ["\u2581", -3.0], ["wor", -4.0], ["ld", -4.5]]
                                + [[c, -8.0] for c in LETTERS]},
                      "normalizer": {"type": "Sequence", "normalizers": [{"type": "NFKC"}, {"type": "Lowercase"}]},
                      "pre_tokenizer": {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "always",
                                        "split": True},
                      "decoder": {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "always", "split": True}}
    yield "wordlevel", {"model": {"type": "WordLevel", "vocab": words, "unk_token": "[UNK]"},
                        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
                            {"type": "WhitespaceSplit"}, {"type": "Punctuation", "behavior": "MergedWithPrevious"},
                            {"type": "Digits", "individual_digits": True}]}}


def main():
    os.makedirs(FOLDER, exist_ok=True)
    text = "Hello, hello world! <|end|> na\u00efve <mask>  12345\n\u6f22\u5b57 \U0001f642 hello.".encode()
    for n, (name, parts) in enumerate(files()):
        whole = {"version": "1.0", "truncation": None, "padding": None, "added_tokens": [], "normalizer": None,
                 "pre_tokenizer": None, "post_processor": None, "decoder": None, **parts}
        with open(os.path.join(FOLDER, name), "wb") as f:
            f.write(bytes([n]) + json.dumps(whole, ensure_ascii=False).encode() + b"\0" + text)


if __name__ == "__main__":
    main()
