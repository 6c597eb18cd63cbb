#!/usr/bin/env python3
"""Single normalizers, pre-tokenizers and decoders against the goldens of ../shared, which Hugging
Face's tokenizers made."""
import json
import os
import subprocess

from support import BUILD, SHARED, check, main, skip, test

FOLDER = os.path.join(SHARED, "data", "tokenizers", "components")
RUNNER = os.path.join(BUILD, "test", "component-run")


def places(text):
    """Code point of each byte position where a character begins, and of the end."""
    at, of = 0, {}
    for i, c in enumerate(text):
        of[at] = i
        at += len(c.encode())
    of[at] = len(text)
    return of


def records(kind):
    path = os.path.join(FOLDER, kind + ".jsonl")
    if not os.path.exists(path):
        skip(f"no {path}")
    with open(os.path.join(FOLDER, kind + ".json"), encoding="utf-8") as f:
        components = json.load(f)
    with open(path, encoding="utf-8") as f:
        return components, [json.loads(line) for line in f if line.strip()]


def answers(kind, components, goldens):
    """(golden, answer) of every record."""
    lines, of = [], []
    name = None
    for golden in goldens:
        if golden["name"] != name:
            name = golden["name"]
            lines.append({kind: components[name]})
            of.append(None)
        key = "tokens" if "tokens" in golden else "text"
        lines.append({key: golden[key]})
        of.append(golden)
    text = "".join(json.dumps(line) + "\n" for line in lines)
    out = subprocess.run([RUNNER], input=text.encode(), stdout=subprocess.PIPE, check=True).stdout
    got = [json.loads(line) for line in out.decode().split("\n") if line]
    check(len(got) == len(lines), len(got), "answers to", len(lines))
    return zip(of, got)


def compare(plural, kind, wanted, got):
    components, goldens = records(plural)
    for golden, answer in answers(kind, components, goldens):
        if golden is None:
            check("error" not in answer, answer)
        elif "error" in golden:
            check("error" in answer, golden, answer)
        else:
            check("error" not in answer and got(golden, answer) == golden[wanted], golden, answer)


@test
def components_normalizers():
    compare("normalizers", "normalizer", "out",
            lambda golden, answer: "".join(c for c, _, _ in answer["chars"]))


@test
def components_pre_tokenizers():
    def pieces(golden, answer):
        of = places(golden["text"])
        return [[p, [of.get(start), of.get(end)]] for p, start, end in answer["pieces"]]

    compare("pre_tokenizers", "pre_tokenizer", "pieces", pieces)


@test
def components_decoders():
    compare("decoders", "decoder", "out", lambda golden, answer: answer["out"])


main()
