#!/usr/bin/env python3
"""Runs all tests of a build directory.  run.py [BUILD] [FILTER...]

The C runner, then every test/test_*.py, then test/tidy.py.  A Python test is a program: its last line
is "N passed, N failed[, N skipped]"; one without such a line counts as one test by its exit status
(77: skipped).  It finds its way by INOX (the program), INOX_BUILD and INOX_ROOT in the environment.
The last line of all is the sum.
"""
import glob
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SUMMARY = re.compile(rb"^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?\s*$")


def run(command, environment):
    """Shows a program's output while it comes; gives its (passed, failed, skipped)."""
    last, oks = b"", 0
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT, env=environment) as p:
        for line in p.stdout:
            if SUMMARY.match(line):
                last = line
                continue
            if line.startswith(b"ok "):
                oks += 1
            sys.stdout.buffer.write(line)
            sys.stdout.buffer.flush()
    match = SUMMARY.match(last)
    if match:
        counts = [int(n or 0) for n in match.groups()]
        if p.returncode != 0 and counts[1] == 0:
            counts[1] = 1
        return counts
    if p.returncode == 0:
        return [1, 0, 0]
    if p.returncode == 77:
        return [0, 0, 1]
    print(f"FAILED  {os.path.basename(command[-1])}: exit status {p.returncode}", flush=True)
    return [oks, 1, 0]


def main():
    build = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else os.path.join(ROOT, "build"))
    filters = sys.argv[2:]
    environment = dict(os.environ, INOX=os.path.join(build, "inox"), INOX_BUILD=build,
                       INOX_ROOT=ROOT, PYTHONDONTWRITEBYTECODE="1")
    commands = [[os.path.join(build, "test", "inox-test")]]
    scripts = sorted(glob.glob(os.path.join(ROOT, "test", "test_*.py")))
    scripts.append(os.path.join(ROOT, "test", "tidy.py"))
    commands += [[sys.executable, path] for path in scripts]
    total = [0, 0, 0]
    for command in commands:
        name = os.path.basename(command[-1])
        if filters and not any(f in name for f in filters):
            continue
        print(f"---- {name}", flush=True)
        total = [a + b for a, b in zip(total, run(command, environment))]
    skipped = f", {total[2]} skipped" if total[2] else ""
    print(f"{total[0]} passed, {total[1]} failed{skipped}")
    return 1 if total[1] or total[0] == 0 else 0


sys.exit(main())
