"""The programs that bench/run.py measures: how each is run, and what it says of itself.

Every method of a program runs it once on a file and returns one figure.  `Run` makes sure that it is that file: the
process must have been seen with the file mapped or open.
"""
import json
import os
import re
import subprocess
import tempfile
import time


class Failed(Exception):
    """A program is not there, or did not do what it was asked."""


def has_open(pid, path):
    """Whether the process has the file mapped or open at this moment."""
    try:
        with open(f"/proc/{pid}/maps", encoding="utf-8", errors="replace") as f:
            if any(line.rstrip("\n").endswith(" " + path) for line in f):
                return True
        return any(os.readlink(f"/proc/{pid}/fd/{fd}") == path for fd in os.listdir(f"/proc/{pid}/fd"))
    except OSError:  # it has just ended, or just closed a file
        return False


class Run:
    """One run of a program: its output, the time to the first byte of it, its peak resident memory."""

    def __init__(self, argv, model, environment=None):
        with tempfile.TemporaryFile() as errors:
            start = time.monotonic()
            try:
                p = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors,
                                     env=dict(os.environ, **(environment or {})))
            except OSError as why:
                raise Failed(f"{argv[0]}: {why.strerror}") from why
            seen = model is None or self.wait_for(p.pid, os.path.realpath(model))
            first = p.stdout.read(1)
            self.first_byte_s = time.monotonic() - start
            self.out = (first + p.stdout.read()).decode("utf-8", "replace")
            _, status, usage = os.wait4(p.pid, 0)  # instead of p.wait(), which would lose the usage
            p.returncode = os.waitstatus_to_exitcode(status)
            self.peak_bytes = usage.ru_maxrss * 1024
            errors.seek(0)
            said = errors.read().decode("utf-8", "replace")
        if p.returncode != 0:
            raise Failed(f"{' '.join(argv)} ended with {p.returncode}:\n{said[-2000:]}{self.out[-500:]}")
        if not seen:
            raise Failed(f"{' '.join(argv)} did not open {model}")

    @staticmethod
    def wait_for(pid, path):
        """Looks until the file is there, which is in the first moments: later figures are not disturbed."""
        while os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            if has_open(pid, path):
                return True
            time.sleep(0.002)
        return False


def program(folder, name):
    path = os.path.join(folder, name)
    if not os.access(path, os.X_OK):
        raise Failed(f"{name} is not in {folder}")
    return path


class Inox:
    name = "Inox"

    def __init__(self, build, threads):
        self.build, self.threads = build, str(threads)
        self.path = program(build, "inox")
        self.scratch = tempfile.TemporaryDirectory()
        self.environment = {"XDG_STATE_HOME": self.scratch.name, "XDG_CACHE_HOME": self.scratch.name}

    def command(self, *argv, model=None):
        words = [str(a) for a in argv]
        return Run([self.path, words[0]] + ([model] if model else []) + words[1:], model, self.environment)

    def bench(self, model, *argv, rounds=3):
        """The median of a few rounds: the peer warms up before it measures."""
        return json.loads(self.command("bench", *argv, "-t", self.threads, "-r", rounds, "--json", model=model).out)

    def prompt(self, model, tokens, depth):
        return self.bench(model, "-p", tokens, "-n", 0, "-d", depth,
                          rounds=1 if depth > 4096 else 3)["prompt_tokens_per_s"]

    def decode(self, model, tokens, depth):
        return self.bench(model, "-p", 0, "-n", tokens, "-d", depth,
                          rounds=1 if depth > 4096 else 3)["decode_tokens_per_s"]

    def batch(self, model, sequences, tokens):
        return self.bench(model, "-p", 32, "-n", tokens, "-b", sequences)["decode_tokens_per_s"]

    def start_ms(self, model, text):
        return 1e3 * self.command("run", "--prompt", text, "-n", 2, "--temp", 0, "--no-echo", "-q", "-t", self.threads,
                                  model=model).first_byte_s

    def memory_mb(self, model, prompt, tokens):
        return 1e-6 * self.command("bench", "-p", prompt, "-n", tokens, "-r", 1, "-t", self.threads,
                                   model=model).peak_bytes

    def text_of(self, model, tokens):
        """A text of so many tokens."""
        words = tokens
        for _ in range(8):
            text = "Once" + " a" * (words - 1)
            count = int(self.command("tokenize", text, "--count", model=model).out)
            if count == tokens:
                break
            words = max(1, words + tokens - count)
        return text

    def facts(self, model):
        """What the limits are computed from: the tensors, and what the program says of itself."""
        facts = json.loads(Run([self.path, "inspect"] + ([model] if model else []) + ["--json"], None).out)
        facts.update(self.bench(model, "-p", 1, "-n", 0))
        return facts

    def limits(self):
        """Bytes and operations per second: measured in the same minute as what is held against them."""
        found = json.loads(Run([program(os.path.join(self.build, "bench"), "bench-limits"), "--threads", self.threads,
                                "--json"], None).out)
        return {"read": 1e9 * found["read_gb_per_s"], "integer": 1e9 * found["integer_gops"],
                "float": 1e9 * found["float_gflops"]}


class LlamaCpp:
    """llama.cpp with its own defaults, in the folder of its programs."""
    name = "llama.cpp"

    def __init__(self, folder, threads):
        self.folder, self.threads = folder, str(threads)

    def bench(self, model, *argv):
        run = Run([program(self.folder, "llama-bench"), "-m", model, "-t", self.threads, "-r", "1", "-o", "json"] +
                  [str(a) for a in argv], model)
        return json.loads(run.out)[0], run

    def prompt(self, model, tokens, depth):
        return self.bench(model, "-p", tokens, "-n", 0, "-d", depth)[0]["avg_ts"]

    def decode(self, model, tokens, depth):
        return self.bench(model, "-p", 0, "-n", tokens, "-d", depth)[0]["avg_ts"]

    def batch(self, model, sequences, tokens):
        run = Run([program(self.folder, "llama-batched-bench"), "-m", model, "-t", self.threads, "-npp", "32", "-ntg",
                   str(tokens), "-npl", str(sequences), "-c", str(sequences * (32 + tokens)), "--output-format",
                   "jsonl"], model)
        rows = [json.loads(line) for line in run.out.splitlines() if line.startswith("{")]
        if not rows:
            raise Failed("llama-batched-bench printed no figures")
        return rows[-1]["speed_tg"]

    def start_ms(self, model, text):
        return 1e3 * Run([program(self.folder, "llama-completion"), "-m", model, "-t", self.threads, "-no-cnv",
                          "--no-warmup", "--no-display-prompt", "--temp", "0", "-n", "2", "-p", text],
                         model).first_byte_s

    def memory_mb(self, model, prompt, tokens):
        """llama-bench maps the file unless it is told otherwise."""
        return 1e-6 * self.bench(model, "-p", prompt, "-n", tokens)[1].peak_bytes

    def version(self, model):
        row = self.bench(model, "-p", 1, "-n", 0)[0]
        return f"llama.cpp {row['build_commit']} ({row['build_number']})"


class Candle:
    """candle, by a small program FILE PROMPT TOKENS that prints 'ppN X t/s' and 'tgN X t/s', warm ones last."""
    name = "candle"

    def __init__(self, path, threads):
        self.path, self.threads = path, str(threads)

    def figure(self, model, prompt, tokens, kind):
        out = Run([self.path, model, str(prompt), str(tokens)], model,
                  {"RAYON_NUM_THREADS": self.threads, "OMP_NUM_THREADS": self.threads}).out
        found = re.findall(rf"^{kind}\d+ ([\d.]+) t/s", out, re.M)
        if not found:
            raise Failed(f"{self.path} printed no line '{kind}N X t/s'")
        return float(found[-1])

    def prompt(self, model, tokens, depth):
        assert depth == 0
        return self.figure(model, tokens, 1, "pp")

    def decode(self, model, tokens, depth):
        return self.figure(model, depth, tokens, "tg")
