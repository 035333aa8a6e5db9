#!/usr/bin/env bash
# Installs a package into a bare Debian, starts the program there on the demo under a virtual display, and removes it.
# Usage: test-deb.sh FILE.deb [SCREENSHOT.png]. Needs root, mmdebstrap, xvfb and imagemagick.
set -euo pipefail
deb=$(realpath "$1") shot=$(realpath -m "${2:-target/deb-shot.png}")
for tool in mmdebstrap Xvfb import; do
    command -v "$tool" >/dev/null || { echo "test-deb: $tool is missing; run scripts/install-packages.sh deb" >&2; exit 1; }
done
[ "$(id -u)" -eq 0 ] || { echo "test-deb: run it as root, which a bare Debian needs" >&2; exit 1; }

work=$(mktemp -d)
root=$work/root
xvfb=""
cleanup() {
    [ -z "$xvfb" ] || kill "$xvfb" 2>/dev/null || true
    for mount in tmp/.X11-unix proc dev; do umount "$root/$mount" 2>/dev/null || true; done
    rm -rf --one-file-system "$work"
}
trap cleanup EXIT
fail() { echo "test-deb: $*" >&2; exit 1; }
inside() { chroot "$root" env HOME=/root DEBIAN_FRONTEND=noninteractive PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@"; }

echo "test-deb: a bare Debian"
suite=$(. /etc/os-release && echo "${VERSION_CODENAME:-stable}")
# The system's own sources, so that a mirror set there is used.
cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources 2>/dev/null > "$work/sources" || true
mmdebstrap --quiet --variant=apt "$suite" "$root" - < "$work/sources" || mmdebstrap --quiet --variant=apt "$suite" "$root"
for file in /etc/apt/apt.conf.d/*proxy* /etc/apt/apt.conf; do [ ! -e "$file" ] || cp "$file" "$root/etc/apt/apt.conf.d/"; done
mount --bind /dev "$root/dev"
mount -t proc proc "$root/proc"

echo "test-deb: install"
cp "$deb" "$root/root/facelens.deb"
inside apt-get update -q > /dev/null
inside apt-get install -qy --no-install-recommends /root/facelens.deb > "$work/install.log" 2>&1 || { cat "$work/install.log"; fail "it cannot be installed"; }
inside dpkg -L facelens | while read -r path; do [ -d "$root$path" ] || echo "$path"; done > "$work/files"
for file in /usr/bin/facelens /usr/share/applications/io.github.facelens.facelens.desktop \
    /usr/share/metainfo/io.github.facelens.facelens.metainfo.xml /usr/share/man/man1/facelens.1.gz \
    /usr/share/icons/hicolor/scalable/apps/facelens.svg /usr/share/icons/hicolor/256x256/apps/facelens.png \
    /usr/share/bash-completion/completions/facelens /usr/share/doc/facelens/copyright; do
    grep -qx "$file" "$work/files" || fail "$file is not in the package"
done

echo "test-deb: the command line"
inside facelens --version
inside facelens analyze demo --seconds 1 -o /root/rows.csv
[ "$(wc -l < "$root/root/rows.csv")" -gt 25 ] || fail "the demo gives no rows"

echo "test-deb: the window"
display=:97
mkdir -p /tmp/.X11-unix "$root/tmp/.X11-unix"
Xvfb "$display" -screen 0 1280x800x24 >/dev/null 2>&1 &
xvfb=$!
sleep 2
mount --bind /tmp/.X11-unix "$root/tmp/.X11-unix"
timeout 60 chroot "$root" env HOME=/root DISPLAY="$display" LIBGL_ALWAYS_SOFTWARE=1 PATH=/usr/bin:/bin facelens --source demo 2> "$work/window.log" &
window=$!
sleep 12
kill -0 "$window" 2>/dev/null || { cat "$work/window.log"; fail "the window ended by itself"; }
mkdir -p "$(dirname "$shot")"
import -display "$display" -window root "$shot"
colours=$(identify -format %k "$shot")
kill -TERM "$window"
wait "$window" || true
[ "$colours" -gt 500 ] || fail "the window shows nothing ($colours colours in $shot)"

echo "test-deb: remove"
inside apt-get purge -qy facelens > "$work/remove.log" 2>&1 || { cat "$work/remove.log"; fail "it cannot be removed"; }
while read -r path; do [ ! -e "$root$path" ] || fail "$path is left"; done < "$work/files"
echo "test-deb: passed"
