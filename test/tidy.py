#!/usr/bin/env python3
"""Reads the sources and holds them to docs/STYLE.md and the floors of docs/ARCHITECTURE.md.

Each rule is one function and one test.  Lists of exceptions are short, and each entry says why.
"""
import glob
import json
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

# Folders from the top down: a folder sees itself and those that its row names.
FLOORS = {
    "base": [],
    "num": ["base"],
    "ir": ["base", "num"],
    "pass": ["base", "num", "ir"],
    "back": ["base", "num", "ir", "pass"],
    "front": ["base", "num", "ir", "pass"],
    "text": ["base"],
    "data": ["base"],
    "trust": ["base"],
    "llm": ["base", "num", "ir", "pass", "back", "front", "text", "data", "trust"],
    "learn": ["base", "num", "ir", "pass", "back", "front", "text", "data", "trust", "llm"],
    "serve": ["base", "num", "ir", "pass", "back", "front", "text", "data", "trust", "llm",
              "learn"],
}
PUBLIC_ONLY = ["cli", "examples", "bind"]
PUBLIC_NAMES = ["inox.h", "inox_text.h", "inox_status.h"]
PUBLIC_HEADERS = [f"include/{name}" for name in PUBLIC_NAMES]

C_STANDARD = {
    "assert.h", "errno.h", "float.h", "inttypes.h", "limits.h", "math.h", "stdarg.h", "stdatomic.h",
    "stdbool.h", "stddef.h", "stdint.h", "stdio.h", "stdlib.h", "string.h", "time.h", "ctype.h",
    "stdalign.h", "stdnoreturn.h", "fenv.h", "signal.h", "locale.h",
}
# <header>: where it may be included.
LIBRARY_HEADERS = [
    (re.compile(r"openssl/"), ["src/base/"]),
    (re.compile(r"jansson\.h"), ["src/text/", "src/trust/", "src/llm/", "cli/"]),
    (re.compile(r"histedit\.h"), ["cli/chat_line.c"]),
    (re.compile(r"immintrin\.h"), ["src/num/", "src/base/", "src/text/fast_block_x86"]),
    (re.compile(r"cpuid\.h"), ["src/num/"]),
    (re.compile(r"wasm_simd128\.h"), ["src/num/"]),
    (re.compile(r"arm_neon\.h"), ["src/num/"]),
]
# The program's own operating system calls: terminals and signals are no part of the library.
CLI_SYSTEM_HEADERS = {"unistd.h", "signal.h", "sys/ioctl.h", "sys/stat.h"}

LINE_MAX = 100
FUNCTION_MAX = 70
FILE_MAX = 1000
LONG_FUNCTIONS = {}  # "path:function": "why it is better in one piece"

BANNED = re.compile(
    r"(?<![\w.>])(strcpy|strcat|sprintf|vsprintf|gets|strtok|atoi|atol|atof|alloca|abort|exit|_Exit|"
    r"quick_exit|system|popen|setjmp|longjmp)\s*\(")
HEAP = re.compile(
    r"(?<![\w.>])(malloc|calloc|realloc|free|strdup|strndup|aligned_alloc|posix_memalign|asprintf|"
    r"vasprintf|getline)\s*\(")
NO_ASSERT = ["src/front/", "src/text/", "src/trust/", "src/data/"]

GENERATED = re.compile(r"_tables?\.(c|h|inc)$|\.inc$|\.def$")


def files():
    """Paths of all C files, relative to the root."""
    found = []
    for top in ("include", "src", "cli", "examples", "bench", "fuzz", "test"):
        for folder, _, names in os.walk(os.path.join(ROOT, top)):
            found += [os.path.relpath(os.path.join(folder, n), ROOT) for n in names
                      if n.endswith((".c", ".h", ".def", ".inc"))]
    return sorted(found)


TEXT = {}
for _path in files():
    with open(os.path.join(ROOT, _path), encoding="utf-8") as _f:
        TEXT[_path] = _f.read()


def is_table(path):
    """Pure tables: generated constants and rows of macros."""
    return bool(GENERATED.search(path))


def without_comments(text, keep_strings=False):
    """The text with comments, and strings unless they are kept, blanked; lines stay where they are."""
    def blank(m):
        token = m.group(0)
        if token[0] != "/" and keep_strings:
            return token
        if token[0] == "/":
            return re.sub(r"[^\n]", " ", token)
        return token[0] + " " * (len(token) - 2) + token[-1]
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', blank, text,
                  flags=re.S)


CODE = {path: without_comments(text) for path, text in TEXT.items()}


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


# ---- rules: each yields complaints -----------------------------------------------------------------

def floors():
    include = re.compile(r'^\s*#\s*include\s+(["<])([^">]+)[">]', re.M)
    for path, text in TEXT.items():
        parts = path.split("/")
        code = without_comments(text, keep_strings=True)
        for m in include.finditer(code):
            quote, name = m.groups()
            at = f"{path}:{line_of(code, m.start())}"
            if parts[0] == "src":
                floor = parts[1]
                if floor not in FLOORS:
                    yield f"{at}: folder src/{floor} is not in the list of floors"
                    break
                if quote == '"' and name not in PUBLIC_NAMES + ["build_info.h"]:
                    target = name.split("/")[0]
                    if "/" not in name or ".." in name or target not in FLOORS:
                        yield f'{at}: "{name}" is not written relative to src/'
                    elif target != floor and target not in FLOORS[floor]:
                        yield f'{at}: {floor}/ may not include "{name}"'
            elif parts[0] in PUBLIC_ONLY and quote == '"' and name not in PUBLIC_NAMES:
                if "/" in name or not os.path.exists(os.path.join(ROOT, *parts[:-1], name)):
                    yield f'{at}: {parts[0]}/ sees inox.h and its own headers only, not "{name}"'


def system_headers():
    include = re.compile(r"^\s*#\s*include\s+<([^>]+)>", re.M)
    for path, text in CODE.items():
        if not path.startswith(("include/", "src/", "cli/", "examples/")):
            continue
        for m in include.finditer(text):
            name = m.group(1)
            if name in C_STANDARD or name in PUBLIC_NAMES:
                continue
            if path.startswith("cli/") and name in CLI_SYSTEM_HEADERS:
                continue
            library = next((where for what, where in LIBRARY_HEADERS if what.match(name)), None)
            allowed = ["src/base/"] if library is None else library
            if not path.startswith(tuple(allowed)):
                yield f"{path}:{line_of(text, m.start())}: <{name}> belongs to {', '.join(allowed)}"


def lines():
    for path, text in TEXT.items():
        if is_table(path) and not path.endswith(".def"):
            continue
        for number, line in enumerate(text.split("\n"), 1):
            if len(line) > LINE_MAX:
                yield f"{path}:{number}: {len(line)} columns, {LINE_MAX} are allowed"


def white_space():
    for path, text in TEXT.items():
        for number, line in enumerate(text.split("\n"), 1):
            if "\t" in line:
                yield f"{path}:{number}: a tab"
            if line != line.rstrip():
                yield f"{path}:{number}: white space at the end of the line"
        if not text.endswith("\n") or text.endswith("\n\n"):
            yield f"{path}: ends without a line feed or with an empty line"


def file_lengths():
    for path, text in TEXT.items():
        count = text.count("\n")
        if count > FILE_MAX and not is_table(path):
            yield f"{path}: {count} lines, {FILE_MAX} are allowed"


def function_lengths():
    """A function starts with a brace in the first column and ends with the next such closing brace."""
    for path, text in CODE.items():
        rows = text.split("\n")
        start = None
        for number, row in enumerate(rows, 1):
            if row.startswith("{"):
                start = number
            elif row.startswith("}") and start is not None:
                head = " ".join(rows[max(0, start - 8):start - 1])
                names = re.findall(r"(\w+)\s*\(", head.split(";")[-1].split("}")[-1])
                name = names[0] if names else "?"
                if name == "TEST":
                    name = head.rsplit("(", 1)[1].rstrip(") ")
                length = number - start - 1
                if length > FUNCTION_MAX and f"{path}:{name}" not in LONG_FUNCTIONS:
                    yield f"{path}:{start}: {name} has {length} lines, {FUNCTION_MAX} are allowed"
                start = None


def banned():
    for path, text in CODE.items():
        if not path.startswith(("include/", "src/", "cli/", "examples/")):
            continue
        for m in BANNED.finditer(text):
            if m.group(1) == "exit" and path == "cli/main.c":
                continue
            yield f"{path}:{line_of(text, m.start())}: {m.group(1)} is banned (docs/STYLE.md)"
        if path.startswith("src/") and not path.startswith("src/base/"):
            for m in HEAP.finditer(text):
                if m.group(1) == "free" and "<jansson.h>" in text:
                    continue  # json_dumps gives memory that is freed so
                yield (f"{path}:{line_of(text, m.start())}: {m.group(1)}: memory comes from "
                       "base/alloc.h")


def prints():
    """The library never prints."""
    call = re.compile(r"(?<![\w.>])(printf|puts|putchar|perror|fprintf|fputs|fwrite|vprintf)\s*\(")
    for path, text in CODE.items():
        if path.startswith("src/"):
            for m in call.finditer(text):
                yield f"{path}:{line_of(text, m.start())}: {m.group(1)}: the library never prints"


def asserts():
    for path, text in CODE.items():
        if path.startswith(tuple(NO_ASSERT)):
            for m in re.finditer(r"(?<![\w.>])assert\s*\(", text):
                yield f"{path}:{line_of(text, m.start())}: assert beside outside data"


def libm():
    """Rule C5: no libm where bits are made.  fma, sqrt and the like are exact by IEEE 754, but only
    as instructions that a file's flags name, so the reference has its own."""
    call = re.compile(
        r"(?<![\w.>])(expf?|exp2f?|logf?|log2f?|powf?|sinf?|cosf?|tanf?|tanhf?|erff?|fmaf?|rintf?|"
        r"nearbyintf?|lrintf?|roundf?|cbrtf?|hypotf?|ldexpf?|scalbnf?)\s*\(")
    for path, text in CODE.items():
        if path.startswith(("src/num/", "src/ir/", "src/back/")):
            for m in call.finditer(text):
                yield f"{path}:{line_of(text, m.start())}: {m.group(1)} of libm (rule C5)"


def header_guards():
    for path, text in TEXT.items():
        if not path.endswith(".h"):
            continue
        m = re.search(r"^#ifndef (\w+)\n#define (\w+)\n", text, re.M)
        if m is None or m.group(1) != m.group(2):
            yield f"{path}: no include guard"


def openings():
    """A file opens with its purpose."""
    for path, text in TEXT.items():
        if not text.startswith("/*"):
            yield f"{path}: does not open with a comment that says its purpose"


def public_comments():
    """Every public declaration has a comment: directly above, behind it, or above its group (lines
    without an empty line between them)."""
    for path in PUBLIC_HEADERS:
        in_comment, documented = False, False
        for number, row in enumerate(TEXT[path].split("\n"), 1):
            if row.strip() == "":
                documented = False
            if in_comment or "/*" in row:
                documented = True
                in_comment = "*/" not in row[row.rfind("/*") + 2 if "/*" in row else 0:]
                continue
            if re.match(r"INOX_API|typedef (enum|struct) \w+ \{|typedef int32_t", row):
                if not documented:
                    yield f"{path}:{number}: no comment: {row.strip()[:60]}"


def public_names():
    for path in PUBLIC_HEADERS:
        for m in re.finditer(r"^INOX_API[^;]*?\b(\w+)\(", CODE[path], re.M):
            if m.group(1).startswith("inox_"):
                continue
            yield f"{path}: {m.group(1)} is public, so its name begins with inox_"


def machine_paths():
    word = re.compile(r"(?<![\w/])/(?:home|root|work|Users)/\w+")
    others = [os.path.relpath(p, ROOT) for pattern in
              ("*.md", "docs/*.md", "meson.build", "*/meson.build", "src/**/meson.build", "Makefile",
               "tools/*", "fuzz/*.sh", "test/*.py", ".ci/run")
              for p in glob.glob(os.path.join(ROOT, pattern), recursive=True) if os.path.isfile(p)]
    for path in list(TEXT) + sorted(set(others)):
        if path == "test/tidy.py":
            continue
        with open(os.path.join(ROOT, path), encoding="utf-8") as f:
            for number, line in enumerate(f, 1):
                if word.search(line):
                    yield f"{path}:{number}: a path of one machine"


def every_file_is_built():
    for path in TEXT:
        if not path.startswith("src/") or not path.endswith(".c"):
            continue
        folder, found = os.path.dirname(path), False
        while folder:
            build = os.path.join(ROOT, folder, "meson.build")
            if os.path.exists(build):
                with open(build, encoding="utf-8") as f:
                    named = re.sub(r"#[^\n]*", "", f.read())
                found = os.path.relpath(path, folder) in named
                break
            folder = os.path.dirname(folder)
        if not found:
            yield f"{path}: is in no meson.build"


def compile_lines():
    """Rule C1: -ffp-contract=off is the last word about arithmetic on every compile line."""
    database = os.path.join(os.environ.get("INOX_BUILD", os.path.join(ROOT, "build")),
                            "compile_commands.json")
    if not os.path.exists(database):
        return
    dangerous = re.compile(r"-ffp-contract=(?!off)|-ffast-math|-Ofast|-funsafe-math|-fassociative-math|"
                           r"-freciprocal-math|-flto|-mno-fma4|-frounding-math")
    with open(database, encoding="utf-8") as f:
        for entry in json.load(f):
            words = entry["command"].split()
            name = os.path.basename(entry["file"])
            if "-ffp-contract=off" not in words:
                yield f"{name}: compiled without -ffp-contract=off"
                continue
            last = len(words) - 1 - words[::-1].index("-ffp-contract=off")
            rest = words[last + 1:]
            if any(w.startswith(("-f", "-O", "-m")) for w in rest) or dangerous.search(
                    entry["command"].replace("-ffp-contract=off", "")):
                yield f"{name}: a flag that changes arithmetic beside -ffp-contract=off"


RULES = [floors, system_headers, lines, white_space, file_lengths, function_lengths, banned, prints,
         asserts, libm, header_guards, openings, public_comments, public_names, machine_paths,
         every_file_is_built, compile_lines]


def main():
    failed = 0
    only = sys.argv[1:]
    rules = [r for r in RULES if not only or r.__name__ in only]
    for rule in rules:
        complaints = list(rule())
        for text in complaints:
            print("  " + text)
        print(f"{'FAILED ' if complaints else 'ok     '} tidy_{rule.__name__}")
        failed += bool(complaints)
    print(f"{len(rules) - failed} passed, {failed} failed")
    return 1 if failed else 0


sys.exit(main())
