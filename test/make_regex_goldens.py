#!/usr/bin/env python3
"""Writes test/data/regex.json: what the libraries find, for test_regex.c.

    python3 test/make_regex_goldens.py

Rows [syntax, expression, text, [[start, end], ...] in bytes]; null instead of the matches where the library
refuses the expression.  Made with tokenizers 0.23.3 and tiktoken 0.14.0 (its matches are learned from tokens,
so rows of Rust have no empty matches).
"""
import json
import os
import random

import regex_cases

HERE = os.path.dirname(os.path.abspath(__file__))
# By hand: [expression, text]
CASES = [
    ["(?:|a)+", "aaa"], ["(?:a|)*?b", "aab"], ["(a*)*", "baac"], ["(a*)+?", "baac"], ["(?:a?){3}", "aa aaaa"],
    ["a{2}?", "aaa"], ["a{3,2}", "aaaaa"], ["a{,2}", "aaa"], ["a{,}", "a{,}"], ["a{1", "a{1"], ["a{2}+", "aaaaaa"],
    ["a(?i)b|C", "aB c ac"], ["(a(?i)b)c", "aBc aBC"], ["^a$", "a\na\n"], ["^", "a\n"], ["$", "a\n\n"], ["a\\Z", "a\n"],
    ["\\R", "\r\n\n\r\u2028"], ["(?m).+", "a\nb"], ["(?x) a b # c\n d", "abd"], ["(?#c)a", "a"], ["[\\b]", "\b"],
    ["\\h+", "0Fg"], ["[[:punct:]]+", "+-$!a"], ["[[:alpha:][:^digit:]]+", "a1\u00e9"], ["[\\d&&[^3-5]]+", "123456"],
    ["[a-z&&b-y&&[^m]]+", "almnz"], ["(?<=ab|c)x", "abxcx"], ["(?<!a+)b", "ab b"], ["(?<=^|,)[^,]*", "a,,b"],
    ["(?<n>a)(?'m'b)", "ab"], ["\\x61\\u0062\\x{63}\\141", "abca"], ["\\xC3\\xA9", "\u00e9"], ["\\p{^L}+", "a1 b"],
    ["\\p{Script=Greek}+", "\u03b1a"], ["\\p{IsGreek}+", "\u03b1a"], ["\\pL+", "ab1"], ["\\p{Lowercase_Letter}+", "aB"],
    ["(?i)\u00df", "SS ss \u1e9e \u00df"], ["(?i)ss", "\u00df"], ["(?i)stra\u00dfe", "STRASSE Stra\u00dfe"],
    ["(?i)\ufb01", "FI fi"], ["(?i)[\u00df]", "ss"], ["(?i)k", "K\u212a"], ["(?i)[^k]", "K\u212aa"], ["(?i)\\p{Lu}", "aA"],
    ["(?W)\\w+", "a\u00e9"], ["(?-i)A", "aA"], ["a**", "aaa"], ["a+?*", "aaa"], ["(?i:a)b", "Ab AB"], ["()", "a"],
    ["\\Ga", "aaba"], ["\\G", "ab"], ["\\bfoo\\b", "foo food foo"], ["\\B", "ab c"], ["[]-a]", "]a^"], ["[a-c-e]+", "a-e"],
    ["[--a]+", "-Za"], ["\\N+\\O", "ab\nc"], ["(?>a|ab)c", "abcac"], ["a*+a", "aaa"], ["a?+a", "aa"], ["(?:ab)*+a", "ababa"],
    ["\\cA", "\x01"], ["\\e\\a\\f\\v", "\x1b\x07\x0c\x0b"], ["\\A\\p{L}", "ab"], ["(?=(\\d{3})+(?!\\d))", "1234567 89"],
    ["(a|b)*?c", "abc"], ["\\w+(?=\\s|$)", "ab cd"], ["[\\w--[a-c]]+", "abcd"], ["[a~~b]", "a~b"],
    ["(?s).+", "a\nb"], ["(?m)^a$", "a\na"], ["(?U)a+", "aaa"], ["\\Z", "a\n\n"], ["[[=a=]]", "a="], ["[[:foo:]]", "[:o"],
    ["a|b|", "cab"], ["|a", "aa"], ["(?:)", "ab"], ["", "ab"], ["[^\\x00-\\x7F]+", "a\u00e9\u4e2d"], ["\\0", "\x00"],
    ["\\w+|[^\\w\\s]+", "]\u00bd\u65e5 a\u00b2b"], ["[\\w]+", "]\u00bd\u65e5"], ["[^\\W]+", "]\u00bd\u65e5"],
    ["\\W+|\\b", "\u00bd] \u00b2"], ["[a-z&&[^\\W]\u00bd]+", "a\u00bdb"], ["\\b{start}a", "a{start}a"],
    ["\\b{end}.", "ab c"], ["\\b{start-half}.", "ab- -c"], [".\\b{end-half}", "ab- -c"], ["\\<.|.\\>", "ab cd"], ["a\\b{1}", "a ba"],
    ["\\b{foo}", "a{foo}"],
]


def in_bytes(text, matches):
    at = [0]
    for c in text:
        at.append(at[-1] + len(c.encode()))
    return [[at[s], at[e]] for s, e in matches]


def from_oniguruma(text, answer):
    """All matches from those that are not empty and the text with every match replaced; None: several
    sets of matches would give that."""
    full, marked = answer
    found, at, k = [], 0, 0
    for c in marked:
        if c != "\ue000":
            at += 1
        elif k < len(full) and full[k][0] == at:
            found.append(full[k])
            at, k = full[k][1], k + 1
        else:
            found.append((at, at))
    if k < len(full) or regex_cases.replaced(text, found) != marked:
        return None
    return found


def from_rust(text, pieces):
    """Places of the pieces, if there is only one way to put them."""
    data, found, at = text.encode(), [], 0
    for p in pieces:
        start = data.find(p, at)
        if data.find(p, start + 1) >= 0:
            return None
        found.append([start, start + len(p)])
        at = start + len(p)
    return found


def main():
    rng, rows = random.Random(1), []
    ask = {"oniguruma": regex_cases.oniguruma(), "rust": regex_cases.rust()}

    def add(syntax, expression, text):
        answer = ask[syntax](expression, text)
        if answer == "unknown":
            return
        if answer is not None:
            answer = (in_bytes(text, m) if (m := from_oniguruma(text, answer)) is not None else None) \
                if syntax == "oniguruma" else from_rust(text, answer)
            if answer is None:
                return
        if answer is not None or [expression, text] in CASES:
            rows.append([syntax, expression, text, answer])

    for syntax in ask:
        for expression, text in CASES:
            add(syntax, expression, text)
        maker = regex_cases.Maker(rng, syntax)
        for _ in range(1500):
            add(syntax, maker.expression(), maker.text())
    with open(os.path.join(HERE, "data", "regex.json"), "w", encoding="utf-8") as f:
        f.write("[\n" + ",\n".join(json.dumps(r, ensure_ascii=True, separators=(",", ":")) for r in rows) + "\n]\n")
    print(len(rows), "rows")


main()
