#!/usr/bin/env bash
# Writes what a package installs beside the program, as that program says it: the manual page and completions.
# Usage: dist-files.sh PROGRAM FOLDER
set -euo pipefail
program=$1 folder=$2
mkdir -p "$folder"
"$program" man | gzip -9n > "$folder/facelens.1.gz"
"$program" completions bash > "$folder/facelens.bash"
"$program" completions zsh > "$folder/_facelens"
"$program" completions fish > "$folder/facelens.fish"
