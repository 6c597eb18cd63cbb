#!/bin/sh
# Checks that what the build needs is there.  Missing packages are listed; root installs them with
# apt-get, anybody else gets the exact command.  INOX_NO_INSTALL=1 only lists.
set -eu

missing=""
need() { # need PACKAGE COMMAND...: the package is missing unless the command succeeds
    package=$1
    shift
    "$@" >/dev/null 2>&1 || missing="$missing $package"
}

have_command() { command -v "$1"; }

# A library counts by its header and pkg-config file, which is what Meson asks for.
have_library() {
    command -v pkg-config && pkg-config --exists "$1"
}

# Compiler and C library headers.
have_compiler() {
    printf '#include <stdio.h>\nint main(void) { return 0; }\n' |
        "${CC:-cc}" -x c -fsyntax-only -
}

need meson have_command "${MESON:-meson}"
need ninja-build have_command "${NINJA:-ninja}"
have_compiler >/dev/null 2>&1 || missing="$missing gcc libc6-dev"
need pkg-config have_command pkg-config
need libssl-dev have_library libcrypto
need libjansson-dev have_library jansson
need libedit-dev have_library libedit
need python3 have_command python3

[ -n "$missing" ] || exit 0

echo "Missing packages:$missing" >&2
if [ "${INOX_NO_INSTALL:-}" = 1 ]; then
    echo "INOX_NO_INSTALL=1: nothing was installed." >&2
    exit 1
fi
if ! command -v apt-get >/dev/null 2>&1; then
    echo "This system has no apt-get: install the packages of these names, then run make again." >&2
    exit 1
fi
if [ "$(id -u)" != 0 ]; then
    echo "Install them with:" >&2
    echo "    sudo apt-get update && sudo apt-get install --no-install-recommends -y$missing" >&2
    exit 1
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update
# shellcheck disable=SC2086 # one word per package
apt-get install --no-install-recommends -y $missing
