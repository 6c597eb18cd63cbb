#!/usr/bin/env python3
"""Writes test/data/tokenizers.jsonl: small tokenizers of all parts of tokenizer.json, and what the library makes of texts.

    python3 test/make_tokenizer_goldens.py

Line 1: {"models": {name: model}}.  Each other line: {"name", "tokenizer", "records"}, where the tokenizer's "model" is
a name of line 1.  Records are those of make_tokenizer_cases.py.  Made with tokenizers 0.23.3 and sentencepiece 0.2.3
(for a character map); training breaks ties in hash order, so a file made anew has other vocabularies.
"""
import io
import json
import os
import random
import tempfile

import sentencepiece
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

import make_tokenizer_cases as cases

HERE = os.path.dirname(os.path.abspath(__file__))
CORPUS = ["The king and the queen spoke of the words that they had heard, and I'm sure they don't agree.", "A word is a word; 12 words, 345 words!",
          "Über die Straße, élan and naïve café. THE KING SAID IT'S DONE.", "吾輩は猫である。名前はまだ無い。日本語 한국어 नमस्ते", "def word(x): return x + 1  # the king\n\n\tpass\n"] * 3
TEXTS = ["The King's words, don't   they?\n\n I'm 1234 Straße.", "吾輩は猫である。 ｗｉｄｅ Ⅷ ﬁ \u00bd e\u0301 İ 👩\u200d💻 한국\t<x> word<x>\r\n"]
RULES = "FB01\t66 69\n2167\t56 49 49 49\nFF57\t77\n9\t20\nA\t20\n200D\t\n65 301\tE9\nBD\t31 2F 32\n"
SPLIT = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"


def varint(data, at):
    value = shift = 0
    while True:
        value |= (data[at] & 127) << shift
        shift, at = shift + 7, at + 1
        if data[at - 1] < 128:
            return value, at


def message(data, number):
    """The last field of this number that is a string or a message, in protobuf."""
    at, found = 0, None
    while at < len(data):
        key, at = varint(data, at)
        if key & 7 == 0:
            _, at = varint(data, at)
        elif key & 7 == 5:
            at += 4
        else:
            size, at = varint(data, at)
            found = data[at:at + size] if key >> 3 == number else found
            at += size
    return found


def charsmap():
    """A character map of RULES alone, out of a model that SentencePiece trains: normalizer_spec.precompiled_charsmap."""
    out = io.BytesIO()
    with tempfile.NamedTemporaryFile("w", suffix=".tsv") as f:
        f.write(RULES)
        f.flush()
        sentencepiece.SentencePieceTrainer.train(sentence_iterator=iter(CORPUS), model_writer=out, vocab_size=120, minloglevel=2, hard_vocab_limit=False,
                                                 normalization_rule_tsv=f.name, num_threads=1)
    return message(message(out.getvalue(), 3), 2)


def trained():
    """name -> model"""
    level, split = pre_tokenizers.ByteLevel(add_prefix_space=False), pre_tokenizers.Whitespace()
    kinds = {
        "bytes": (models.BPE(), trainers.BpeTrainer(vocab_size=330, show_progress=False, initial_alphabet=pre_tokenizers.ByteLevel.alphabet()), level),
        "characters": (models.BPE(unk_token="<unk>", fuse_unk=True), trainers.BpeTrainer(vocab_size=130, show_progress=False, special_tokens=["<unk>"], limit_alphabet=60), pre_tokenizers.Metaspace()),
        "affixes": (models.BPE(unk_token="<unk>", continuing_subword_prefix="##", end_of_word_suffix="</w>"),
                    trainers.BpeTrainer(vocab_size=150, show_progress=False, special_tokens=["<unk>"], limit_alphabet=30, continuing_subword_prefix="##", end_of_word_suffix="</w>"), split),
        "wordpiece": (models.WordPiece(unk_token="[UNK]", max_input_chars_per_word=12), trainers.WordPieceTrainer(vocab_size=130, show_progress=False, special_tokens=["[UNK]", "[CLS]", "[SEP]"], limit_alphabet=60), split),
        "unigram": (models.Unigram(), trainers.UnigramTrainer(vocab_size=150, show_progress=False, special_tokens=["<unk>"], unk_token="<unk>"), pre_tokenizers.Metaspace()),
        "words": (models.WordLevel(unk_token="<unk>"), trainers.WordLevelTrainer(vocab_size=60, show_progress=False, special_tokens=["<unk>"]), split),
    }
    out = {}
    for name, (model, trainer, pre) in kinds.items():
        tokenizer = Tokenizer(model)
        tokenizer.pre_tokenizer = pre
        if name == "wordpiece":
            tokenizer.normalizer = normalizers.Lowercase()
        tokenizer.train_from_iterator(CORPUS, trainer)
        out[name] = json.loads(tokenizer.to_str())["model"]
    fallback = json.loads(json.dumps(out["characters"]))
    for b in range(256):
        fallback["vocab"].setdefault(f"<0x{b:02X}>", len(fallback["vocab"]))
    out["fallback"] = {**fallback, "byte_fallback": True, "ignore_merges": True}
    return out


def pipelines():
    """name, model, normalizer, pre-tokenizer, post-processor, decoder, added tokens, truncation, padding"""
    N, P, D, S = normalizers, pre_tokenizers, decoders, processors
    x = AddedToken("<x>", special=True, lstrip=True, rstrip=True)
    word = AddedToken("word", single_word=True, normalized=True)
    template = S.TemplateProcessing(single="[CLS] $A:1 [SEP]", pair="[CLS] $A [SEP]:1 $B:2 [SEP]:3", special_tokens=[("[CLS]", 1), ("[SEP]", 2)])
    cut = {"direction": "Right", "max_length": 9, "strategy": "LongestFirst", "stride": 2}
    fill = {"strategy": "BatchLongest", "direction": "Left", "pad_to_multiple_of": 4, "pad_id": 0, "pad_type_id": 3, "pad_token": "[PAD]"}
    split = lambda behavior, **more: P.Split(Regex(r"\s+|\p{P}"), behavior, **more)
    return [
        ("gpt2", "bytes", None, P.ByteLevel(add_prefix_space=False), S.ByteLevel(trim_offsets=True), D.ByteLevel(), [x], None, None),
        ("roberta", "bytes", None, P.ByteLevel(add_prefix_space=True), S.RobertaProcessing(("b", 1), ("a", 0)), D.ByteLevel(), [word], None, None),
        ("llama3", "bytes", None, P.Sequence([P.Split(Regex(SPLIT), "isolated"), P.ByteLevel(add_prefix_space=False, use_regex=False)]), S.Sequence([S.ByteLevel(trim_offsets=False), template]), D.ByteLevel(), [x, word], None, None),
        ("qwen2", "bytes", N.NFC(), P.Sequence([P.Split(Regex(SPLIT.replace("{1,3}", "")), "isolated"), P.ByteLevel(add_prefix_space=False, use_regex=False)]), None, D.ByteLevel(), [x], None, fill),
        ("falcon", "bytes", N.Sequence([N.Lowercase(), N.Prepend("a")]), P.Sequence([P.Punctuation("contiguous"), P.ByteLevel(add_prefix_space=False), P.Digits(individual_digits=True), P.Split("e", "merged_with_next")]), None, D.ByteLevel(), [], None, None),
        ("bytes normalized", "bytes", N.ByteLevel(), None, None, D.Sequence([D.ByteLevel()]), [word], None, None),
        ("bert", "wordpiece", N.BertNormalizer(), P.BertPreTokenizer(), S.BertProcessing(("[SEP]", 2), ("[CLS]", 1)), D.WordPiece(), [x], cut, fill),
        ("whitespace", "wordpiece", N.Sequence([N.NFD(), N.StripAccents(), N.Lowercase()]), P.Whitespace(), template, D.WordPiece(cleanup=False), [x, word], {**cut, "direction": "Left", "strategy": "OnlyFirst"}, None),
        ("xlm", "affixes", N.Sequence([N.Nmt(), N.NFKC(), N.Replace(Regex(" {2,}"), " ")]), P.WhitespaceSplit(), None, D.BPEDecoder(suffix="</w>"), [], None, None),
        ("albert", "unigram", N.Sequence([N.Replace("``", '"'), N.NFKD(), N.StripAccents(), N.Lowercase()]), P.Metaspace(), template, D.Metaspace(), [x], None, None),
        ("t5", "unigram", N.Precompiled(charsmap()), P.Sequence([P.WhitespaceSplit(), P.Metaspace(prepend_scheme="always")]), template, D.Metaspace(), [word], {**cut, "stride": 0}, {**fill, "strategy": {"Fixed": 12}, "direction": "Right"}),
        ("mbart", "unigram", N.Strip(), P.Metaspace(prepend_scheme="first", split=False), None, D.Sequence([D.Replace("▁", " "), D.Fuse(), D.Strip(" ", 1, 0)]), [x], None, None),
        ("llama", "fallback", N.Sequence([N.Prepend("▁"), N.Replace(" ", "▁")]), None, template, D.Sequence([D.Replace("▁", " "), D.ByteFallback(), D.Fuse(), D.Strip(" ", 1, 0)]), [x], None, None),
        ("gemma", "characters", N.Replace(" ", "▁"), P.Split(" ", "merged_with_previous"), None, D.Metaspace(prepend_scheme="never"), [word], None, None),
        ("ctc", "words", N.NFKC(), P.CharDelimiterSplit("a"), None, D.CTC(pad_token="<unk>", word_delimiter_token="the"), [], None, None),
        ("scripts", "words", N.Strip(left=True, right=False), P.Sequence([P.UnicodeScripts(), P.FixedLength(length=4)]), None, D.Fuse(), [x], None, None),
        ("digits", "words", None, P.Sequence([P.Digits(), P.Punctuation("merged_with_previous"), P.Whitespace()]), None, None, [word], None, None),
    ] + [(f"split {behavior}{' inverted' if invert else ''}", "words", None, split(behavior, invert=invert), None, None, [], None, None)
         for behavior in ("removed", "isolated", "merged_with_previous", "merged_with_next", "contiguous") for invert in (False, True)]


def build(known, row):
    name, model, normalizer, pre, post, decoder, added, truncation, padding = row
    tokenizer = Tokenizer.from_str(json.dumps({"version": "1.0", "truncation": None, "padding": None, "added_tokens": [], "normalizer": None, "pre_tokenizer": None,
                                               "post_processor": None, "decoder": None, "model": known[model]}))
    for key, value in (("normalizer", normalizer), ("pre_tokenizer", pre), ("post_processor", post), ("decoder", decoder)):
        if value is not None:
            setattr(tokenizer, key, value)
    tokenizer.add_tokens([t for t in added if not t.special])
    tokenizer.add_special_tokens([t for t in added if t.special])
    form = json.loads(tokenizer.to_str())
    form["truncation"], form["padding"] = truncation, padding
    return form, Tokenizer.from_str(json.dumps(form))


def main():
    known, rng = trained(), random.Random(5)
    rows = []
    for row in pipelines():
        form, tokenizer = build(known, row)
        names = [t["content"] for t in form["added_tokens"]]
        records = [cases.encoded(tokenizer, text, True) for text in TEXTS]
        records += [r for r in (cases.record(rng, tokenizer, names, True) for _ in range(2 if row[0].startswith("split") else 5)) if r]
        form["model"] = row[1]
        rows.append({"name": row[0], "tokenizer": form, "records": records})
    with open(os.path.join(HERE, "data", "tokenizers.jsonl"), "w", encoding="utf-8") as f:
        for line in [{"models": known}] + rows:
            f.write(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n")
    print(len(rows), "tokenizers")


main()
