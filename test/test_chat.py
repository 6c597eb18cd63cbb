#!/usr/bin/env python3
"""inox chat: conversations from a pipe, commands, templates, saved files, and a terminal."""
import json
import os
import pty
import select
import signal
import time

import support
from support import CONTEXT, ENVIRONMENT, FORMAT, INOX, NOT_FOUND, SLOWER, USAGE, check, fails, good, inox, path, test, write

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
