#!/usr/bin/env python3
"""Makes test/data/text: small vocabularies, texts, and what the field's own tokenizers answer.

    python3 test/make_text_goldens.py TOKENIZER_JSON LICENCE_FREE_TEXT

Needs `tokenizers` (0.23.3 was used) and `sentencepiece` (0.2.2).  TOKENIZER_JSON is the byte-level BPE
tokenizer of the built-in model, the text is any few hundred kilobytes in the public domain: the
SentencePiece models are trained on it.  Everything is seeded.  Written are

    pre.jsonl        {"name", "text", "ends"}: where each pre-tokenizer cuts, as byte positions
    bpe.json         a vocabulary: model, pre, tokens, types, scores, merges, flags
    bpe.jsonl        {"text", "ids"}
    spm-*.json[l]    the same for SentencePiece BPE with various options

The patterns below are those of the original releases (llama.cpp quotes them where it changed them).
"""
import json
import os
import random
import sys

import sentencepiece
from sentencepiece import sentencepiece_model_pb2 as pb
from tokenizers import Regex, Tokenizer, pre_tokenizers as P

OUT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "data", "text")
RANDOM = random.Random(7)

# ---- pre-tokenizers ---------------------------------------------------------------------------------

BYTES = P.ByteLevel(add_prefix_space=False, use_regex=False)
GPT2 = P.ByteLevel(add_prefix_space=False)
GPT2_PATTERN = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
SUFFIX = "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
SPACES = r"|\s*[\r\n]+|\s+(?!\S)|\s+"
LLAMA3 = SUFFIX + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*" + SPACES
QWEN2 = LLAMA3.replace("{1,3}", "")
JAIS2 = LLAMA3.replace(r"|\s+(?!\S)|\s+", "".join(r"|\s{%d}(?!\S)" % 2**n for n in range(9, 1, -1)) + r"|\s{1,2}(?!\S)|\s{1}")
UPPER, LOWER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
BLOOM = " ?[^(\\s|[.,!?…。，、।۔،])]+"
NUMBERS = r"\p{N}{1,3}"
HAN_KANA = "[一-龥぀-ゟ゠-ヿ]+"
DEEPSEEK3 = ("[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\r\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+"
             "| ?[\\p{P}\\p{S}]+")
DEEPSEEK_ASIAN = "[\u4e00-\u9fa5\u0800-\u4e00\uac00-\ud7ff]+"
DEEPSEEK_SYMBOLS = "\\s?[!-/:-~\uff01-\uff0f\uff1a-\uff5e\u2018-\u201f\u3000-\u3002]+"
DEEPSEEK_LETTERS = (
    "\\s?[A-Za-z\u00b5\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u01ba\u01bc-\u01bf\u01c4-\u0293\u0295-\u02af\u0370-\u0373"
    "\u0376\u0377\u037b-\u037d\u037f\u0386\u0388-\u038a\u038c\u038e-\u03a1\u03a3-\u03f5\u03f7-\u0481\u048a-\u052f"
    "\u0531-\u0556\u10a0-\u10c5\u13a0-\u13f5\u13f8-\u13fd\u1c90-\u1cba\u1cbd-\u1cbf\u1d00-\u1d2b\u1d6b-\u1d77\u1d79"
    "-\u1d9a\u1e00-\u1f15\u1f18-\u1f1d\u1f20-\u1f45\u1f48-\u1f4d\u1f50-\u1f57\u1f59\u1f5b\u1f5d\u1f5f-\u1f7d\u1f80-"
    "\u1fb4\u1fb6-\u1fbc\u1fbe\u1fc2-\u1fc4\u1fc6-\u1fcc\u1fd0-\u1fd3\u1fd6-\u1fdb\u1fe0-\u1fec\u1ff2-\u1ff4\u1ff6-"
    "\u1ffc\u2102\u2107\u210a-\u2113\u2115\u2119-\u211d\u2124\u2126\u2128\u212a-\u212d\u212f-\u2134\u2139\u213c-"
    "\u213f\u2145-\u2149\u214e\u2183\u2184\u2c00-\u2c7b\u2c7e-\u2ce4\u2ceb-\u2cee\u2cf2\u2cf3\ua640-\ua66d\ua680-"
    "\ua69b\ua722-\ua76f\ua771-\ua787\ua78b-\ua78e\uab70-\uabbf\ufb00-\ufb06\ufb13-\ufb17\uff21-\uff3a\uff41-\uff5a"
    "\U00010400-\U0001044f\U000104b0-\U000104d3\U000104d8-\U000104fb\U00010c80-\U00010cb2\U00010cc0-\U00010cf2"
    "\U000118a0-\U000118df\U0001e900-\U0001e943]+")

YOUTU = "[가-힣ㄱ-ㆎ]+|[！…“”‘’—：；，、-〿︰-﹏]+|[ㄅ-ㄯ]+|" + HAN_KANA


def cased(upper, lower, suffix, digits, behind):
    head = r"[^\r\n\p{L}\p{N}]?"
    return (f"{head}{upper}*{lower}+{suffix}|{head}{upper}+{lower}*{suffix}|{digits}"
            rf"| ?[^\s\p{{L}}\p{{N}}]+{behind}*" + SPACES)


GPT4O = cased(UPPER, LOWER, SUFFIX + "?", NUMBERS, "[\r\n/]")
KIMI = r"[\p{Han}]+|" + cased(UPPER[:-1] + r"&&[^\p{Han}]]", LOWER[:-1] + r"&&[^\p{Han}]]", SUFFIX + "?", NUMBERS, "[\r\n]")


def stages(*parts):
    """Each part cuts the pieces of those before it: a pattern (Isolated) or a pre-tokenizer."""
    return P.Sequence([P.Split(Regex(p), "isolated") if isinstance(p, str) else p for p in parts])


PRE = {
    "gpt-2": GPT2,
    "default": stages("[\\p{P}\\$\\+<=>\\^~\\|]+", GPT2_PATTERN, "\\p{N}+", "[0-9][0-9][0-9]", BYTES),
    "llama3": stages(LLAMA3, BYTES),
    "minicpm5": stages(NUMBERS, LLAMA3.replace("{1,3}", "+"), BYTES),
    "jais-2": stages(JAIS2, BYTES),
    "qwen2": stages(QWEN2, BYTES),
    "qwen35": stages(SUFFIX + r"|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*" + SPACES, BYTES),
    "starcoder": stages(P.Digits(True), GPT2),
    "falcon": stages(P.Punctuation("contiguous"), GPT2, P.Digits(False), "[0-9][0-9][0-9]"),
    "deepseek-llm": stages("[\r\n]", DEEPSEEK_LETTERS, DEEPSEEK_SYMBOLS, "\\s+$", DEEPSEEK_ASIAN, P.Digits(True), BYTES),
    "deepseek-coder": stages("[\r\n]", "\\s?\\p{L}+", "\\s?\\p{P}+", DEEPSEEK_ASIAN, P.Digits(True), BYTES),
    "deepseek-v3": stages(NUMBERS, HAN_KANA, DEEPSEEK3 + "[\r\n]*" + SPACES, BYTES),
    "spark2_5": stages(NUMBERS, HAN_KANA, DEEPSEEK3 + r"|[\r\n]|\s+(?!\S)|\s+", r"\p{N}", BYTES),
    "youtu": stages(YOUTU, cased(UPPER, LOWER, SUFFIX + "?", r"\p{N}", "[\r\n/]"), BYTES),
    "bloom": stages(BLOOM, BYTES),
    "viking": stages(BLOOM, P.Digits(True), BYTES),
    "tekken": stages(cased(UPPER, LOWER, "", r"\p{N}", "[\r\n/]"), BYTES),
    "gpt-4o": stages(GPT4O, BYTES),
    "tiny_aya": stages(r"\d{1,3}(?=(?:\d{3})*\b)", GPT4O, BYTES),
    "kimi-k2": stages(KIMI, BYTES),
    "superbpe": stages(r"\p{N}+", r"(?=(\d{3})+(?!\d))", BYTES),
    "bailingmoe": stages(r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]++[\r\n]*"
                         r"|\s*[\r\n]|\s+(?!\S)|\s+", BYTES),
    "seed-coder": stages(SUFFIX + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1}| ?[^\s\p{L}\p{N}\r\n]+" + SPACES, BYTES),
    "ufakzeka": stages(QWEN2[len(SUFFIX) + 1:], BYTES),
    "laguna": stages(r"[^\n]+|[\n]+", QWEN2, BYTES),
    "exaone-moe": stages(SUFFIX + r"|[^\r\n\p{L}\p{N}]?(?:\p{L}\p{M}*(?: \p{L}\p{M}*)*)+|\p{N}"
                         r"| ?[^\s\p{L}\p{N}]+[\r\n/]?|\s*[\r\n]|\s+(?!\S)|\s+", BYTES),
    "chameleon": stages("<sentinel:[0-9]+>", "(IMGIMG)((A|B|C|D|E|F|G|H|I){1,4})Z", "([\\t\\n]|    |  )",
                        P.Digits(True), "[\\p{P}!-/:-@\\[-`{-~]", GPT2),
}

PARTS = [
    "a", "b", "Z", "A", "s", "S", "t", "re", "LL", "'", "'s", "'T", "'re", "'LL", "'ſ", "1", "2", "123", "4567", "½",
    "٣", "Ⅷ", " ", "  ", "    ", " " * 9, " " * 70, "\n", "\r\n", "\n\n", "\t", "\u00a0", "\u3000", "\u2028", "\u2029",
    "\u0085", "\x00", "\x01", "!", "?", ".", ",", "/", "//", "\\", "-", "(", "|", "…", "。", "，", "、", "।", "“", "中",
    "文字", "〇", "⺀", "かな", "カナ", "한국", "ㄱ", "ㄅ", "é", "e\u0301", "\u0301", "\u0300\u0302", "ऩ", "ि", "ा", "ไ", "ǅ",
    "ß", "ʰ", "ª", "Ж", "ж", "Ω", "€", "$", "+", "<", "=", "~", "^", "`", "😀", "👍🏽", "\u200d", "\ufe0f", "\ud7ff",
    "\ue000", "\U0001F1E6", "\U00010400", "IMGIMGABZ", "IMGIMG", "<sentinel:12>", "<sentinel:", "Ꭰᏸ", "ⅷ", "²", "_",
    "\u0378", "\uff10", "ﬁ", "'d ", "ÿ", "\u1885", "㊀",
]


def random_text():
    """Pieces that patterns treat apart; sometimes any characters below U+3000 between them."""
    wild = RANDOM.random() < 0.25
    return "".join(chr(RANDOM.randrange(0x20, 0x3000)) if wild and RANDOM.random() < 0.5 else RANDOM.choice(PARTS)
                   for _ in range(RANDOM.randint(1, 20)))


def pre_goldens():
    for name, pre in PRE.items():
        for _ in range(60):
            text, at, ends = random_text(), 0, []
            for piece, _ in pre.pre_tokenize_str(text):  # one character of a piece is one byte
                at += len(piece)
                ends.append(at)
            assert at == len(text.encode())
            yield {"name": name, "text": text, "ends": ends}


# ---- vocabularies -----------------------------------------------------------------------------------


def natural(text):
    lines = [line for line in text.split("\n") if line]
    return [RANDOM.choice(lines)[:RANDOM.randint(1, 160)] for _ in range(60)]


def bpe(path, texts):
    tok = Tokenizer.from_file(path)
    spec = json.loads(tok.to_str())
    added = {t["id"]: t for t in spec["added_tokens"]}
    vocab = {**spec["model"]["vocab"], **{t["content"]: i for i, t in added.items()}}
    tokens = sorted(vocab, key=vocab.get)
    write("bpe", {
        "model": "gpt2", "pre": "gpt-2", "tokens": tokens, "types": [3 if i in added else 1 for i in range(len(tokens))],
        "merges": [" ".join(m) for m in spec["model"]["merges"]],
    }, [{"text": t, "ids": tok.encode(t, add_special_tokens=False).ids} for t in texts])


def decoded(tok, ids):
    """Inox leaves unknown tokens out, SentencePiece writes a sign for them."""
    return {} if tok.unk_id() in ids else {"decoded": tok.decode(ids)}


def spm(name, text, texts, unused=(), **options):
    path = os.path.join("/tmp", "make_text_goldens." + name)
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(text.split("\n")[:3000]), model_prefix=path, model_type="bpe", vocab_size=700,
        normalization_rule_name="identity", minloglevel=2, num_threads=1, **options)
    proto = pb.ModelProto()
    with open(path + ".model", "rb") as f:
        proto.ParseFromString(f.read())
    for i in unused:
        proto.pieces[i].type = 5
    tok = sentencepiece.SentencePieceProcessor(model_proto=proto.SerializeToString())
    write("spm-" + name, {
        "model": "llama", "tokens": [p.piece for p in proto.pieces], "types": [p.type for p in proto.pieces],
        "scores": [p.score for p in proto.pieces],
        "add_space_prefix": int(proto.normalizer_spec.add_dummy_prefix),
        "remove_extra_whitespaces": int(proto.normalizer_spec.remove_extra_whitespaces),
        "unknown": proto.trainer_spec.unk_id,
    }, [{"text": t, "ids": tok.encode(t), **decoded(tok, tok.encode(t))} for t in texts])


def write_lines(name, records):
    with open(os.path.join(OUT, name + ".jsonl"), "w", encoding="utf-8") as f:
        for record in records:
            f.write(json.dumps(record, ensure_ascii=True, separators=(",", ":")) + "\n")


def write(name, vocabulary, records):
    with open(os.path.join(OUT, name + ".json"), "w", encoding="utf-8") as f:
        json.dump(vocabulary, f, ensure_ascii=True, separators=(",", ":"))
        f.write("\n")
    write_lines(name, records)


def main():
    os.makedirs(OUT, exist_ok=True)
    write_lines("pre", pre_goldens())
    with open(sys.argv[2], encoding="utf-8") as f:
        text = f.read()[:400000]
    texts = ["", " ", "a", "\n", "  two  spaces  ", "x" * 300, " " * 300, "ab" * 200] + natural(text)
    texts += [random_text() for _ in range(130)]
    bpe(sys.argv[1], texts)
    sp_texts = [t for t in texts if "\x00" not in t]
    spm("bytes", text, sp_texts, byte_fallback=True, remove_extra_whitespaces=False,
        user_defined_symbols=["<x>", "LL", "\u2581" * 3])
    spm("unknown", text, sp_texts, remove_extra_whitespaces=True)
    spm("unused", text, sp_texts, remove_extra_whitespaces=False, add_dummy_prefix=False, byte_fallback=True,
        unused=range(260, 420, 3))


main()
