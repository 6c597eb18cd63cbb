#!/usr/bin/env python3
"""Makes test/data/files: small vocabularies in the formats of other libraries, and what those answer.

    python3 test/make_file_goldens.py RANKS TEKKEN TEXT

Needs `sentencepiece` (0.2.3 was used), `tiktoken` (0.14.0), `mistral-common` (1.13.1), `transformers` (5.23), `tokenizers`
(0.23.3) and `protobuf`.  RANKS is the tiktoken file of GPT-2 (r50k_base), TEKKEN a tekken.json, TEXT a
few hundred kilobytes in the public domain, on which the SentencePiece models are trained.  Everything
is seeded.  Beside each vocabulary NAME stands NAME.jsonl with lines

    {"text" | "hex", "ids", "offsets": [[start, end]], "decoded", "parse_special": true}

where offsets are bytes, and all but the input and ids may be missing.
"""
import base64
import json
import os
import random
import sys

import sentencepiece
import tiktoken
from mistral_common.tokens.tokenizers.tekken import Tekkenizer
from sentencepiece import sentencepiece_model_pb2 as pb
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

OUT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "data", "files")
RANKS, TEKKEN, TEXT = sys.argv[1:4]
RANDOM = random.Random(11)

TEXTS = [
    "", " ", "  ", "a", " a", "a ", "  a  b  ", "\t\n\r a\u3000b\u00a0", "Hello, world!", "don't I'LL we'Ve",
    "The quick brown fox jumps over the lazy dog.", "1234567 3.14 1,000", "naïve café e\u0301 ÀÉ", "ﬁ ﬃ ① Å ㌔",
    "吾輩は猫である。名前はまだ無い。", "한국어 텍스트", "مرحبا بالعالم", "👩‍👩‍👧‍👦 🇩🇪 👍🏽", "\u2581", "a\u2581b \u2581 c\u2581",
    "\u0000a\u0000", "\ufeffbom", "zero\u200bwidth\u00ad", "x" * 70, "ab" * 40, " " * 40 + "x", "the\n\n\nend\n",
    "<unk> <s> </s> <sep> <cls>", "<sep>the<sep> of the", "[INST] hi [/INST]<s></s>[UNK][CLS]", "<0x41> ##ing",
    "ABC abc XyZ", "\ufffd\ufffd", "a\u0300\u0301\u0302", "\U0001f600\U0010ffff\ud7ff", "...,,,;;;", "...abcABC.",
]
BAD = [b"\xff", b"a\xffb", b"a b c\xe2\x82", b"\xf4\x90\x80\x80", b"\xc0\x80x", b"\xed\xa0\x80", b"ok \n \xe2(\xa1 go",
       b"\xf0\x9f\x98", b"\x80\x80\x80 word word", b"one two \xfe three"]


def texts():
    alphabet = "aAbeé ▁.,'’0１中\t\n 🙂<s>thing of"
    with open(TEXT, encoding="utf-8") as f:
        rows = [row for row in f.read().split("\n") if 20 < len(row) < 200]
    return TEXTS + ["".join(RANDOM.choices(alphabet, k=RANDOM.randrange(1, 40))) for _ in range(40)] + RANDOM.sample(rows, 20)


def write(name, records):
    with open(os.path.join(OUT, name + ".jsonl"), "w", encoding="utf-8", newline="\n") as out:
        for record in records:
            out.write(json.dumps(record, ensure_ascii=True, separators=(",", ":")) + "\n")


# ---- SentencePiece ----------------------------------------------------------------------------------


def set_unused(proto):
    for piece in proto.pieces:
        if piece.type == 1 and RANDOM.random() < 0.3:
            piece.type = 5


def set_bytes(proto):
    proto.trainer_spec.byte_fallback = True
    for b in range(256):
        proto.pieces.add(piece="<0x%02X>" % b, score=0, type=6)


def set_plain_spaces(proto):
    proto.normalizer_spec.escape_whitespaces = False


NORM, BACK = "61 62 63\t78\n41\t61\n42\t\n2E 2E 2E\t2026\n43\t20 20\n09\t20\n65 301\te9\n", "2026\t2E 2E 2E\n78\t58\n"
MODELS = {  # name: options of the trainer, and what is changed afterwards
    "bpe-bytes": (dict(model_type="bpe", byte_fallback=True, vocab_size=640, normalization_rule_name="identity"), None),
    "bpe-unused": (dict(model_type="bpe", user_defined_symbols=["<sep>", "the", "  "], vocab_size=400, add_dummy_prefix=False,
                        remove_extra_whitespaces=False, normalization_rule_name="identity"), set_unused),
    "unigram-rules": (dict(model_type="unigram", vocab_size=400, normalization_rule_tsv="norm.tsv",
                           denormalization_rule_tsv="back.tsv", unk_surface="<?>"), None),
    "unigram-users": (dict(model_type="unigram", vocab_size=400, treat_whitespace_as_suffix=True, bos_id=-1, control_symbols=["<cls>"],
                           user_defined_symbols=["<sep>", "▁of", "ing"], normalization_rule_name="identity"), None),
    "unigram-bytes": (dict(model_type="unigram", vocab_size=640, byte_fallback=True, normalization_rule_name="identity"), set_unused),
    "word-bytes": (dict(model_type="word", vocab_size=300, normalization_rule_name="identity"), set_bytes),
    "char-spaces": (dict(model_type="char", vocab_size=60, remove_extra_whitespaces=False, normalization_rule_name="identity"),
                    set_plain_spaces),
}


def sentencepiece_models(inputs):
    with open(TEXT, encoding="utf-8") as f:
        rows = f.read().split("\n")[:4000]
    for name, rules in (("norm.tsv", NORM), ("back.tsv", BACK)):
        with open(name, "w", encoding="utf-8") as f:
            f.write(rules)
    for name, (options, change) in MODELS.items():
        sentencepiece.SentencePieceTrainer.train(sentence_iterator=iter(rows), model_prefix="small", num_threads=1, minloglevel=2,
                                                 hard_vocab_limit=False, character_coverage=0.99, **options)
        proto = pb.ModelProto()
        with open("small.model", "rb") as f:
            proto.ParseFromString(f.read())
        if change:
            change(proto)
        del proto.trainer_spec.input[:]
        path = os.path.join(OUT, name + ".model")
        with open(path, "wb") as f:
            f.write(proto.SerializeToString())
        sp = sentencepiece.SentencePieceProcessor(model_file=path)
        records = []
        for key, data in [("text", t) for t in inputs] + [("hex", b) for b in BAD]:
            pieces = sp.encode(data, return_type="proto").pieces
            ids = [p.id for p in pieces]
            records.append({key: data if key == "text" else data.hex(), "ids": ids, "offsets": [[p.begin, p.end] for p in pieces],
                            "decoded": sp.decode(ids)})
        for _ in range(30):
            ids = RANDOM.choices(range(sp.get_piece_size()), k=12)
            records.append({"ids": ids, "decoded": sp.decode(ids)})
        write(name + ".model", records)
    for name in ("norm.tsv", "back.tsv", "small.model", "small.vocab"):
        os.remove(name)


# ---- tiktoken and tekken ----------------------------------------------------------------------------

PATTERN = r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
GAPS = r"\p{L}+|\p{N}{1,2}"  # leaves text out
SPECIALS = {"<s>": 700, "</s>": 701, "<|end|>": 705}


def tiktoken_file(inputs):
    with open(RANKS, "rb") as f:
        lines = f.read().split(b"\n")[:600]
    with open(os.path.join(OUT, "small.tiktoken"), "wb") as f:
        f.write(b"\n".join(lines) + b"\n")
    ranks = {base64.b64decode(line.split()[0]): int(line.split()[1]) for line in lines}
    settings = {}
    for name, pattern in (("small", PATTERN), ("gaps", GAPS)):
        settings[name] = {"file": name + ".tiktoken", "pattern": pattern, "special_tokens": SPECIALS}
        enc = tiktoken.Encoding(name, pat_str=pattern, mergeable_ranks=ranks, special_tokens=SPECIALS)
        records = []
        for text in inputs:
            records.append({"text": text, "ids": enc.encode(text, disallowed_special=()), "parse_special": False})
            records.append({"text": text, "ids": enc.encode(text, allowed_special="all"), "parse_special": True})
        if name == "small":
            records += [{"hex": data.hex(), "ids": enc._encode_bytes(data)} for data in BAD]
        for _ in range(20):
            ids = RANDOM.choices(range(600), k=12)
            records.append({"ids": ids, "decoded": enc.decode(ids)})
        write(name + ".tiktoken", records)
    with open(os.path.join(OUT, "tiktoken.json"), "w", encoding="utf-8") as f:
        json.dump(settings, f, indent=1)
        f.write("\n")


def tekken_file(inputs):
    with open(TEKKEN, encoding="utf-8") as f:
        form = json.load(f)
    form = {"config": dict(form["config"], num_vocab_tokens=500, default_vocab_size=620, default_num_special_tokens=120),
            "vocab": [dict(v, token_str=None) for v in form["vocab"][:510]]}
    path = os.path.join(OUT, "small-tekken.json")
    with open(path, "w", encoding="utf-8") as f:
        f.write(json.dumps(form, separators=(",", ":")) + "\n")
    tekken = Tekkenizer.from_file(path)
    records = [{"text": text, "ids": tekken.encode(text, bos=False, eos=False)} for text in inputs]
    for _ in range(30):
        ids = RANDOM.choices(range(620), k=12)
        records.append({"ids": ids, "decoded": tekken.decode(ids)})
    write("small-tekken.json", records)


# ---- vocab.txt --------------------------------------------------------------------------------------


def vocab_txt(inputs):
    """The steps of transformers' BertTokenizer, with the library that it stands on."""
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "quick", "##s", "##ing", "th", "jump", "lazy", "naive", "cafe", "don",
             "'", "t", "##t", ",", ".", "!", "a", "b", "##b", "##a", "hello", "world", "吾", "猫", "한국어", "Hello", "1", "##2", "##3"]
    folder = os.path.join(OUT, "bert")
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "vocab.txt"), "w", encoding="utf-8", newline="\n") as f:
        f.write("\n".join(words) + "\n")
    for cased in (False, True):
        tok = Tokenizer(models.WordPiece({w: i for i, w in enumerate(words)}, unk_token="[UNK]"))
        tok.normalizer = normalizers.BertNormalizer(clean_text=True, handle_chinese_chars=not cased, strip_accents=None, lowercase=not cased)
        tok.pre_tokenizer, tok.decoder = pre_tokenizers.BertPreTokenizer(), decoders.WordPiece(prefix="##")
        tok.add_special_tokens(words[:5])
        tok.post_processor = processors.TemplateProcessing(single="[CLS]:0 $A:0 [SEP]:0", pair="[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1",
                                                           special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
        records = []
        for text in inputs:
            ids = tok.encode(text, add_special_tokens=False).ids
            records.append({"text": text, "ids": ids, "decoded": tok.decode(ids), "parse_special": True})
        write("bert-cased" if cased else "bert", records)


def vocab_json(inputs):
    """The steps of transformers' GPT2Tokenizer, with the library that it stands on."""
    folder = os.path.join(OUT, "gpt2")
    os.makedirs(folder, exist_ok=True)
    tok = Tokenizer(models.BPE())
    tok.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(vocab_size=420, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False)
    with open(TEXT, encoding="utf-8") as f:
        tok.train_from_iterator(f.read().split("\n")[:3000], trainer)
    tok.model.save(folder)
    tok = Tokenizer(models.BPE.from_file(os.path.join(folder, "vocab.json"), os.path.join(folder, "merges.txt")))
    tok.pre_tokenizer, tok.decoder = pre_tokenizers.ByteLevel(add_prefix_space=True), decoders.ByteLevel()
    tok.add_special_tokens(["<s>", "<|endoftext|>"])
    with open(os.path.join(folder, "tokenizer_config.json"), "w", encoding="utf-8") as f:
        f.write('{"add_prefix_space": true, "bos_token": "<s>", "add_bos_token": true}\n')
    records = []
    for text in inputs:
        ids = tok.encode(text, add_special_tokens=False).ids
        records.append({"text": text, "ids": ids, "decoded": tok.decode(ids), "parse_special": True})
        records.append({"text": text, "ids": [tok.token_to_id("<s>")] + ids, "parse_special": True, "special": True})
    write("gpt2", records)


def vocab_classes(inputs):
    """Classes of transformers whose files are the same and whose steps are not."""
    from transformers import AutoTokenizer
    with open(os.path.join(OUT, "gpt2", "vocab.json"), encoding="utf-8") as f:
        pieces = [p for p in json.load(f) if p not in ("<s>", "<|endoftext|>")]
    with open(os.path.join(OUT, "gpt2", "merges.txt"), encoding="utf-8") as f:
        merges = f.read()
    tok = Tokenizer(models.BPE(end_of_word_suffix="</w>"))
    tok.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(vocab_size=700, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), end_of_word_suffix="</w>",
                                  show_progress=False)
    with open(TEXT, encoding="utf-8") as f:
        tok.train_from_iterator(f.read().lower().split("\n")[:3000], trainer)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    clip = [*alphabet, *(a + "</w>" for a in alphabet)]
    clip += [p for p in tok.get_vocab() if p not in clip] + ["<|startoftext|>", "<|endoftext|>"]
    clip_merges = "\n".join(" ".join(m) for m in json.loads(tok.to_str())["model"]["merges"])
    im_start = {"content": "<|im_start|>", "lstrip": False, "normalized": False, "rstrip": False, "single_word": False, "special": True}
    with open(os.path.join(OUT, "bert", "vocab.txt"), encoding="utf-8") as f:
        words = f.read().replace("[PAD]", "<pad>").replace("[CLS]", "<s>").replace("[SEP]", "</s>").replace("[MASK]", "<mask>")
    classes = {
        "roberta": ({"tokenizer_class": "BartTokenizerFast"}, ["<s>", "<pad>", "</s>", "<unk>", *pieces, "<mask>"], merges),
        "qwen2": ({"tokenizer_class": "Qwen2Tokenizer", "added_tokens_decoder": {
            "500": dict(im_start, content="<|endoftext|>"), "501": im_start}, "eos_token": "<|im_start|>"}, pieces, merges),
        "clip": ({"tokenizer_class": "CLIPTokenizer"}, clip, "#version: 0.2\n" + clip_merges),
        "mpnet": ({"tokenizer_class": "MPNetTokenizer"}, None, words),
    }
    for name, (settings, vocab, other) in classes.items():
        folder = os.path.join(OUT, name)
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, "tokenizer_config.json"), "w", encoding="utf-8") as f:
            f.write(json.dumps(settings) + "\n")
        if vocab:
            with open(os.path.join(folder, "vocab.json"), "w", encoding="utf-8") as f:
                f.write(json.dumps({p: i for i, p in enumerate(vocab)}, ensure_ascii=False) + "\n")
        with open(os.path.join(folder, "merges.txt" if vocab else "vocab.txt"), "w", encoding="utf-8", newline="\n") as f:
            f.write(other)
        tok, records = AutoTokenizer.from_pretrained(folder), []
        for text in [*inputs, "a <mask> b</s> <|im_start|><|endoftext|>"]:
            ids = tok.encode(text, add_special_tokens=False)
            records.append({"text": text, "ids": ids, "parse_special": True})
            records.append({"text": text, "ids": tok.encode(text), "parse_special": True, "special": True})
        write(name, records)


def main():
    os.makedirs(OUT, exist_ok=True)
    inputs = texts()
    sentencepiece_models(inputs)
    tiktoken_file(inputs)
    tekken_file(inputs)
    vocab_txt(inputs)
    vocab_json(inputs)
    vocab_classes(inputs)


main()
