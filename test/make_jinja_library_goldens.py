#!/usr/bin/env python3
"""Writes test/data/jinja/library.jsonl: small expressions and what Jinja2 makes of them.

    python3.11 test/make_jinja_library_goldens.py OUT.jsonl [--all | --random SEED COUNT]

Needs jinja2 3.1.6.  The environment is set up as transformers does (chat_template_utils.py): an
immutable sandbox, trim_blocks, lstrip_blocks, loop controls, `tojson` without HTML escaping,
`raise_exception`, and `strftime_now` at a fixed time.  A record is [expression, output] or
[expression, null, class of the error]; the expression is rendered as {{ expression }} with CONTEXT (or as it is, where it begins with {%).
--all writes every case; the committed file holds a fixed sample of the long products.  --random
writes chains of filters, methods and operators that nobody thought of.
"""
import copy
import datetime
import itertools
import json
import random
import signal
import sys

import jinja2

from jinja_environment import environment

NOW = datetime.datetime(2026, 7, 4, 15, 30, 45)

CONTEXT = {
    "u": "Größe ß ŉ ǆ ǅ Ǆ ΑΣ Σ ΌΣΟΣ. ﬁ İ ı ʼ",
    "ws": " \t\n\u000b\u000c\r\u001c\u0085\u00a0\u2003x\u3000 ",
    "nl": "a\nb\r\nc\rd\u000be\u000cf\u001cg\u001dh\u001ei\u0085j\u2028k\u2029l\n",
    "num": "1²½٣Ⅷ一",
    "emo": "日本 👩‍💻🇩🇪é",
    "esc": "q'\"\\ \u0000\u0007\u001b\u007f\u0080\u00ad\u200b\ue000\U000e0001\ufffe",
    "html": "<a href='x'>\"T\" & co</a>",
    "inf": float("inf"),
    "nan": float("nan"),
    "people": [
        {"name": "Ann", "age": 31, "team": {"id": 2}, "tags": ["x", "y"]},
        {"name": "bob", "age": 25, "team": {"id": 1}, "tags": []},
        {"name": "Cy", "age": 31, "team": {"id": 2}, "tags": ["z"]},
        {"name": "ann", "age": None, "team": None},
    ],
    "xs": [3, 1, 2],
    "d": {"b": 1, "a": [1, {"k": "v"}], "C": None},
    "words": ["pear", "Apple", "fig", "apple", "Éa", "éA"],
    "big": 123456789012345678901234567890,
}


STRINGS = ["''", "'a'", "'Hello World'", "'hELLO wORLD foo-bar (baz) they\\'re'", "'  pad \\n'",
           "'xxaxx'", "'a,b,,c'", "'aXbXXc'", "u", "ws", "nl", "num", "emo", "'__x1'", "'1a'",
           "'ABC'", "'abc'", "'Abc Def'", "'ªʰ'", "'-42'", "'+7'", "'a\\tb\\n\\tc'", "html|safe",
           "'<b>'|e", "'{}'", "'0x1F'"]
VALUES = ["none", "true", "false", "0", "1", "-3", "7", "big", "-big", "0.0", "-0.0", "1.5", "2.5",
          "-2.675", "1e16", "1e-7", "123456.789", "inf", "-inf", "nan", "''", "'a'", "'Ab c'",
          "'12'", "'3.7'", "[]", "[1, 'a', 2.0]", "(1,)", "()", "{}", "{'a': 1}", "d", "xs",
          "range(3)", "undefined_name", "xs|map('string')", "d.items()", "namespace(a=1)",
          "html|safe", "cycler('a')", "joiner()", "'x'.upper", "range"]


# Values that Python prints with their addresses.
ADDRESSED = ["cycler('a')", "joiner()", "'x'.upper", "range", "xs|map('string')"]


def string_methods():
    plain = ["upper", "lower", "title", "capitalize", "casefold", "swapcase", "isalpha", "isdigit",
             "isalnum", "isspace", "isupper", "islower", "istitle", "isdecimal", "isnumeric",
             "isidentifier", "isprintable", "isascii", "strip", "lstrip", "rstrip", "split",
             "rsplit", "splitlines", "expandtabs"]
    for m, s in itertools.product(plain, STRINGS):
        yield f"[({s}).{m}()]"
    for m in plain:
        yield f"'a'.{m}(1, 2, 3)"
        yield f"'a'.{m}(nosuch=1)"
    for m, s, c in itertools.product(["strip", "lstrip", "rstrip"], STRINGS,
                                     ["none", "'xa'", "' \\n'", "''", "'ßé '", "1", "nosuch"]):
        yield f"[({s}).{m}({c})]"
    for m, s, c in itertools.product(
            ["split", "rsplit"], STRINGS,
            ["','", "'X'", "none, 1", "' ', 1", "'a', 2", "''", "1", "sep=none, maxsplit=1",
             "maxsplit=0", "'X', -1", "'XX'", "none, 0", "',', maxsplit=1", "'x', 1.5"]):
        yield f"[({s}).{m}({c})]"
    for s, c in itertools.product(STRINGS, ["true", "keepends=true", "0", "1, 2"]):
        yield f"[({s}).splitlines({c})]"
    for m, s, c in itertools.product(["partition", "rpartition"], STRINGS,
                                     ["' '", "'X'", "','", "''", "1", "'ß'", ""]):
        yield f"[({s}).{m}({c})]"
    for m, s, c in itertools.product(
            ["find", "rfind", "index", "rindex", "count"], STRINGS,
            ["'a'", "'X', 2", "'', 1", "''", "'X', 0, -2", "'o', none, 5", "'b', -100, 100", "1",
             "'c', 5, 2", "'', 100", "'Σ'", "'X', 1.5", "'X', true", ""]):
        yield f"({s}).{m}({c})"
    for m, s, c in itertools.product(
            ["startswith", "endswith"], STRINGS,
            ["'a'", "'H', 0", "('x', 'ld', 'a')", "()", "''", "'c', -1", "'b', 1, 2", "['a']",
             "(1,)", "none", "'', 50", "'', 0, -1"]):
        yield f"({s}).{m}({c})"
    for m, s, c in itertools.product(["removeprefix", "removesuffix"], STRINGS,
                                     ["'a'", "''", "'Hello '", "'X'", "1", "' '", "'日'"]):
        yield f"[({s}).{m}({c})]"
    for m, s, c in itertools.product(
            ["center", "ljust", "rjust"], STRINGS,
            ["5", "20", "21, '*'", "22, 'é'", "10, ''", "10, 'ab'", "-1", "'5'", "true", "8.0",
             "20, '<'", "20, 1"]):
        yield f"[({s}).{m}({c})]"
    for s, c in itertools.product(STRINGS, ["5", "0", "-1", "40", "'5'", ""]):
        yield f"[({s}).zfill({c})]"
    for s, c in itertools.product(["'a\\tb\\n\\tc\\r\\td'", "emo ~ '\\tx'", "'\\t\\t'"],
                                  ["", "4", "0", "-1", "1", "tabsize=3", "'4'"]):
        yield f"[({s}).expandtabs({c})]"
    for s, c in itertools.product(
            STRINGS, ["'a', 'b'", "'X', ''", "'', '-'", "'', '-', 2", "'a', 'b', 0", "'X', '<', 1",
                      "'x', 'yy', -1", "1, 2", "'a'", "'a', none", "'l', 'LL', 2",
                      "'&', '+'", "'', ''"]):
        yield f"[({s}).replace({c})]"
    for s, c in itertools.product(
            ["','", "''", "', '", "emo", "','|safe"],
            ["['a', 'b']", "[]", "['a']", "'abc'", "['a', 1]", "1", "('x', 'y')", "d", "none",
             "words", "['<', '>'|safe]", "xs|map('string')", "undefined_name"]):
        yield f"[({s}).join({c})]"
    for c in ["{97: 'x'}", "{97: none, 98: 'yy'}", "{'a': 'x'}", "{97: 99}", "'abc'", "[1]",
              "''.maketrans('ab', 'xy')", "''.maketrans('ab', 'xy', 'c')",
              "''.maketrans({'a': 'zz', 98: none})", "{97: -1}", "{97: 1.5}", "{97: 8364}",
              "''.maketrans('ab', 'x')", "''.maketrans({'ab': 1})", "1", "''.maketrans(1)"]:
        yield f"['abcab'.translate({c})]"
        yield f"['<a>'|e|safe]|map('lower')|list ~ 'é'.translate({c})"
    for m in ["encode", "nosuch", "__class__", "_x", "append", "format", "isalpha", "mro"]:
        yield f"'a'.{m} is defined"
        yield f"'a'['{m}'] is defined"
        yield f"'a'|attr('{m}') is defined"
        yield f"'a'.{m}"if m not in ("format", "isalpha", "encode") else "1"
        yield f"'a'.{m}()"if m != "encode" else "1"


def other_methods():
    for c in ["xs.index(1)", "xs.index(9)", "xs.index(1, 2)", "xs.index(2, -1)", "xs.count(1)",
              "[1, 1.0, true].count(1)", "xs.copy()", "xs.append(1)", "xs.sort()", "xs.pop()",
              "xs.insert(0, 1)", "xs.clear()", "xs.extend([1])", "xs.remove(1)", "xs.reverse()",
              "(1, 2, 1).index(1)", "(1, 2, 1).count(1)", "(1,).copy()", "(1, 2).index(5)",
              "xs.index()", "xs.count()", "xs.index(1, 0, 0)", "xs.copy(1)", "xs.nosuch",
              "xs.nosuch()", "xs.__len__()", "[[1], [2]].index([2])", "xs.index('a')",
              "d.keys()", "d.values()", "d.items()", "d.get('b')", "d.get('z')", "d.get('z', 1)",
              "d.get()", "d.get([])", "d.get('z', default=1)", "d.copy()", "d.pop('b')",
              "d.update({})", "d.setdefault('q', 1)", "d.clear()", "d.popitem()", "d.keys()|list",
              "d.values()|list", "d.items()|list", "d.keys()|length", "'b' in d.keys()",
              "('b', 1) in d.items()", "1 in d.values()", "d.keys()[0]", "d.fromkeys('ab')",
              "d.fromkeys('ab', 1)", "{}.fromkeys([1, 2])", "d.keys() == d.keys()",
              "d.items()|sort", "d.keys()|first", "d.keys()|last", "d.items()|last",
              "d.values()|reverse|list", "d.keys()|tojson", "d.items() is sequence",
              "d.items() is iterable", "d.keys() is mapping", "d.keys().isdisjoint(['z'])",
              "d.keys().mapping", "d.items()|string", "d.keys(1)",
              "{'items': 1}.items", "{'items': 1}['items']", "{'items': 1}.items()",
              "{'keys': 1, 'x': 2}.keys()|list", "d.b", "d['b']", "d|attr('b')", "d|attr('keys')",
              "(5).bit_length()", "(-256).bit_length()", "big.bit_length()", "(0).bit_length()",
              "(5).bit_count()", "(-7).bit_count()", "true.bit_length()", "(5).conjugate()",
              "(5).real", "(5).imag", "(5).numerator", "(5).denominator", "true.real", "true.imag",
              "(5).as_integer_ratio()", "true.as_integer_ratio()",
              "(5).is_integer()", "(5).nosuch", "(5).from_bytes", "(5).__add__(1)",
              "(1.5).is_integer()", "(2.0).is_integer()", "inf.is_integer()", "nan.is_integer()",
              "(1.5).as_integer_ratio()", "(0.1).as_integer_ratio()", "inf.as_integer_ratio()",
              "nan.as_integer_ratio()", "(-0.0).as_integer_ratio()", "(1e300).as_integer_ratio()",
              "(1.5).hex()", "(0.1).hex()", "(-0.0).hex()", "inf.hex()", "nan.hex()",
              "(5e-324).hex()", "(1e300).hex()", "(1.0).hex()", "(2.0).real", "(2.0).imag",
              "(1.5).conjugate()", "(1.5).nosuch", "none.x", "none.x.y",
              "none.upper()", "true.x", "range(5).start", "range(1, 9, 2).step", "range(3).stop",
              "range(5).index(3)", "range(5).count(3)", "range(5).index(9)", "range(5)[1]",
              "range(5)[-1]", "range(5)[9]", "range(10)[2:5]", "range(10)[::-2]", "range(3)|list",
              "range(3)", "range(0, 3, 1)", "range(1, 5)", "range(0)", "range()", "range(1, 2, 0)",
              "range('a')", "range(1.0)", "range(true)", "range(3) == range(0, 3)", "2 in range(3)",
              "'a' in range(3)", "2.0 in range(3)", "range(3)|reverse|list", "range(100001)",
              "range(100000)|length", "range(-5)|list", "range(3)|last", "range(5, 0, -2)|list",
              "range(10**30)", "range(3)|first", "range(3)|sum", "range(1,2,3,4)"]:
        yield c


def globals_():
    for c in ["dict(a=1, b=2)", "dict(d, z=1)", "dict([('a', 1), ('b', 2)])", "dict(['ab', 'cd'])",
              "dict(1)", "dict([1])", "dict(['abc'])", "dict(none)", "dict()",
              "dict(a=1, **{'b': 2})",
              "dict({}, {})", "dict([[1, 2]])", "dict(d.items())", "dict(dict(a=1), a=2)",
              "namespace()", "namespace(a=1)", "namespace({'b': 2})", "namespace({'b': 2}, b=3).b",
              "namespace(a=1).nosuch", "namespace(a=1)['a']", "namespace(1)",
              "namespace([('a', 1)]).a",
              "namespace(items=1).items", "namespace(a=1) is mapping", "namespace(a=1)|length",
              "joiner()()", "joiner('|') ~ ''|length > 0", "joiner(1, 2)", "joiner(sep='-')()",
              "cycler('a', 'b').next()", "cycler('a', 'b').current", "cycler()",
              "cycler(1).reset()",
              "cycler('a').nosuch", "cycler(1, 2).items", "cycler(1, 2).pos", "cycler(1)()",
              "joiner().used", "joiner('x').sep",
              "raise_exception('no')", "raise_exception()", "raise_exception(1)",
              "raise_exception('a', 'b')",
              "raise_exception(message='x')", "strftime_now('%Y')", "strftime_now()",
              "strftime_now(1)",
              "strftime_now('a', 'b')", "strftime_now(format='%d')", "range is callable",
              "lipsum is defined", "dict is callable", "namespace is callable",
              "cycler is callable",
              "joiner is callable", "joiner() is callable", "cycler('a') is callable",
              "dict.fromkeys", "range.x is defined", "range == range", "dict(a=1) == {'a': 1}",
              "namespace(a=1) == namespace(a=1)", "[namespace(a='x')]", "dict(a=1).a",
              "self is defined",
              "dict(x=dict(y=1))['x']['y']", "raise_exception is defined", "dict([('a', 1)], a=3)",
              "dict(xs|map('string')|batch(2))", "dict([['a', 1, 2]])", "dict({1: 2}, **{'a': 1})"]:
        yield c
    for f in "aAbBcCdDeEfFgGhHiIjJkKlLmMnNoOpPqQrRSStTuUvVwWxXyYZz+%:;!0 é":
        for flag in ["", "-", "_", "0", "^", "#", "10", "-5", "_5", "05", "E", "O", "^#", "^-10"]:
            if f == "s" or (f in "zZ" and flag):
                continue
            yield f"strftime_now('[%{flag}{f}]')"
    for f in ["", "%", "a%", "%%%", "%d %b %Y", "%A, %d. %B %Y", "%Y-%m-%dT%H:%M:%S%z", "%H:%M é 日",
              "%-d/%-m/%y", "%j %U %W %V %G %g %u %w", "%I:%M %p", "%999d", "%f %f", "%5", "%-",
              "%E", "100%", "%_d|%_H|%-I|%e|%k|%l", "%x %X %c %r %R %T %D %F", "%1000000d", "%5%"]:
        yield f"strftime_now({f!r})"


def formats():
    conversions = ["d", "i", "u", "s", "r", "a", "c", "x", "X", "o", "e", "E", "f", "F", "g", "G",
        "%"]
    flags = ["", "-10", "010", "+", " ", "#", "10", ".2", "8.3", "-8.1", "+.0", "#.0", "#010",
        "05.1", ".0", "l", "+08"]
    values = ["7", "-7", "0", "big", "-big", "1.5", "-0.5", "2.5", "1e100", "1e-5", "123456789.0",
        "inf", "nan",
              "'a'", "'é日'", "none", "true", "[1, 'a']", "97", "0x110000", "{}", "'ab'",
              "html|safe", "undefined_name"]
    for c, f, v in itertools.product(conversions, flags, values):
        yield f"'[%{f}{c}]' % ({v},)"
    for c in ["'%s %s' % (1, 2)", "'%s' % (1, 2)", "'%s %s' % (1,)", "'%(a)s' % {'a': 1}",
        "'%(b)s' % {'a': 1}",
              "'%s' % {'a': 1}", "'%(a)s %(b)d' % dict(a='x', b=2)", "'%*d' % (5, 1)",
              "'%-*d|' % (5, 1)", "'%.*f' % (2, 1.239)",
              "'%s' % [1]", "'%s' % ()", "'x' % ()", "'x' % 1", "'x' % {}", "'x' % []", "'%' % ()",
              "'%z' % 1", "'%5' % 1", "'%(a' % {'a': 1}",
              "'%d' % 'a'", "'%d' % '1'", "'%x' % 1.5", "'%d' % 1.9", "'%d' % inf", "'%d' % nan",
              "'%c' % 'ab'", "'%c' % -1", "'%c' % 1.0", "'%c' % 128512",
              "'%%' % ()", "'%5%' % ()", "'%s %%' % 1", "'%(a)s' % 1", "'%s' % none", "'%s' % 'é'",
              "'%r' % 'é\\n'", "'%a' % 'é日😀'", "'%s' % (('a', 'b'),)",
              "'%(a)s %s' % ({'a': 1},)", "'%*d' % ('a', 1)", "'%.3s|' % 'abcdef'",
              "'%.3r|' % 'abcdef'", "'%10.3s|' % '日本語日本語'", "'%((a))s' % {'(a)': 1}",
              "'%()s' % {'': 1}",
              "'%d%%' % 50", "'%hd %ld %Ld' % (1, 2, 3)", "'%lld' % 1", "'% d' % 5", "'%+d' % 5",
              "'% +d' % 5", "'%#x %#o %#X' % (255, 8, 255)", "'%x' % -255", "'%08.3f' % 3.14159",
              "'%+.2e' % 12345.678",
              "'%s' % true", "'%d' % true", "'%f' % true", "'%s' % 1.0", "'%i' % 3.99",
              "'%(x)s' % d", "'%(b)s' % d", "'%.0f %.0f %.0f' % (0.5, 1.5, 2.5)",
              "'%g %g %g' % (100000, 1000000, 1e-5)", "'%#g' % 1",
              "('%s'|safe) % '<'", "('%s'|safe) % ('<'|safe)", "('%d'|safe) % 3",
              "('%r'|safe) % '<'", "('%(a)s'|safe) % {'a': '<'}", "('<%s>'|safe) % (1,)",
              "('%.2f'|safe) % 1.239", "('%c'|safe) % 'a'",
              "'%s' % ('<'|safe)", "['%s' % ('<'|safe)]", "'%s|%s'|format(1, 2)",
              "'%s'|format(x=1)", "'%(x)s'|format(x=1)", "'%s %(x)s'|format(1, x=1)", "'%s'|format",
              "1|format(2)", "('%s'|safe)|format('<')", "'%s'|format((1, 2))",
              "'%.1000f' % 1", "'%.-1f' % 1", "'%-05d' % 3", "'%-+5d|' % 3", "'%5c|' % 'é'",
              "'%-5c|' % 65", "'%05s' % 'a'", "'%+s' % 'a'", "'%.0s|' % 'a'", "'%.s|' % 'a'",
              "'%.d' % 5", "'%.5d' % 5", "'%8.5d|' % -5", "'%#.5x' % 5", "'%08.5d|' % 5",
              "'%-8.5d|' % 5"]:
        yield f"[{c}]"
    specs = ["", "5", "<5", ">5", "^5", "=5", "*^7", "é>5", "+", "-", " ", "05", "+05", "#x", "x",
        "X", "o", "b", "#b", "#o", "#X", "c", "d", "n", ",", "_", ",d", "_x", "_b", "#_b", "010,",
        "e", "E", ".2e", "f", "F", ".0f", ".3f",
             ",.2f", "g", "G", ".3g", "%", ".1%", "s", "10s", ".2s", "<10.3s", "z.1f", "#.0f", "#g",
             "020.3f", "+.1f", "*=+10d", "<05", "^010.2f", "{}", "5.", "q", "5d5", ",_", "__", ",s",
             ".2d", "=5s", "1000", "0<5", "0=7.1f", ",x", "-10,", "<<5", ">>5", "#s", "+s", " s",
             "zd", "012_x", "+#012b", ",%", ",g", "_.3e", ".30f", ".17g", "n.", "05s", "0>5s",
             "06c"]
    for s, v in itertools.product(specs, values):
        yield f"['{{:{s}}}'.format({v})]"
    for c in ["'{} {}'.format(1, 2)", "'{1} {0}'.format(1, 2)", "'{0} {}'.format(1, 2)",
        "'{} {0}'.format(1, 2)", "'{a}'.format(a=1)", "'{a.b}'.format(a={'b': 2})",
        "'{a[b]}'.format(a={'b': 2})", "'{0[1]}'.format(xs)", "'{0[-1]}'.format(xs)",
        "'{0[9]}'.format(xs)", "'{0.x}'.format(xs)", "'{}'.format()", "'{5}'.format(1)",
        "'{x}'.format(1)", "'{'.format(1)", "'}'.format(1)", "'{{}}'.format()",
        "'{{{}}}'.format(1)", "'{!r}'.format('a')", "'{!s:>5}'.format('a')", "'{!a}'.format('é')",
        "'{!x}'.format(1)", "'{!}'.format(1)", "'{:{}}'.format(1, 5)",
        "'{:{w}.{p}f}'.format(1.5, w=8, p=2)", "'{:{:{}}}'.format(1, 2, 3)",
        "'{0:{1}}'.format('a', '^5')", "'{0.__class__}'.format(1)",
        "'{a.__class__.__mro__}'.format(a='')", "'{0[__class__]}'.format(xs)",
        "'{!r:5}|'.format(1)", "'{[0]}'.format(xs)", "'{.b}'.format(d)", "'{b}'.format(**d)",
        "'{b} {C}'.format_map(d)", "'{z}'.format_map(d)", "'{}'.format_map(d)",
        "'{b}'.format_map(1)", "'{b}'.format_map()", "'{b}'.format_map(d, d)",
        "'{b}'.format_map(d, x=1)", "'{0[a][b]}'.format({'a': {'b': 3}})",
        "'{0[a b]}'.format({'a b': 3})", "'{0[0}'.format(xs)", "'{0]}'.format(xs)",
        "'{0.}'.format(xs)", "'{0[]}'.format(xs)", "'{:d}'.format('a')", "'{:s}'.format(1)",
        "'{:c}'.format(97)", "'{:c}'.format(-1)", "'{:,}'.format(1234567.891)",
        "'{:10}|{:<10}|{:^10}'.format(1, 2, 3)", "'{:10}|'.format(none)", "'{}'.format(none)",
        "'{:>5}'.format(true)", "'{:d}'.format(true)", "'{:10}'.format([1])",
        "'{}'.format([1, 'a'])", "'{}'.format({'a': 1})", "'{}'.format(undefined_name)",
        "'{:5}'.format(undefined_name)", "'{x.y}'.format(x=undefined_name)",
        "('{}'|safe).format('<')", "('{:>5}'|safe).format('<')", "('{}'|safe).format('<'|safe)",
        "('{:5}'|safe).format('<'|safe)", "'{:5}|'.format('<'|safe)",
        "('{a}'|safe).format_map({'a': '<'})", "('{!r}'|safe).format('<')",
        "('{0[0]}'|safe).format(['<'])", "'{:%Y}'.format(1)", "'{:}'.format('a')",
        "'{: <5}|'.format('a')", "'{:{{}}}'.format(1, 2)", "'a{}b{}c'.format('é', '日')",
        "'{0!r:>10}'.format('a')", "'{0:}{0!s}'.format(5)", "'{ 0}'.format(1)", "'{0 }'.format(1)",
        "'{+1}'.format(1)", "'{01}'.format(1, 2)", "'{٣}'.format(1, 2)", "'{-1}'.format(1)",
        "'{99999999999999999999}'.format(1)", "'{0[99999999999999999999]}'.format(xs)",
        "'{0[01]}'.format(xs)", "'{a-b}'.format(**{'a-b': 1})",
        "'{:99999999999999999999}'.format(1)", "'{:.99999999999999999999f}'.format(1)",
        "'{!r'.format(1)", "'{!rr}'.format(1)", "'{a!r:}'.format(a='x')", "'{:'.format(1)",
        "'{0:{'.format(1)", "'{}}'.format(1)", "'{a:b}c}'.format(a=1)", "'{:\\n^5}'.format(1)",
        "'{0[a.b]}'.format({'a.b': 3})", "'{0[a]b}'.format({'a': 3})",
        "'{0.b[0]}'.format({'b': [7]})", "'{0.upper}'.format('a') is string"]:
        yield f"[{c}]"


def filters():
    simple = ["abs", "capitalize", "center", "count", "d", "default", "dictsort", "e", "escape",
        "filesizeformat", "first", "float", "forceescape", "indent", "int", "items", "items|list",
        "join", "last", "length", "list", "lower", "map", "max", "min", "pprint", "reverse",
        "reverse|list", "round", "safe", "select|list", "reject|list", "sort", "string",
        "striptags", "sum", "title", "tojson", "trim", "truncate", "unique|list", "upper",
        "urlencode", "urlize", "wordcount", "wordwrap", "xmlattr", "batch(2)|list", "slice(2)|list",
        "attr('x')", "format", "groupby('x')", "replace('a', 'b')", "map('upper')|list",
        "selectattr('x')|list", "rejectattr('x')|list", "center(9)", "list|length", "nosuch",
        "tojson(indent=2)", "default('D')", "default('D', true)", "first|string", "string|length",
        "unique|first"]
    for f, v in itertools.product(simple, VALUES):
        if v in ADDRESSED and f in ("urlencode", "wordcount", "replace('a', 'b')", "string|length"):
            continue  # an address again
        yield f"[({v})|{f}]"
    for f, s in itertools.product(
            ["upper", "lower", "title", "capitalize", "trim", "trim('x')", "length", "reverse",
                "first", "last", "list", "wordcount", "indent", "indent(2, true)",
                "indent('> ', blank=true)", "indent(width=1, first=true, blank=true)", "center(30)",
                "replace('a', 'bb')", "replace('X', '<', 1)", "replace('', '.')", "replace('l', 1)",
                "replace('a', 'b', -1)", "striptags", "escape", "forceescape", "e|e", "safe|e",
                "urlencode", "urlize", "truncate(5)", "truncate(5, true)",
                "truncate(6, false, '..', 0)", "truncate(3, leeway=0)", "wordwrap(4)",
                "wordwrap(7, false)", "wordwrap(5, wrapstring='|')",
                "wordwrap(6, break_on_hyphens=false)", "int", "float", "string", "tojson",
                "tojson(ensure_ascii=true)", "pprint", "unique|join", "sort|join", "join('-')",
                "select('string')|list", "batch(3)|list", "slice(3)|list", "format(1)", "max",
                "min", "groupby(0)|list", "map('upper')|join", "xmlattr", "dictsort", "items|list",
                "sum", "abs", "round"], STRINGS + ["html", "esc"]):
        yield f"[({s})|{f}]"
    text = "'The quick-brown fox   jumps over\\tthe lazy-dog\\'s antidisestablishmentarianism -- end...  '"
    hyphens = "'well-known e-mail --option=foo x--y a-1-b C-3PO (left-handed) 日本-語 -a- foo- -bar my--dash \"quoted-word\"'"
    for t, w, more in itertools.product([text, hyphens, "nl", "ws"], [1, 2, 3, 5, 8, 10, 13, 20, 79,
        0, -1, "'5'", 4.5], ["", ", false", ", true, '|'", ", true, none, false",
        ", break_on_hyphens=false, break_long_words=false"]):
        yield f"[{t}|wordwrap({w}{more})]"
    for t, n in itertools.product([text, "'abc def'", "emo", "''", "'<b>x y</b> z'|safe"], ["5",
        "0", "3", "10, true", "10, false, '…'", "12, true, '', 0", "4, false, '!!!!', 2", "2", "-5",
        "'5'", "5, leeway=-1", "20, end=''", "5.5", "6, leeway=none", "6, end=1", "1, end=''"]):
        yield f"[{t}|truncate({n})]"
    people = ["sort(attribute='name')", "sort(attribute='age')",
        "sort(attribute='name', case_sensitive=true)", "sort(attribute='team.id')",
        "sort(attribute='age,name')", "sort(reverse=true, attribute='name')", "groupby('age')",
        "groupby('name')", "groupby('name', case_sensitive=true)", "groupby('team.id', default=0)",
        "groupby('team.id')", "groupby('nosuch')", "groupby('nosuch', default='x')",
        "groupby('tags')", "groupby()", "groupby(attribute='name')|first",
        "unique(attribute='name')|list", "unique(attribute='name', case_sensitive=true)|list",
        "unique(attribute='tags')|list", "unique(attribute='age')|list", "max(attribute='name')",
        "min(attribute='name')", "max(attribute='age')", "map(attribute='name')|list",
        "map(attribute='team.id')|list", "map(attribute='team.id', default='-')|list",
        "map(attribute='tags.0')|list", "map(attribute='tags.0', default='none')|list",
        "map(attribute='tags')|map('length')|list",
        "map(attribute='tags', default=[])|map('length')|list",
        "map(attribute='name', nosuch=1)|list", "map('attr', 'name')|list",
        "map(attribute='nosuch')|list", "map(attribute='nosuch')|map('default', 'x')|list",
        "selectattr('age')|list|length", "selectattr('age', 'gt', 25)|list",
        "selectattr('age', 'none')|list",
        "selectattr('age', 'equalto', 31)|map(attribute='name')|join",
        "rejectattr('age', 'none')|map(attribute='name')|list",
        "rejectattr('team.id', '==', 2)|list|length", "selectattr('team', 'mapping')|list|length",
        "selectattr('tags', 'defined')|list|length", "selectattr()|list",
        "selectattr('age', 'nosuch')|list", "select('mapping')|list|length",
        "reject('mapping')|list", "join(', ', attribute='name')", "join(attribute='age')",
        "join('|', 'tags')", "sum(attribute='age')", "sum('age')", "first", "last", "length",
        "batch(3, 'x')|list|length", "tojson", "tojson(sort_keys=true)", "tojson(indent=1)",
        "pprint", "rejectattr('age')|first", "map(attribute=0)|list", "sort", "max", "unique|list",
        "dictsort", "selectattr('name', 'in', ['Ann', 'Cy'])|map(attribute='name')|list",
        "selectattr('name', 'lower')|list", "selectattr('team.id', 'eq', 1)|list",
        "map('tojson')|join", "map('dictsort')|list", "map('items')|map('list')|list|length",
        "groupby('age')|map(attribute='grouper')|list",
        "groupby('name')|map(attribute='list')|map('length')|list",
        "groupby('name')|map('first')|list", "(groupby('name')|first).grouper"]
    for f in people:
        yield f"people|{f}"
        yield f"people[:3]|{f}"
        yield f"people[:2]|{f}"
    lists = ["xs", "words", "[3, 1.5, true, 2]", "['b', 'A', 1]", "[1, none]", "[]",
        "[[2, 'b'], [1, 'a'], [2, 'a']]", "[(1, 2), (0, 5)]", "d", "'bcA'", "range(5)",
        "undefined_name", "none", "[1, 1.0, true, '1']", "[{'a': 2}, {'a': 1}]",
        "[0, '', none, [], 'x', 5]", "['10', '9', '1']", "[-1, -0.5, 2]", "[nan, 1]",
        "['a', 'B', 'b', 'A']", "['<'|safe, '<']", "[[1], [1], [2]]", "5", "d.items()",
        "['ß', 'ss', 'SS', 'ẞ']"]
    uses = ["sort", "sort(true)", "sort(reverse=true)", "sort(case_sensitive=true)",
        "sort(attribute=0)", "sort(attribute=1)|list", "sort(attribute='a')",
        "sort(attribute='1,0')", "unique|list", "unique(true)|list", "unique(attribute=0)|list",
        "min", "max", "min(case_sensitive=true)", "max(true)", "max(attribute=0)",
        "min(attribute='a')", "sum", "sum(start=1)", "sum(start='')", "sum(start=[])",
        "sum(attribute=0)", "sum(attribute='a')", "first", "last", "length", "count", "join",
        "join(', ')", "join(0)", "join(none)", "join('-', 0)", "join(attribute='a')",
        "join('<'|safe)", "reverse|list", "list", "batch(2)|list", "batch(2, 0)|list",
        "batch(0)|list", "batch(-1)|list", "batch('a')|list", "batch(10, none)|list",
        "batch(3, fill_with='')|list", "slice(2)|list", "slice(3, 'x')|list", "slice(0)|list",
        "slice(-1)|list", "slice(10)|list", "slice(2.0)|list", "batch()|list", "map('string')|list",
        "map('int')|list", "map('upper')|list", "map('default', 1)|list", "map('round', 1)|list",
        "map('nosuch')|list", "map|list", "map(1)|list", "map('replace', 'a', 'x')|list",
        "map(attribute=0)|list", "map('join')|list", "select|list", "select('odd')|list",
        "select('gt', 1)|list", "select('string')|list", "select('in', [1, 'a'])|list",
        "reject|list", "reject('none')|list", "reject('number')|list", "select('nosuch')|list",
        "select('divisibleby', 2)|list", "select('gt')|list", "selectattr(0)|list",
        "selectattr('a', 'odd')|list", "rejectattr(1, 'string')|list", "tojson", "tojson(2)",
        "tojson(indent=0)", "tojson(indent='--')", "tojson(separators=(',', ':'))",
        "tojson(indent=2, separators=(', ', ' = '))", "tojson(sort_keys=true)", "pprint", "string",
        "dictsort", "dictsort(true)", "dictsort(by='value')", "dictsort(by='nosuch')",
        "dictsort(reverse=true)", "dictsort(false, 'key', true)", "items|list", "xmlattr",
        "xmlattr(false)", "urlencode", "length is odd", "groupby(0)|list", "groupby('a')|list",
        "attr('count') is defined", "first|default('x')", "last is defined", "truncate(3)", "upper",
        "indent", "trim", "wordcount", "int", "float", "int(default=5)", "float(default=none)",
        "round", "abs", "safe", "e", "center(3)", "title", "format(1)", "filesizeformat",
        "striptags", "default('x')", "default('x', true)", "d(boolean=true)", "max is defined",
        "replace('1', '2')"]
    for l, f in itertools.product(lists, uses):
        yield f"[({l})|{f}]"
    numbers = ["0", "1", "-1", "2.5", "-2.5", "0.125", "2.675", "1e16", "1e300", "12345.6789",
        "big", "inf", "nan", "true", "'42'", "' 42 '", "'4_2'", "'0x1f'", "'0b101'", "'0o17'",
        "'1e3'", "'3.9'", "'-7'", "'+7'", "'x'", "''", "'٣٤'", "none", "[]", "'1_'", "'_1'",
        "'1__2'", "'inf'", "'nan'", "'1e400'", "'-0'", "'0777'", "'z'", "'12z'", "'1.5e2'",
        "'\\n5\\t'", "5 * 10**20", "undefined_name", "'123456789012345678901234567890'", "0.1",
        "1234567", "999.95", "1000", "1024", "1500000", "10**24", "10**30", "1e27", "-500"]
    uses = ["int", "int(-1)", "int(base=16)", "int(0, 36)", "int(base=2)", "int(base=0)",
        "int(base=1)", "int(default='x')", "int(base=37)", "int(base='a')", "float", "float(1.5)",
        "float('x')", "round", "round(1)", "round(2)", "round(-2)", "round(0, 'ceil')",
        "round(1, 'floor')", "round(2, 'ceil')", "round(-1, 'floor')", "round(method='nosuch')",
        "round(precision=3)", "round(1.5)", "round('1')", "round(none)", "round(20)", "round(400)",
        "round(-400)", "abs", "filesizeformat", "filesizeformat(true)",
        "filesizeformat(binary=true)", "string", "tojson", "pprint", "is odd", "is even",
        "is divisibleby(3)", "is divisibleby(0)", "urlencode"]
    for n, f in itertools.product(numbers, uses):
        yield f"[({n})|{f}]" if not f.startswith("is") else f"[({n}) {f}]"
    for c in ["d|xmlattr",
        "{'class': 'a', 'id': 1, 'n': none, 'u': undefined_name, '<': '<'|safe}|xmlattr",
        "{'a b': 1}|xmlattr", "{'a/': 1}|xmlattr", "{'a>': 1}|xmlattr", "{'a=': 1}|xmlattr",
        "{1: 2}|xmlattr", "{}|xmlattr", "{'a': 1}|xmlattr(false)",
        "{'a': '\"'}|xmlattr(autospace=false)", "{'é日': 1}|xmlattr", "{'a\\u00a0b': 1}|xmlattr",
        "[['a', 'b c'], ['ü/', '&']]|urlencode",
        "{'a/b': 'c d', 'e': 1.5, 'f': none, 'g': true}|urlencode", "[1, 2]|urlencode",
        "'a b/c?d=é&~.-_!*()'|urlencode", "1.5|urlencode", "none|urlencode", "('<'|safe)|urlencode",
        "esc|urlencode", "['ab', 'cd']|urlencode", "['abc']|urlencode",
              "'see http://example.com/a?b=c&d, (www.x.org) foo@bar.com, mailto:a@b.co!'|urlize",
              "'https://example.com'|urlize(10)",
              "'http://example.com/very/long/path'|urlize(15, true)",
              "'http://a.bc'|urlize(target='_blank')",
              "'http://a.bc'|urlize(rel='x y', nofollow=true)",
              "'tel:123 ftp://x.y'|urlize(extra_schemes=['tel:', 'ftp://'])",
              "'x'|urlize(extra_schemes=['nope'])", "'x'|urlize(extra_schemes=['x:'])",
              "'<http://a.bc>'|urlize", "'(http://a.bc/(x))'|urlize", "'http://a.bc/(x).'|urlize",
              "'a.com b.net c.xyz d.e.org'|urlize",
              "'http://127.0.0.1:80/x https://[::1]/ http://[2001:db8:0:0:0:0:0:1]:443'|urlize",
              "'HTTP://EXAMPLE.COM WWW.Foo.Bar'|urlize",
              "'www.a.b:99999 www.a.bc:123456 www.ab'|urlize",
              "'@a@b.c a@b a@b.c.d é@ü.de x:y@z.w'|urlize",
              "'http://xn--80ak.com http://x.xn--p1ai/ http://日本.jp'|urlize",
              "'&lt;http://a.bc&gt; <b>http://a.bc</b>'|urlize",
              "'http://a.bc/&quot;x&quot;'|urlize", "html|urlize", "1|urlize",
              "'a\\nhttp://a.bc\\n'|urlize", "'http://a.bc'|urlize(trim_url_limit=-3)",
              "'http://a.bc?x http://a.bc#y http://a.bc:80?z'|urlize",
              "'http://ſ.com httpſ://x.com http://K.com'|urlize",
              "'x-y.com -.com a%b.org a_b.gov'|urlize",
              "'(((www.a.bc))) www.a.bc)) www.a.bc/(('|urlize", "'foo.mil,bar.info.'|urlize",
              "'mailto:x mailto:a@b.c. mailto:a@b.c?d=e'|urlize", "'a@b.c, b@c.d) <e@f.g>'|urlize",
              "'<b>a</b>  <!-- c > d --> x\\n y &amp;&lt;&#65;&#x42;&eacute;&notit;&nosuch; &#0;&#128;&#xD800;&#1114112; <unclosed'|striptags",
              "'a <!-- unclosed b'|striptags", "'a > b < c > d'|striptags",
              "('&lt;b&gt;'|safe)|striptags",
              "'&ampx &amp &AMP; &CounterClockwiseContourIntegral; &#; &#x; &x'|striptags",
              "'&#1; &#11; &#x7f; &#xfffe; &#x1F600; &#99999999999;'|striptags",
              "'&notin; &notinx &not &nots; &hellip &hellip;'|striptags", "['<a>'|striptags]",
              "(html|e) + '<'", "'<' + (html|e)", "(html|e) ~ '<'",
              "[('<'|e) + '<', '<' ~ ('<'|e), ('<'|e) * 2, ('<'|e)[0], ('<'|e)|upper, ('<'|e).upper()]",
              "[('<'|safe)|list]", "[('a,b'|safe).split(',')]", "[('a'|safe)|string]",
              "[('a'|safe)|lower, ('a b'|safe)|title, ('a'|safe)|trim, ('a'|safe)|replace('a', '<'), ('a'|safe)|center(3), ('a'|safe)|indent, ('a'|safe)|reverse, ('ab'|safe)|first, ('a'|safe)|capitalize, ('a'|safe)|format, ('a'|safe)|truncate(1), ('a'|safe)|wordwrap, ('a'|safe)|striptags, ('a'|safe)|forceescape, ('a'|safe)|urlencode, ('a'|safe)|tojson, ('a'|safe)|join, ('a'|safe)|default, ('a'|safe)|e, ('a'|safe)|urlize]",
              "('a'|safe) is escaped", "'a' is escaped", "('a'|e) is string", "('a'|safe) == 'a'",
              "{'a': 1}['a'|safe]", "'a' in ('abc'|safe)", "('<'|safe).join(['<', '>'])",
              "'<'.join(['>'|safe])", "['<', '&'|safe]|join('>')", "('a'|safe)|pprint",
              "['a'|safe]|tojson", "('%s'|safe)|format('<')", "('x'|safe).striptags()",
              "('&lt;'|safe).unescape()", "('a'|safe).escape('<')", "('a'|safe).__html__()",
              "[('a'|safe).partition('a')]",
              "[('a'|safe).zfill(3), ('a'|safe).ljust(3, '<'), ('a'|safe).rjust(3), ('a\\tb'|safe).expandtabs(), ('ab'|safe).removeprefix('a'), ('a\\nb'|safe).splitlines(), ('a'|safe).translate({97: '<'}), ('aXb'|safe).rsplit('X'), ('A'|safe).swapcase(), ('A'|safe).casefold()]",
              "[1, [2, {'b': (1,), 'a': none}]]|pprint", "words|pprint", "range(30)|list|pprint",
              "('x' * 200)|pprint", "('word ' * 40)|pprint",
              "{'key' ~ 'x' * 30: 'v' * 60, 'a': [1, 2]}|pprint", "[('word ' * 40)]|pprint",
              "{'k': 'word ' * 30}|pprint", "(1,)|pprint", "()|pprint",
              "({'a': 'b' * 50}, {'c': 'd' * 50})|pprint", "people|pprint",
              "{1: 'a', 'b': 2, none: 3}|pprint", "[[['a' * 30], ['b' * 30]], ['c' * 30]]|pprint",
              "('line one\\nline two\\n' * 5)|pprint", "[1.5, inf, nan, big, true, none]|pprint",
              "{'z': {'y': {'x': ['w' * 20, 'v' * 20, 'u' * 20, 't' * 20]}}}|pprint",
              "('é' * 100)|pprint", "[emo, esc, u]|pprint", "(('a' * 79, 'b'),)|pprint",
              "['a b' * 30, 1]|pprint", "('it\\'s ' * 30)|pprint", "(('x' * 81),)|pprint",
              "d.items()|pprint", "d.keys()|pprint", "[range(3)]|pprint", "undefined_name|pprint",
              "esc|tojson", "esc|tojson(ensure_ascii=true)", "[esc, u, emo]", "esc|pprint",
              "{'é': 'é', 1: 1.5, none: none, true: false, 2.5: inf}|tojson", "{(1, 2): 3}|tojson",
              "[(1, 2), range(2)|list]|tojson", "[namespace()]|tojson",
              "{'a': [], 'b': {}, 'c': [{}]}|tojson(indent=2)",
              "{'b': 1, 'a': 2, 'é': 3}|tojson(sort_keys=true)",
              "{1: 1, 'a': 2}|tojson(sort_keys=true)", "[1, 2]|tojson(indent='\\t')",
              "[1, 2]|tojson(indent=-1)", "[1]|tojson(indent=true)", "[1]|tojson(indent=1.5)",
              "[1, {'a': 2}]|tojson(separators=('<', '>'))", "[1, 2]|tojson(separators=(',',))",
              "[1, 2]|tojson(separators=1)", "[1]|tojson(nosuch=1)", "[1]|tojson(true)",
              "[1]|tojson(true, 2)", "[1]|tojson(true, 2, (',', ':'), true)",
              "[1]|tojson(true, 2, (',', ':'), true, 5)", "[1, 2]|tojson(separators=none)",
              "{2: 1, 1: 2, 1.5: 3}|tojson(sort_keys=true)", "(1, 'a')|tojson",
              "'\\u2028\\x7f\\x9f</script>'|tojson", "'x'.upper|tojson", "xs|map('string')|tojson",
              "[undefined_name]|tojson", "{'a': undefined_name}|tojson", "{'a': namespace}|tojson",
              "('<'|safe)|tojson", "{none: 1}|tojson(sort_keys=true)",
              "{'a': {'c': 1, 'b': 2}}|tojson(sort_keys=true)", "d.items()|list|tojson",
              "d.keys()|tojson", "1e16|tojson", "-0.0|tojson", "nan|tojson", "big|tojson",
              "[[1, [2, [3]]]]|tojson(indent=3)", "dict(a=1)|tojson",
              "'x'|attr('upper') is callable", "d|attr('b') is defined", "'abc'|attr('__class__')",
              "'abc'|attr('nosuch')", "people[0]|attr('name')", "xs|attr('append')",
              "namespace(a=1)|attr('a')", "d|attr(1)", "'a'|attr('format')|string|length > 3",
              "xs|default", "nosuch|default", "nosuch|default(1)", "none|default(1)",
              "none|default(1, true)", "''|d('x', boolean=true)",
              "nosuch|default(default_value='y')", "nosuch.x|default(1)", "nosuch|d(nosuch2)|d(3)",
              "1|default(2, 3, 4)", "nosuch|default(x=1)", "'a'|center(width=5)", "'a'|center('5')",
              "'a'|center(5, '*')", "'a'|replace('a')", "'a'|replace",
              "'aaa'|replace('a', 'b', count=2)", "'aaa'|replace('a', 'b', none)",
              "'aaa'|replace('a', 'b', 1.5)", "none|replace('o', 'x')", "'a1'|replace(1, 2)",
              "'a'|indent('x')", "'a\\nb'|indent('é')", "'a\\n\\nb\\n'|indent(3, blank=true)",
              "'\\n'|indent(first=true)", "''|indent(first=true)", "1|indent",
              "'a\\r\\nb\\x0bc'|indent(1)", "'a\\nb'|indent(-1, true)", "'a\\nb'|indent(1.5)",
              "'a\\nb'|indent(true)", "none|indent", "['a']|indent", "('a\\nb'|safe)|indent('<')",
              "'x'|trim(chars='x')", "'x'|trim(1)", "5|trim", "'a b'|wordcount", "1|wordcount",
              "'a_b c-d é1 ²'|wordcount", "'a'|first", "5|first", "5|last", "{}|first", "d|first",
              "d|last", "none|length", "5|length", "nosuch|length", "nosuch|list", "nosuch|join",
              "nosuch|sum", "nosuch|sort", "nosuch|max", "nosuch|upper", "nosuch|tojson",
              "nosuch|int", "nosuch|float", "nosuch|string", "nosuch|e", "nosuch|trim",
              "nosuch|items|list", "nosuch|dictsort", "nosuch|map('upper')|list", "nosuch|abs",
              "nosuch|round", "nosuch|first is defined", "nosuch|pprint", "nosuch|urlencode",
              "nosuch|safe", "nosuch|length + 1", "nosuch|indent", "nosuch|replace('a', 'b')",
              "nosuch|truncate", "nosuch|wordwrap", "nosuch|unique|list", "nosuch|batch(2)|list",
              "nosuch|slice(2)|list", "nosuch|reverse|list", "nosuch|groupby('a')",
              "nosuch|attr('x')", "nosuch|format", "nosuch|filesizeformat", "nosuch|xmlattr",
              "nosuch|striptags", "nosuch|urlize", "nosuch|center", "nosuch|title",
              "nosuch|capitalize", "nosuch|wordcount", "nosuch|min", "nosuch|last",
              "nosuch|select|list", "nosuch|count"]:
        yield c
        yield f"[{c}]"


def tests():
    names = ["boolean", "callable", "defined", "escaped", "even", "false", "float", "integer",
        "iterable", "lower", "mapping", "none", "number", "odd", "sequence", "string", "true",
        "undefined", "upper", "filter", "test", "divisibleby(2)", "divisibleby", "eq(1)", "==(1)",
        "equalto('a')", "ge(1)", "gt(1)", "greaterthan(0)", "in([1, 'a', none])", "in('abc')",
        "in(d)", "in(5)", "le(1)", "lt(1)", "lessthan(2)", "ne(1)", "sameas(true)", "sameas(none)",
        "sameas(1)", "nosuch", "odd(1)", "eq", "in", "sameas", "eq(1, 2)", "defined(1)", "lt('b')",
        "not none", "not in([1])"]
    for n, v in itertools.product(names, VALUES):
        if not ("sameas(1)" in n and v in ("1",)):
            yield f"({v}) is {n}" if "==" not in n else f"[({v})]|select('==', 1)|list|length"
    for s in STRINGS:
        yield f"({s}) is lower"
        yield f"({s}) is upper"
        yield f"({s}) is in 'abc'"
    for n in ["'upper'", "'nosuch'", "1", "none", "[]", "'odd'", "'=='", "'<='", "'e'", "'tojson'",
        "'filter'"]:
        yield f"({n}) is filter"
        yield f"({n}) is test"
    for op in ["==", "!=", "<", "<=", ">", ">=", "eq", "ne", "lt", "le", "gt", "ge"]:
        yield f"[1, 2, 3]|select('{op}', 2)|list"
        yield f"['a']|select('{op}', 2)|list"


def autoescaped():
    """The same under {% autoescape true %}, where filters and operators look at Markup."""
    for c in filters():
        if "html" in c or "<" in c or "safe" in c or "|e" in c or "join" in c or "replace" in c:
            yield "{% autoescape true %}{{ " + c + " }}{% endautoescape %}"
    uses = ["join", "join(', ')", "join('<')", "join('<'|safe)", "replace('a', '<')",
            "replace('a'|safe, '<')", "replace('<', '&'|safe)", "string", "upper", "e", "safe",
            "forceescape", "list", "first", "last", "xmlattr", "urlize", "tojson", "indent('<')",
            "format('<')", "center(9)", "truncate(3, true, '<', 0)", "wordwrap(2, true, '<')",
            "title", "trim", "striptags", "reverse", "default('<')", "map('upper')|join('<')",
            "sort|join('<')", "batch(2)|list", "replace('<'|e, 'a')", "pprint", "sum(start='')"]
    values = ["'<a&b>'", "'<a>'|safe", "'<a>'|e", "['<', 'a']", "['<'|safe, '<']", "html", "[1, '<']",
              "{'a': '<'}", "'%s <b>'", "'%s <b>'|safe", "none", "1.5", "undefined_name"]
    for v, f in itertools.product(values, uses):
        yield "{% autoescape true %}{{ (" + v + ")|" + f + " }}{% endautoescape %}"
    for v, w, op in itertools.product(values, values, "+~%*"):
        yield "{% autoescape true %}{{ (" + v + ") " + op + " (" + w + ") }}{% endautoescape %}"


def random_chains(rng, count):
    """Values through one to four filters, methods, tests and operators, arguments at random."""
    texts = ["'a'", "'Hello, World'", "' x y '", "'<b>&'", "'%s-%d'", "'{}:{0}'", "'é日ß'", "''", "'a.b.c'",
             "'1.5'", "'-7'", "u", "html", "emo", "nl", "ws", "'x'|safe", "'<'|e", "'\\n'", "'0'"]
    others = ["0", "1", "-1", "2", "3", "10", "1.5", "-0.5", "true", "false", "none", "[]", "{}", "()", "xs", "d",
              "words", "people", "[1, 'a', none]", "{'a': 1, 'B': [2]}", "(1, 2)", "range(4)", "big", "inf",
              "nosuch", "['b', 'A', 'c']", "[[2, 'x'], [1, 'y']]", "d.items()", "xs|map('string')", "nan"]
    # name: arguments that make sense (others come at random)
    numbers, strings = ["", "1", "2", "5", "0", "-1"], ["", "'a'", "' '", "'x'", "','", "none"]
    names = {
        "abs": [], "attr": ["'name'", "'upper'"], "batch": ["2", "3, 'x'"], "capitalize": [], "center": numbers,
        "count": [], "default": ["'x'", "1, true", ""], "dictsort": ["", "true", "by='value'", "reverse=true"],
        "e": [], "filesizeformat": ["", "true"], "first": [], "float": ["", "1.5"], "forceescape": [],
        "format": ["1", "'a', 2", "u, 3", "'<', 1"], "groupby": ["'age'", "0", "'name'", "1"],
        "indent": ["", "2", "'> '", "1, true", "3, true, true", "blank=true"], "int": ["", "-1", "0, 16"],
        "items": [], "join": ["", "', '", "'<'", "'-', 0", "', ', 'name'"], "last": [], "length": [], "list": [],
        "lower": [], "map": ["'upper'", "'string'", "attribute='name'", "'length'", "'first'", "attribute=0",
                             "attribute='a', default=1", "'replace', 'a', 'b'", "'int'", "'tojson'", "'trim'"],
        "max": ["", "attribute=0"], "min": ["", "true"], "pprint": [], "reject": ["", "'odd'", "'string'", "'none'"],
        "rejectattr": ["'name'", "'age', 'none'", "0"], "replace": ["'a', 'b'", "'', '-'", "' ', ''", "'a', '', 1"],
        "reverse": [], "round": ["", "1", "2, 'ceil'", "0, 'floor'", "-1"], "safe": [],
        "select": ["", "'odd'", "'string'", "'gt', 1", "'in', xs"], "selectattr": ["'age'", "'name', 'lower'", "0"],
        "slice": ["2", "3, 'x'"], "sort": ["", "true", "attribute=0", "attribute='name'", "case_sensitive=true"],
        "string": [], "striptags": [], "sum": ["", "start=1", "start=[]"], "title": [],
        "tojson": ["", "indent=2", "true", "sort_keys=true", "separators=(',', ':')"],
        "trim": strings, "truncate": ["5", "3, true", "6, false, '..', 0", "4, true, '<'"],
        "unique": ["", "true", "attribute=0"], "upper": [], "urlencode": [], "urlize": [], "wordcount": [],
        "wordwrap": ["", "5", "3, false", "4, true, '|'"], "xmlattr": [""]}
    methods = {
        "upper": [], "lower": [], "title": [], "strip": strings, "lstrip": strings, "rstrip": strings,
        "split": strings + ["none, 1", "' ', 1"], "rsplit": strings + ["' ', 1"], "splitlines": ["", "true"],
        "partition": ["' '", "'a'"], "rpartition": ["' '", "'a'"], "join": ["['a', 'b']", "'xyz'", "words", "d"],
        "replace": ["'a', 'b'", "'l', '', 1", "'', '.'"], "startswith": ["'a'", "('a', '<')"], "endswith": ["'a'"],
        "find": ["'a'", "'o', 2"], "rfind": ["'l'"], "index": ["'a'", "1"], "count": ["'a'", "1", "''"],
        "center": ["9", "8, '*'"], "ljust": ["9"], "rjust": ["9, '<'"], "zfill": ["9"], "expandtabs": ["", "4"],
        "isalpha": [], "isdigit": [], "isupper": [], "istitle": [], "removeprefix": ["'a'", "'<'"],
        "format": ["1", "'a', 'b'", "u, x=2"], "format_map": ["d"], "translate": ["{97: 'b', 108: none}"],
        "casefold": [], "swapcase": [], "capitalize": [], "keys": [], "values": [], "items": [],
        "get": ["'a'", "'a', 1", "'q', 2"], "copy": [], "bit_length": [], "is_integer": [], "append": ["1"]}
    tests_ = ["odd", "even", "defined", "none", "string", "mapping", "sequence", "iterable", "number", "integer",
              "float", "lower", "upper", "true", "callable", "escaped", "in", "eq", "lt", "ge", "divisibleby", "sameas"]
    keywords = ["attribute", "default", "reverse", "case_sensitive", "width", "first", "blank", "indent", "start",
                "fill_with", "d", "precision", "method", "boolean", "chars", "length", "killwords", "end", "leeway",
                "sep", "maxsplit", "count", "by", "sort_keys", "ensure_ascii", "separators"]

    def value(depth=0):
        r = rng.random()
        if depth < 2 and r < 0.12:
            return "[" + ", ".join(value(depth + 1) for _ in range(rng.randint(0, 3))) + "]"
        if depth < 2 and r < 0.18:
            return "{" + ", ".join(rng.choice(texts[:10]) + ": " + value(depth + 1)
                                   for _ in range(rng.randint(0, 3))) + "}"
        return rng.choice(texts if r < 0.6 else others)

    def arguments(positional=0.9):
        out = []
        for _ in range(rng.choice([0, 0, 1, 1, 1, 2, 2, 3])):
            if rng.random() < positional:
                out.append(rng.choice(["'name'", "'age'", "'upper'", "'a'", "0", "1", "2", "5"])
                           if rng.random() < 0.5 else value(1))
            else:
                out.append(rng.choice(keywords) + "=" + value(1))
        return ", ".join(sorted(out, key=lambda a: "=" in a.split("'")[0]))

    def use(table):
        name = rng.choice(list(table))
        sensible = table[name] or [""]
        return name, rng.choice(sensible) if rng.random() < 0.9 else arguments()

    for _ in range(count):
        e = "(" + value() + ")"
        for _ in range(rng.choice([1, 1, 2, 2, 3, 4])):
            r = rng.random()
            if r < 0.6:
                name, given = use(names)
                e += "|" + name + (f"({given})" if given else "")
            elif r < 0.85:
                name, given = use(methods)
                e = f"({e}).{name}({given})"
            elif r < 0.95:
                op = rng.choice(["+", "-", "*", "/", "//", "%", "~", "~", "==", "<", "in", "and", "or"])
                e = f"({e} {op} {value()})"
            else:
                given = arguments()
                e = f"({e} is {rng.choice(tests_)}" + (f"({given})" if given else "") + ")"
        yield f"[{e}]" if rng.random() < 0.7 else e


GROUPS = [("string methods", string_methods, 1150), ("other methods", other_methods, None),
    ("globals", globals_, 450),
          ("formats", formats, 1400), ("filters", filters, 2100), ("tests", tests, 450), ("autoescape", autoescaped, 250)]


class Slow(Exception):
    pass


def late(_signal, _frame):
    raise Slow


def main():
    env, everything = environment(NOW), "--all" in sys.argv
    assert jinja2.__version__ == "3.1.6"
    rng = random.Random(20260704)
    count, errors = 0, 0
    signal.signal(signal.SIGALRM, late)
    with open(sys.argv[1], "w", encoding="utf-8", newline="\n") as out:
        # The variables as text: NaN and Infinity are Python's JSON, and nobody else's.
        context = json.dumps(CONTEXT, ensure_ascii=False, separators=(",", ":"))
        out.write(json.dumps({"context": context}, ensure_ascii=False) + "\n")
        groups = GROUPS
        if "--random" in sys.argv:
            at = sys.argv.index("--random")
            chains = random.Random(int(sys.argv[at + 1])), int(sys.argv[at + 2])
            groups, everything = [("random", lambda: random_chains(*chains), None)], True
        for _, make, size in groups:
            cases = list(dict.fromkeys(make()))
            if size and not everything and len(cases) > size:
                keep = set(rng.sample(range(len(cases)), size))
                cases = [c for i, c in enumerate(cases) if i in keep]
            for case in cases:
                signal.alarm(5)
                try:
                    text = env.from_string(case if case.startswith("{%") else "{{ " + case + " }}").render(**copy.deepcopy(CONTEXT))
                    if " at 0x" in text.lower() or "<jinja2" in text.lower() or len(text) > 20000:
                        continue  # an address is not the same twice
                    record = [case, text]
                except Slow:
                    continue
                except MemoryError:
                    continue
                except Exception as error:
                    record = [case, None, type(error).__name__]
                    errors += 1
                finally:
                    signal.alarm(0)
                count += 1
                out.write(json.dumps(record, ensure_ascii=False, separators=(",", ":")) + "\n")
    print(count, "cases,", errors, "errors")


main()
