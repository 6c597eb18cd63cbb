#!/usr/bin/env python3
"""Writes the shell completions from the program's own help.  make_completion.py INOX [DIR]

INOX is the program; DIR (tools/completion) gets inox.bash, _inox and inox.fish.  The options come from
`inox COMMAND --help`, which comes from the tables in cli/.  test/test_docs.py says when to run this again.
"""
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
OPTION = re.compile(r"^  (?:-(\w), |    )--([\w-]+)(?: (\S+))? +(\S.*)$")
COMMAND = re.compile(r"^  (\w+) +(\S.*)$")
ISAS = "isas"  # what the program says that this machine runs
ASK_ISAS = """inox --version --json 2>/dev/null | sed -n 's/.*"isa_present": \\[\\([^]]*\\)\\].*/\\1/p' | tr -d '",'"""
FIRST_IS_MODEL = ["run", "chat", "logits", "inspect", "tokenize", "template", "perplexity", "bench"]  # else: a file
NO_ARGUMENT = ["list"]


def text(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def options_of(program, command):
    """[(letter or "", name, value or "", help)] of a command, --help among them."""
    rows = (OPTION.match(line) for line in text(program, command, "--help").split("\n"))
    return [(m[1] or "", m[2], m[3] or "", m[4]) for m in rows if m]


def commands_of(program):
    """[(name, help)] in the order of the program's help."""
    help_text = text(program, "--help").split("commands:\n")[1].split("\n\n")[0]
    return [COMMAND.match(line).groups() for line in help_text.rstrip().split("\n")]


def choices(name, value):
    """What a value may be: a list of words, ISAS, or None for a file, or [] for nothing that can be offered."""
    if name == "isa":
        return ISAS
    if "|" in value:
        return value.split("|")
    return None if value == "FILE" else []


def words_of(options):
    return " ".join(w for letter, name, _, _ in options
                    for w in ([f"-{letter}"] if letter else []) + [f"--{name}"])


def flags_of(letter, name):
    return "|".join(([f"-{letter}"] if letter else []) + [f"--{name}"])


# ---- bash ------------------------------------------------------------------------------------------

BASH = """\
# Completion of inox for bash.  Made by tools/make_completion.py: change that, not this.

_inox_models() {
    inox list 2>/dev/null | cut -d' ' -f1
}

_inox_isas() {
    @ASK_ISAS@
}

_inox() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} command=${COMP_WORDS[1]}
    COMPREPLY=()
    if [ "$COMP_CWORD" -eq 1 ]; then
        mapfile -t COMPREPLY < <(compgen -W "@COMMANDS@ --help --version" -- "$word")
        return
    fi
    case "$command $before" in
@VALUES@
    esac
    case "$word" in
    -*)
        case "$command" in
@OPTIONS@
        esac
        ;;
    *)
        case "$command" in
        @MODELS@)
            mapfile -t COMPREPLY < <(compgen -W "$(_inox_models)" -- "$word"; compgen -f -- "$word") ;;
        @NOTHING@) ;;
        *) mapfile -t COMPREPLY < <(compgen -f -- "$word") ;;
        esac
        ;;
    esac
}

complete -o filenames -F _inox inox
"""


def bash(table):
    values, options = {}, []
    for command, _, rows in table:
        for letter, name, value, _ in rows:
            if value == "":
                continue
            words = choices(name, value)
            if words == ISAS:
                words = ["$(_inox_isas)"]
            what = ('mapfile -t COMPREPLY < <(compgen -f -- "$word")' if words is None else
                    f"""mapfile -t COMPREPLY < <(compgen -W "{' '.join(words)}" -- "$word")"""
                    if words else ":")
            for flag in flags_of(letter, name).split("|"):
                values.setdefault(what, []).append(f'"{command} {flag}"')
        options.append(f"        {command})\n            mapfile -t COMPREPLY < <(compgen -W "
                       f'"{words_of(rows)}" -- "$word") ;;')
    cases = []
    for what, patterns in values.items():
        cases.append("    " + " | \\\n    ".join(" | ".join(patterns[i:i + 4])
                                              for i in range(0, len(patterns), 4)) + ")")
        cases.append(f"        {what}\n        return ;;")
    return (BASH.replace("@ASK_ISAS@", ASK_ISAS).replace("@COMMANDS@", " ".join(c for c, _, _ in table))
            .replace("@VALUES@", "\n".join(cases)).replace("@OPTIONS@", "\n".join(options))
            .replace("@MODELS@", " | ".join(FIRST_IS_MODEL)).replace("@NOTHING@", " | ".join(NO_ARGUMENT)))


# ---- zsh -------------------------------------------------------------------------------------------

ZSH = """\
#compdef inox
# Completion of inox for zsh.  Made by tools/make_completion.py: change that, not this.

_inox_models() {
    local -a names
    names=(${(f)"$(inox list 2>/dev/null | cut -d' ' -f1)"})
    _alternative 'models:model:compadd -a names' 'files:file:_files'
}

_inox_isas() {
    local -a names
    names=(${=$(@ASK_ISAS@)})
    compadd -a names
}

_inox() {
    local -a commands
    commands=(
@COMMANDS@
    )
    if (( CURRENT == 2 )); then
        _describe -t commands command commands
        _arguments '--help[what there is]' '--version[the version]'
        return
    fi
    local command=$words[2]
    shift words
    (( CURRENT-- ))
    case $command in
@CASES@
    esac
}

_inox "$@"
"""


def zsh_text(s):
    return s.replace("'", "'\\''").replace("[", "\\[").replace("]", "\\]").replace(":", "\\:")


def zsh(table):
    cases = []
    for command, _, rows in table:
        lines = []
        for letter, name, value, what in rows:
            words = choices(name, value) if value else None
            action = ("" if not value else f":{value.replace('|', ' or ')}:_files" if words is None else
                      f":{value}:_inox_isas" if words == ISAS else
                      f":{value.replace('|', ' or ')}:({' '.join(words)})")
            many = "*" if "repeatable" in what else ""
            head = (f"'{many}'{{-{letter},--{name}}}'" if letter else f"'{many}--{name}")
            lines.append(f"            {head}[{zsh_text(what)}]{action}'")
        if command in FIRST_IS_MODEL:
            lines.append("            '1:model:_inox_models'\n            '*:file:_files'")
        elif command not in NO_ARGUMENT:
            lines.append("            '*:file:_files'")
        cases.append(f"    {command})\n        _arguments \\\n" + " \\\n".join(
            "\n".join(lines).split("\n")) + "\n        ;;")
    names = "\n".join(f"        '{c}:{zsh_text(h)}'" for c, h, _ in table)
    return ZSH.replace("@ASK_ISAS@", ASK_ISAS).replace("@COMMANDS@", names).replace("@CASES@", "\n".join(cases))


# ---- fish ------------------------------------------------------------------------------------------

FISH = """\
# Completion of inox for fish.  Made by tools/make_completion.py: change that, not this.

function __inox_models
    inox list 2>/dev/null | cut -d' ' -f1
end

function __inox_isas
    @ASK_ISAS@ | string split ' '
end

complete -c inox -n __fish_use_subcommand -f
complete -c inox -n __fish_use_subcommand -l help -d 'what there is'
complete -c inox -n __fish_use_subcommand -l version -d 'the version'
"""


def fish_text(s):
    return s.replace("\\", "\\\\").replace("'", "\\'")


def fish(table):
    lines = []
    for command, what, _ in table:
        lines.append(f"complete -c inox -n __fish_use_subcommand -a {command} -d '{fish_text(what)}'")
    for command, _, rows in table:
        lines.append("")
        here = f"complete -c inox -n '__fish_seen_subcommand_from {command}'"
        if command in FIRST_IS_MODEL:
            lines.append(f"{here} -a '(__inox_models)'")
        elif command in NO_ARGUMENT:
            lines.append(f"{here} -f")
        for letter, name, value, what in rows:
            words = choices(name, value) if value else None
            if words == ISAS:
                words = ["(__inox_isas)"]
            short = f" -s {letter}" if letter else ""
            kind = ("" if not value else " -r -F" if words is None else
                    f" -x -a '{' '.join(words)}'" if words else " -x")
            lines.append(f"{here}{short} -l {name}{kind} -d '{fish_text(what)}'")
    return FISH.replace("@ASK_ISAS@", ASK_ISAS) + "\n".join(lines) + "\n"


def completions(program):
    """{file name: text} of all shells."""
    table = [(name, what, options_of(program, name)) for name, what in commands_of(program)]
    return {"inox.bash": bash(table), "_inox": zsh(table), "inox.fish": fish(table)}


def main():
    folder = sys.argv[2] if len(sys.argv) > 2 else os.path.join(HERE, "completion")
    for name, content in completions(sys.argv[1]).items():
        with open(os.path.join(folder, name), "w", encoding="utf-8") as f:
            f.write(content)


if __name__ == "__main__":
    main()
