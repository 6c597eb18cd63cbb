"""Records of what the field's own libraries answer (../shared/data), and the program's answers to them.

A folder of records is compared by running the program once per vocabulary or template with --jsonl, so
that the test goes the way that a program on the other side would.
"""
import json
import os
import subprocess

from support import ENVIRONMENT, INOX, SLOWER

REQUEST = ("text", "parts", "bytes_hex", "words", "batch", "pair", "special", "parse_special", "truncation",
           "padding", "as_shipped")
NOW = "2026-07-04 15:30:45"  # the oracles' clock


def read_records(path):
    with open(path, encoding="utf-8") as f:
        return [json.loads(line) for line in f if line.strip()]


def ask(arguments, requests):
    """One answer for each request, by one run of the program; an answer that is missing is {}."""
    lines = "".join(json.dumps(r, ensure_ascii=False) + "\n" for r in requests)
    done = subprocess.run([INOX, *arguments], input=lines.encode("utf-8", "surrogatepass"), stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, env=ENVIRONMENT, timeout=900 * SLOWER, check=False)
    rows = done.stdout.decode("utf-8").split("\n")[:-1]
    answers = [json.loads(row) for row in rows]
    if done.returncode != 0 or len(answers) != len(requests):
        why = done.stderr.decode("utf-8", "replace").strip() or f"exit status {done.returncode}"
        answers += [{"error": f"no answer: {why}"}] * (len(requests) - len(answers))
    return answers


def text_of(record):
    if "parts" in record:
        return "".join(unit * count for unit, count in record["parts"])
    return record.get("text")


class ByteOffsets:
    """Code points of a text as bytes."""

    def __init__(self, text):
        self.at = [0]
        for c in text:
            self.at.append(self.at[-1] + len(c.encode("utf-8", "surrogatepass")))

    def of(self, start, end):
        return [self.at[start], self.at[end]]


def same_offsets(want, got, texts, in_code_points):
    """Offsets of the oracle are code points where the format is tokenizer.json.  A token belongs to one of
    the texts (a pair, words), and the record does not say which."""
    if len(want) != len(got):
        return False
    if not in_code_points:
        return want == got
    tables = [ByteOffsets(t) for t in texts]
    return all(any(max(w) < len(t.at) and t.of(*w) == g for t in tables) for w, g in zip(want, got))


def compare_encoding(want, got, texts, in_code_points):
    """What differs, as a text; None: nothing."""
    if "ids" not in got:
        return f"no ids, but {str(got)[:200]}"
    if want["ids"] != got["ids"]:
        at = next((i for i, (a, b) in enumerate(zip(want["ids"], got["ids"])) if a != b),
                  min(len(want["ids"]), len(got["ids"])))
        return (f"ids differ from {at} on: {want['ids'][at:at + 8]} is right, not {got['ids'][at:at + 8]} "
                f"({len(want['ids'])} and {len(got['ids'])} tokens)")
    if "offsets" in want and not same_offsets(want["offsets"], got["offsets"], texts, in_code_points):
        return f"offsets: {want['offsets'][:12]} is right, not {got['offsets'][:12]}"
    n = len(want["ids"])
    for key, usual in (("type_ids", 0), ("attention_mask", 1)):
        if (key in want or "special_mask" in want) and want.get(key, [usual] * n) != got.get(key, [usual] * n):
            return f"{key}: {want.get(key)} is right, not {got.get(key)}"
    if "special_mask" in want and want["special_mask"] != got.get("special_mask", [0] * n):
        return f"special_mask: {want['special_mask']} is right, not {got.get('special_mask')}"
    if "special_mask" in want or "overflow" in want:
        windows, others = want.get("overflow", []), got.get("overflow", [])
        if [w["ids"] for w in windows] != [w["ids"] for w in others]:
            return f"overflow: {len(windows)} windows are right, not {len(others)}; or their ids differ"
        for w, o in zip(windows, others):
            if not same_offsets(w["offsets"], o["offsets"], texts, in_code_points):
                return f"overflow: offsets {w['offsets'][:12]} are right, not {o['offsets'][:12]}"
    return None


def texts_of(record, one=None):
    if one is not None:
        return [one] if isinstance(one, str) else list(one)
    texts = list(record["words"]) if "words" in record else [text_of(record) or ""]
    pair = record.get("pair", [])
    return texts + ([pair] if isinstance(pair, str) else list(pair))


def compare_record(record, got, in_code_points):
    if "error" in record:
        return None if "error" in got else f"an error is right, not {str(got)[:200]}"
    if "batch" in record:
        answers = got.get("encodings", [])
        if len(answers) != len(record["encodings"]):
            return f"{len(record['encodings'])} encodings are right, not {str(got)[:200]}"
        for one, want, answer in zip(record["batch"], record["encodings"], answers):
            why = compare_encoding(want, answer, texts_of(record, one), in_code_points)
            if why:
                return f"{one!r}: {why}"
        return None
    return compare_encoding(record, got, texts_of(record), in_code_points)


def compare_tokenizer(path, records, in_code_points, *options):
    """(records compared, [what differs])."""
    requests = [{k: r[k] for k in REQUEST if k in r} for r in records]
    differences, compared = [], 0
    for record, request, got in zip(records, requests, ask(["tokenize", path, "--jsonl", *options], requests)):
        compared += 1
        why = compare_record(record, got, in_code_points)
        if why:
            differences.append(f"{json.dumps(request, ensure_ascii=False)[:160]}: {why}")
    asked = [(r, special) for r in records for special in (False, True) if "decoded" in r]
    answers = ask(["tokenize", path, "--jsonl"], [{"ids": r["ids"], "special": s} for r, s in asked])
    for (record, special), got in zip(asked, answers):
        compared += 1
        want = record.get("decoded_with_special", record["decoded"]) if special else record["decoded"]
        if got != {"text": want}:
            differences.append(f"decoding {record['ids'][:12]}, special {special}: {want[:80]!r} is right, not "
                               f"{str(got)[:120]}")
    return compared, differences


def compare_template(path, cases):
    """cases: (label, variables, record with out or error)."""
    differences = []
    answers = ask(["template", path, "--jsonl", "--now", NOW], [variables for _, variables, _ in cases])
    for (label, _, record), got in zip(cases, answers):
        if "error" in record:
            if "error" not in got:
                differences.append(f"{label}: {record['error']} is right, not {str(got)[:200]}")
        elif got.get("text") != record["out"]:
            differences.append(f"{label}: {first_difference(record['out'], got)}")
    return len(cases), differences


def first_difference(want, got):
    if "text" not in got:
        return f"no text, but {str(got)[:300]}"
    text = got["text"]
    at = next((i for i, (a, b) in enumerate(zip(want, text)) if a != b), min(len(want), len(text)))
    return (f"character {at} of {len(want)}: {want[max(0, at - 30):at + 50]!r} is right, not "
            f"{text[max(0, at - 30):at + 50]!r}")


def files(folder, ending):
    return sorted(os.path.join(folder, name) for name in os.listdir(folder) if name.endswith(ending))
