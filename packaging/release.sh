#!/usr/bin/env bash
# One release: sets the version, closes the changelog's section, commits, tags, and puts the artefacts of this platform and
# their checksums into dist/. Nothing is pushed: the last line says how. Usage: release.sh VERSION, e.g. 0.2.0
set -euo pipefail
cd "$(dirname "$0")/.."
fail() { echo "release: $*" >&2; exit 1; }
version=${1:-}
[[ $version =~ ^[0-9]+\.[0-9]+\.[0-9]+$ ]] || fail "name the version: make release VERSION=0.2.0"
[ -z "$(git status --porcelain)" ] || fail "there are changes that are not committed; commit or stash them"
! git rev-parse -q --verify "refs/tags/v$version" >/dev/null || fail "the tag v$version is there already"
old=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -1)
[ "$(printf '%s\n%s\n' "$old" "$version" | sort -V | tail -1)" = "$version" ] && [ "$old" != "$version" ] ||
    fail "the version is $old already; a new one must be higher"
notes=$(sed -n '/^## \[Unreleased\]/,/^## \[[0-9]/p' CHANGELOG.md | sed '1d;/^## \[/d')
[ -n "${notes//[[:space:]]/}" ] || fail "CHANGELOG.md has nothing under [Unreleased]"
today=$(date -u +%Y-%m-%d)

echo "release: facelens $old -> $version"
sed -i "s/^version = \"$old\"/version = \"$version\"/; /^facelens-[a-z]* = /s/version = \"$old\"/version = \"$version\"/" Cargo.toml
sed -i "s/^## \[Unreleased\]/## [Unreleased]\n\n## [$version] - $today/" CHANGELOG.md
sed -i "s|<releases>|<releases>\n    <release version=\"$version\" date=\"$today\"/>|" packaging/*.metainfo.xml
cargo metadata --format-version 1 > /dev/null # Writes the versions into Cargo.lock.
git commit -qam "Release $version"
git tag -a "v$version" -m "facelens $version"

echo "release: artefacts"
rm -rf dist
cargo build --release --locked
packaging/deb.sh target/release/facelens "dist/facelens_${version}_$(dpkg --print-architecture).deb"
name=facelens-v$version-$(rustc -vV | sed -n 's/^host: //p')
mkdir -p "dist/$name"
cp target/release/facelens README.md CHANGELOG.md LICENSE-MIT LICENSE-APACHE NOTICE packaging/*.desktop packaging/*.metainfo.xml assets/icon.svg "dist/$name/"
cp -r docs "dist/$name/"
tar -C dist -czf "dist/$name.tar.gz" "$name"
rm -r "dist/${name:?}"
printf '%s\n' "$notes" > dist/NOTES.md
(cd dist && sha256sum -- *.deb *.tar.gz > SHA256SUMS && cat SHA256SUMS)
echo "release: look at dist/, then: git push origin main v$version (the workflow builds the other platforms)"
