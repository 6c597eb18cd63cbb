#!/bin/sh
# What `make run` shows: the built-in model writes, and its receipt is replayed with another number of
# threads and another instruction set.  Everything stays in the build directory.
set -eu

inox=${INOX:-build/inox}
receipt=$(dirname "$inox")/demo-receipt.json
threads=$(getconf _NPROCESSORS_ONLN)
other=$((threads > 1 ? 1 : 3))

# What the CPU has is in the list that Linux keeps.
has() { grep -qw "$1" /proc/cpuinfo; }
isa=ref
if has avx2 && has fma && has f16c; then
    isa=avx2
fi

# Prints a command as one would type it, and runs it.
show() {
    printf '\n$'
    for word in "$@"; do
        case $word in
        *" "*) printf ' "%s"' "$word" ;;
        *) printf ' %s' "$word" ;;
        esac
    done
    printf '\n'
    "$@"
}

show "$inox" run "Once upon a time" -n 96 --threads "$threads" --receipt "$receipt"
show "$inox" replay "$receipt" --threads "$other" --isa "$isa"
if [ "$isa" != ref ]; then
    show "$inox" replay "$receipt" --threads "$threads" --isa ref
fi
echo
echo "The same bits each time.  Next: $inox --help"
