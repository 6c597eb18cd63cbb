#!/usr/bin/env python3
"""The documents against the program: what they name exists, what they promise can be computed.

Each check is one function; it raises AssertionError with what is wrong.  Receipts, identities and rows
of logits are computed again here from docs/RECEIPTS.md alone, with Python's own hashlib and json.
"""
import glob
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

ROOT = os.environ.get("INOX_ROOT") or os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.environ.get("INOX_BUILD") or os.path.join(ROOT, "build")
INOX = os.environ.get("INOX") or os.path.join(BUILD, "inox")
sys.path.insert(0, os.path.join(ROOT, "tools"))
import make_completion  # noqa: E402: it stands in tools/

MADE_LATER = ("build/", "build-asan/", "build-tsan/", "build-fuzz/")  # not in the repository


class Skip(Exception):
    """Something that the test needs is not on this machine."""


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as f:
        return f.read()


def out(*command, **options):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          check=False, **options)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stdout[-2000:]}"
    return done.stdout


DOCUMENTS = {os.path.relpath(p, ROOT): read(p) for pattern in ("*.md", "docs/*.md")
             for p in sorted(glob.glob(os.path.join(ROOT, pattern)))}
MAN = read("docs/inox.1")
COMMANDS = [name for name, _ in make_completion.commands_of(INOX)]
OPTIONS = {c: make_completion.options_of(INOX, c) for c in COMMANDS}


def fail_if(complaints):
    assert not complaints, "\n  ".join(complaints)


# ---- the man page and the completions --------------------------------------------------------------

def man_section(title):
    m = re.search(rf'^\.S[HS] "?{re.escape(title)}"?\n(.*?)(?=^\.SH |^\.SS |\Z)', MAN, re.M | re.S)
    assert m is not None, f"docs/inox.1 has no section {title}"
    return m[1].replace("\\-", "-")


def man_page():
    common = {"help", "json"} | set.intersection(*({o[1] for o in OPTIONS[c]} for c in COMMANDS if c not in ("list", "template")))
    complaints = []
    for command in COMMANDS:
        section = man_section(command)
        for letter, name, _, _ in OPTIONS[command]:
            text = man_section("OPTIONS OF ALL COMMANDS") if name in common else section
            wanted = f'-{letter} ", " --{name}' if letter else f"--{name}"
            if not re.search(rf"^\.BR? {re.escape(wanted)}(?= |$)", text, re.M):
                complaints.append(f"{command} --{name} is not in docs/inox.1")
        known = {o[1] for o in OPTIONS[command]}
        for name in re.findall(r'^\.TP\n\.BR? (?:-\w ", " )?--([\w-]+)', section, re.M):
            if name not in known:
                complaints.append(f"docs/inox.1 has {command} --{name}, the program has not")
    fail_if(complaints)


def man_exit_codes():
    codes = re.findall(r"EXIT_\w+ = (\d+)", read("cli/cli.h"))
    section = man_section("EXIT STATUS")
    fail_if([f"exit status {c} is not in docs/inox.1" for c in codes
             if not re.search(rf"^\.B {c}$", section, re.M)])


def man_environment():
    section = man_section("ENVIRONMENT")
    names = {m for path in glob.glob(os.path.join(ROOT, "src", "**", "*.c"), recursive=True)
             for m in re.findall(r'ix_(?:environment|user_directory)\("(\w+)"', read(path))}
    assert "INOX_ISA" in names
    fail_if([f"{n} is not in docs/inox.1" for n in sorted(names) if f".B {n}\n" not in section])


def man_is_clean():
    if shutil.which("groff") is None:
        raise Skip("no groff")
    done = subprocess.run(["groff", "-man", "-Tutf8", "-ww", os.path.join(ROOT, "docs", "inox.1")],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 0 and done.stderr == "", done.stderr


def completions_are_new():
    for name, text in make_completion.completions(INOX).items():
        assert read(f"tools/completion/{name}") == text, (
            f"tools/completion/{name} is old: run tools/make_completion.py {os.path.relpath(INOX, ROOT)}")


def completions_parse():
    checked = 0
    for shell, name in (("bash", "inox.bash"), ("zsh", "_inox"), ("fish", "inox.fish")):
        if shutil.which(shell) is not None:
            out(shell, "-n", os.path.join(ROOT, "tools", "completion", name))
            checked += 1
    if checked == 0:
        raise Skip("no bash, zsh or fish")


def completion_completes():
    if shutil.which("bash") is None:
        raise Skip("no bash")
    script = ('source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _inox; '
              'echo "${COMPREPLY[*]}"')
    environment = dict(os.environ, PATH=os.path.dirname(INOX) + os.pathsep + os.environ["PATH"])
    for line, wanted in (("inox re", "replay"), ("inox run --cach", "--cache"),
                         ("inox run --isa re", "ref"), ("inox logits --cache f1", "f16"),
                         ("inox run defaul", "default")):
        got = out("bash", "-c", script, "bash", os.path.join(ROOT, "tools/completion/inox.bash"),
                  *line.split(" "), env=environment, cwd=os.path.join(ROOT, "docs")).strip()
        assert got == wanted, f"'{line}' is completed to '{got}', not '{wanted}'"


# ---- links, paths, commands ------------------------------------------------------------------------

def anchors(text):
    """The names that a page's headings get."""
    heads = re.findall(r"^#+ +(.*)$", re.sub(r"^```.*?^```", "", text, flags=re.M | re.S), re.M)
    return {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in heads}


def links():
    complaints = []
    for path, text in DOCUMENTS.items():
        prose = re.sub(r"^```.*?^```|^    .*?$|`[^`\n]*`", "", text, flags=re.M | re.S)
        for target in re.findall(r"\]\(([^)\s]*[./#][^)\s]*)\)", prose):
            if re.match(r"\w+:", target):
                continue
            name, _, anchor = target.partition("#")
            where = os.path.normpath(os.path.join(os.path.dirname(path), name)) if name else path
            if not os.path.exists(os.path.join(ROOT, where)):
                complaints.append(f"{path}: {target} does not exist")
            elif anchor and where.endswith(".md") and anchor not in anchors(read(where)):
                complaints.append(f"{path}: {where} has no heading #{anchor}")
    fail_if(complaints)


def named_paths():
    """A code span that begins with a folder of the repository names something that is there."""
    tops = "|".join(re.escape(e) for e in sorted(os.listdir(ROOT)) if not e.startswith("build"))
    span = re.compile(rf"`((?:{tops})(?:/[^\s`]*)?)`")
    complaints = []
    for path, text in DOCUMENTS.items():
        for name in span.findall(text):
            pattern = re.sub(r"<\w+>", "*", name.split(":")[0])
            if not glob.glob(os.path.join(ROOT, pattern.rstrip("/"))):
                if not pattern.startswith(MADE_LATER) and "*" not in pattern:
                    complaints.append(f"{path}: `{name}` does not exist")
    fail_if(complaints)


def named_commands():
    """Every inox command line in the documents has options that the program has."""
    complaints = []
    for path, text in list(DOCUMENTS.items()) + [("docs/inox.1", MAN.replace("\\-", "-"))]:
        for command, rest in re.findall(r"(?<![\w./-])(?:build/)?inox (\w+)((?: [^\n`|]*)?)",
                                        text):
            if command not in COMMANDS:
                continue
            known = {o[1] for o in OPTIONS[command]} | {"version"}
            for option in re.findall(r"(?<= )--([a-z][\w-]*)", rest):
                if option not in known:
                    complaints.append(f"{path}: inox {command} has no --{option}")
    every = {o[1] for options in OPTIONS.values() for o in options} | {"version"}
    for path, text in DOCUMENTS.items():
        complaints += [f"{path}: no command has --{option}"
                       for option in re.findall(r"`--([a-z][\w-]*)", text) if option not in every]
        for target in re.findall(r"`make (\w+)", text):
            if not re.search(rf"^{target}:", read("Makefile"), re.M):
                complaints.append(f"{path}: make {target} does not exist")
    fail_if(complaints)


MEASURED = re.compile(r"(?<![\w.-])(?:\d[\d,.]*)?\d\s?(?:tokens/s|GB/s|MB/s|GB|ms|s|seconds|minutes|hours"
                      r"|%|x|times|nats|ulp|million parameters|executions)(?![\w/])")
COMMAND = re.compile(r"`(?:make|inox|build/|tools/|test/|bench/|fuzz/|python3)|^\$ ", re.M)


def numbers_have_commands():
    """A measured number stands in a paragraph, or under a paragraph, with the command that gives it."""
    complaints = []
    for path in ("README.md", "CHANGELOG.md", "docs/ARCHITECTURE.md", "docs/SOUNDNESS.md", "docs/API.md",
                 "docs/RECEIPTS.md", "docs/PERFORMANCE.md", "docs/TEXT.md", "SECURITY.md", "CONTRIBUTING.md"):
        blocks = re.split(r"\n\s*\n|\n(?=- )", DOCUMENTS[path])
        for i, block in enumerate(blocks):
            near = "\n".join(blocks[max(0, i - 1):i + 1])
            for m in MEASURED.finditer(block):
                if not COMMAND.search(near):
                    complaints.append(f"{path}: '{m[0]}' without the command that measures it")
    fail_if(complaints)


def no_machine_paths():
    word = re.compile(r"(?<![\w/.~])/(?:home|root|work|Users|tmp)/\w+")
    complaints = []
    for pattern in ("*.md", "docs/*", "examples/*", "tools/completion/*"):
        for path in glob.glob(os.path.join(ROOT, pattern)):
            name = os.path.relpath(path, ROOT)
            complaints += [f"{name}: {m}" for m in word.findall(read(name))]
    fail_if(complaints)


def nothing_left_open():
    """No place that a script or a person was to fill in."""
    word = re.compile(r"@[A-Z][A-Z_]+@|\b(?:TODO|FIXME|TBD|XXX)\b")
    fail_if([f"{path}: {m}" for path, text in list(DOCUMENTS.items()) + [("docs/inox.1", MAN)]
             for m in word.findall(text)])


def versions():
    header = read("include/inox_status.h")
    version = ".".join(re.search(rf"INOX_VERSION_{p} (\d+)", header)[1] for p in ("MAJOR", "MINOR", "PATCH"))
    assert out(INOX, "--version").strip() == f"inox {version}"
    assert f'"Inox {version}"' in MAN.split("\n")[0], "docs/inox.1 names another version"
    first = re.search(r"^## (\S+)", read("CHANGELOG.md"), re.M)[1].rstrip(",")
    assert first == version, f"CHANGELOG.md begins with {first}, the header says {version}"


def pictures():
    svg = read("docs/architecture.svg")
    root = xml.etree.ElementTree.fromstring(svg)
    assert root.tag.endswith("svg") and "viewBox" in root.attrib
    assert "prefers-color-scheme: dark" in svg, "no colours for a dark page"
    assert "<script" not in svg and "href=" not in svg


# ---- pages against sources -------------------------------------------------------------------------

def api_page():
    page = DOCUMENTS["docs/API.md"]
    headers = "".join(read(f"include/{name}") for name in ("inox_status.h", "inox_text.h", "inox.h"))
    header = re.sub(r"/\*.*?\*/", "", headers, flags=re.S)
    names = re.findall(r"^INOX_API[^;]*?\b(inox_\w+)\s*\(", header, re.M)
    complaints = [f"{n} is not in docs/API.md" for n in names if f"`{n}`" not in page]
    complaints += [f"docs/API.md names {n}, no header does"
                   for n in re.findall(r"`(inox_[a-z_0-9]+)`", page) if n not in headers]
    for name, number in re.findall(r"#define (INOX_OK|INOX_E_\w+) \(?(-?\d+)", headers):
        if f"| `{name}` | {number} |" not in page:
            complaints.append(f"{name} {number} is not in docs/API.md")
    fail_if(complaints)


def floors_page():
    """The table of floors has the folders that there are, in the order and with the rights of tidy.py."""
    page = DOCUMENTS["docs/ARCHITECTURE.md"]
    rows = re.findall(r"^\| `src/(\w+)/` \|[^|]*\| ([^|]*?) \|$", page.split("## Life of a model")[0], re.M)
    there = {e for e in os.listdir(os.path.join(ROOT, "src")) if os.path.isdir(os.path.join(ROOT, "src", e))}
    assert {name for name, _ in rows} == there, f"folders in src/: {sorted(there)}"
    rules = eval(re.search(r"^FLOORS = (\{.*?^\})", read("test/tidy.py"), re.M | re.S)[1])  # our own text
    for i, (name, rights) in enumerate(rows):
        said = {"nothing": set(), "all of the above": {n for n, _ in rows[:i]}}.get(
            rights, set(rights.split(", ")))
        assert said == set(rules[name]) & there, f"{name}/ may include {sorted(set(rules[name]) & there)}"


# ---- receipts, computed from the page --------------------------------------------------------------

def canonical(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def tree(data):
    """RFC 6962 over leaves of 1 MiB, split from the top."""
    def node(leaves):
        if len(leaves) == 1:
            return leaves[0]
        half = 1
        while half * 2 < len(leaves):
            half *= 2
        return hashlib.sha256(b"\x01" + node(leaves[:half]) + node(leaves[half:])).digest()
    pieces = [data[i:i + (1 << 20)] for i in range(0, len(data), 1 << 20)] or [b""]
    return node([hashlib.sha256(b"\x00" + p).digest() for p in pieces])


class Answer:
    """One answer with its receipt, made once."""
    made = None

    def __init__(self, folder):
        self.folder = folder
        self.environment = dict(os.environ, XDG_STATE_HOME=os.path.join(folder, "state"),
                                XDG_CACHE_HOME=os.path.join(folder, "cache"))
        self.path = os.path.join(folder, "receipt.json")
        text = self.run("run", "-n", "12", "--seed", "18446744073709551615", "--json", "--receipt", self.path,
                        "--stop", 'never "this"\n\x01\u00e9', "--logit-bias", "5=-1.5", "--logit-bias",
                        "6=-inf", "--prompt", "It was the best of times")
        self.said = json.loads(text)
        with open(self.path, "rb") as f:
            self.bytes = f.read()
        self.receipt = json.loads(self.bytes)

    def run(self, *arguments):
        return out(INOX, *arguments, env=self.environment)

    def status(self, *arguments):
        return subprocess.run([INOX, *arguments], env=self.environment, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL, check=False).returncode

    def replay_of(self, receipt, own_hash=True):
        """Exit status of replaying a receipt that somebody changed."""
        path = os.path.join(self.folder, "changed.json")
        if own_hash:
            receipt = dict(receipt)
            receipt.pop("sha256")
            receipt["sha256"] = sha256(canonical(receipt))
            receipt = canonical(receipt) + b"\n"
        with open(path, "wb") as f:
            f.write(receipt)
        return self.status("replay", path)


def receipt_members(answer):
    page = DOCUMENTS["docs/RECEIPTS.md"]
    table = page.split("## Members")[1].split("\n## ")[0]
    said = set(re.findall(r"^\| `([\w.]+)` \|", table, re.M))
    is_ = {f"{key}.{inner}" for key, value in answer.receipt.items() if isinstance(value, dict)
           for inner in value} | {k for k, v in answer.receipt.items() if not isinstance(v, dict)}
    assert said == is_, (f"only in docs/RECEIPTS.md: {sorted(said - is_)}; "
                         f"only in a receipt: {sorted(is_ - said)}")


def receipt_form(answer):
    assert answer.bytes == canonical(answer.receipt) + b"\n", "not the canonical form of the page"
    rest = {k: v for k, v in answer.receipt.items() if k != "sha256"}
    assert answer.receipt["sha256"] == sha256(canonical(rest)) == answer.said["receipt"]
    kept = os.path.join(answer.folder, "state", "inox", "receipts", answer.said["receipt"] + ".json")
    with open(kept, "rb") as f:
        assert f.read() == answer.bytes, "the kept receipt is another"
    assert os.stat(kept).st_mode & 0o777 == 0o600, "the kept receipt can be read by others"
    assert answer.receipt["output"] == answer.said["ids"]
    version = json.loads(answer.run("--version", "--json"))
    assert answer.receipt["contract"] == version["contract"]
    assert answer.receipt["engine"]["build"] == version["build"]


def receipt_model(answer):
    path = os.path.join(ROOT, "models", "default.gguf")
    with open(path, "rb") as f:
        root = tree(f.read()).hex()
    assert answer.receipt["model"]["sha256"] == root
    assert answer.run("inspect", path, "--identity").strip() == root


def receipt_model_of_several_files(answer):
    files = sorted(glob.glob(os.path.join(ROOT, "test", "data", "gguf", "split-*.gguf")))
    roots = b""
    for path in files:
        with open(path, "rb") as f:
            roots += tree(f.read())
    assert answer.run("inspect", files[0], "--identity").strip() == sha256(b"\x02" + roots)


def logits(answer, ids, name, *options):
    with open(os.path.join(answer.folder, "ids.json"), "w", encoding="utf-8") as f:
        json.dump(ids, f)
    path = os.path.join(answer.folder, name)
    line = json.loads(answer.run("logits", "default", "--ids", f.name, "--out", path, "--cache",
                                 answer.receipt["cache"], *options))
    with open(path, "rb") as f:
        data = f.read()
    assert line["sha256"] == sha256(data) and len(data) == 4 * line["rows"] * line["columns"]
    return data, line["columns"] * 4


def receipt_rows(answer):
    r = answer.receipt
    data, row = logits(answer, r["prompt"] + r["output"], "rows.f32")
    first = len(r["prompt"]) - 1
    digests = [hashlib.sha256(data[i * row:(i + 1) * row]).digest()
               for i in range(first, first + len(r["output"]))]
    assert "".join(d.hex()[:8] for d in digests) == r["rows"]
    assert sha256(b"".join(digests)) == r["logits_sha256"]


def receipt_damage(answer):
    """Every damaged byte is seen; what the page says of exit statuses holds."""
    assert answer.status("replay", answer.path, "--threads", "1", "--isa", "ref") == 0
    step = max(1, len(answer.bytes) // 40)
    for at in range(0, len(answer.bytes), step):
        damaged = bytearray(answer.bytes)
        damaged[at] ^= 1
        assert answer.replay_of(bytes(damaged), own_hash=False) in (1, 6), f"byte {at} may be damaged"
    assert answer.replay_of(json.dumps(answer.receipt).encode(), own_hash=False) == 1
    assert answer.replay_of(answer.bytes[:-1], own_hash=False) == 1
    assert answer.replay_of(b"[]\n", own_hash=False) == 6
    r = answer.receipt
    zero = "0" * 64
    assert answer.replay_of(dict(r)) == 0
    for change, status in ((dict(model=dict(r["model"], sha256=zero)), 1), (dict(inox_receipt=1), 7),
                           (dict(contract=dict(r["contract"], sha256=zero)), 1),
                           (dict(logits_sha256=zero), 1),
                           (dict(rows="0" * len(r["rows"])), 1), (dict(output=r["output"][:-1] + [7]), 1),
                           (dict(prompt=r["prompt"][:-1] + [7]), 1), (dict(engine={}), 6)):
        got = answer.replay_of(dict(r, **change))
        assert got == status, f"{change} gives exit status {got}, not {status}"


def same_bits(answer):
    """Instruction sets, threads and chunks that this machine has, for the built-in model."""
    ids = answer.receipt["prompt"] + answer.receipt["output"]
    wanted, _ = logits(answer, ids, "wanted.f32", "--isa", "ref", "--threads", "1")
    version = json.loads(answer.run("--version", "--json"))
    for isa in version["isa_present"]:
        if isa not in version["isa_built"]:
            continue
        for threads, chunk in (("1", "1"), ("2", "7"), ("3", "512")):
            got, _ = logits(answer, ids, "got.f32", "--isa", isa, "--threads", threads, "--chunk", chunk)
            assert got == wanted, f"other bits with {isa}, {threads} threads, chunks of {chunk}"


TESTS = [man_page, man_exit_codes, man_environment, man_is_clean, completions_are_new, completions_parse,
         completion_completes, links, named_paths, named_commands, numbers_have_commands, no_machine_paths,
         nothing_left_open, versions, pictures, api_page, floors_page]
ANSWER_TESTS = [receipt_members, receipt_form, receipt_model, receipt_model_of_several_files, receipt_rows,
                receipt_damage, same_bits]


def main():
    counts = {"ok": 0, "FAILED": 0, "skipped": 0}

    def check(test, *arguments):
        word, why = "ok", ""
        try:
            test(*arguments)
        except Skip as reason:
            word, why = "skipped", f": {reason}"
        except (AssertionError, OSError, ValueError, KeyError) as reason:
            word = "FAILED"
            print(f"  {reason!r}" if not isinstance(reason, AssertionError) else f"  {reason}")
        counts[word] += 1
        print(f"{word:7} docs_{test.__name__}{why}", flush=True)

    for test in TESTS:
        check(test)
    with tempfile.TemporaryDirectory() as folder:
        try:
            answer = Answer(folder)
        except (AssertionError, OSError, ValueError) as why:
            print(f"  {why}\nFAILED  docs_answer")
            counts["FAILED"] += 1
        else:
            for test in ANSWER_TESTS:
                check(test, answer)
    print(f"{counts['ok']} passed, {counts['FAILED']} failed, {counts['skipped']} skipped")
    return 1 if counts["FAILED"] else 0


if __name__ == "__main__":
    sys.exit(main())
