# shellcheck shell=bash
# What all scripts share: where things are, how to speak, how to be root.
# Sourced with "set -euo pipefail" by scripts that run from anywhere.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
BUILD=$ROOT/build
mkdir -p "$BUILD"

# nginx lives in sbin, which is not in every user's path.
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
export PATH

# Compilers, Perl and apt shall speak one language.
export LC_ALL=C.UTF-8

if [ -t 1 ] && [ -z "${NO_COLOR-}" ]; then
    BOLD=$'\e[1m' DIM=$'\e[2m' RED=$'\e[31m' GREEN=$'\e[32m'
    YELLOW=$'\e[33m' CYAN=$'\e[36m' PLAIN=$'\e[0m'
else
    BOLD='' DIM='' RED='' GREEN='' YELLOW='' CYAN='' PLAIN=''
fi
# Not every script uses every colour.
export BOLD DIM RED GREEN YELLOW CYAN PLAIN

# To the user, who may have put the result (stdout) into a variable.
step() {
    printf '%s==>%s %s\n' "$CYAN$BOLD" "$PLAIN" "$*" >&2
}

# The comment that the script begins with.
usage() {
    sed -n '2,${/^#/!q;s/^# \{0,1\}//p}' "$0"
}

warn() {
    printf '%s%s%s\n' "$YELLOW" "$*" "$PLAIN" >&2
}

die() {
    printf '%s%s: %s%s\n' "$RED" "$(basename "$0")" "$*" "$PLAIN" >&2
    exit 1
}

# quietly LOG COMMAND...: the output goes to build/log/LOG, and is shown only
# when the command fails.
quietly() {
    local log=$BUILD/log/$1
    shift
    mkdir -p "$BUILD/log"
    if ! "$@" > "$log" 2>&1; then
        # Without ninja's lines of progress.
        grep -v '^\[[0-9]*/[0-9]*\] [BL]' "$log" | tail -n 60 >&2 || true
        printf '%sfailed:%s %s (all of it: %s)\n' "$RED" "$PLAIN" "$*" \
            "$log" >&2
        return 1
    fi
}

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo > /dev/null; then
        sudo -E "$@"
    else
        die "\"$*\" needs root, and there is no sudo"
    fi
}

# The nginx that the module is built for and tested with.
nginx_binary() {
    if [ -n "${TEST_NGINX_BINARY-}" ]; then
        echo "$TEST_NGINX_BINARY"
    else
        command -v nginx || die "no nginx found; run scripts/setup"
    fi
}

nginx_version() {
    "$1" -v 2>&1 | sed -n 's,.*nginx version: [^/]*/\([0-9.]*\).*,\1,p'
}
