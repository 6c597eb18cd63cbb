"""What the end-to-end tests share: the program in scratch directories, and checks that count.

A test is a function with @test; it fails by check() or by an exception, and skip() ends it.  main()
runs those whose name contains an argument of the command line, or all, and prints the summary.
"""
import json
import os
import random
import subprocess
import sys
import tempfile
import time
import traceback

ROOT = os.environ.get("INOX_ROOT") or os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.environ.get("INOX_BUILD") or os.path.join(ROOT, "build")
INOX = os.environ.get("INOX") or os.path.join(BUILD, "inox")
SHARED = os.path.join(os.path.dirname(ROOT), "shared")
DEFAULT = os.path.join(ROOT, "models", "default.gguf")
LONG = os.environ.get("INOX_TEST_LONG") == "1"
SLOWER = float(os.environ.get("INOX_TEST_SLOWER", "1"))  # than a plain build: all waiting times

# Exit codes (man page).
DIFFERENT, USAGE, MEMORY, IO, NOT_FOUND, FORMAT, UNSUPPORTED, LIMIT, CONTEXT, NAN, ISA = range(1, 12)
INTERRUPTED = 130

_scratch = tempfile.TemporaryDirectory(prefix="inox-test-")
SCRATCH = _scratch.name
ENVIRONMENT = dict(os.environ, HOME=SCRATCH)
for _name in ("STATE", "CACHE", "DATA", "CONFIG"):
    ENVIRONMENT[f"XDG_{_name}_HOME"] = os.path.join(SCRATCH, _name.lower())
ENVIRONMENT.pop("INOX_ISA", None)

_tests, _failures = [], []
checks = 0


class Skip(Exception):
    """Something that the test needs is not there."""


def skip(why):
    raise Skip(why)


def test(function):
    _tests.append(function)
    return function


def check(condition, *what):
    """Counts; a failure is told and remembered, and the test goes on."""
    global checks
    checks += 1
    if not condition:
        caller = sys._getframe(1)
        _failures.append(f"line {caller.f_lineno}: " + " ".join(str(w) for w in what)[:2000])
    return condition


# Folders of ../shared/data/llm of the architectures that there are.
MODEL_FOLDERS = ["llama", "llama_q", "qwen2", "qwen3", "qwen3_q"]


def for_each_folder(function):
    """One test per folder of models, named by it: function(folder)."""
    for folder in MODEL_FOLDERS:
        def one(folder=folder):
            function(folder)
        one.__name__ = folder
        test(one)


def path(name):
    return os.path.join(SCRATCH, name)


def write(name, data):
    """A scratch file with these bytes, this text, or this object as JSON; its path."""
    if not isinstance(data, (bytes, str)):
        data = json.dumps(data)
    with open(path(name), "wb") as f:
        f.write(data.encode() if isinstance(data, str) else data)
    return path(name)


def read(name):
    with open(name, "rb") as f:
        return f.read()


def inox(*arguments, stdin=b"", environment=None, timeout=300, **options):
    """Runs the program; .out and .err are texts (bad UTF-8 shows as surrogates)."""
    done = subprocess.run([INOX, *map(str, arguments)], input=None if "stdin_file" in options else stdin,
                          stdin=options.pop("stdin_file", None),
                          stdout=options.pop("stdout", subprocess.PIPE), stderr=subprocess.PIPE,
                          env=dict(ENVIRONMENT, **(environment or {})), timeout=timeout * SLOWER, check=False,
                          **options)
    done.out = (done.stdout or b"").decode("utf-8", "surrogateescape")
    done.err = done.stderr.decode("utf-8", "surrogateescape")
    check(done.returncode >= 0, "killed by signal", -done.returncode, arguments, done.err)
    return done


def good(*arguments, **options):
    """Runs the program, which must succeed."""
    done = inox(*arguments, **options)
    check(done.returncode == 0, arguments, "gave", done.returncode, done.err)
    return done


def fails(code, *arguments, says="", **options):
    """Runs the program, which must give this exit code and one message that holds `says`."""
    done = inox(*arguments, **options)
    check(done.returncode == code, arguments, "gave", done.returncode, "not", code, done.err)
    check(done.err.startswith("inox"), arguments, "says", repr(done.err))
    check(says in done.err, arguments, "says", repr(done.err), "without", repr(says))
    return done


def object_of(done):
    """The one JSON object of standard output."""
    try:
        value = json.loads(done.out)
    except ValueError as why:
        check(False, "standard output is not JSON:", why, repr(done.out[:300]))
        return {}
    check(isinstance(value, dict), "standard output is no object", done.out[:300])
    return value


def version():
    return object_of(good("--version", "--json"))


def model_folder(name):
    """A folder of ../shared/data/llm; the test is skipped where it is missing."""
    folder = os.path.join(SHARED, "data", "llm", name)
    if not os.path.isdir(folder):
        skip(f"shared/data/llm/{name} is not beside this checkout")
    return folder


def generator(seed):
    return random.Random(seed)


def _run(function):
    _failures.clear()
    start = time.monotonic()
    try:
        function()
    except Skip as why:
        if not _failures:
            print(f"skipped {function.__name__}: {why}", flush=True)
            return 2
    except Exception:  # whatever it is, the test has failed and the next one runs
        _failures.append(traceback.format_exc(limit=-3))
    for failure in _failures[:10]:
        print("  " + failure)
    if len(_failures) > 10:
        print(f"  and {len(_failures) - 10} more")
    seconds = time.monotonic() - start
    print(f"{'FAILED ' if _failures else 'ok     '} {function.__name__} ({seconds:.1f} s)", flush=True)
    return 1 if _failures else 0


def main():
    if not os.path.exists(INOX):
        print(f"{INOX} is not built")
        sys.exit(77)
    counts = [0, 0, 0]
    for function in _tests:
        if len(sys.argv) == 1 or any(a in function.__name__ for a in sys.argv[1:]):
            counts[_run(function)] += 1
    print(f"{checks} checks")
    print(f"{counts[0]} passed, {counts[1]} failed, {counts[2]} skipped")
    sys.exit(1 if counts[1] else 0)
