#!/usr/bin/env python3
"""The same texts through the format's own library and through inox: bytes, tokens, differences.

    compare_tokenizers.py DATA [--inox PROGRAM] [--family NAME]... [--file VOCABULARY]... [--megabytes 100]
                          [--seed 1] [--json FILE]

--file: a tokenizer.json, a SentencePiece model, tekken.json, or a tiktoken file with tiktoken.json beside it,
instead of the families.  DATA is the folder with tokenizers/, vocab/ and text/ (../shared/data).  Needs numpy, tokenizers, tiktoken,
sentencepiece and, for the vocabularies that only a GGUF file holds, gguf.  Texts come from a seed: half
natural (books in English and Japanese, mixed, mutated), half synthetic (any characters, runs, code, numbers,
emoji, white space, special tokens' spellings; bytes that are not UTF-8 where the library takes them).  Ids
of all texts are compared, offsets where the library gives them, decoded text for every tenth.  A difference
is cut down to a short text that still shows it.  Exit status 1 if there is one.
"""
import argparse
import base64
import json
import os
import random
import subprocess
import sys
import tempfile
import time
import unicodedata

import numpy

os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")

CONTROL, USER, BYTE = 3, 4, 6  # types of pieces in GGUF
LLAMA3 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|"
          r"\s+(?!\S)|\s+")
QWEN2 = LLAMA3.replace("{1,3}", "")


# ---- texts -----------------------------------------------------------------------------------------

BLOCKS = [(0x20, 0x7E), (0xA0, 0xFF), (0x100, 0x24F), (0x250, 0x2FF), (0x300, 0x36F), (0x370, 0x3FF), (0x400, 0x52F),
          (0x530, 0x5FF), (0x600, 0x6FF), (0x700, 0x8FF), (0x900, 0xDFF), (0xE00, 0x10FF), (0x1100, 0x11FF),
          (0x1200, 0x1BFF), (0x1C00, 0x1FFF), (0x2000, 0x206F), (0x2070, 0x2BFF), (0x2C00, 0x2DFF), (0x2E00, 0x2FFF),
          (0x3000, 0x30FF), (0x3100, 0x33FF), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xA000, 0xABFF), (0xAC00, 0xD7A3),
          (0xE000, 0xF8FF), (0xF900, 0xFAFF), (0xFB00, 0xFDFF), (0xFE00, 0xFEFF), (0xFF00, 0xFFFD), (0x10000, 0x10FFF),
          (0x11000, 0x12FFF), (0x1D000, 0x1D7FF), (0x1F000, 0x1FAFF), (0x20000, 0x2FA1F), (0xE0000, 0xE01FF),
          (0x100000, 0x10FFFD)]
SPACES = [" ", "  ", "\t", "\n", "\r\n", "\r", "\u00a0", "\u3000", "\u2028", "\u0085", "\v", "\f", "\u200b", "\ufeff", "\u2009"]
CODE = ["if", "(", ")", "{", "}", "[", "]", "->", "==", "!=", "+=", "::", "//", "/*", "*/", "#include", "return", "def ",
        "lambda", "self.", "0x", "'", "\"", "\\n", ";", ", ", "\n", "\n    ", "\t\t", "<div>", "&amp;", "fooBar", "HTTPServer",
        "snake_case", "$x", "@y", "...", "i++", "%s", "async fn", "'s", "'LL", "’s", "_", "__init__"]
EMOJI = ["😀", "👍🏽", "👩‍👩‍👧‍👦", "🇩🇪", "❤️", "1️⃣", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "🧑🏾‍🚀", "☎︎", "✨", "🫠"]


def characters(rng, count):
    out = []
    while len(out) < count:
        first, last = rng.choice(BLOCKS)
        out += [chr(rng.randint(first, last)) for _ in range(rng.choice((1, 2, 5, 20)))]
        if rng.random() < 0.3:
            out.append(rng.choice(SPACES))
    return "".join(out[:count])


def words(rng, count):
    pools = ("abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJ", "0123456789", "абвгдеж", "éàüßñçøåæœ", "漢字日本語の", "ｱｲｳ１２３", "'’-.,;:!?", "ابتث", "한국어")
    out = []
    while len(out) < count:
        pool = rng.choice(pools)
        out.append("".join(rng.choice(pool) for _ in range(rng.choice((1, 2, 3, 5, 9, 40)))))
        out.append(rng.choice(SPACES[:5] + [" ", " ", "", ""]))
    return "".join(out)


def numbers(rng, count):
    return "".join(rng.choice((str(rng.getrandbits(rng.choice((3, 10, 33, 90)))), f"{rng.random():.5g}", "½", "٣٤", "Ⅷ", ",", ".", "-", " ",
                               "%", "2024-02-29", "\n")) for _ in range(count))


class Texts:
    """An endless stream of (kind, text); a text is str, or bytes where it is not UTF-8."""

    def __init__(self, data, seed, specials, invalid):
        self.rng = random.Random(seed)
        self.sources = []
        for name in ("books.txt", "botchan.txt", "wagahaiwa_nekodearu.txt", "tinyshakespeare.txt"):
            with open(os.path.join(data, "text", name), encoding="utf-8") as f:
                self.sources.append(f.read())
        self.specials, self.invalid = specials, invalid

    def natural(self):
        source = self.sources[self.rng.choice((0, 0, 0, 1, 1, 2, 3))]
        start = self.rng.randrange(len(source) - 10)
        return source[start:start + self.rng.choice((40, 400, 2000, 8000, 30000))]

    def mixed(self):
        out = []
        for _ in range(self.rng.randint(2, 12)):
            piece = self.natural()
            out.append(piece[:self.rng.choice((5, 50, 300))])
        return "".join(out)

    def mutated(self):
        rng = self.rng
        text = list(self.natural()[:4000])
        for _ in range(rng.randint(1, max(2, len(text) // 10))):
            at = rng.randrange(len(text))
            what = rng.randrange(6)
            if what == 0:
                text[at] = text[at].swapcase()
            elif what == 1:
                text[at] = characters(rng, 1)
            elif what == 2:
                text[at] = text[at] * rng.randint(2, 30)
            elif what == 3:
                text[at] = ""
            elif what == 4:
                text[at] += rng.choice(SPACES)
            else:
                text[at] += rng.choice(EMOJI + CODE)
        text = "".join(text)
        form = rng.choice((None, None, None, "NFD", "NFKC", "NFC"))
        return unicodedata.normalize(form, text) if form else text

    def synthetic(self):
        rng = self.rng
        count = rng.choice((3, 20, 100, 500, 2000))
        what = rng.randrange(8)
        if what == 0:
            return characters(rng, count)
        if what in (1, 2):
            return words(rng, count)
        if what == 3:
            return "".join(rng.choice(CODE + [" ", " ", "x", "1"]) for _ in range(count))
        if what == 4:
            return numbers(rng, count)
        if what == 5:
            return "".join(rng.choice(EMOJI + [" ", "a", characters(rng, 1)]) for _ in range(count))
        if what == 6:
            return "".join(rng.choice(SPACES) * rng.choice((1, 1, 2, 7, 40)) + rng.choice(("", "a", "word", ".")) for _ in range(count // 3 + 1))
        return "".join(rng.choice(self.specials + [" ", "a", "\n", "<", "|>", "The", characters(rng, 2)]) for _ in range(count // 4 + 1))

    def broken(self):
        rng = self.rng
        data = bytearray(rng.choice((self.mixed, self.synthetic))()[:1500].encode())
        for _ in range(rng.randint(1, 8)):
            at = rng.randrange(len(data) + 1)
            data[at:at + rng.choice((0, 1, 2))] = rng.choice((b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x82", b"\x80",
                                                              b"\xf0\x9f", b"\xc3", bytes([rng.randrange(256)])))
        try:
            return bytes(data).decode()
        except UnicodeDecodeError:
            return bytes(data)

    def next(self):
        kinds = ["natural", "natural", "mixed", "mutated", "mutated", "synthetic", "synthetic", "synthetic", "synthetic"]
        if self.invalid:
            kinds.append("broken")
        return getattr(self, self.rng.choice(kinds))()


# ---- oracles: encode(texts) -> [(ids, offsets in bytes or None)], decode(ids) -> text or bytes ----------

def byte_offsets(text, offsets):
    """Offsets in code points as bytes."""
    if not offsets or text.isascii():
        return [list(o) for o in offsets]
    points = numpy.frombuffer(text.encode("utf-32-le"), dtype=numpy.uint32)
    sizes = 1 + (points >= 0x80).astype(numpy.int64) + (points >= 0x800) + (points >= 0x10000)
    at = numpy.concatenate(([0], numpy.cumsum(sizes)))
    return at[numpy.array(offsets, dtype=numpy.int64)].tolist()


class HuggingFace:
    name, invalid, offsets = "tokenizers", False, True

    def __init__(self, path):
        from tokenizers import Tokenizer
        self.tokenizer = Tokenizer.from_file(path)
        self.tokenizer.no_padding()
        self.tokenizer.no_truncation()
        self.specials = [t.content for t in self.tokenizer.get_added_tokens_decoder().values()][:12]

    def encode(self, texts):
        return [(e.ids, byte_offsets(t, e.offsets) if self.offsets else None) for t, e in
                zip(texts, self.tokenizer.encode_batch(texts, add_special_tokens=False))]

    def decode(self, ids):
        return self.tokenizer.decode(ids, skip_special_tokens=True)


class Tiktoken:
    name, invalid, offsets = "tiktoken", True, False

    def __init__(self, ranks, pattern, special, shift=0):
        import tiktoken
        self.encoding, self.shift = tiktoken.Encoding("x", pat_str=pattern, mergeable_ranks=ranks, special_tokens=special), shift
        self.specials = list(special)[:12]

    def one(self, text):
        ids = self.encoding._encode_bytes(text) if isinstance(text, bytes) else self.encoding.encode(text, disallowed_special=())
        return [i + self.shift for i in ids], None

    def encode(self, texts):
        return [self.one(t) for t in texts]

    def decode(self, ids):
        return self.encoding.decode_bytes([i - self.shift for i in ids]).decode("utf-8", "replace")


class SentencePiece:
    name, invalid = "sentencepiece", True

    def __init__(self, path):
        import sentencepiece
        self.model = sentencepiece.SentencePieceProcessor(model_file=path)
        self.specials = ["<s>", "</s>", "<unk>", "<0x41>", "▁"]

    def one(self, text):
        if isinstance(text, bytes):
            return [p.id for p in self.model.encode(text, return_type="proto").pieces], None
        if len(text) > 5000:  # proto objects are slow
            return self.model.encode(text), None
        pieces = self.model.encode(text, return_type="proto").pieces
        return [p.id for p in pieces], [[p.begin, p.end] for p in pieces]

    def encode(self, texts):
        return [self.one(t) for t in texts]

    def decode(self, ids):
        return self.model.decode(ids)


def gguf_to_tokenizer_json(path, target, pattern, nfc, ignore_merges):
    """The byte-level BPE that a GGUF file was made from, written as tokenizer.json."""
    from gguf import GGUFReader
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers
    fields = GGUFReader(path).fields
    tokens, kinds, merges = (fields[f"tokenizer.ggml.{k}"].contents() for k in ("tokens", "token_type", "merges"))
    tokenizer = Tokenizer(models.BPE({t: i for i, t in enumerate(tokens)}, [tuple(m.split(" ")) for m in merges],
                                     ignore_merges=ignore_merges))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(pattern), "isolated"),
                                                       pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    tokenizer.decoder = decoders.ByteLevel()
    if nfc:
        tokenizer.normalizer = normalizers.NFC()
    tokenizer.add_special_tokens([AddedToken(t, normalized=False, special=True) for t, k in zip(tokens, kinds) if k == CONTROL])
    tokenizer.add_tokens([AddedToken(t, normalized=False) for t, k in zip(tokens, kinds) if k == USER])
    tokenizer.save(target)
    return target


def read_tiktoken(path, entry):
    with open(path, "rb") as f:
        ranks = {base64.b64decode(token): int(rank) for token, rank in (row.split() for row in f if row.strip())}
    return Tiktoken(ranks, entry["pattern"], entry["special_tokens"])


def read_tekken(path):
    with open(path, encoding="utf-8") as f:
        form = json.load(f)
    config = form["config"]
    shift = config["default_num_special_tokens"]
    count = config["default_vocab_size"] - shift
    ranks = {base64.b64decode(v["token_bytes"]): v["rank"] for v in form["vocab"][:count]}
    return Tiktoken(ranks, config["pattern"], {}, shift)


def families(data, scratch):
    """name -> function that gives (path for inox, oracle)."""
    tok = os.path.join(data, "tokenizers")
    real = os.path.join(tok, "real")

    def hugging_face(path):
        return path, HuggingFace(path)

    def from_gguf(name, *options):
        path = os.path.join(scratch, name + ".tokenizer.json")
        return hugging_face(gguf_to_tokenizer_json(os.path.join(data, "vocab", f"ggml-vocab-{name}.gguf"), path, *options))

    def gguf(name, *options):
        _, oracle = from_gguf(name, *options)
        oracle.tokenizer.encode_special_tokens = True  # GGUF: spellings are text
        oracle.specials, oracle.offsets = [], False  # offsets: the bytes themselves, not whole characters
        return os.path.join(data, "vocab", f"ggml-vocab-{name}.gguf"), oracle

    def tiktoken(name):
        with open(os.path.join(real, "tiktoken.json"), encoding="utf-8") as f:
            entry = json.load(f)[name]
        path = os.path.join(real, entry["file"])
        return path, read_tiktoken(path, entry)

    def sentencepiece(path):
        return path, SentencePiece(path)

    tekken = os.path.join(real, "tekken_32768.json")
    table = {
        "gpt2": lambda: hugging_face(os.path.join(tok, "gpt2.tokenizer.json")),
        "llama3": lambda: from_gguf("llama-bpe", LLAMA3, False, True),
        "qwen2": lambda: from_gguf("qwen2", QWEN2, True, False),
        "bert": lambda: hugging_face(os.path.join(real, "minilm.tokenizer.json")),
        "tiktoken-gpt2": lambda: tiktoken("gpt2"),
        "tiktoken-llama3": lambda: tiktoken("llama3"),
        "tekken": lambda: (tekken, read_tekken(tekken)),
        "mistral-v1": lambda: sentencepiece(os.path.join(real, "mistral_v1.model")),
        "mistral-v3": lambda: sentencepiece(os.path.join(real, "mistral_v3.model")),
        "gguf-llama3": lambda: gguf("llama-bpe", LLAMA3, False, True),
        "gguf-qwen2": lambda: gguf("qwen2", QWEN2, True, False),
    }
    for folder, make in (("sentencepiece", sentencepiece), ("components", hugging_face)):
        for name in sorted(os.listdir(os.path.join(tok, folder))):
            path = os.path.join(tok, folder, name)
            if name.endswith(".model") or (folder == "components" and os.path.exists(path + "l") and '"model"' in open(path, encoding="utf-8").read()):
                table[name.rsplit(".", 1)[0]] = lambda path=path, make=make: make(path)
    return table


def from_file(path):
    """(path for inox, oracle) of any vocabulary file."""
    with open(path, "rb") as f:
        head = f.read(1 << 16)
    if b'"token_bytes"' in head:
        return path, read_tekken(path)
    if head.lstrip().startswith(b"{"):
        return path, HuggingFace(path)
    if b"\x00" in head or b"\n\x05<unk>" in head:
        return path, SentencePiece(path)
    with open(os.path.join(os.path.dirname(path), "tiktoken.json"), encoding="utf-8") as f:
        entries = [e for e in json.load(f).values() if e["file"] == os.path.basename(path)]
    return path, read_tiktoken(path, entries[0])


# ---- inox ------------------------------------------------------------------------------------------

class Inox:
    """The program with --jsonl, kept running."""

    def __init__(self, program, path):
        self.process = subprocess.Popen([program, "tokenize", path, "--jsonl"], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, bufsize=1 << 20)

    def ask(self, request):
        self.process.stdin.write(json.dumps(request, ensure_ascii=False).encode() + b"\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise RuntimeError(f"inox ended with {self.process.wait()} at {str(request)[:200]}")
        return json.loads(answer)

    def encode(self, texts):
        plain = [t for t in texts if isinstance(t, str)]
        answer = self.ask({"batch": plain}) if plain else {"encodings": []}
        if "encodings" not in answer:  # one of them is refused
            answer = {"encodings": [self.ask({"text": t}) for t in plain]}
        rest = iter(answer["encodings"])
        return [next(rest) if isinstance(t, str) else self.ask({"bytes_hex": t.hex()}) for t in texts]

    def decode(self, ids):
        return self.ask({"ids": ids}).get("text")

    def close(self):
        self.process.stdin.close()
        self.process.wait()


# ---- comparing -------------------------------------------------------------------------------------

def differs(oracle, inox, text):
    """What differs for one text, or None."""
    (ids, offsets), got = encode_all(oracle, [text])[0], inox.encode([text])[0]
    return difference(ids, offsets, got)


def encode_all(oracle, texts):
    """What the oracle refuses has the exception instead of ids."""
    try:
        return oracle.encode(texts)
    except Exception as error:  # whatever it is, inox must refuse too
        return [(error, None)] if len(texts) == 1 else [encode_all(oracle, [t])[0] for t in texts]


def difference(ids, offsets, got):
    if isinstance(ids, Exception):
        return None if "error" in got else f"{ids} is right, not {got['ids'][:8]}"
    if "ids" not in got:
        return f"inox says {got.get('error')}"
    if ids != got["ids"]:
        at = next((i for i, (a, b) in enumerate(zip(ids, got["ids"])) if a != b), min(len(ids), len(got["ids"])))
        return f"ids from {at} on: {ids[at:at + 8]} is right, not {got['ids'][at:at + 8]}"
    if offsets is not None and offsets != got["offsets"]:
        at = next(i for i, (a, b) in enumerate(zip(offsets, got["offsets"])) if a != b)
        return f"offsets from {at} on: {offsets[at:at + 4]} are right, not {got['offsets'][at:at + 4]}"
    return None


def shorten(oracle, inox, text):
    """A shorter text with a difference: halves and single characters are left out while one stays."""
    size = len(text) // 2
    while size > 0:
        at = 0
        while at < len(text):
            shorter = text[:at] + text[at + size:]
            if shorter and differs(oracle, inox, shorter):
                text = shorter
            else:
                at += size
        size //= 2
    return text


def compare(name, make, options, data):
    start = time.monotonic()
    path, oracle = make()
    inox = Inox(options.inox, path)
    texts = Texts(data, options.seed, oracle.specials, oracle.invalid)
    total = {"family": name, "oracle": oracle.name, "texts": 0, "bytes": 0, "tokens": 0, "decoded": 0, "differences": 0, "examples": []}
    while total["bytes"] < options.megabytes * 1e6:
        batch, size = [], 0
        while size < 400_000:
            batch.append(texts.next())
            size += len(batch[-1]) if isinstance(batch[-1], bytes) else len(batch[-1].encode())
        for i, (text, (ids, offsets), got) in enumerate(zip(batch, encode_all(oracle, batch), inox.encode(batch))):
            why = difference(ids, offsets, got)
            if why is None and i % 10 == 0 and isinstance(text, str) and isinstance(ids, list):
                total["decoded"] += 1
                want, back = oracle.decode(ids), inox.decode(ids)
                if want != back:
                    at = next((k for k, (a, b) in enumerate(zip(want, back or "")) if a != b), 0)
                    why = f"decoded: {want[at:at + 30]!r} is right, not {(back or '')[at:at + 30]!r}"
                    text = None
            total["tokens"] += len(ids) if isinstance(ids, list) else 0
            if why is not None:
                total["differences"] += 1
                if len(total["examples"]) < options.examples:
                    if text is not None:
                        short = shorten(oracle, inox, text) if len(text) < 40000 else text[:200]
                        text, why = short, differs(oracle, inox, short) or why
                    total["examples"].append([repr(text)[:300], why])
        total["texts"] += len(batch)
        total["bytes"] += size
    inox.close()
    total["seconds"] = round(time.monotonic() - start)
    return total


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("data")
    parser.add_argument("--inox", default=os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "build", "inox"))
    parser.add_argument("--family", action="append", help="one of the table's, or a beginning of them with '*'")
    parser.add_argument("--file", action="append", default=[])
    parser.add_argument("--megabytes", type=float, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--examples", type=int, default=4)
    parser.add_argument("--json")
    options = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as scratch:
        table = {os.path.basename(p): lambda p=p: from_file(p) for p in options.file} or families(options.data, scratch)
        wanted = options.family or list(table)
        unknown = [w for w in wanted if not any(n == w or (w.endswith("*") and n.startswith(w[:-1])) for n in table)]
        if unknown:
            sys.exit(f"no family {unknown[0]}; there are {' '.join(table)}")
        print("| family | oracle | MB | texts | tokens | decoded | differences | s |\n|---|---|---|---|---|---|---|---|")
        for name, make in table.items():
            if not any(name == w or (w.endswith("*") and name.startswith(w[:-1])) for w in wanted):
                continue
            row = compare(name, make, options, options.data)
            rows.append(row)
            print(f"| {name} | {row['oracle']} | {row['bytes'] / 1e6:.0f} | {row['texts']} | {row['tokens']} | {row['decoded']} | "
                  f"{row['differences']} | {row['seconds']} |", flush=True)
            for text, why in row["examples"]:
                print(f"    {text}\n        {why}", flush=True)
    if options.json:
        with open(options.json, "w", encoding="utf-8") as f:
            json.dump(rows, f, indent=1, ensure_ascii=False)
    return 1 if any(row["differences"] for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
