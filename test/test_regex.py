#!/usr/bin/env python3
"""Regular expressions against the libraries: random expressions on random texts.

Oniguruma (Hugging Face tokenizers), Rust's fancy-regex (tiktoken), Python's regex and PCRE2, each where it
is installed; a test without its library is skipped.  INOX_REGEX_CASES: how many cases of each (1000).
"""
import json
import os
import subprocess

import regex_cases
from support import BUILD, check, generator, main, skip, test

CASES = int(os.environ.get("INOX_REGEX_CASES", "1000"))
FIND = os.path.join(BUILD, "test", "regex-find")
# The engine refuses these, which the libraries know; all else that a library knows it has to know.
REFUSED = ("not supported", "too large", "quantifiers in a row")


class Engine:
    """regex-find: matches in characters, or the message of the error."""

    def __init__(self):
        if not os.path.exists(FIND):
            skip(f"{FIND} is not built")
        self.process = subprocess.Popen([FIND], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def find(self, syntax, expression, text):
        answer = self.ask(syntax, expression, text)
        if "error" in answer:
            return answer["error"]
        place, at = {}, 0
        for i, c in enumerate(text):
            place[at] = i
            at += len(c.encode())
        place[at] = len(text)
        return [(place[s], place[e]) for s, e in answer["matches"]]

    def ask(self, syntax, expression, text):
        self.process.stdin.write(json.dumps(
            {"syntax": syntax, "expression": expression, "text": text}).encode() + b"\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def compare(name, ask, language, syntax, agrees):
    """agrees(text, ours, theirs) for CASES expressions that the library takes."""
    if ask is None:
        skip(f"{name} is not installed")
    rng, engine = generator(name), Engine()
    maker = regex_cases.Maker(rng, language)
    compared = refused = differences = 0
    while compared < CASES:
        expression, text = maker.expression(), maker.text()
        theirs = ask(expression, text)
        if theirs is None or theirs == "unknown":
            continue
        ours = engine.find(syntax, expression, text)
        if isinstance(ours, str):
            refused += 1
            check(any(r in ours for r in REFUSED), name, repr(expression), ours)
            check(refused < 100 + compared / 20, name, "takes many expressions that the engine refuses")
            continue
        compared += 1
        good = agrees(text, ours, theirs)
        differences += not good
        check(good, name, repr(expression), "on", repr(text), "gives", ours, "and there", theirs)
    engine.close()
    print(f"{name}: {compared} compared, {differences} differ, {refused} refused")


def nonempty(matches):
    return [m for m in matches if m[0] < m[1]]


@test
def oniguruma():
    compare("tokenizers (Oniguruma)", regex_cases.oniguruma(), "oniguruma", "oniguruma",
            lambda text, ours, theirs: nonempty(ours) == theirs[0] and
            regex_cases.replaced(text, ours) == theirs[1])


@test
def rust():
    compare("tiktoken (fancy-regex)", regex_cases.rust(), "rust", "rust",
            lambda text, ours, theirs: [text[s:e].encode() for s, e in nonempty(ours)] == theirs)


@test
def python():
    compare("Python's regex", regex_cases.python_regex(), "common", "rust",
            lambda text, ours, theirs: ours == theirs)


@test
def linear():
    """Four times the text takes about four times the steps, whatever the expression."""
    rng, engine = generator("linear"), Engine()
    maker = regex_cases.Maker(rng, "oniguruma")
    for _ in range(CASES):
        expression = maker.expression()
        unit = "".join(rng.choice(maker.alphabet) for _ in range(rng.choice([1, 1, 2, 3, 7])))
        steps = []
        for length in (600, 2400):
            answer = engine.ask("oniguruma", expression, unit * (length // len(unit)))
            steps.append(answer.get("steps"))
        if steps[0] is not None:
            check(steps[1] < 5 * steps[0] + 2000, repr(expression), "on", repr(unit), steps)
    engine.close()


@test
def pcre2():
    ask = regex_cases.pcre2()

    def known(expression, text):  # there (?i) leaves \p{Lu} and \p{Ll} as they are
        return "unknown" if "(?i" in expression and "\\p{L" in expression else ask(expression, text)
    compare("PCRE2", ask and known, "common", "rust", lambda text, ours, theirs: ours == theirs)


main()
