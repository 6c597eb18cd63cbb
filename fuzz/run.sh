#!/bin/sh
# Fuzzes every target of a build directory, one after another.  run.sh BUILD
# FUZZ_SECONDS: time per target (60).  FUZZ: only this target.  New inputs stay in BUILD/corpus/<name>;
# a finding is written to BUILD/findings and makes the exit status 1.
set -eu

build=$1
here=$(dirname "$0")
seconds=${FUZZ_SECONDS:-60}
failed=0
mkdir -p "$build/findings"
for target in "$build"/fuzz/fuzz-${FUZZ:-*}; do
    [ -f "$target" ] && [ -x "$target" ] || continue
    name=${target##*/fuzz-}
    mkdir -p "$build/corpus/$name"
    echo "---- $name, $seconds seconds"
    dictionary=
    [ ! -f "$here/$name.dict" ] || dictionary=-dict=$here/$name.dict
    # shellcheck disable=SC2086 # the dictionary is one word or none
    "$target" -max_total_time="$seconds" -rss_limit_mb=4096 -timeout=30 -print_final_stats=1 \
        -artifact_prefix="$build/findings/$name-" $dictionary \
        "$build/corpus/$name" $([ ! -d "$here/corpus/$name" ] || echo "$here/corpus/$name") ||
        failed=1
done
exit $failed
