#!/usr/bin/env python3
"""Random tokenizer.json files and what Hugging Face's library makes of random texts.

    make_tokenizer_cases.py SHARED_TOKENIZERS OUT_DIR [SEED [FILES [RECORDS]]]
    INOX_TOKENIZER_CASES=OUT_DIR build/test/inox-test tokenizers_given

The models, normalizers, pre-tokenizers, post-processors and decoders are those of
SHARED_TOKENIZERS/components, put together anew, with random added tokens, truncation and padding.
Needs the Python package tokenizers (0.23).  Records are those of SHARED_TOKENIZERS/README.md, and
word_ids besides.
"""
import glob
import json
import os
import random
import resource
import sys

from tokenizers import Tokenizer

LETTERS = ["a", "b", "the", "King", "WORD", "word", "é", "e\u0301", "ß", "İ", "ſ", "Å", "ﬁ", "日本", "語", "吾輩は", "한국", "\u1100\u1161\u11a8", "नमस्ते", "สวัสดี", "שלום", "مرحبا", "Ω", "😀", "👩\u200d💻",
           "🇩🇪", "x\u0323\u0307", "½", "²", "Ⅷ", "٣", "１２", "7", "1234567", "\u0345", "ﬀ", "ǆ", "\U0001d400", "\ufeff", "\u200b", "\u00ad", "\u200d", "_", "'s", "'LL", "don't", "I'm", "▁", "Ġ", "Ċ", "##a", "@@", "</w>", "<0x41>", "ạ̈"]
SPACES = [" ", " ", " ", "  ", "   ", "\n", "\n\n", "\t", "\r\n", "\u00a0", "\u3000", "\u2028", "\u0085", "\u2009", "\x0b", "\x1c", " \n "]
MARKS = [".", ",", "!", "?", "--", "...", "。", "、", "“", "”", "$", "+", "=", "^", "`", "~", "<", ">", "|", "[", "]", "(", ")", "#", "@", "&", "*", "/", "\\", "\x00", "\x07", "\x7f", "\ufffd", "\ue000", "\U000e0001", "€", "©", "–"]


def text(rng, tokens, short=False):
    out = []
    for _ in range(rng.choice([0, 1, 2, 4] if short else [0, 1, 2, 4, 8, 16, 40])):
        kind = rng.random()
        if kind < 0.42:
            out.append(rng.choice(LETTERS))
        elif kind < 0.70:
            out.append(rng.choice(SPACES))
        elif kind < 0.82:
            out.append(rng.choice(MARKS))
        elif kind < 0.95 and tokens:
            t = rng.choice(tokens)
            out.append(rng.choice([t, t, t, t.upper(), t[:-1], t[1:], t + t]))
        elif kind < 0.99:
            out.append(chr(rng.choice([rng.randrange(0x20, 0x250), rng.randrange(0x300, 0xd800), rng.randrange(0xe000, 0x30000)])))
        else:
            out.append(rng.choice(LETTERS + SPACES) * rng.randrange(2, 5 if short else 60))
    return "".join(out)


def load(path):
    with open(path, encoding="utf-8") as f:
        return json.load(f)


def added_tokens(rng, base, form):
    """Random tokens; those of the file stay.  Ids do not count for the library."""
    names = []
    tokens = list(form.get("added_tokens") or [])
    for _ in range(rng.choice([0, 1, 2, 5])):
        kind = rng.random()
        if kind < 0.5:
            content = rng.choice(["<tok>", "<|x|>", "<tok><tok>", "<to", "[X]", "▁t", "<a>", "<ab>", "<abc>", "</s>", "İ<", "É", "<é>", "日本"])
        elif kind < 0.8:
            content = "".join(rng.choice(LETTERS + SPACES) for _ in range(rng.randrange(1, 3)))
        else:
            content = rng.choice([" ", "  ", "    ", "\n", "\n\n", "\t", "a", "the", "word", "WORD", " word", "word "])
        flags = {k: rng.random() < p for k, p in (("single_word", 0.25), ("lstrip", 0.3), ("rstrip", 0.3), ("normalized", 0.5), ("special", 0.4))}
        tokens.append({"id": 900000 + len(tokens), "content": content, **flags})
        names.append(content)
    form["added_tokens"] = tokens
    return names + [t["content"] for t in tokens]


def make_file(rng, models, parts):
    form = json.loads(json.dumps(rng.choice(models)))
    kinds = (("normalizer", "normalizers", 0.6), ("pre_tokenizer", "pre_tokenizers", 0.4), ("post_processor", "post_processors", 0.6), ("decoder", "decoders", 0.4))
    for key, kind, chance in kinds:
        if rng.random() < chance:
            form[key] = rng.choice([None] + list(parts[kind].values()) * 1)
    names = added_tokens(rng, None, form)
    if rng.random() < 0.3:
        form["truncation"] = {"direction": rng.choice(["Left", "Right"]), "max_length": rng.randrange(0, 24), "strategy": rng.choice(["LongestFirst", "LongestFirst", "OnlyFirst", "OnlySecond"]), "stride": rng.choice([0, 0, 1, 2, 5])}
    if rng.random() < 0.3:
        form["padding"] = {"strategy": rng.choice(["BatchLongest", {"Fixed": rng.randrange(0, 40)}]), "direction": rng.choice(["Left", "Right"]), "pad_to_multiple_of": rng.choice([None, None, 0, 4, 8]), "pad_id": rng.randrange(0, 9),
                           "pad_type_id": rng.choice([0, 1, 7]), "pad_token": "[PAD]"}
    return form, names


def fields(e, tok):
    out = {"ids": e.ids, "offsets": [list(o) for o in e.offsets], "type_ids": e.type_ids, "special_mask": e.special_tokens_mask, "attention_mask": e.attention_mask, "word_ids": e.word_ids}
    if e.overflowing:
        out["overflow"] = [{"ids": o.ids, "offsets": [list(p) for p in o.offsets]} for o in e.overflowing]
    return out


def finished(r, e, tok):
    r.update(fields(e, tok))
    if any(e.type_ids) is False:
        del r["type_ids"]
    try:
        r["decoded"] = tok.decode(e.ids, skip_special_tokens=True)
        r["decoded_with_special"] = tok.decode(e.ids, skip_special_tokens=False)
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        r.pop("decoded", None)
    return r


def encoded(tok, content, special):
    """The record of one text."""
    tok.encode_special_tokens = False
    return finished({"special": special, "text": content}, tok.encode(content, add_special_tokens=special), tok)


def record(rng, tok, names, cut):
    # The library copies windows into windows: two long texts with truncation would fill the memory.
    kind, special, parse = rng.random(), rng.random() < 0.6, rng.random() < 0.8
    r = {"special": special}
    if not parse:
        r["parse_special"] = False
    tok.encode_special_tokens = not parse
    try:
        if kind < 0.65:
            r["text"] = text(rng, names, cut)
            e = tok.encode(r["text"], add_special_tokens=special)
        elif kind < 0.8:
            r["text"], r["pair"] = text(rng, names, cut), text(rng, names, cut)
            e = tok.encode(r["text"], r["pair"], add_special_tokens=special)
        elif kind < 0.9:
            r["words"] = [text(rng, names, cut)[:20] for _ in range(rng.randrange(0, 7))]
            e = tok.encode(r["words"], is_pretokenized=True, add_special_tokens=special)
        else:
            pairs = rng.random() < 0.4
            r["batch"] = [[text(rng, names, cut), text(rng, names, cut)] if pairs else text(rng, names, cut) for _ in range(rng.randrange(1, 5))]
            r["encodings"] = [fields(e, tok) for e in tok.encode_batch([tuple(b) if pairs else b for b in r["batch"]], add_special_tokens=special)]
            return r
    except BaseException as error:  # the bindings raise PanicException, which is no Exception
        if isinstance(error, KeyboardInterrupt):
            raise
        r["error"] = str(error)[:80]
        # White space that two added tokens take, one rstrip, one lstrip, is a panic of the library's.
        return None if "bad split" in r["error"] else r
    return finished(r, e, tok)


def is_undefined(tok, form):
    """Of added tokens that are equal once they are normalized, the library takes another one in every process;
    where nothing is left of one, it splits everywhere, inside of characters too."""
    normal = lambda t: tok.normalizer.normalize_str(t["content"]) if tok.normalizer and t["normalized"] else t["content"]
    contents = {t["content"]: t for t in form["added_tokens"]}
    seen = [normal(t) for t in contents.values() if t["normalized"]]
    return len(set(seen)) < len(seen) or "" in seen


def write_records(path, tok, rng, names, cut, count):
    with open(path, "w", encoding="utf-8") as f:
        for _ in range(count):
            r = record(rng, tok, names, cut)
            if r:
                f.write(json.dumps(r) + "\n")
                f.flush()


def main():
    resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
    shared, out = sys.argv[1], sys.argv[2]
    seed, files, records = (int(sys.argv[i]) if len(sys.argv) > i else usual for i, usual in ((3, 1), (4, 100), (5, 50)))
    rng = random.Random(seed)
    folder = os.path.join(shared, "components")
    parts = {kind: load(os.path.join(folder, kind + ".json")) for kind in ("normalizers", "pre_tokenizers", "post_processors", "decoders")}
    # Strip leaves nothing of added tokens that are white space: the library then splits everywhere.
    parts["normalizers"] = {k: v for k, v in parts["normalizers"].items() if not k.startswith("strip") or k == "strip-accents"}
    models = [load(p) for p in sorted(glob.glob(os.path.join(folder, "*.json"))) if os.path.basename(p)[:-5] not in parts]
    os.makedirs(out, exist_ok=True)
    made = 0
    for i in range(files):
        form, names = make_file(rng, models, parts)
        seed_of_file = rng.random()
        try:
            tok = Tokenizer.from_str(json.dumps(form))
        except Exception:
            continue
        if is_undefined(tok, form):
            continue
        made += 1
        base = os.path.join(out, f"case-{seed}-{i:04d}.json")
        with open(base, "w", encoding="utf-8") as f:
            json.dump(form, f, ensure_ascii=False)
        sys.stdout.flush()
        child = os.fork()  # the library aborts on some of its panics: what was written counts
        if child == 0:
            write_records(base + "l", tok, random.Random(seed_of_file), names, bool(form.get("truncation")), records)
            os._exit(0)
        os.waitpid(child, 0)
    print(f"{made} files in {out}")


if __name__ == "__main__":
    main()
