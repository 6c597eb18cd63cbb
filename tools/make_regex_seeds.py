#!/usr/bin/env python3
"""Writes fuzz/corpus/regex and fuzz/regex.dict: seeds of the fuzz target of regular expressions.

    python3 tools/make_regex_seeds.py

A seed is a byte for the syntax, the expression, a NUL and the text.
"""
import os

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SEEDS = [
    ("gpt2", r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+", "Hello, it's  12 o'clock\n\n "),
    ("cl100k", r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+|\s++$|\s*[\r\n]|\s+(?!\S)|\s", "I'LL 1234 \n x  "),
    ("evil", "(a+)+b|(a|a)*c|(?=(a+))d", "aaaaaaaaaaaaaaaaaaaaaaaa"),
    ("atomic", "(?>(?:ab|a)*)c|(?>a*?)b", "abababaac"),
    ("looks", "(?<=a*b)c|(?<!^|x)y|(?=[^b]*c)a|(?!a*c)a", "aabcxyyaac"),
    ("empty", "(?:|a)*?(?:b|(?:c?)*)+|$", "abcabc"),
    ("classes", "[a-z&&[^b-d]][[:^alpha:]\\x{41}-Z]|[]a-]", "a1bZ]-"),
    ("counted", "a{2,3}?b{,2}c{2}?(?:de{1,4}){2,}", "aabbccdedeee"),
    ("folded", "(?i)stra\u00dfe|[\u00df]k", "STRASSE Stra\u00dfe \u212a"),
    ("lines", "(?m)^a.$|\\R|\\A\\b\\w+\\B|\\Z|\\z|\\G.", "ab\r\na\n"),
    ("bytes", "[^a]+|.", b"\xff\xc3a\xe0\x80\x80\xf4\x90\x80\x80b\xed\xa0\x80"),
    ("lazy", "(?:[ab]*?a)+?c|(?:a*?b?)*?c", "ababaabc"),
    ("thousands", "(?=(\\d{3})+(?!\\d))", "12345678 9"),
]
TOKENS = ["(?=", "(?!", "(?<=", "(?<!", "(?>", "(?:", "(?i)", "(?i:", ")", "|", "*", "+", "?", "*?", "+?", "*+", "{2}",
          "{1,3}", "{,2}", "{2,}", "[", "[^", "]", "&&", "--", "[:alpha:]", "\\\\p{L}", "\\\\P{Lu}", "\\\\p{^Han}", "\\\\s",
          "\\\\S", "\\\\w", "\\\\d", "\\\\h", "\\\\R", "\\\\b", "\\\\B", "\\\\A", "\\\\z", "\\\\Z", "\\\\G", "\\\\x{DF}", "\\\\u0041",
          "ss", "\\xC3\\x9F", "^", "$", ".", "a-z"]


def main():
    folder = os.path.join(ROOT, "fuzz", "corpus", "regex")
    os.makedirs(folder, exist_ok=True)
    for name, expression, text in SEEDS:
        for syntax in range(2):
            with open(os.path.join(folder, f"{name}-{syntax}"), "wb") as f:
                f.write(bytes([syntax]) + expression.encode() + b"\0" + (text if isinstance(text, bytes) else text.encode()))
    with open(os.path.join(ROOT, "fuzz", "regex.dict"), "w", encoding="ascii") as f:
        f.writelines(f'"{t}"\n' for t in TOKENS)


main()
