#!/usr/bin/env bash
# Makes a Debian package of a built program. Usage: deb.sh PROGRAM OUTPUT.deb
# cargo-deb is installed by cargo where it is missing.
set -euo pipefail
program=$(realpath "$1") output=$(realpath -m "$2")
cd "$(dirname "$0")/.."
command -v cargo-deb >/dev/null || cargo install --locked cargo-deb@3.8.0
packaging/dist-files.sh "$program" target/package
cp "$program" target/package/facelens
mkdir -p "$(dirname "$output")"
cargo deb --locked --no-build --no-strip --package facelens --output "$output"
