# Completion of inox for bash.  Made by tools/make_completion.py: change that, not this.

_inox_models() {
    inox list 2>/dev/null | cut -d' ' -f1
}

_inox_isas() {
    inox --version --json 2>/dev/null | sed -n 's/.*"isa_present": \[\([^]]*\)\].*/\1/p' | tr -d '",'
}

_inox() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} command=${COMP_WORDS[1]}
    COMPREPLY=()
    if [ "$COMP_CWORD" -eq 1 ]; then
        mapfile -t COMPREPLY < <(compgen -W "run chat replay logits inspect tokenize template perplexity bench list --help --version" -- "$word")
        return
    fi
    case "$command $before" in
    "run -p" | "run --prompt" | "run -n" | "run --tokens" | \
    "run --temp" | "run --top-k" | "run --top-p" | "run --min-p" | \
    "run --typical" | "run --repeat-penalty" | "run --presence-penalty" | "run --frequency-penalty" | \
    "run --penalty-window" | "run --logit-bias" | "run -s" | "run --seed" | \
    "run --stop" | "run -c" | "run --ctx" | "run --chunk" | \
    "run --draft" | "run --lookup" | "run --draft-tokens" | "run -t" | \
    "run --threads" | "run --memory" | "chat --system" | "chat --steps-max" | \
    "chat --memory-max" | "chat --output-max" | "chat -n" | "chat --tokens" | \
    "chat --temp" | "chat --top-k" | "chat --top-p" | "chat --min-p" | \
    "chat --typical" | "chat --repeat-penalty" | "chat --presence-penalty" | "chat --frequency-penalty" | \
    "chat --penalty-window" | "chat --logit-bias" | "chat -s" | "chat --seed" | \
    "chat --stop" | "chat -c" | "chat --ctx" | "chat --chunk" | \
    "chat --draft" | "chat --lookup" | "chat --draft-tokens" | "chat -t" | \
    "chat --threads" | "chat --memory" | "replay -t" | "replay --threads" | \
    "replay --memory" | "logits --chunk" | "logits -t" | "logits --threads" | \
    "logits --memory" | "inspect -t" | "inspect --threads" | "inspect --memory" | \
    "tokenize --text" | "tokenize -d" | "tokenize --decode" | "tokenize --pattern" | \
    "tokenize -t" | "tokenize --threads" | "tokenize --memory" | "template --now" | \
    "template --name" | "template --steps-max" | "template --memory-max" | "template --output-max" | \
    "perplexity -w" | "perplexity --window" | "perplexity -t" | "perplexity --threads" | \
    "perplexity --memory" | "bench -p" | "bench --prompt" | "bench -n" | \
    "bench --tokens" | "bench -b" | "bench --batch" | "bench -d" | \
    "bench --depth" | "bench -r" | "bench --repeat" | "bench --chunk" | \
    "bench -t" | "bench --threads" | "bench --memory")
        :
        return ;;
    "run -f" | "run --file" | "run --receipt" | "chat --tools" | \
    "chat --load" | "chat --save" | "replay -m" | "replay --model" | \
    "logits --ids" | "logits -o" | "logits --out" | "inspect --svg" | \
    "tokenize -f" | "tokenize --file" | "template --tokenizer" | "perplexity --ids")
        mapfile -t COMPREPLY < <(compgen -f -- "$word")
        return ;;
    "run --cache" | "chat --cache" | "logits --cache" | "perplexity --cache" | \
    "bench --cache")
        mapfile -t COMPREPLY < <(compgen -W "f16 f32" -- "$word")
        return ;;
    "run --isa" | "chat --isa" | "replay --isa" | "logits --isa" | \
    "inspect --isa" | "tokenize --isa" | "perplexity --isa" | "bench --isa")
        mapfile -t COMPREPLY < <(compgen -W "$(_inox_isas)" -- "$word")
        return ;;
    "chat --chat-template")
        mapfile -t COMPREPLY < <(compgen -W "NAME FILE" -- "$word")
        return ;;
    "chat --template-vars")
        mapfile -t COMPREPLY < <(compgen -W "JSON FILE" -- "$word")
        return ;;
    esac
    case "$word" in
    -*)
        case "$command" in
        run)
            mapfile -t COMPREPLY < <(compgen -W "-p --prompt -f --file -n --tokens --temp --top-k --top-p --min-p --typical --repeat-penalty --presence-penalty --frequency-penalty --penalty-window --logit-bias -s --seed --stop --ignore-end --parse-special --no-special -c --ctx --cache --chunk --draft --lookup --draft-tokens --receipt --no-receipt --no-echo -t --threads --pin --interleave --memory --isa --json -q --quiet -v --verbose -h --help" -- "$word") ;;
        chat)
            mapfile -t COMPREPLY < <(compgen -W "--chat-template --system --tools --template-vars --steps-max --memory-max --output-max --load --save --hide-reasoning -n --tokens --temp --top-k --top-p --min-p --typical --repeat-penalty --presence-penalty --frequency-penalty --penalty-window --logit-bias -s --seed --stop -c --ctx --cache --chunk --draft --lookup --draft-tokens --no-receipt -t --threads --pin --interleave --memory --isa --json -q --quiet -v --verbose -h --help" -- "$word") ;;
        replay)
            mapfile -t COMPREPLY < <(compgen -W "-m --model -t --threads --pin --interleave --memory --isa --json -q --quiet -v --verbose -h --help" -- "$word") ;;
        logits)
            mapfile -t COMPREPLY < <(compgen -W "--ids -o --out --last --chunk --cache -t --threads --pin --interleave --memory --isa --json -q --quiet -v --verbose -h --help" -- "$word") ;;
        inspect)
            mapfile -t COMPREPLY < <(compgen -W "--metadata --tensors --graph --svg --identity -t --threads --pin --interleave --memory --isa --json -q --quiet -v --verbose -h --help" -- "$word") ;;
        tokenize)
            mapfile -t COMPREPLY < <(compgen -W "--text -f --file -d --decode --jsonl --special --parse-special --no-parse-special --offsets --count --as-shipped --pattern -t --threads --pin --interleave --memory --isa --json -q --quiet -v --verbose -h --help" -- "$word") ;;
        template)
            mapfile -t COMPREPLY < <(compgen -W "--jsonl --now --name --spans --tokenizer --steps-max --memory-max --output-max --json -q --quiet -h --help" -- "$word") ;;
        perplexity)
            mapfile -t COMPREPLY < <(compgen -W "--ids -w --window --cache -t --threads --pin --interleave --memory --isa --json -q --quiet -v --verbose -h --help" -- "$word") ;;
        bench)
            mapfile -t COMPREPLY < <(compgen -W "-p --prompt -n --tokens -b --batch -d --depth -r --repeat --chunk --profile --cache -t --threads --pin --interleave --memory --isa --json -q --quiet -v --verbose -h --help" -- "$word") ;;
        list)
            mapfile -t COMPREPLY < <(compgen -W "--json -h --help" -- "$word") ;;
        esac
        ;;
    *)
        case "$command" in
        run | chat | logits | inspect | tokenize | template | perplexity | bench)
            mapfile -t COMPREPLY < <(compgen -W "$(_inox_models)" -- "$word"; compgen -f -- "$word") ;;
        list) ;;
        *) mapfile -t COMPREPLY < <(compgen -f -- "$word") ;;
        esac
        ;;
    esac
}

complete -o filenames -F _inox inox
