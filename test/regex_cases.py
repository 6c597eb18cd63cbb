"""Random regular expressions and texts, and what the libraries make of them.

An oracle is a function (expression, text) -> list of (start, end) in characters, or None where the
library refuses the expression, or "unknown" where it gives up.  Each comes from a factory that gives
None where the library is missing.
"""
import ctypes
import ctypes.util

ALPHABETS = [
    "ab", "aab\n", "abAB c", "'sStTdD re lL\u017f", "a1 \u00e92\u0661\n\r", "  \t\n\r\u00a0\u3000x",
    "\u00df\u017fsSkK\u212a\u00b5\u03bc\u03c3\u03c2\u03a3", "\u4e2d\u6587a\u3042\uac00 1,.",
    "\u0416\u0436\u0301\u0300e\u0308_-", "!?'\"-_a1 ", "\u00bd\u00b2\u00aa_]a \u2155", "\U0001f600\u200d\ufe0f\u2640a", "abcdefgh",
]
CLASSES = ["[ab]", "[^a]", "[a-c]", "[^\\s\\p{L}\\p{N}]", "[\\p{L}\\p{M}]", "[A-Z&&[^B]]", "[a-z&&\\w]",
           "[^\\r\\n]", "[\\d.]", "[[:alpha:]]", "[[:^space:]b]", "[\\p{Lu}\\p{Lt}]", "[-a]", "[a-]", "[]a]",
           "[^]a]", "[\\x{61}-\\x{63}]", "[a[bc]]", "[^a[^b]]", "[\\W_]", "[\\S\\n]", "[s-u]", "[^k]", "[\\w]",
           "[^\\w\\s]"]
ESCAPES = ["\\s", "\\S", "\\d", "\\D", "\\w", "\\W", "\\p{L}", "\\P{L}", "\\p{^Lu}", "\\p{N}", "\\p{Han}", "\\p{Greek}",
           "\\p{Ll}", "\\p{P}", "\\p{Alphabetic}", "\\h", "\\n", "\\t", "\\.", "\\R", "\\x{e9}", "\\u4e2d", "\\N", "\\O"]
# Not \G: inside of choices and repeats both libraries shorten their search wrongly for it.
ANCHORS = ["^", "$", "\\A", "\\z", "\\Z", "\\b", "\\B"]
RUST_ANCHORS = ["\\<", "\\>", "\\b{start}", "\\b{end}", "\\b{start-half}", "\\b{end-half}"]
# What means the same in every one of the languages.
COMMON_CLASSES = ["[ab]", "[^a]", "[a-c]", "[^\\s\\p{L}\\p{N}]", "[\\p{L}\\p{M}]", "[^\\r\\n]", "[\\d.]",
                  "[\\p{Lu}\\p{Lt}]", "[-a]", "[a-]", "[\\x{61}-\\x{63}]", "[s-u]", "[^k]"]
COMMON_ESCAPES = ["\\s", "\\S", "\\d", "\\D", "\\p{L}", "\\P{L}", "\\p{N}", "\\p{Ll}", "\\n", "\\t", "\\."]
COMMON_ANCHORS = ["\\A", "\\z"]


class Maker:
    """Expressions of one language: "oniguruma", "rust" or "common"."""

    def __init__(self, rng, language):
        self.rng, self.language = rng, language
        common = language == "common"
        self.classes = COMMON_CLASSES if common else CLASSES
        self.escapes = COMMON_ESCAPES if common else ESCAPES
        self.anchors = COMMON_ANCHORS if common else ANCHORS + RUST_ANCHORS if language == "rust" else ANCHORS
        self.alphabet = "ab"

    def quantifier(self):
        r = self.rng
        q = r.choice(["*", "+", "?", "*", "+", "?", "{2}", "{1,2}", "{0,2}", "{1,}", "{2,3}", "{,2}"])
        if self.language == "common" and q == "{,2}":
            q = "{0,2}"
        suffix = r.choice(["", "", "", "?", "+" if "{" not in q or self.language == "rust" else ""])
        if q == "{2}" and suffix:
            suffix = ""
        return q + suffix

    def atom(self, depth):
        r = self.rng
        kind = r.random()
        if kind < 0.42 or depth == 0:
            c = r.choice(self.alphabet)
            return "\\" + c if c in "\\.*+?()|[]{}^$#-" else c
        if kind < 0.55:
            return r.choice(self.classes)
        if kind < 0.68:
            return r.choice(self.escapes)
        if kind < 0.71:
            return "."
        if kind < 0.75:
            return r.choice(self.anchors)
        inside = self.choice(depth - 1)
        if kind < 0.83:
            return f"(?:{inside})"
        if kind < 0.86:
            return f"({inside})"
        if kind < 0.88:
            if self.language == "common" or kind < 0.87:
                return f"(?i:{inside})"
            return r.choice(["(?i)", "(?-i)", "(?i-m)", "(?#x)"])  # up to the end of the group
        if kind < 0.90:
            return f"(?>{inside})"
        if kind < 0.94:
            return f"(?={inside})"
        if kind < 0.97:
            return f"(?!{inside})"
        simple = "".join(r.choice(self.alphabet.replace("-", "a").replace(".", "a").replace("?", "a"))
                         for _ in range(r.randint(1, 2)))
        inside = simple if r.random() < 0.5 else r.choice(self.classes)
        return f"(?{r.choice(['<=', '<!'])}{inside})"

    def sequence(self, depth):
        parts = []
        for _ in range(self.rng.choice([0, 1, 1, 2, 2, 3])):
            atom = self.atom(depth)
            bare = atom in self.anchors or atom.startswith(("(?<", "(?=", "(?!", "(?-", "(?#")) or \
                atom in ("(?i)", "(?i-m)")
            if self.rng.random() < 0.4 and not bare:
                atom += self.quantifier()
                if self.language == "oniguruma" and self.rng.random() < 0.05:
                    atom += self.quantifier()
            parts.append(atom)
        return "".join(parts)

    def choice(self, depth):
        return "|".join(self.sequence(depth) for _ in range(self.rng.choice([1, 1, 1, 2, 3])))

    def expression(self):
        self.alphabet = self.rng.choice(ALPHABETS)
        flags = self.rng.choice(["", "", "", "", "(?i)"])
        if self.language != "common" and self.rng.random() < 0.1:
            flags = self.rng.choice(["(?m)", "(?im)", "(?x)", "(?s)" if self.language == "rust" else "(?m-i)"])
        return flags + self.choice(self.rng.choice([1, 2, 2, 3]))

    def text(self):
        letters = self.alphabet + self.rng.choice(["", "a ", "\n", "\u00e9"])
        n = self.rng.choice([1, 1, 2, 3, 5, 8, 13, 21])  # an empty text is never searched by tokenizers
        return "".join(self.rng.choice(letters) for _ in range(n))


def find_all(match_at, length):
    """Matches as the libraries' find_iter gives them; match_at(position) -> (start, end) or None."""
    out, at, last = [], 0, None
    while at <= length:
        m = match_at(at)
        if m is None:
            break
        if m[0] == m[1] == last:
            at = m[1] + 1
            continue
        out.append(m)
        at = last = m[1]
    return out


def replaced(text, matches, mark="\ue000"):
    out, at = "", 0
    for start, end in matches:
        out, at = out + text[at:start] + mark, end
    return out + text[at:]


def oniguruma():
    """(matches that are not empty, text with every match replaced), of Hugging Face tokenizers."""
    try:
        from tokenizers import Regex, normalizers, pre_tokenizers
    except ImportError:
        return None

    def ask(expression, text):
        try:
            regex = Regex(expression)
        except Exception:  # the binding has no type of its own
            return None
        split = pre_tokenizers.Split(regex, "removed", invert=True)
        try:
            found = [tuple(at) for _, at in split.pre_tokenize_str(text)]
            return found, normalizers.Replace(regex, "\ue000").normalize_str(text)
        except BaseException:  # it panics at Oniguruma's limit of retries
            return "unknown"
    return ask


def rust():
    """The texts of the matches that are not empty, of tiktoken."""
    try:
        import tiktoken
    except ImportError:
        return None

    def ask(expression, text):
        data = text.encode()
        pieces = {data[i:j] for i in range(len(data)) for j in range(i + 1, len(data) + 1)}
        pieces |= {bytes([b]) for b in range(256)}
        names = sorted(pieces)
        try:
            encoding = tiktoken.Encoding("ask", pat_str=expression, special_tokens={},
                                         mergeable_ranks={p: i for i, p in enumerate(names)})
        except Exception:
            return None
        try:
            return [names[i] for i in encoding.encode_ordinary(text)]
        except BaseException:  # an empty match makes it panic
            return "unknown"
    return ask


def python_regex():
    try:
        import regex
    except ImportError:
        return None

    def ask(expression, text):
        try:
            compiled = regex.compile(expression)
        except regex.error:
            return None

        def match_at(at):
            m = compiled.search(text, at)
            return m and m.span()
        return find_all(match_at, len(text))
    return ask


def pcre2():
    name = ctypes.util.find_library("pcre2-8")
    if not name:
        return None
    lib = ctypes.CDLL(name)
    for function in ("compile", "match_data_create_from_pattern", "get_ovector_pointer"):
        getattr(lib, f"pcre2_{function}_8").restype = ctypes.c_void_p
    utf, ucp = 0x00080000, 0x00020000

    def ask(expression, text):
        # Byte offsets: the subject is UTF-8.
        pattern, data = expression.encode(), text.encode()
        code, where = ctypes.c_int(), ctypes.c_size_t()
        compiled = lib.pcre2_compile_8(pattern, ctypes.c_size_t(len(pattern)), utf | ucp,
                                       ctypes.byref(code), ctypes.byref(where), None)
        if not compiled:
            return None
        compiled = ctypes.c_void_p(compiled)
        block = ctypes.c_void_p(lib.pcre2_match_data_create_from_pattern_8(compiled, None))
        starts = [0]
        for c in text:
            starts.append(starts[-1] + len(c.encode()))
        place = {b: i for i, b in enumerate(starts)}
        gave_up = []

        def match_at(at):
            found = lib.pcre2_match_8(compiled, data, ctypes.c_size_t(len(data)), ctypes.c_size_t(starts[at]),
                                      0, block, None)
            if found < 0:
                gave_up.extend([found] if found != -1 else [])
                return None
            vector = ctypes.cast(lib.pcre2_get_ovector_pointer_8(block), ctypes.POINTER(ctypes.c_size_t))
            return place[vector[0]], place[vector[1]]
        found = find_all(match_at, len(text))
        lib.pcre2_match_data_free_8(block)
        lib.pcre2_code_free_8(compiled)
        return "unknown" if gave_up else found
    return ask
