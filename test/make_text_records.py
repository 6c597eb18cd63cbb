#!/usr/bin/env python3
"""Takes test/data/text_records out of ../shared/data.  make_text_records.py SHARED_DATA [TARGET]

A few records of each kind of vocabulary and option, whole templates with a few conversations, and all small
template cases: what the normal test run compares without the shared folder.
"""
import json
import os
import shutil
import sys

SHARED = sys.argv[1]
TARGET = sys.argv[2] if len(sys.argv) > 2 else os.path.join(os.path.dirname(os.path.abspath(__file__)), "data", "text_records")
COMPONENTS = ["bpe-byte-level", "bpe-byte-fallback-llama", "bpe-llama3", "wordpiece-bert", "unigram-metaspace", "unigram-t5-template",
              "wordlevel-scripts", "added-both-strips", "added-normalized", "truncate-right-stride", "truncate-and-pad", "post-template-pairs"]
MODELS = ["sp-bpe-byte-fallback", "sp-unigram-symbols"]
TEMPLATES = ["meta-llama-Llama-3.1-8B-Instruct", "Qwen-Qwen3-0.6B", "openai-gpt-oss-120b", "mistralai-Mistral-Nemo-Instruct-2407",
             "google-gemma-2-2b-it", "NousResearch-Hermes-2-Pro-Llama-3-8B-tool_use"]
LONGEST = 1200  # bytes of a record


def lines(*place):
    with open(os.path.join(SHARED, *place), encoding="utf-8") as f:
        return f.read().split("\n")[:-1]


def write(rows, *place):
    path = os.path.join(TARGET, *place)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8", newline="\n") as f:
        f.writelines(row + "\n" for row in rows)


def copy(*place):
    os.makedirs(os.path.join(TARGET, *place[1:-1]), exist_ok=True)
    shutil.copyfile(os.path.join(SHARED, *place), os.path.join(TARGET, *place[1:]))


def some(rows, count):
    """Evenly spread ones that are not long, so that the kinds of records in the file are all there."""
    rows = [row for row in rows if len(row.encode()) <= LONGEST]
    return rows if len(rows) <= count else [rows[i * len(rows) // count] for i in range(count)]


def main():
    for name in COMPONENTS:
        copy("tokenizers", "components", name + ".json")
        write(some(lines("tokenizers", "components", name + ".jsonl"), 24), "components", name + ".jsonl")
    for name in MODELS:
        copy("tokenizers", "sentencepiece", name + ".model")
        write(some(lines("tokenizers", "goldens", name + ".jsonl"), 24), "goldens", name + ".jsonl")
    with open(os.path.join(SHARED, "templates", "conversations.json"), encoding="utf-8") as f:
        conversations = json.load(f)
    used, rows = {}, []
    for name in TEMPLATES:
        copy("templates", name + ".jinja")
        mine = [json.loads(row) for row in lines("templates", "goldens.jsonl") if f'"{name}.jinja"' in row[:120]]
        for record in mine[::4]:
            used[record["conversation"]] = conversations[record["conversation"]]
            rows.append(json.dumps(record, ensure_ascii=False))
    folder = os.path.join(TARGET, "templates")
    os.makedirs(folder, exist_ok=True)
    for name in TEMPLATES:
        os.replace(os.path.join(TARGET, name + ".jinja"), os.path.join(folder, name + ".jinja"))
    write(rows, "templates", "goldens.jsonl")
    write([json.dumps(used, ensure_ascii=False, indent=1)], "templates", "conversations.json")
    for name in ("jinja_cases.jsonl", "jinja_cases.common.json"):
        shutil.copyfile(os.path.join(SHARED, "templates", name), os.path.join(folder, name))


main()
