#!/usr/bin/env python3
"""All equalities (make exact).  exact.py [BUILD] [compilers] [machines] [matrix]

compilers   exact-vectors by gcc and clang, -O0 and -O3, and -march=native: one hash
machines    exact-vectors here under each instruction set, and under emulators (test_exact_vectors.py): the same hash;
            the hardest operands (test_exact_math.py)
matrix      whole models: instruction sets, threads, batches, chunks, states of the cache, weight types

Exit status 0 only when nothing differs.  What is not installed is named and skipped.
"""
import os
import re
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
COMPILERS = ["gcc", "clang"]
OPTIONS = [["-O0"], ["-O3"], ["-O2", "-march=native"]]


def last_word(text):
    words = text.split()
    return words[-1] if words else ""


def expected():
    with open(os.path.join(ROOT, "test", "data", "exact_vectors.txt"), encoding="ascii") as f:
        return last_word(f.read())


def compilers(build):
    """Number of builds whose hash is another."""
    wrong = 0
    for compiler in COMPILERS:
        if shutil.which(compiler) is None:
            print(f"skipped {compiler}: not installed", flush=True)
            continue
        for options in OPTIONS:
            label = " ".join([compiler, *options])
            output = os.path.join(build, "exact", label.replace(" ", ""))
            os.makedirs(os.path.dirname(output), exist_ok=True)
            done = subprocess.run([sys.executable, os.path.join(ROOT, "tools", "build_exact.py"), output, "--cc",
                                   compiler, *options], check=False)
            if done.returncode != 0:
                print(f"FAILED  {label} does not build", flush=True)
                wrong += 1
                continue
            done = subprocess.run([output], capture_output=True, text=True, check=False)
            same = done.returncode == 0 and last_word(done.stdout) == expected()
            print(f"{'ok     ' if same else 'FAILED '} {label:26} {' '.join(done.stdout.splitlines()[-1:])}", flush=True)
            wrong += not same
    return wrong


def machines(build):
    wrong = 0
    program = os.path.join(build, "test", "exact-vectors")
    listed = subprocess.run([os.path.join(build, "inox"), "--version", "--json"], capture_output=True, text=True,
                            check=True).stdout
    for isa in re.findall(r'"(\w+)"', re.search(r'"isa_present": \[([^]]*)\]', listed)[1]):
        done = subprocess.run([program, "--isa", isa], capture_output=True, text=True, check=False)
        same = done.returncode == 0 and last_word(done.stdout) == expected()
        print(f"{'ok     ' if same else 'FAILED '} {isa:26} {' '.join(done.stdout.splitlines()[-1:])}", flush=True)
        wrong += not same
    environment = dict(os.environ, INOX_BUILD=build, INOX=os.path.join(build, "inox"), INOX_TEST_LONG="1")
    for name in ("test_exact_vectors.py", "test_exact_math.py"):
        script = os.path.join(ROOT, "test", name)
        wrong += subprocess.run([sys.executable, script], env=environment, check=False).returncode != 0
    return wrong


def matrix(build):
    environment = dict(os.environ, INOX_EXACT="1")
    program = os.path.join(build, "test", "inox-test")
    return subprocess.run([program, "matrix_"], env=environment, check=False).returncode != 0


PARTS = {"compilers": compilers, "machines": machines, "matrix": matrix}


def main():
    arguments = sys.argv[1:]
    build = os.path.join(ROOT, "build")
    if arguments and arguments[0] not in PARTS:
        build = os.path.abspath(arguments.pop(0))
    unknown = [a for a in arguments if a not in PARTS]
    if unknown:
        sys.exit(f"exact.py: unknown part '{unknown[0]}': {', '.join(PARTS)}")
    wrong = 0
    for part in arguments or PARTS:
        print(f"---- {part}", flush=True)
        wrong += PARTS[part](build)
    print("nothing differs" if wrong == 0 else f"{wrong} differ")
    return wrong != 0


sys.exit(main())
