"""Random templates that mean something: every expression has a type, so that most of them render.

What a person writes next: slices with steps, macros in macros with varargs, kwargs and caller, namespaces, all loop
variables, filters and methods with all forms of their arguments, formatting, conversions, whitespace control.
compare_templates.py compares what comes out.
"""

WORDS = ["", "a", "Z", "hello", "Hello World", "  two  words ", "x\\ty", "a,b,,c", "naïve", "ßtraße", "日本語テキスト", "😀é", "line\\nline2\\n\\nend\\n",
         "<b>&amp;\\'q\\'</b>", "%d%%", "{0}{x}", "the quick brown fox jumps over the lazy dog", "long-hyphenated-word-here http://e.org/x?y=1 me@e.org",
         "123", "-4.50", " 0x1F ", "1_000", "1e5", "nan", "ﬁ ǅ İ", "tab\\there", "\\r\\nwin\\r\\n", "\\u2028sep", "A-b_c d", "'quoted' \\\"d\\\"", "\\\\back"]
INTS = ["0", "1", "-1", "2", "3", "5", "7", "-3", "10", "42", "255", "1000", "-1024", "10**18", "2**63", "-(2**70)", "n", "neg", "big"]
FLOATS = ["0.0", "1.5", "-2.25", "0.1", "1e16", "1.0e-5", "123456789.123", "1e22", "2.5", "0.5", "-0.0", "f", "1e100", "5e-324", "3.0"]


class Generator:
    def __init__(self, rng):
        self.rng, self.scope, self.macros = rng, [], []

    def one(self, *choices):
        return self.rng.choice(choices)

    def string_literal(self):
        word = self.rng.choice(WORDS)
        return '"' + word + '"' if "'" in word or self.rng.random() < 0.3 and '"' not in word else "'" + word + "'"

    def word(self):
        return self.one("'a'", "','", "' '", "'o'", "'l'", "'\\n'", "''", "'ab'", "'-'", "'.'", "'hello'", "'é'", "'<'", "'x'")

    # ---- text

    def text(self, d=0):
        r = self.rng
        if d > 3 or r.random() < 0.25:
            return self.one(self.string_literal(), self.string_literal(), "s", "t", "es", *[n for n, k in self.scope if k == "t"])
        e = lambda: self.text(d + 1)
        i = lambda: self.small()
        return self.rng.choice((
            lambda: f"({e()} + {e()})",
            lambda: f"({self.any(d + 1)} ~ {e()})",
            lambda: f"({e()} if {self.truth(d + 1)} else {e()})",
            lambda: f"{e()}[{self.slice()}]",
            lambda: f"({e()} * {self.one(0, 1, 2, 3, -1)})",
            lambda: f"{e()} | {self.text_filter(d)}",
            lambda: f"({e()} | {self.text_filter(d)})",
            lambda: f"({e()}).{self.text_method(d)}",
            lambda: f"({self.list(d + 1)} | join{self.one('', '()', f'({self.word()})', f'(d={self.word()})')})",
            lambda: f"{self.word()}.join({self.texts(d + 1)})",
            lambda: f"({self.data(d + 1)} | tojson{self.tojson_arguments()})",
            lambda: f"({self.any(d + 1)} | string)",
            lambda: f"('{self.percent()}' % {self.number(d + 1)})",
            lambda: f"('%s|%-8s|%8s|%.2s|%r' % ({e()}, {e()}, {self.any(d + 1)}, {e()}, {self.data(d + 1)}))",
            lambda: f"('%(a)s-%(b)5.1f' % {{'a': {self.any(d + 1)}, 'b': {self.number(d + 1)}}})",
            lambda: f"('{{:{self.spec()}}}').format({self.number(d + 1)})",
            lambda: f"('{{0}}-{{1!r}}-{{0:>8}}-{{k}}').format({e()}, {self.data(d + 1)}, k={self.any(d + 1)})",
            lambda: f"('{{0[0]}}{{a.b}}').format([{self.any(d + 1)}], a={{'b': 1}})" if r.random() < 0.2 else f"('{{:{self.text_spec()}}}').format({e()})",
            lambda: f"({self.string_literal()} | format({self.any(d + 1)}))" if r.random() < 0.2 else f"('%s %s' | format({e()}, {self.any(d + 1)}))",
            lambda: f"({self.texts(d + 1)} | {self.one('first', 'last', 'min', 'max')})",
            lambda: f"({e()} | default({e()}{self.one('', ', true', ', boolean=true')}))",
            lambda: f"(undefined_name | default({e()}))",
            lambda: f"({{'k': {e()}}} | xmlattr{self.one('', '(false)', '(autospace=false)')})",
            lambda: f"({self.dict(d + 1)} | xmlattr)",
            lambda: f"({self.data(d + 1)} | pprint)",
        ))()

    def slice(self):
        part = lambda: self.one("", "0", "1", "-1", "2", "-2", "5", "-7", "100", "-100", "none")
        return self.one(f"{part()}:{part()}", f"{part()}:{part()}:{self.one('1', '2', '-1', '-2', '3', '', 'none')}", ":", "::-1")

    def text_filter(self, d):
        e = lambda: self.text(d + 2)
        i = self.small
        b = lambda: self.one("true", "false")
        return self.rng.choice((
            lambda: self.one("upper", "lower", "title", "capitalize", "trim", "escape", "e", "safe", "striptags", "urlencode", "reverse", "string", "forceescape"),
            lambda: f"replace({self.word()}, {e()}{self.one('', f', {i()}', f', count={i()}')})",
            lambda: f"indent({self.one('', '2', 'width=3', f'4, {b()}', f'first={b()}, blank={b()}', f'{chr(39)}> {chr(39)}', f'2, {b()}, {b()}')})",
            lambda: f"wordwrap({self.one('10', '5, false', 'width=7', f'8, break_long_words={b()}', f'9, break_on_hyphens={b()}', '12, true, ' + self.one(chr(39) + '|' + chr(39), 'none'))})",
            lambda: f"truncate({self.one('5', '10, true', 'length=8', f'9, killwords={b()}', f'7, true, {self.word()}', '12, leeway=0', '6, false, ' + chr(39) + '..' + chr(39) + ', 2')})",
            lambda: f"center({self.one('', '20', 'width=9')})",
            lambda: f"trim({self.one('', self.word(), f'chars={self.word()}', 'none')})",
            lambda: f"default({e()})",
            lambda: f"urlize({self.one('', '10', 'nofollow=true', 'target=' + chr(39) + '_blank' + chr(39), 'trim_url_limit=8', 'rel=' + chr(39) + 'x' + chr(39))})",
        ))()

    def text_method(self, d):
        w, i = self.word, self.small
        e = lambda: self.text(d + 2)
        return self.rng.choice((
            lambda: self.one("upper()", "lower()", "title()", "capitalize()", "swapcase()", "casefold()", "strip()", "lstrip()", "rstrip()", "expandtabs()"),
            lambda: f"{self.one('strip', 'lstrip', 'rstrip', 'removeprefix', 'removesuffix')}({w()})",
            lambda: f"replace({w()}, {e()}{self.one('', f', {i()}')})",
            lambda: f"{self.one('center', 'ljust', 'rjust')}({i()}{self.one('', ', ' + chr(39) + '*' + chr(39), ', ' + chr(39) + 'é' + chr(39))})",
            lambda: f"zfill({i()})", lambda: f"expandtabs({self.one('', '4', '0', 'tabsize=3')})",
            lambda: f"split({self.one('', w(), f'{w()}, {i()}', f'none, {i()}', f'maxsplit={i()}', f'sep={w()}')})[{self.one(0, -1)}]",
            lambda: f"rsplit({self.one('', w(), f'{w()}, {i()}', f'none, {i()}', f'maxsplit={i()}', f'sep={w()}')})[{self.one(0, -1)}]",
            lambda: f"{self.one('partition', 'rpartition')}({w()})[{self.one(0, 1, 2)}]",
        ))()

    def percent(self):
        return "%" + self.one("", "-", "+", " ", "0", "#", "-+") + self.one("", "5", "12", "2") + self.one("d", "i", "x", "X", "o", "e", "E", "f", ".2f", "g", ".3g", ".0f", "s", "r", ".10e", "c" if self.rng.random() < 0.2 else "G", "#x", ".1f")

    def spec(self):
        return self.one("", "<", ">", "^", "*^", "0=", "=") + self.one("", "+", "-", " ") + self.one("", "#") + self.one("", "0") + self.one("", "8", "12") + self.one("", ",", "_") + self.one("", ".2", ".0", ".10") + self.one("", "d", "f", "g", "e", "x", "b", "o", "n", "%", "s", "E", "G", "X")

    def text_spec(self):
        return self.one("", "<", ">", "^", "é^", "*<") + self.one("", "5", "20") + self.one("", ".3", ".0") + self.one("", "s")

    def tojson_arguments(self):
        return self.one("", "", "()", "(indent=2)", "(indent=0)", "(indent=4)", "(ensure_ascii=true)", "(sort_keys=true)", "(true)", "(false, 1)",
                        "(separators=(',', ':'))", "(indent=2, separators=(',', ': '))", "(indent='--')", "(ensure_ascii=true, indent=1, sort_keys=true)", "(indent=none)")

    # ---- numbers, truth

    def small(self):
        return self.one("0", "1", "2", "3", "-1", "8", "15", "-2", "20")

    def number(self, d=0):
        if d > 3 or self.rng.random() < 0.35:
            return self.one(self.one(*INTS), self.one(*INTS), self.one(*FLOATS), *[n for n, k in self.scope if k == "n"])
        e = lambda: self.number(d + 1)
        return self.rng.choice((
            lambda: f"({e()} {self.one('+', '-', '*')} {e()})",
            lambda: f"({e()} {self.one('/', '//', '%')} {e()})",
            lambda: f"({self.one(*INTS[:13])} ** {self.one('0', '1', '2', '3', '10', '0.5', '-1')})",
            lambda: f"(-{e()})", lambda: f"(+{e()})",
            lambda: f"({e()} | {self.one('abs', 'int', 'float', 'round', 'round(2)', 'round(1, ' + chr(39) + self.one('floor', 'ceil', 'common') + chr(39) + ')', 'round(-1)', 'round(precision=3)')})",
            lambda: f"({self.text(d + 1)} | {self.one('length', 'count', 'wordcount', 'int', 'float', 'int(7)', 'int(base=16)', 'int(0, 2)', 'int(default=-1, base=8)', 'float(1.5)', 'float(default=2)')})",
            lambda: f"({self.text(d + 1)}).{self.one('find', 'rfind', 'count')}({self.word()}{self.one('', ', 1', ', 0, -1', ', -3')})",
            lambda: f"({self.list(d + 1)} | length)",
            lambda: f"({self.numbers(d + 1)} | {self.one('sum', 'min', 'max', 'first', 'last', 'sum(start=5)')})",
            lambda: f"(rows | sum(attribute='v'{self.one('', ', start=1')}))",
            lambda: f"({self.list(d + 1)}).count({self.any(d + 2)})",
            lambda: f"({e()} if {self.truth(d + 1)} else {e()})",
            lambda: f"({self.one(*INTS)}).{self.one('bit_length()', 'real', 'numerator', 'conjugate()', 'bit_count()', '__abs__' if self.rng.random() < 0.05 else 'imag')}",
        ))()

    def truth(self, d=0):
        if d > 3 or self.rng.random() < 0.2:
            return self.one("true", "false", "yes", "no")
        a = lambda: self.any(d + 1)
        return self.rng.choice((
            lambda: f"({self.number(d + 1)} {self.order()} {self.number(d + 1)})",
            lambda: f"({self.text(d + 1)} {self.order()} {self.text(d + 1)})",
            lambda: f"({a()} {self.one('==', '!=')} {a()})",
            lambda: f"({self.small()} < {self.number(d + 1)} <= {self.number(d + 1)})",
            lambda: f"({self.word()} {self.one('in', 'not in')} {self.text(d + 1)})",
            lambda: f"({a()} {self.one('in', 'not in')} {self.list(d + 1)})",
            lambda: f"({self.word()} in {self.dict(d + 1)})",
            lambda: f"(not {a()})", lambda: f"({a()} {self.one('and', 'or')} {a()})",
            lambda: f"({a()} is {self.one('', 'not ')}{self.one('defined', 'none', 'string', 'number', 'mapping', 'sequence', 'iterable', 'boolean', 'integer', 'float', 'callable', 'true', 'false', 'undefined', 'escaped')})",
            lambda: f"({self.one(*INTS)} is {self.one('odd', 'even', 'divisibleby 3', 'divisibleby(2)', 'eq(1)', 'gt 2', 'le(5)', 'ne 0', 'sameas(1)', 'in [1, 2]', 'in(range(5))')})",
            lambda: f"({self.text(d + 1)} is {self.one('upper', 'lower')})",
            lambda: f"(undefined_name{self.one('', '.x')} is {self.one('defined', 'undefined')})" if self.rng.random() < 0.3 else "(d.missing is defined)",
            lambda: f"('{self.one('upper', 'nosuch', 'tojson')}' is {self.one('filter', 'test')})",
            lambda: f"({self.text(d + 1)}).{self.one('startswith', 'endswith')}({self.one(self.word(), f'({self.word()}, {self.word()})', f'{self.word()}, 1', f'{self.word()}, 0, 3')})",
            lambda: f"({self.text(d + 1)}).{self.one('isdigit', 'isalpha', 'isalnum', 'isspace', 'isupper', 'islower', 'istitle', 'isnumeric', 'isdecimal', 'isidentifier', 'isascii', 'isprintable')}()",
        ))()

    def order(self):
        return self.one("<", "<=", ">", ">=", "==", "!=")

    # ---- containers

    def numbers(self, d=0):
        e = lambda: self.number(d + 2)
        return self.rng.choice((lambda: f"[{e()}, {e()}, {e()}]", lambda: f"range({self.one('4', '1, 6', '5, 0, -2', '0', '-3, 3')})", lambda: "l",
                                lambda: f"({self.numbers(d + 1)} | {self.one('sort', 'sort(reverse=true)', 'list', 'unique', 'reverse', 'map(' + chr(39) + 'abs' + chr(39) + ')')} | list)",
                                lambda: "(rows | map(attribute='v') | list)"))() if d < 4 else "l"

    def texts(self, d=0):
        e = lambda: self.text(d + 2)
        if d > 3:
            return "ls"
        return self.rng.choice((
            lambda: f"[{e()}, {e()}]", lambda: f"({e()}, {e()}, {e()})", lambda: "ls", lambda: f"({e()} | list)",
            lambda: f"({e()}).{self.one('split()', 'splitlines()', 'splitlines(true)', 'split(' + chr(39) + ',' + chr(39) + ')', 'splitlines(keepends=true)', 'partition(' + chr(39) + 'o' + chr(39) + ')')}",
            lambda: f"({self.texts(d + 1)} | map('{self.one('upper', 'trim', 'title', 'lower', 'string', 'e')}') | list)",
            lambda: f"({self.texts(d + 1)} | map('replace', {self.word()}, {self.word()}) | list)",
            lambda: f"({self.texts(d + 1)} | {self.one('sort', 'sort(true)', 'sort(case_sensitive=true)', 'unique', 'unique(true)', 'reverse')} | list)",
            lambda: "(rows | map(attribute='k') | list)",
            lambda: f"({self.texts(d + 1)})[{self.slice()}]",
        ))()

    def list(self, d=0):
        if d > 3:
            return self.one("l", "ls", "e", "rows", "nest")
        a = lambda: self.any(d + 1)
        row = "[{'k': 'a', 'v': 2, 'w': {'z': 1}}, {'k': 'B', 'v': 1}, {'k': 'a', 'v': none, 'w': {'z': 'q'}}]"
        return self.rng.choice((
            lambda: self.numbers(d), lambda: self.texts(d), lambda: f"[{a()}, {a()}]", lambda: f"({a()}, {a()})",
            lambda: f"({self.list(d + 1)})[{self.slice()}]", lambda: f"({self.list(d + 1)} + {self.list(d + 1)})" if self.rng.random() < 0.3 else f"([{a()}] + [{a()}])",
            lambda: f"({self.list(d + 1)} | {self.one('list', 'reverse | list', 'unique | list')})",
            lambda: f"({self.list(d + 1)} | batch({self.one('2', '3, ' + chr(39) + '-' + chr(39), '2, fill_with=0', 'linecount=2')}) | list)",
            lambda: f"({self.list(d + 1)} | slice({self.one('2', '3, ' + chr(39) + 'x' + chr(39), 'slices=2', '3, fill_with=none')}) | list)",
            lambda: f"({row} | groupby({self.one(chr(39) + 'k' + chr(39), chr(39) + 'k' + chr(39) + ', case_sensitive=true', 'attribute=' + chr(39) + 'k' + chr(39), chr(39) + 'w.z' + chr(39) + ', default=' + chr(39) + 'n' + chr(39), chr(39) + 'v' + chr(39)) if self.rng.random() < 0.9 else '0'}){self.one('', ' | list')})",
            lambda: f"({row} | map(attribute={self.one(chr(39) + 'k' + chr(39), chr(39) + 'w.z' + chr(39), chr(39) + 'w.z' + chr(39) + ', default=5', chr(39) + 'nope' + chr(39))}) | list)",
            lambda: f"({row} | {self.one('selectattr', 'rejectattr')}({self.one(chr(39) + 'v' + chr(39), chr(39) + 'w' + chr(39) + ', ' + chr(39) + 'defined' + chr(39), chr(39) + 'k' + chr(39) + ', ' + chr(39) + 'equalto' + chr(39) + ', ' + chr(39) + 'a' + chr(39), chr(39) + 'v' + chr(39) + ', ' + chr(39) + 'none' + chr(39), chr(39) + 'k' + chr(39) + ', ' + chr(39) + 'in' + chr(39) + ', [' + chr(39) + 'B' + chr(39) + ']', chr(39) + 'w.z' + chr(39) + ', ' + chr(39) + '==' + chr(39) + ', 1')}) | list)",
            lambda: f"({self.list(d + 1)} | {self.one('select', 'reject')}({self.one('', self.one(*[chr(39) + t + chr(39) for t in ('string', 'number', 'defined', 'none', 'mapping', 'iterable')]), chr(39) + 'sameas' + chr(39) + ', none', chr(39) + 'in' + chr(39) + ', [1, 2]', chr(39) + 'ne' + chr(39) + ', 1')}) | list)",
            lambda: f"({row} | sort(attribute={self.one(chr(39) + 'k' + chr(39), chr(39) + 'k' + chr(39) + ', reverse=true', chr(39) + 'k,v' + chr(39), chr(39) + 'k' + chr(39) + ', case_sensitive=true')}) | list)",
            lambda: f"({row} | {self.one('unique', 'max', 'min')}(attribute='k'){self.one('', '')} | list)",
            lambda: f"({self.dict(d + 1)} | dictsort{self.one('', '(true)', '(false, ' + chr(39) + 'value' + chr(39) + ')', '(by=' + chr(39) + 'value' + chr(39) + ')', '(reverse=true)', '(case_sensitive=true, by=' + chr(39) + 'key' + chr(39) + ', reverse=true)')})",
            lambda: f"({self.dict(d + 1)}).{self.one('items()', 'keys()', 'values()')}{self.one(' | list', ' | sort' if self.rng.random() < 0.3 else ' | list', '')}",
            lambda: f"({self.dict(d + 1)} | {self.one('items', 'list', 'dictsort')} | list)",
        ))()

    def dict(self, d=0):
        if d > 3:
            return self.one("d", "ed", "rows[0]")
        a = lambda: self.any(d + 1)
        return self.rng.choice((
            lambda: "d", lambda: f"{{'a': {a()}, {self.one(chr(39) + 'b c' + chr(39), '1', 'none', 'true', '1.5', chr(39) + 'é' + chr(39))}: {a()}}}", lambda: f"dict(a={a()}, z={a()})",
            lambda: f"dict(d, a={a()})", lambda: f"dict([['x', {a()}], ('y', {a()})])", lambda: "{'x': {'y': {'z': [1, {}]}}}", lambda: f"dict({self.texts(d + 1)} | map('list'))" if self.rng.random() < 0.05 else "rows[1]",
            lambda: f"{{'B': {self.text(d + 1)}, 'a': {self.number(d + 1)}, 'C': none}}", lambda: "({}.fromkeys(['p', 'q'], 1))" if self.rng.random() < 0.2 else "ed",
        ))()

    def data(self, d=0):
        return self.rng.choice((self.text, self.number, self.truth, self.list, self.dict, lambda d: "none"))(d)

    def any(self, d=0):
        return self.rng.choice((self.text, self.number, self.truth, self.list, self.dict, self.text, lambda d: "none", lambda d: self.item(d)))(d)

    def item(self, d):
        return self.one("d.a", "d['b']", "rows[0].k", "rows[-1]['v']", "nest[0][1][0]", "d.get('zz')", f"d.get('zz', {self.small()})", "rows[9]", "d.missing", "s[3]", "t[-1]", "l[1]", "d.items", "rows.0.k", "(rows | first).v", "(1, 2)[0]", "undefined_name")

    # ---- statements

    def tag(self, text):
        left, right = self.one("", "", "", "-", "-", "+"), self.one("", "", "", "-", "-", "+")
        return f"{{%{left} {text} {right}%}}"

    def pad(self):
        return self.one("", "", " ", "\n", "\n  ", "  ", "\t", " \n\n ", "x", " y\n")

    def show(self, e):
        return f"{{{{{self.one('', '', '-', '+')} {e} {self.one('', '', '-')}}}}}"

    def body(self, d):
        return "".join(self.pad() + self.statement(d + 1) for _ in range(self.one(1, 1, 2))) + self.pad()

    def loop_variable(self):
        return self.one("loop.index", "loop.index0", "loop.first", "loop.last", "loop.length", "loop.revindex", "loop.revindex0", "loop.depth", "loop.depth0",
                        "loop.cycle('a', 'b', 'c')", "loop.changed(x)", "loop.changed(x | string | length)", "loop.previtem", "loop.nextitem", "(loop.previtem | default('-'))", "(loop.nextitem is defined)", "loop")

    def statement(self, d=0):
        r = self.rng
        if d > 2 or r.random() < 0.3:
            return self.show(self.any(0))
        tag, show = self.tag, self.show
        kind = r.randrange(20)
        if kind <= 2:
            return f"{tag('if ' + self.truth())}{self.body(d)}{tag('elif ' + self.any())}{self.body(d)}{tag('else')}{self.body(d)}{tag('endif')}"
        if kind <= 5:
            self.scope.append(("x", "a"))
            control = self.one("", "", tag("if loop.index > 2") + tag(self.one("break", "continue")) + tag("endif"), tag("if not x") + tag("continue") + tag("endif"))
            text = f"{tag('for x in ' + self.list() + self.one('', '', ' if x', ' if x is not none', ' if x is string'))}{self.pad()}{show('x')}{control}{show(self.loop_variable())}{self.body(d)}{self.one('', tag('else') + 'none')}{tag('endfor')}"
            self.scope.pop()
            return text
        if kind == 6:
            return f"{tag('for k, v in ' + self.dict() + self.one('.items()', '|items', '|dictsort'))}{show('k')}={show('v')}{self.one('', show(self.loop_variable().replace('x', 'k')))}{self.pad()}{tag('endfor')}"
        if kind == 7:
            return f"{tag('for x in nest recursive')}[{show(self.loop_variable())}{tag('if x is iterable and x is not string')}{show('loop(x)')}{tag('else')}{show('x')}{tag('endif')}]{tag('endfor')}"
        if kind == 8:
            name, kind_ = self.one(("v1", "t"), ("v2", "n"), ("v1", "t"))
            text = f"{tag('set ' + name + ' = ' + (self.text() if kind_ == 't' else self.number()))}{show(name)}"
            if d == 0:
                self.scope.append((name, kind_))
            return text
        if kind == 9:
            return f"{tag('set w' + self.one('', ' | upper', ' | trim | indent(2)', ' | replace(' + self.word() + ', ' + self.word() + ')'))}{self.body(d)}{tag('endset')}[{show('w')}]"
        if kind == 10:
            return f"{tag('set a, b = ' + self.any() + ', ' + self.any())}{show('a')}/{show('b')}"
        if kind == 11:
            return f"{tag('set ns = namespace(c=0, t=' + self.text() + self.one('', ', **d' if r.random() < 0.1 else '') + ')')}{tag('for x in ' + self.list())}{tag('set ns.c = ns.c + loop.index')}{tag('set ns.t = ns.t ~ x')}{tag('endfor')}{show('ns.c')}{show('ns.t')}"
        if kind == 12:
            return f"{tag('with a = ' + self.any() + ', b = ' + self.any())}{show('a')}{show('b')}{self.body(d)}{tag('endwith')}"
        if kind == 13:
            return f"{tag('filter ' + self.one('upper', 'trim', 'indent(2)', 'replace(' + self.word() + ', ' + self.word() + ')', 'escape', 'title | center(30)', 'wordwrap(12)'))}{self.body(d)}{tag('endfilter')}"
        if kind in (14, 15):
            name = self.one("m1", "m2")
            parameters = self.one("a, b=1", "a, b=a", "a=none, b='z'", "a, b=[]")
            inner = self.one("", show("varargs"), show("kwargs"), show("varargs | length") + show("kwargs | dictsort"), show("caller() if caller is defined"), show("caller(a)") if r.random() < 0.3 else "")
            text = f"{tag('macro ' + name + '(' + parameters + ')')}{self.pad()}{show('a')}:{show('b')}{inner}{self.body(d)}{tag('endmacro')}"
            call = self.one(f"{name}({self.any()})", f"{name}({self.any()}, {self.any()})", f"{name}(b={self.any()}, a={self.any()})", f"{name}({self.any()}, 2, 3, 4)", f"{name}({self.any()}, q={self.any()})", f"{name}(*[1, 2])", f"{name}(**{{'a': 5}})")
            return text + self.one(show(call), show(call + " | upper"), f"{tag('call ' + self.one('', '(u)') + ' ' + call)}in {self.body(d)}{tag('endcall')}", show(f"{name}.{self.one('name', 'arguments', 'catch_kwargs', 'catch_varargs', 'caller')}"))
        if kind == 16:
            return f"{tag('raw')}{{{{ x }}}}{{% if %}}{self.pad()}{tag('endraw')}{self.pad()}" + "{#" + self.one("", "-", "+") + " comment {{ x }} " + self.one("", "-", "+") + "#}" + self.pad()
        if kind == 17:
            return f"{tag('autoescape ' + self.one('true', 'false'))}{show(self.text())}{self.body(d)}{tag('endautoescape')}"
        if kind == 18:
            return f"{tag('generation')}{self.body(d)}{tag('endgeneration')}"
        return f"{tag('set c = ' + self.one('cycler(1, 2, 3)', 'joiner()', 'joiner(' + chr(39) + '; ' + chr(39) + ')'))}{tag('for x in l')}{show(self.one('c()', 'c.next()', 'c.current'))}{tag('endfor')}"


def template(rng):
    generator = Generator(rng)
    return "".join(generator.pad() + generator.statement() for _ in range(rng.choice((1, 1, 2, 3)))) + generator.pad()
