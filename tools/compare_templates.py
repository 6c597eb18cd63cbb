#!/usr/bin/env python3
"""The same templates and variables through Python's jinja2, set up as transformers does, and through inox.

    compare_templates.py TEMPLATES [--inox PROGRAM] [--count 2000] [--seed 1] [--only chat|small|typed]

TEMPLATES is a folder of *.jinja (../shared/data/templates).  chat: each with random conversations (roles,
parts, tools, calls, reasoning, documents, odd text).  small: random expressions and statements over all of
jinja2's filters and tests.  typed: the same of template_generator.py, of which most render.  Texts must be equal byte for byte; where one fails, the other must.  Needs jinja2.
Exit status 1 if anything differs.
"""
import argparse
import ctypes
import datetime
import json
import os
import random
import re
import subprocess
import sys

import template_generator

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "test"))
from jinja_environment import environment  # noqa: E402

NOW = datetime.datetime(2026, 7, 4, 15, 30, 45)


ENVIRONMENT = environment(NOW)


def expected(source, variables):
    """("text", ...) or ("error", ...)."""
    try:
        return "text", ENVIRONMENT.from_string(source).render(**json.loads(json.dumps(variables)))
    except RecursionError:
        return "unknown", ""
    except Exception as error:  # whatever it is, inox must fail too
        return "error", f"{type(error).__name__}: {error}"


# ---- conversations ---------------------------------------------------------------------------------

TEXTS = ["", " ", "Hello", "Grüße, 日本!", "a\nb\n\nc", "<think>hm</think>answer", "</s><|im_end|>", "  padded  ", "{{ x }} {% if %}", "x" * 300,
         "\"quoted\" 'single' \\ back", "<tool_call>{}</tool_call>", "1", "e\u0301\u200d😀", "[INST] [/INST]", "tab\tcr\r\n", "\u2028"]


def text(rng):
    return " ".join(rng.choice(TEXTS) for _ in range(rng.choice((1, 1, 2, 4))))


def arguments(rng, depth=0):
    what = rng.randrange(8 if depth < 3 else 6)
    if what == 6:
        return [arguments(rng, depth + 1) for _ in range(rng.randrange(4))]
    if what == 7:
        return {text(rng)[:10]: arguments(rng, depth + 1) for _ in range(rng.randrange(4))}
    return rng.choice((None, True, False, rng.randrange(-5, 10 ** 12), 10 ** 25, 1.5, 1e-7, 1e22, 0.1, text(rng), text(rng)))


def tool(rng):
    properties = {n: {"type": rng.choice(("string", "integer", ["string", "null"], "array", "object")), "description": text(rng),
                      **({"enum": ["a", "b"]} if rng.random() < 0.2 else {}), **({"items": {"type": "string"}} if rng.random() < 0.2 else {})}
                  for n in rng.sample(["city", "days", "unit", "q"], rng.randrange(4))}
    function = {"name": rng.choice(("get_weather", "search", "now")), "description": text(rng),
                "parameters": {"type": "object", "properties": properties, "required": list(properties)[:1]}}
    return {"type": "function", "function": function} if rng.random() < 0.9 else function


def message(rng, last):
    role = rng.choice(("user", "assistant", "user", "assistant", "system", "tool", "developer", "critic"))
    if rng.random() < 0.6:
        role = "assistant" if last == "user" else "user"
    content = text(rng)
    if rng.random() < 0.15:
        content = [rng.choice(({"type": "text", "text": text(rng)}, {"type": "image"}, {"type": "text", "text": text(rng)})) for _ in range(rng.randrange(3))]
    m = {"role": role, "content": content if rng.random() < 0.95 else None}
    if role == "assistant" and rng.random() < 0.3:
        m["tool_calls"] = [{"id": rng.choice(("abcd12345", "x")), "type": "function",
                            "function": {"name": "search", "arguments": rng.choice((arguments(rng), {"city": text(rng)}, json.dumps({"a": 1})))}}
                           for _ in range(rng.randint(1, 2))]
    if role == "assistant" and rng.random() < 0.3:
        m["reasoning_content"] = m["thinking"] = text(rng)
    if role == "tool":
        m.update(name="search", tool_call_id="abcd12345")
    return m


def conversation(rng):
    messages = [{"role": "system", "content": text(rng)}] if rng.random() < 0.4 else []
    for _ in range(rng.choice((0, 1, 1, 2, 3, 6))):
        messages.append(message(rng, messages[-1]["role"] if messages else "assistant"))
    out = {"messages": messages, "tools": None, "documents": None, "bos_token": "<|bos|>", "eos_token": "<|eos|>",
           "add_generation_prompt": rng.random() < 0.6}
    if rng.random() < 0.4:
        out["tools"] = [tool(rng) for _ in range(rng.randrange(4))]
    if rng.random() < 0.1:
        out["documents"] = [{"doc_id": i, "title": text(rng), "text": text(rng)} for i in range(rng.randrange(3))]
    for name, values in (("enable_thinking", (True, False)), ("thinking", (True, False)), ("reasoning_effort", ("low", "high")),
                         ("date_string", ("26 Jul 2024",)), ("xml_tools", ([],)), ("builtin_tools", (["code_interpreter"],))):
        if rng.random() < 0.15:
            out[name] = rng.choice(values)
    return out


# ---- small templates -------------------------------------------------------------------------------

VARIABLES = {"s": "Hello <b>World</b> &amp; naïve 日本", "t": " a,b;c\nd ", "n": 42, "neg": -7, "f": 3.14159, "big": 10 ** 30, "yes": True, "no": False, "nil": None,
             "l": [3, 1, 2], "ls": ["b", "A", "c", "a"], "d": {"b": 1, "a": [1, 2], "C": "x"}, "e": [], "ed": {}, "es": "",
             "rows": [{"k": "x", "v": 1}, {"k": "y", "v": 2}, {"k": "x", "v": 3}], "nest": [[1, [2]], [], ["a"]]}
NAMES = list(VARIABLES) + ["undefined_name"]
FILTERS = sorted(set(ENVIRONMENT.filters) - {"random"})
TESTS = sorted(name for name in ENVIRONMENT.tests if name.isidentifier())
ATTRIBUTES = ["k", "v", "a", "b", "items", "upper", "0", "missing"]
METHODS = ["upper()", "split(',')", "split()", "strip()", "replace('a', 'b')", "items()", "keys()", "values()", "get('a')", "get('zz', 1)", "startswith('H')",
           "endswith(' ')", "lower()", "title()", "capitalize()", "find('o')", "count('a')", "join(['x','y'])", "lstrip()", "rstrip()", "splitlines()", "format(1, a=2)",
           "center(30, '*')", "zfill(8)", "index('l')", "isdigit()", "partition(' ')", "rsplit(None, 1)", "encode()", "swapcase()", "isalpha()", "append(1)", "pop()", "copy()",
           "index(1)", "bit_length()", "is_integer()", "removeprefix('H')", "expandtabs()", "casefold()", "ljust(5)", "translate({})", "__class__", "mro()"]


def literal(rng):
    return rng.choice(("1", "0", "-3", "2.5", "1e3", "'x'", "'aé'", "\"q'q\"", "true", "false", "none", "[]", "[1, 'a', 2]", "{}", "{'a': 1, 'b': [2]}", "(1, 2)", "()", "''", "10 ** 20", "'%s-%d'",
                       "'<&>'", "'a b c'", "range(3)", "range(5, 0, -2)", "[3, 1, 2]", "['b', 'a']", "namespace(x=1)", "dict(a=1)", "'b'"))


def call_arguments(rng, depth):
    out = []
    for _ in range(rng.choice((0, 0, 0, 1, 1, 2))):
        value = expression(rng, depth + 2)
        out.append(value if rng.random() < 0.7 else f"{rng.choice(('attribute', 'default', 'reverse', 'by', 'case_sensitive', 'indent', 'sort_keys', 'width', 'd', 'start', 'boolean', 'first', 'length', 'killwords', 'end'))}={value}")
    out.sort(key=lambda a: "=" in a and not a.startswith(("'", "\"", "{", "[", "(")))
    return ", ".join(out)


def expression(rng, depth=0):
    if depth > 3 or rng.random() < 0.25:
        return rng.choice(NAMES) if rng.random() < 0.6 else literal(rng)
    what, e = rng.randrange(14), lambda: expression(rng, depth + 1)
    if what <= 4:
        name = rng.choice(FILTERS)
        arguments_ = call_arguments(rng, depth)
        return f"{e()} | {name}" + (f"({arguments_})" if arguments_ else "")
    if what == 5:
        arguments_ = call_arguments(rng, depth)
        return f"({e()} is {rng.choice(('', 'not '))}{rng.choice(TESTS)}" + (f"({arguments_}))" if arguments_ else ")")
    if what == 6:
        return f"({e()} {rng.choice(('+', '-', '*', '/', '//', '%', '~', '==', '!=', '<', '<=', 'in', 'not in', 'and', 'or'))} {e()})"
    if what == 7:
        return f"({e()} if {e()} else {e()})"
    if what == 8:
        return f"{rng.choice(NAMES)}.{rng.choice(METHODS)}"
    if what == 9:
        return f"{rng.choice(NAMES)}[{rng.choice(('0', '-1', ':2', '::-1', '1:', 'n', chr(39) + 'a' + chr(39), '-2:', '::2', e()))}]"
    if what == 10:
        return f"{rng.choice(NAMES)}.{rng.choice(ATTRIBUTES)}"
    if what == 11:
        return f"[{e()}, {e()}]"
    if what == 12:
        return f"(not {e()})"
    return f"({e()})"


def statement(rng, depth=0):
    e = lambda: expression(rng, 1)
    body = "".join(statement(rng, depth + 1) for _ in range(rng.choice((1, 1, 2)))) if depth < 3 else "x"
    dash = lambda: rng.choice(("", "", "-", "-", "+"))
    kind = rng.randrange(12)
    if kind <= 3:
        return f"{{{{{dash()} {e()} {rng.choice(('', '-'))}}}}}"
    if kind == 4:
        return f"{{%{dash()} if {e()} %}}{body}{{% elif {e()} {rng.choice(('', '-'))}%}}B{{% else %}}\n C {{% endif %}}\n"
    if kind == 5:
        return f"{{% for i in {e()}{rng.choice(('', ' if i', ' recursive'))} %}}{{{{ i }}}},{{{{ loop.{rng.choice(('index', 'first', 'last', 'length', 'revindex0', 'previtem', 'nextitem', 'depth'))} }}}}{body}{{% else %}}none{{% endfor %}}"
    if kind == 6:
        return f"{{% set q = {e()} %}}{{{{ q }}}}" if rng.random() < 0.6 else f"{{% set q %}}{body}{{% endset %}}[{{{{ q | {rng.choice(FILTERS)} }}}}]"
    if kind == 7:
        return f"{{% macro m(a, b={e()}) %}}{{{{ a }}}}:{{{{ b }}}}{{{{ caller() if caller }}}}{{{{ varargs }}}}{{{{ kwargs }}}}{{% endmacro %}}{{{{ m({e()}) }}}}"
    if kind == 8:
        return f"  {{%{dash()} with a = {e()} %}}{{{{ a }}}}{body}{{% endwith %}}\n"
    if kind == 9:
        return f"{{% filter {rng.choice(('upper', 'trim', 'indent', 'escape', 'title', 'length', 'wordcount'))} %}}{body}{{% endfilter %}}"
    if kind == 10:
        return f"{{# c {dash() if rng.random() < .3 else ''}#}}\n  {{% generation %}}{body}{{% endgeneration %}}"
    return f"{{% set ns = namespace(c=0) %}}{{% for x in {e()} %}}{{% set ns.c = ns.c + 1 %}}{{% if loop.index > 2 %}}{{% break %}}{{% endif %}}{{% endfor %}}{{{{ ns.c }}}}"


# ---- comparing -------------------------------------------------------------------------------------

def answers(inox, source, lines):
    done = subprocess.run([inox, "template", source, "--jsonl", "--now", NOW.strftime("%Y-%m-%d %H:%M:%S")],
                          input="".join(json.dumps(v) + "\n" for v in lines).encode(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    rows = [json.loads(row) for row in done.stdout.decode().split("\n")[:-1]]
    if not rows and done.returncode > 0:
        rows = [{"error": done.stderr.decode("utf-8", "replace")}] * len(lines)  # the template itself is refused
    if len(rows) != len(lines) or done.returncode < 0:
        sys.exit(f"inox gave {len(rows)} answers to {len(lines)} lines, exit status {done.returncode}: {source}")
    return rows


class Library:
    """libinox_text beside the program: thousands of templates without a process for each."""

    def __init__(self, inox):
        folder = os.path.join(os.path.dirname(inox), "src")
        names = [n for n in ("libinox_text.so", "libinox_text.dylib") if os.path.isfile(os.path.join(folder, n))]
        self.c = ctypes.CDLL(os.path.abspath(os.path.join(folder, (names or ["libinox_text.so"])[0])))
        self.c.inox_rendering_text.restype = Text
        self.options = Options(ctypes.sizeof(Options), NOW.strftime("%Y-%m-%d %H:%M:%S").encode(), 0, 0, 0)

    def answer(self, source, variables):
        template, rendering, error = ctypes.c_void_p(), ctypes.c_void_p(), Error()
        if self.c.inox_template_new(source, ctypes.c_size_t(len(source)), ctypes.byref(template), ctypes.byref(error)):
            return {"error": error.message.decode("utf-8", "replace")}
        if self.c.inox_template_render(template, variables, ctypes.c_size_t(len(variables)), ctypes.byref(self.options),
                                       ctypes.byref(rendering), ctypes.byref(error)):
            out = {"error": error.message.decode("utf-8", "replace")}
        else:
            text = self.c.inox_rendering_text(rendering)
            out = {"text": ctypes.string_at(text.data, text.size).decode()}
        self.c.inox_rendering_free(rendering)
        self.c.inox_template_free(template)
        return out


class Text(ctypes.Structure):
    _fields_ = [("data", ctypes.c_void_p), ("size", ctypes.c_size_t)]


class Options(ctypes.Structure):
    _fields_ = [("size", ctypes.c_size_t), ("now", ctypes.c_char_p), ("steps_max", ctypes.c_uint64), ("memory_max", ctypes.c_uint64), ("output_max", ctypes.c_uint64)]


class Error(ctypes.Structure):
    _fields_ = [("code", ctypes.c_int), ("position", ctypes.c_int64), ("message", ctypes.c_char * 1024)]


def differs(want, got):
    kind, value = want
    if kind == "unknown" or (kind == "error" and "error" in got):
        return None
    if kind == "error":
        return f"{value} is right, not {str(got)[:200]}"
    if "text" not in got:
        return f"{value[:200]!r} is right, not {str(got)[:300]}"
    if got["text"] == value:
        return None
    at = next((i for i, (a, b) in enumerate(zip(value, got["text"])) if a != b), min(len(value), len(got["text"])))
    return f"character {at}: {value[max(0, at - 20):at + 60]!r} is right, not {got['text'][max(0, at - 20):at + 60]!r}"


def compare_chat(options, rng):
    compared = different = errors = 0
    names = sorted(n for n in os.listdir(options.templates) if n.endswith(".jinja"))
    for name in names:
        path = os.path.join(options.templates, name)
        with open(path, encoding="utf-8", newline="") as f:
            source = f.read()
        lines = [conversation(rng) for _ in range(options.count // len(names) + 1)]
        for variables, got in zip(lines, answers(options.inox, path, lines)):
            want = expected(source, variables)
            errors += want[0] == "error"
            why = differs(want, got)
            compared += 1
            if why:
                different += 1
                if different <= options.examples:
                    print(f"{name}: {json.dumps(variables, ensure_ascii=False)[:300]}\n    {why}")
    print(f"chat: {len(names)} templates, {compared} conversations ({errors} of them errors), {different} differences", flush=True)
    return different


ADDRESS = re.compile(r"0x[0-9a-f]{6}|[0-9a-f]{6}x0|at 0X|[7é]f[0-9a-f]{10}|[ é]t 0\S{12}", re.I)
LEFT_OUT = re.compile(r" is left out: |leaves complex numbers out")
ORACLE_FAILS = re.compile(r"NameError: name '(inf|nan)' is not defined")  # jinja2 writes the constant it folded into source


def compare_small(options, rng, what, generate):
    different = errors = skipped = 0
    library, variables = Library(options.inox), json.dumps(VARIABLES).encode()
    for _ in range(options.count):
        source = generate(rng)
        want, got = expected(source, VARIABLES), library.answer(source.encode(), variables)
        if ADDRESS.search(want[1]) or ORACLE_FAILS.match(want[1]) or LEFT_OUT.search(got.get("error", "")):
            skipped += 1
            continue
        errors += want[0] == "error"
        why = differs(want, got)
        if why:
            different += 1
            if different <= options.examples:
                print(f"{source!r}\n    {why}", flush=True)
    print(f"{what}: {options.count} templates ({errors} of them errors, {skipped} skipped: for the reasons that "
          f"docs/TEMPLATES.md lists), {different} differences", flush=True)
    return different


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("templates")
    parser.add_argument("--inox", default=os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "build", "inox"))
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--examples", type=int, default=10)
    parser.add_argument("--only", choices=("chat", "small", "typed"))
    options = parser.parse_args()
    rng = random.Random(options.seed)
    different = 0
    if options.only in (None, "chat"):
        different += compare_chat(options, rng)
    if options.only in (None, "small"):
        different += compare_small(options, rng, "small", lambda r: "".join(statement(r) for _ in range(r.choice((1, 1, 2)))))
    if options.only in (None, "typed"):
        different += compare_small(options, rng, "typed", template_generator.template)
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
