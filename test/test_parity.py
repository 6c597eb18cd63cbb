#!/usr/bin/env python3
"""Logits against Hugging Face transformers: the golden files of ../shared/data/llm; and those of the
default model against tools/default_model_oracle.py: test/data/llm/default.json, which every clone has.

Float files: every last logit within 1e-3.  Quantised files (their goldens are computed from the
dequantised weights): the root mean square within what 8-bit activations explain.  The likeliest token
of every position and each greedy token agree, but where the golden margin is below twice the error.
"""
import glob
import json
import math
import os
import struct

from support import (DEFAULT, ROOT, check, for_each_folder, good, main, model_folder, object_of, path, read, test,
                     write)

FLOAT_MOST = 1e-3
RMS_MOST = 0.15  # logits with a deviation of about 2.5


def rows_of(model, ids, *options):
    done = object_of(good("logits", model, "--ids", write("ids.json", ids), "--out", path("out.f32"), *options))
    data, n = read(path("out.f32")), done["columns"]
    check(done["rows"] == len(ids) and len(data) == 4 * n * len(ids), done)
    return [struct.unpack_from(f"<{n}f", data, 4 * n * i) for i in range(done["rows"])]


def largest(row):
    return max(range(len(row)), key=row.__getitem__)


def compare_case(label, model, case, quantised):
    """One prompt and its continuation, fed with the golden's own tokens.  (worst, rms, ties)"""
    ids = case["ids"]
    rows = rows_of(model, ids + case["greedy"][:-1])
    error = [abs(a - b) for a, b in zip(rows[len(ids) - 1], case["last_logits"])]
    check(len(rows[0]) == len(case["last_logits"]), label, "vocabulary")
    worst, rms = max(error), math.sqrt(sum(e * e for e in error) / len(error))
    if quantised:
        check(rms <= RMS_MOST, label, case["name"], "rms", rms)
    else:
        check(worst <= FLOAT_MOST, label, case["name"], "worst", worst)
    margin = 2 * (4 * rms if quantised else FLOAT_MOST)
    ties = 0
    for i, (top, logits) in enumerate(zip(case["top5"], case["top5_logits"])):
        if largest(rows[i]) != top[0]:
            ties += 1
            check(logits[0] - logits[1] <= margin, label, case["name"], "likeliest token at", i)
    for i, (token, gap) in enumerate(zip(case["greedy"], case["greedy_margins"])):
        if largest(rows[len(ids) - 1 + i]) != token:
            ties += 1
            check(gap <= margin, label, case["name"], "greedy token", i)
    return worst, rms, ties


def greedy_by_run(label, model, case):
    """`inox logits` with the tokens chosen here, one by one: decoding has the same answer."""
    ids = list(case["ids"])
    for i in range(4):
        token = largest(rows_of(model, ids, "--chunk", "1")[-1])
        if token != case["greedy"][i]:
            check(case["greedy_margins"][i] <= 2 * FLOAT_MOST, label, "decoded token", i)
            return
        ids.append(token)


def folder(name):
    quantised = name.endswith("_q")
    place = model_folder(name)
    for model in sorted(glob.glob(os.path.join(place, "*.gguf"))):
        kind = os.path.basename(model)[len("model-"):-len(".gguf")]
        golden = os.path.join(place, f"golden-{kind}.json")
        with open(golden if os.path.exists(golden) else os.path.join(place, "golden.json"), encoding="utf-8") as f:
            cases = json.load(f)["cases"]
        found = [compare_case(f"{name} {kind}", model, case, quantised) for case in cases]
        if not quantised:
            greedy_by_run(f"{name} {kind}", model, cases[-1])
        print(f"  {name} {kind}: worst {max(f[0] for f in found):.2g}, rms {max(f[1] for f in found):.2g}, "
              f"{sum(f[2] for f in found)} ties", flush=True)


@test
def default_model():
    with open(os.path.join(ROOT, "test/data/llm/default.json"), encoding="utf-8") as f:
        cases = json.load(f)["cases"]
    for case in cases:
        worst, rms, ties = compare_case("default", DEFAULT, case, True)
        nats = 0.0
        if case["nats"] is not None:
            got = object_of(good("perplexity", DEFAULT, "--ids", write("ids.json", case["ids"]), "--window", 256,
                                 "--json"))
            nats = got["nats_per_token"] - case["nats"]
            check(abs(nats) <= 0.02 and got["tokens"] == len(case["ids"]) - 1, case["name"], got)
        print(f"  default {case['name']}: worst {worst:.2g}, rms {rms:.2g}, {ties} ties, nats {nats:+.4f}")
    once = next(c for c in cases if c["name"] == "once")
    got = object_of(good("run", "Once upon a time", "-n", 12, "--temp", 0, "--json", "--ignore-end"))
    safe = next((i for i, m in enumerate(once["greedy_margins"]) if m <= 8 * RMS_MOST), 12)
    check(got["ids"][:safe] == once["greedy"][:safe], got["ids"], once["greedy"])


for_each_folder(folder)
main()
