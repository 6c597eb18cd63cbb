#!/usr/bin/env python3
"""The committed corpus of every fuzz target, replayed through the same entry point."""
import glob
import os
import subprocess
import sys

ROOT = os.environ.get("INOX_ROOT") or os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.environ.get("INOX_BUILD") or os.path.join(ROOT, "build")


def main():
    passed = failed = skipped = 0
    for source in sorted(glob.glob(os.path.join(ROOT, "fuzz", "fuzz_*.c"))):
        name = os.path.basename(source)[len("fuzz_"):-len(".c")]
        corpus = os.path.join(ROOT, "fuzz", "corpus", name)
        if not os.path.isdir(corpus):
            skipped += 1
            print(f"skipped fuzz_{name}: no corpus")
            continue
        program = os.path.join(BUILD, "fuzz", "replay-" + name)
        if not os.path.exists(program):
            failed += 1
            print(f"FAILED  fuzz_{name}: {os.path.basename(program)} was not built: "
                  "name it in fuzz/meson.build")
            continue
        done = subprocess.run([program, corpus], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, errors="replace", check=False)
        rows = done.stdout.rstrip().split("\n")
        if done.returncode == 0:
            passed += 1
            print(f"ok      fuzz_{name} ({rows[-1]})")
        else:
            failed += 1
            print("\n".join(rows[-30:]))
            print(f"FAILED  fuzz_{name}: exit status {done.returncode}")
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


sys.exit(main())
