#!/usr/bin/env python3
"""inox chat: conversations from a pipe, commands, templates, saved files, and a terminal."""
import json
import os
import pty
import select
import signal
import struct
import time

import support
from support import CONTEXT, ENVIRONMENT, FORMAT, INOX, LIMIT, NOT_FOUND, SLOWER, USAGE, check, fails, good, inox, path, test, write

GREEDY = ["--temp", "0", "-n", "12", "--no-receipt"]


def chat(text, *arguments, template="plain", **options):
    return good("chat", "default", "--chat-template", template, *GREEDY, *arguments, stdin=text.encode(), **options)


def answers(text, *arguments, **options):
    return [json.loads(line) for line in chat(text, "--json", *arguments, **options).out.splitlines()]


@test
def answers_lines():
    rows = answers("Hello there\nHow are you?\n")
    check(len(rows) == 2, rows)
    for row in rows:
        check(sorted(row) == ["content", "finish_reason", "prompt_tokens", "receipt", "tokens", "tokens_per_s"], row)
        check(row["finish_reason"] == "length" and row["tokens"] == 12 and row["receipt"] is None, row)
    check(rows[1]["prompt_tokens"] > 1, rows)


@test
def same_text_as_from_the_beginning():
    """The session is cut back to what two prompts have in common: that changes nothing."""
    rows = answers("Hello there\nHow are you?\nAnd then?\n")
    history = []
    for question, row in zip(("Hello there", "How are you?", "And then?"), rows):
        saved = write("history.json", {"messages": history})
        fresh = answers(question + "\n", "--load", saved)
        check(fresh[0]["content"] == row["content"], fresh, row)
        history += [{"role": "user", "content": question}, {"role": "assistant", "content": row["content"]}]


@test
def commands():
    done = chat("/help\n/system Be kind.\nHi\n/show\n/set temp 0.5\n/undo\n/show\n/stats\nHi\n/receipt\n/retry\n/clear\n/exit\nno\n")
    check("/system [TEXT]" in done.out and "system: Be kind." in done.out, done.out)
    check(done.out.count("user: Hi") == 1, done.out)
    check("tokens/s" in done.err and done.err.count("tokens/s") == 1, done.err)
    for line, says in (("/foo", "no command"), ("/save", "needs a FILE"), ("/set temp", "/set needs"),
                       ("/set temp -1", "/set needs"), ("/load nothing.json", "nothing.json")):
        fails(NOT_FOUND if "nothing" in line else USAGE, "chat", "default", "--chat-template", "plain",
              stdin=line.encode() + b"\n", says=says)


@test
def blocks_of_lines():
    saved = path("block.json")
    chat('"""one\ntwo\n"""\n"""three"""\n', "--save", saved)
    with open(saved, encoding="utf-8") as f:
        said = [m["content"] for m in json.load(f)["messages"] if m["role"] == "user"]
    check(said == ["one\ntwo\n", "three"], said)


@test
def saves_and_loads():
    saved = path("talk.json")
    chat("Hi\n", "--system", "Be kind.", "--save", saved)
    with open(saved, encoding="utf-8") as f:
        messages = json.load(f)["messages"]
    check([m["role"] for m in messages] == ["system", "user", "assistant"], messages)
    check("user: Hi" in chat("/show\n", "--load", saved).out)
    fails(FORMAT, "chat", "default", "--chat-template", "plain", "--load", write("bad.json", "[1]"), says="no conversation")
    fails(FORMAT, "chat", "default", "--chat-template", "plain", "--load", write("worse.json", "{"), says="not JSON")


@test
def templates():
    fails(NOT_FOUND, "chat", "default", stdin=b"Hi\n", says="--chat-template NAME|FILE")
    fails(NOT_FOUND, "chat", "default", "--chat-template", "nope", says="chatml")
    fails(FORMAT, "chat", "default", "--chat-template", write("bad.jinja", "{% if %}"), says="line 1")
    for name in ("chatml", "llama3", "gemma", "mistral", "zephyr", "plain"):
        check(len(answers("Hi\n", "--system", "Be kind.", template=name)) == 1, name)
    own = write("own.jinja", "{% for m in messages %}{{ m.content }}{% endfor %}")
    check(answers("Once upon a time\n", template=own)[0]["prompt_tokens"] >= 4)


@test
def nothing_typed_becomes_special():
    """The default model's end of text has the id 0: spelt by a person it stays text."""
    plain = write("echo.jinja", "{% for m in messages %}{{ m.content }}{% endfor %}")
    piece = json.loads(good("tokenize", "default", "--jsonl", stdin=b'{"ids": [0], "special": true}\n').out)["text"]
    check(piece != "", piece)
    typed = answers(piece + "\n", template=plain)[0]["prompt_tokens"]
    parsed = len(json.loads(good("tokenize", "default", "--jsonl",
                                 stdin=json.dumps({"text": piece, "special": True, "parse_special": True}).encode()
                                 + b"\n").out)["ids"])
    check(typed > parsed, typed, parsed)


@test
def receipts_replay():
    row = json.loads(good("chat", "default", "--chat-template", "plain", "--json", "-n", "8", stdin=b"Hi\nAgain\n").out
                     .splitlines()[1])
    check(len(row["receipt"]) == 64, row)
    check("identical" in good("replay", row["receipt"]).out)


@test
def reasoning_and_calls_are_told_apart():
    """A template whose generation prompt opens the reasoning."""
    own = write("think.jinja", "{% for m in messages %}{{ m.role }}: {% if m.reasoning_content %}<think>"
                               "{{ m.reasoning_content }}</think>{% endif %}{{ m.content }}\n{% endfor %}"
                               "{% if add_generation_prompt %}assistant: <think>{% endif %}")
    row = answers("Hi\n", template=own)[0]
    check(row["content"] == "" and len(row["reasoning_content"]) > 0, row)


@test
def context_is_full():
    fails(CONTEXT, "chat", "default", "--chat-template", "plain", "--ctx", "128", "--no-receipt",
          stdin=b"word " * 400 + b"\n", says="context")


# ---- tools: a model that says what it is made to say

FIRST = '<tool_call>\n{"name": "get_weather", "arguments": {"city": "Oslo", "days": 3}}\n</tool_call>'
SECOND = '<tool_call>\n{"name": "get_time", "arguments": {}}\n</tool_call>'
MARKED = '<tool_call>\n<function=find>\n<parameter=zip>\n123\n</parameter>\n</function>\n</tool_call>'
SAID = {"<go>": [FIRST, SECOND], "<marked>": [MARKED], "<done>": ["It is 20 degrees."]}  # behind a special token

TOOLS = [{"type": "function", "function": {"name": name, "description": "Tells something", "parameters": {
    "type": "object", "properties": {"city": {"type": "string"}, "zip": {"type": "string"}, "days": {"type": "integer"}}}}}
    for name in ("get_weather", "get_time", "find")]

HERMES = """{% for m in messages %}<s>{{ m.role }}: {{ m.content }}
{%- for c in m.tool_calls or [] %}
<tool_call>
{"name": "{{ c.function.name }}", "arguments": {{ c.function.arguments | tojson }}}
</tool_call>
{%- endfor %}</s>
{% endfor %}{% if messages[-1].role == 'tool' or not tools or quick %}<done>{% else %}<go>{% endif %}"""

MARKS = """{% for m in messages %}<s>{{ m.role }}: {{ m.content }}
{%- for c in m.tool_calls or [] %}
<tool_call>
<function={{ c.function.name }}>
{% for k, v in c.function.arguments.items() %}<parameter={{ k }}>
{{ v if v is string else v | tojson }}
</parameter>
{% endfor %}</function>
</tool_call>
{%- endfor %}</s>
{% endfor %}<marked>"""


def model_that_says(chains, template):
    """GGUF of a model with one block that does nothing: each token of a chain makes the next one likeliest."""
    def text(s):
        return struct.pack("<Q", len(s.encode())) + s.encode()

    def entry(key, kind, data):
        return text(key) + struct.pack("<I", kind) + data

    def array(kind, items):
        return struct.pack("<IQ", kind, len(items)) + b"".join(items)

    pieces = [("<unk>", 2), ("<s>", 3), ("</s>", 3)] + [(f"<0x{i:02X}>", 6) for i in range(256)]
    follows = {}
    for start, chain in chains.items():
        follows[len(pieces)] = len(pieces) + 1
        pieces += [(start, 3)] + [(s.replace(" ", "\u2581"), 1) for s in chain]
        for at in range(len(pieces) - len(chain), len(pieces)):
            follows[at] = at + 1
        follows[len(pieces) - 1] = 2
    d, n = 64, len(pieces)
    embedding, output = [[0.0] * d for _ in range(n)], [[0.0] * d for _ in range(n)]
    for place, (token, after) in enumerate(follows.items()):
        embedding[token][place] = output[after][place] = 1.0
    tensors = {"token_embd": (embedding, d, n), "output": (output, d, n), "output_norm": ([[1.0] * d], d, 0)}
    for name in ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down"):
        tensors["blk.0." + name] = ([[0.0] * d] * d, d, d)
    for name in ("attn_norm", "ffn_norm"):
        tensors["blk.0." + name] = ([[1.0] * d], d, 0)
    numbers = {"context_length": 4096, "embedding_length": d, "block_count": 1, "feed_forward_length": d,
               "attention.head_count": 2, "attention.head_count_kv": 2, "rope.dimension_count": d // 2}
    entries = [entry("general.architecture", 8, text("llama")), entry("tokenizer.ggml.model", 8, text("llama")),
               entry("tokenizer.chat_template", 8, text(template)),
               entry("llama.attention.layer_norm_rms_epsilon", 6, struct.pack("<f", 1e-5)),
               entry("tokenizer.ggml.tokens", 9, array(8, [text(s) for s, _ in pieces])),
               entry("tokenizer.ggml.scores", 9, array(6, [struct.pack("<f", -1.0)] * n)),
               entry("tokenizer.ggml.token_type", 9, array(5, [struct.pack("<i", kind) for _, kind in pieces])),
               entry("tokenizer.ggml.bos_token_id", 4, struct.pack("<I", 1)),
               entry("tokenizer.ggml.eos_token_id", 4, struct.pack("<I", 2))]
    entries += [entry("llama." + key, 4, struct.pack("<I", value)) for key, value in numbers.items()]
    head, data = struct.pack("<IIQQ", 0x46554747, 3, len(tensors), len(entries)) + b"".join(entries), b""
    for name, (rows, columns, count) in tensors.items():
        head += text(name + ".weight") + struct.pack("<I", 2 if count else 1) + struct.pack("<Q", columns)
        head += (struct.pack("<Q", count) if count else b"") + struct.pack("<IQ", 0, len(data))
        data += b"".join(struct.pack(f"<{d}f", *row) for row in rows)
    return head + b"\0" * (-len(head) % 32) + data


def caller(template=HERMES):
    return write("caller.gguf", model_that_says(SAID, template))


@test
def tools_are_offered_called_and_answered():
    saved, tools = path("called.json"), write("tools.json", TOOLS)
    done = good("chat", caller(), "--tools", tools, *GREEDY, "--save", saved,
                stdin=b'How warm is it?\n/tool {"degrees": 20}\n/tool """12\no\'clock"""\n/show\n')
    check('calls get_weather {"city": "Oslo", "days": 3}\ncalls get_time {}' in done.out, done.out)
    check("/tool RESULT tells the model what get_weather gave" in done.err, done.err)
    check("what get_time gave" in done.err and "It is 20 degrees." in done.out, done.out, done.err)
    check('  calls get_weather {"city": "Oslo", "days": 3}\n' in done.out and "tool: 12\no'clock" in done.out, done.out)
    with open(saved, encoding="utf-8") as f:
        messages = json.load(f)["messages"]
    check([m["role"] for m in messages] == ["user", "assistant", "tool", "tool", "assistant"], messages)
    calls = messages[1]["tool_calls"]
    check([c["function"] for c in calls] == [{"name": "get_weather", "arguments": {"city": "Oslo", "days": 3}},
                                             {"name": "get_time", "arguments": {}}], calls)
    check(len({c["id"] for c in calls}) == 2 and all(len(c["id"]) == 9 for c in calls), calls)
    for call, result, content in zip(calls, messages[2:4], ('{"degrees": 20}', "12\no'clock")):
        check(result == {"role": "tool", "name": call["function"]["name"], "tool_call_id": call["id"],
                         "content": content}, result)
    again = good("chat", caller(), *GREEDY, "--load", saved, "--json",  # with the tools; the first retry waits
                 stdin=b"/undo\n/retry\n/tool noon\n/retry\n")
    check([json.loads(line)["content"] for line in again.out.splitlines()] == ["It is 20 degrees."] * 2, again.out)


@test
def tools_are_saved_and_loaded():
    tools, saved, later = write("tools.json", TOOLS), path("offered.json"), path("later.json")
    one = [{"function": {"name": "only_this"}}]
    good("chat", caller(), "--tools", tools, *GREEDY, "--save", saved, stdin=b"")
    with open(saved, encoding="utf-8") as f:
        check(json.load(f) == {"messages": [], "tools": TOOLS})
    check("calls get_weather" in good("chat", caller(), *GREEDY, stdin=f"/load {saved}\nHi\n".encode()).out)
    for given, kept in (([], TOOLS), (["--tools", write("one.json", one)], one)):  # what the command names stays
        good("chat", caller(), *given, "--load", saved, "--save", later, stdin=b"")
        with open(later, encoding="utf-8") as f:
            check(json.load(f)["tools"] == kept, kept)
    for without in ([], {"messages": [], "tools": None}):
        good("chat", caller(), "--tools", tools, *GREEDY, "--save", later,
             stdin=f"/load {write('without.json', without)}\n".encode())
        with open(later, encoding="utf-8") as f:
            check(json.load(f)["tools"] == TOOLS)
    fails(FORMAT, "chat", caller(), "--load", write("wrong.json", {"messages": [], "tools": [1]}), says="no list of tools")


@test
def names_of_calls_command_no_terminal():
    named = '<tool_call>\n{"name": "a\x1b[2J\u009b", "arguments": {"b\x7f": "c"}}\n</tool_call>'
    odd = write("odd.gguf", model_that_says({**SAID, "<go>": [named]}, HERMES))
    done = good("chat", odd, "--tools", write("tools.json", TOOLS), *GREEDY, stdin=b"Hi\n/show\n")
    check("calls a\\x1b[2J\\xc2\\x9b " in done.out and "  calls a\\x1b[2J" in done.out, done.out)
    check("what a\\x1b[2J\\xc2\\x9b gave" in done.err, done.err)
    check(not any(c in done.out + done.err for c in "\x1b\x7f\u009b"), done.out, done.err)


@test
def limits_of_the_template():
    slow = write("slow.jinja", "{% for i in range(9999) %}{% for j in range(99) %}{% endfor %}{% endfor %}{{ 'x' * 9999 }}")
    for limit in ("steps", "memory", "output"):
        fails(LIMIT, "chat", "default", "--chat-template", slow, f"--{limit}-max", "2000", stdin=b"Hi\n", says=f"{limit}_max")


@test
def calls_have_the_types_of_the_tools():
    tools = write("tools.json", TOOLS)
    for arguments, zip_code in ((['--tools', tools], '123'), ([], 123)):
        row = json.loads(good("chat", caller(MARKS), *arguments, *GREEDY, "--json", stdin=b"Hi\n").out)
        check(row["tool_calls"][0]["function"] == {"name": "find", "arguments": {"zip": zip_code}}, row)


@test
def results_need_a_call():
    tools = write("tools.json", TOOLS)
    fails(USAGE, "chat", caller(), "--tools", tools, stdin=b"/tool 20\n", says="waits for no result")
    row = json.loads(good("chat", caller(), *GREEDY, "--json", stdin=b"Hi\n").out)
    check(row["content"] == "It is 20 degrees." and "tool_calls" not in row, row)  # nothing is offered


@test
def templates_without_tools():
    says = "does not tell the model of tools"
    tools = write("tools.json", TOOLS)
    check(says in good("chat", caller(), "--tools", tools, "--chat-template", "chatml", stdin=b"").err)
    check(says not in good("chat", caller(), "--tools", tools, stdin=b"").err)
    check(says not in good("chat", caller(), "--chat-template", "chatml", stdin=b"").err)


@test
def files_of_tools():
    fails(NOT_FOUND, "chat", caller(), "--tools", "nothing.json", says="nothing.json")
    fails(FORMAT, "chat", caller(), "--tools", write("bad.json", "{"), says="not JSON")
    for wrong in ({}, [1], [{"type": "function"}], [{"function": {"name": 3}}]):
        fails(FORMAT, "chat", caller(), "--tools", write("wrong.json", json.dumps(wrong)), says="no list of tools")
    for right in ({"tools": TOOLS}, [t["function"] for t in TOOLS], []):
        good("chat", caller(), "--tools", write("right.json", json.dumps(right)), stdin=b"")


@test
def variables_of_the_template():
    tools = write("tools.json", TOOLS)
    for given in ('{"quick": true}', write("quick.json", '{"quick": true}')):
        row = json.loads(good("chat", caller(), "--tools", tools, "--template-vars", given, *GREEDY, "--json",
                              stdin=b"Hi\n").out)
        check(row["content"] == "It is 20 degrees.", row)
    fails(FORMAT, "chat", caller(), "--template-vars", "{quick}", says="not JSON")
    fails(FORMAT, "chat", caller(), "--template-vars", write("list.json", "[1]"), says="no JSON object")
    fails(USAGE, "chat", caller(), "--template-vars", '{"tools": []}', says="give --tools")
    fails(USAGE, "chat", caller(), "--template-vars", '{"messages": []}', says="the conversation's own")


def read_until(master, text, seconds=60):
    seen, end = b"", time.monotonic() + seconds * SLOWER
    while text not in seen and time.monotonic() < end:
        if select.select([master], [], [], 0.2)[0]:
            try:
                seen += os.read(master, 4096)
            except OSError:
                break
    check(text in seen, text, "not in", seen[-400:])
    return seen


@test
def on_a_terminal():
    """Ctrl-C stops an answer and not the program; lines can be edited; Ctrl-D ends."""
    pid, master = pty.fork()
    if pid == 0:
        os.execve(INOX, [INOX, "chat", "default", "--chat-template", "plain", "-n", "900", "--temp", "0",
                         "--no-receipt"], dict(ENVIRONMENT, TERM="xterm"))
    try:
        read_until(master, b"> ")
        os.write(master, b"Hexx\x7f\x7fllo\r")  # two wrong letters taken back
        time.sleep(0.5 * SLOWER)
        os.write(master, b"\x03")
        time.sleep(1.5 * SLOWER)
        os.write(master, b"/show\r")
        read_until(master, b"user: Hello")
        time.sleep(0.5 * SLOWER)
        os.write(master, b"\x04")
        deadline = time.monotonic() + 30 * SLOWER
        ended = 0
        while ended == 0 and time.monotonic() < deadline:
            ended, status = os.waitpid(pid, os.WNOHANG)
            if select.select([master], [], [], 0.1)[0]:
                try:
                    os.read(master, 4096)
                except OSError:
                    pass
        check(ended == pid and os.waitstatus_to_exitcode(status) == 0, "did not end")
    finally:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        os.close(master)


@test
def help_answers():
    check("--chat-template" in good("chat", "--help").out)
    fails(USAGE, "chat", "a", "b", says="too many")
    check(inox("chat", "default", "-n", "0").returncode == USAGE)


if __name__ == "__main__":
    support.main()
