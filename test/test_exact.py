#!/usr/bin/env python3
"""Same bits: `inox logits` over instruction sets, thread counts and chunks gives the same sha256.

Per model and cache type there is one reference run (ref, 1 thread, one pass) and every other run must
equal it.  Quick: all values of each setting, and all pairs of values of two settings.  Long
(INOX_TEST_LONG=1): the full matrix.  Chunk 1 is decoding token by token with the cache.
"""
import glob
import itertools
import os
from concurrent.futures import ThreadPoolExecutor

from support import (DEFAULT, LONG, check, for_each_folder, generator, good, main, model_folder, object_of,
                     path, read, test, version, write)

THREADS = [1, 2, 3, 7]
CHUNKS = [1, 7, 64, None]
CACHES = ["f16", "f32"]


def pairwise(*settings):
    """Few rows that hold each pair of values of two settings at least once."""
    random = generator(1)
    missing = {(i, a, j, b) for i, j in itertools.combinations(range(len(settings)), 2)
               for a in settings[i] for b in settings[j]}
    rows = []
    while missing:
        def covers(row):
            return sum((i, row[i], j, row[j]) in missing
                       for i, j in itertools.combinations(range(len(row)), 2))
        row = max((tuple(random.choice(s) for s in settings) for _ in range(60)), key=covers)
        if covers(row):
            rows.append(row)
            missing -= {(i, row[i], j, row[j]) for i, j in itertools.combinations(range(len(row)), 2)}
    return rows


def one(model, ids, name, isa, threads, chunk, cache, *more, environment=None):
    arguments = ["logits", model, "--ids", ids, "--out", path(name), "--threads", threads, "--cache", cache, *more]
    if environment is None:
        arguments += ["--isa", isa]
    if chunk is not None:
        arguments += ["--chunk", chunk]
    return object_of(good(*arguments, environment=environment))


def same_bits(model, ids, label):
    isas = version()["isa_present"]
    settings = (isas, THREADS, CHUNKS, CACHES)
    rows = list(itertools.product(*settings)) if LONG else pairwise(*settings)
    file = write("ids.json", ids)
    want = {}
    for cache in CACHES:
        want[cache] = one(model, file, f"want.{cache}", "ref", 1, None, cache)
        check(want[cache]["rows"] == len(ids), label, want[cache])
    check(want["f16"]["sha256"] != want["f32"]["sha256"], label, "the cache type makes no difference")

    def run(job):
        number, row = job
        got = one(model, file, f"run{number}", *row)
        os.remove(path(f"run{number}"))
        return row, got
    with ThreadPoolExecutor(2) as pool:
        for row, got in pool.map(run, enumerate(rows)):
            check(got == want[row[3]], label, row, got, "not", want[row[3]])
    size = want["f16"]["columns"] * 4
    for cache, isa, chunk in (("f16", isas[-1], None), ("f32", "ref", 7)):
        one(model, file, "last", isa, 2, chunk, cache, "--last")
        check(read(path("last")) == read(path(f"want.{cache}"))[-size:], label, "--last", cache)
    for isa in isas:  # the environment names the set, too
        got = one(model, file, "named", None, 2, None, "f16", environment={"INOX_ISA": isa})
        check(got == want["f16"], label, "INOX_ISA", isa)
    runs = len(rows) + 4 + len(isas)
    values = runs * len(ids) * want["f16"]["columns"]
    print(f"  {label}: {runs} runs, {values} values", flush=True)


@test
def default_model():
    random = generator(2)
    same_bits(DEFAULT, [random.randrange(2048) for _ in range(140 if LONG else 70)], "default")


def folder(name):
    random = generator(3)
    models = sorted(glob.glob(os.path.join(model_folder(name), "*.gguf")))
    check(models, name, "holds no model")
    for model in models:
        same_bits(model, [random.randrange(300) for _ in range(131)],
                  f"{name}/{os.path.basename(model)}")


for_each_folder(folder)
main()
