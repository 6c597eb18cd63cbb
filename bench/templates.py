#!/usr/bin/env python3
"""Chat templates against jinja2: a conversation of 100 messages with 20 tools, every template of a folder.

    python3 bench/templates.py BUILD [FOLDER]        (needs jinja2; FOLDER: ../shared/data/templates)

Both render the same text, or the row says so.  Two times each: `json` begins with the variables as JSON text, as they
come over a wire; `objects` with them read already (Inox: less the time to read those that the template names).  The
least of several rounds.  `reading` is the time to read them.
Templates that refuse the conversation are left out.
"""
import glob
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time

import jinja2
import jinja2.ext
from jinja2.sandbox import ImmutableSandboxedEnvironment

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def conversation():
    messages = [{"role": "system", "content": "You are a helpful assistant. Answer briefly."}]
    for i in range(99):
        call = {"id": f"call{i:05d}", "type": "function",
                "function": {"name": "get_weather", "arguments": {"city": f"city{i}", "unit": "celsius", "days": [1, 2, 3]}}}
        messages.append([
            {"role": "user", "content": f"Question {i}: what is the weather in city {i}, and what should I wear there? " * 2},
            {"role": "assistant", "content": "", "tool_calls": [call]},
            {"role": "tool", "name": "get_weather", "tool_call_id": f"call{i - 1:05d}",
             "content": json.dumps({"temperature": i, "sky": "clear"})},
            {"role": "assistant", "content": f"It will be {i} degrees and clear; a light jacket is enough. " * 3}][i % 4])
    tool = {"type": "object", "required": ["city"],
            "properties": {"city": {"type": "string", "description": "The city"},
                           "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]},
                           "days": {"type": "array", "items": {"type": "integer"}}}}
    tools = [{"type": "function", "function": {"name": f"tool_{i}", "description": f"Does thing number {i} & returns <it>",
                                               "parameters": tool}} for i in range(20)]
    return {"messages": messages, "tools": tools, "documents": None, "add_generation_prompt": True,
            "bos_token": "<s>", "eos_token": "</s>"}


class Generation(jinja2.ext.Extension):
    tags = {"generation"}

    def parse(self, parser):
        next(parser.stream)
        return parser.parse_statements(["name:endgeneration"], drop_needle=True)


def environment():
    def raise_exception(message):
        raise jinja2.exceptions.TemplateError(message)

    def tojson(x, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
        return json.dumps(x, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)

    env = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True,
                                        extensions=[Generation, jinja2.ext.loopcontrols])
    env.filters["tojson"] = tojson
    env.globals["raise_exception"] = raise_exception
    env.globals["strftime_now"] = time.strftime
    return env


def naming(source, variables):
    """A template that names the same variables as another one, and does nothing with them."""
    names = [name for name in variables if re.search(rf"\b{name}\b", source)]
    return "{% if false %}" + "".join("{{ %s }}" % name for name in names) + "{% endif %}"


def least(rounds, run):
    best = float("inf")
    for _ in range(rounds):
        start = time.perf_counter()
        run()
        best = min(best, time.perf_counter() - start)
    return best * 1e6


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    folder = sys.argv[2] if len(sys.argv) > 2 else os.path.join(ROOT, "..", "shared", "data", "templates")
    text = json.dumps(conversation(), ensure_ascii=False)
    variables, env, ratios = json.loads(text), environment(), []
    reading = least(20, lambda: json.loads(text))
    print(f"{len(text.encode())} bytes of variables\nInox us  reading  jinja2 us  objects   json  template")
    with tempfile.TemporaryDirectory() as scratch:
        given, reading_template = os.path.join(scratch, "given.json"), os.path.join(scratch, "reading.jinja")
        with open(given, "w", encoding="utf-8") as f:
            f.write(text)
        for path in sorted(glob.glob(os.path.join(folder, "*.jinja"))):
            with open(path, encoding="utf-8", newline="") as f:
                source = f.read()
            with open(reading_template, "w", encoding="utf-8") as f:
                f.write(naming(source, variables))
            template = env.from_string(source)
            try:
                size = len(template.render(**variables).encode())
            except Exception:  # it refuses such conversations
                continue
            theirs = least(25, lambda t=template: t.render(**variables))
            ours = json.loads(subprocess.run(
                [os.path.join(sys.argv[1], "bench", "bench-template"), path, given, reading_template],
                stdout=subprocess.PIPE, check=True).stdout)
            objects, whole = theirs / max(ours["us"] - ours["reading_us"], 0.1), (theirs + reading) / ours["us"]
            ratios.append((objects, whole, ours["us"]))
            print(f"{ours['us']:7.1f} {ours['reading_us']:8.1f} {theirs:10.1f} {objects:7.1f}x {whole:5.1f}x  {os.path.basename(path)}"
                  + ("" if size == ours["bytes"] else "  DIFFERENT TEXT"))
    if not ratios:
        sys.exit(f"no template in {folder}")
    print(f"{len(ratios)} templates: median {statistics.median(r[0] for r in ratios):.1f}x objects, "
          f"{statistics.median(r[1] for r in ratios):.1f}x json; slowest {max(r[2] for r in ratios):.0f} us")


main()
