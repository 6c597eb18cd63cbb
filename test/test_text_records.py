#!/usr/bin/env python3
"""Tokenizers and chat templates against the field's own libraries, record by record.

The records of test/data/text_records are in the repository (make_text_records.py took them out of
../shared/data); all of ../shared/data/{tokenizers,vocab,templates} is compared where it is there.
"""
import json
import os
import sys
import tempfile

from support import ROOT, SHARED, check, main, skip, test
from text_records import compare_template, compare_tokenizer, files, read_records

DATA = os.path.join(SHARED, "data")
COMMITTED = os.path.join(ROOT, "test", "data", "text_records")


def shared(*names):
    folder = os.path.join(DATA, *names)
    if not os.path.isdir(folder):
        skip(f"shared/data/{'/'.join(names)} is not beside this checkout")
    return folder


class Sum:
    def __init__(self, what):
        self.what, self.compared, self.different = what, 0, 0

    def add(self, name, result):
        compared, differences = result
        self.compared += compared
        self.different += len(differences)
        check(not differences, f"{name}: {len(differences)} of {compared} records differ:", *differences[:2])

    def tell(self):
        print(f"  {self.what}: {self.compared} records compared, {self.different} differences")
        check(self.compared > 0, "nothing was compared")


def vocabulary_of(folder, name):
    """The file that goldens/NAME.jsonl is about."""
    for place in ("real", "sentencepiece", ".", "components"):
        for ending in ("", ".model", ".json"):
            path = os.path.join(folder, place, name + ending)
            if os.path.exists(path):
                return path
    raise FileNotFoundError(f"the vocabulary of {name}")


def in_code_points(path, name):
    return name.endswith("tokenizer.json") or os.path.basename(os.path.dirname(path)) == "components"


def compare_folder(total, folder):
    """folder: goldens/*.jsonl and components/*.jsonl as in shared/data/tokenizers."""
    for path in files(os.path.join(folder, "goldens"), ".jsonl"):
        name = os.path.basename(path)[:-len(".jsonl")]
        vocabulary = vocabulary_of(folder, name)
        total.add(name, compare_tokenizer(vocabulary, read_records(path), in_code_points(vocabulary, name)))
    for path in files(os.path.join(folder, "components"), ".jsonl"):
        model = path[:-1]
        if os.path.exists(model) and "model" in json.load(open(model, encoding="utf-8")):
            total.add(os.path.basename(model), compare_tokenizer(model, read_records(path), True, "--as-shipped"))


def compare_templates(total, folder):
    with open(os.path.join(folder, "conversations.json"), encoding="utf-8") as f:
        conversations = json.load(f)
    cases = {}
    for record in read_records(os.path.join(folder, "goldens.jsonl")):
        cases.setdefault(record["template"], []).append(
            (record["conversation"], conversations[record["conversation"]], record))
    for name, group in cases.items():
        total.add(name, compare_template(os.path.join(folder, name), group))


def compare_cases(total, folder):
    """Small templates, each with its own variables."""
    with open(os.path.join(folder, "jinja_cases.common.json"), encoding="utf-8") as f:
        common = json.load(f)
    with tempfile.TemporaryDirectory() as scratch:
        path = os.path.join(scratch, "case.jinja")
        for record in read_records(os.path.join(folder, "jinja_cases.jsonl")):
            variables = common if record["context"] == "common" else record["context"]
            with open(path, "w", encoding="utf-8", newline="") as f:
                f.write(record["template"])
            total.add(record["template"][:80], compare_template(path, [("case", variables, record)]))


@test
def committed_tokenizers():
    total = Sum("committed tokenizers")
    compare_folder(total, COMMITTED)
    total.tell()


@test
def committed_templates():
    total = Sum("committed templates")
    compare_templates(total, os.path.join(COMMITTED, "templates"))
    compare_cases(total, os.path.join(COMMITTED, "templates"))
    total.tell()


@test
def shared_tokenizers():
    total = Sum("tokenizers")
    compare_folder(total, shared("tokenizers"))
    total.tell()


@test
def shared_gguf_vocabularies():
    """`ids` is the original tokenizer's answer, llama_ids llama.cpp's where there is no other (but for
    gpt-neox, to which llama.cpp gives a pre-tokenizer that the original has not)."""
    total = Sum("GGUF vocabularies")
    folder = shared("vocab")
    for path in files(os.path.join(folder, "goldens"), ".jsonl"):
        name = os.path.basename(path)[:-len(".jsonl")]
        records = [dict(r, ids=r.get("ids", r.get("llama_ids"))) for r in read_records(path)
                   if "ids" in r or name != "gpt-neox"]
        total.add(name, compare_tokenizer(os.path.join(folder, f"ggml-vocab-{name}.gguf"), records, False))
    total.tell()


@test
def shared_templates():
    total = Sum("chat templates")
    compare_templates(total, shared("templates"))
    total.tell()


@test
def shared_jinja_cases():
    total = Sum("small templates")
    compare_cases(total, shared("templates"))
    total.tell()


if __name__ == "__main__":
    sys.exit(main())
