#!/usr/bin/env python3
"""The world around the program changes no bit: libraries that are loaded into it (test/world) switch on
flush-to-zero and another rounding mode in all threads, or hand out memory at the worst places that C allows.
"""
import os
import subprocess

from support import BUILD, DEFAULT, check, generator, good, main, object_of, path, read, skip, test, version, write

CARELESS = os.path.join(BUILD, "test", "world-careless.so")
ODD_MALLOC = os.path.join(BUILD, "test", "world-odd-malloc.so")


def library(name):
    if not os.path.exists(name):
        skip(f"{os.path.basename(name)} is not built (sanitizers have their own allocator and threads)")
    return {"LD_PRELOAD": name}


def logits(ids, name, *more, environment=None):
    return object_of(good("logits", DEFAULT, "--ids", ids, "--out", path(name), *more, environment=environment))


def same_bits(name):
    environment = library(name)
    random = generator(9)
    ids = write("ids.json", [random.randrange(2048) for _ in range(90)])
    for cache in ("f16", "f32"):
        want = logits(ids, "want", "--isa", "ref", "--threads", 1, "--cache", cache)
        for isa in version()["isa_present"]:
            for threads, chunk in ((1, 90), (3, 7)):
                more = ["--isa", isa, "--threads", threads, "--chunk", chunk, "--cache", cache]
                got = logits(ids, "got", *more, environment=environment)
                check(got == want, os.path.basename(name), more, got, "not", want)
    # sampling, penalties and the spelling of numbers: a receipt of one process replays in another
    options = ["--seed", 5, "--temp", "0.7", "--top-p", "0.9", "--repeat-penalty", "1.1", "-n", 24]
    plain = good("run", "Once upon a time", *options, "--receipt", path("plain.json"))
    other = good("run", "Once upon a time", *options, "--receipt", path("other.json"), environment=environment)
    check(plain.out == other.out, os.path.basename(name), "wrote", other.out, "not", plain.out)
    good("replay", path("plain.json"), environment=environment)
    good("replay", path("other.json"))


@test
def flush_to_zero_and_rounding():
    same_bits(CARELESS)


@test
def places_of_memory():
    same_bits(ODD_MALLOC)


@test
def tests_at_odd_places():
    """The kernels' own tests, which know the reference's bits."""
    environment = dict(os.environ, **library(ODD_MALLOC))
    done = subprocess.run([os.path.join(BUILD, "test", "inox-test"), "num_rows_short", "num_attention_tiles",
                           "num_sample", "text_", "llm_same_bits"],
                          env=environment, capture_output=True, text=True, check=False)
    check(done.returncode == 0, done.stdout[-2000:], done.stderr[-2000:])


@test
def vectors_at_odd_places():
    environment = dict(os.environ, **library(ODD_MALLOC))
    program = os.path.join(BUILD, "test", "exact-vectors")
    done = subprocess.run([program], env=environment, capture_output=True, text=True, check=False)
    want = read(os.path.join(os.path.dirname(__file__), "data", "exact_vectors.txt")).decode()
    check(done.returncode == 0 and done.stdout.split()[-1] == want.split()[-1], done.stdout[-300:])


main()
