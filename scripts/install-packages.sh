#!/usr/bin/env bash
# Installs the system packages of a purpose where they are missing: by apt on Debian and Ubuntu (with sudo only where
# the user is not root), elsewhere it names them. Usage: install-packages.sh build|window|test|camera|deb|peers
set -euo pipefail

# The build needs a linker and a C++ compiler (openh264); nasm gives openh264 its fast code. The window needs
# libxkbcommon-x11, libXcursor and libXi, which are opened at run time, and a GL driver.
build="gcc g++ libc6-dev nasm"
window="libxkbcommon-x11-0 libxcursor1 libxi6 libgl1 libegl1 libgl1-mesa-dri"
test="xvfb xdotool xclip imagemagick x11-utils fontconfig fonts-dejavu-core"
# The cascade that the published demos use; benches/peers/run.py takes another without it.
peers="opencv-data"
deb="dpkg-dev desktop-file-utils appstream mmdebstrap xvfb imagemagick"
camera="qemu-system-x86 busybox-static cpio kmod"

case "${1:-}" in
    build) wanted=$build ;;
    window) wanted="$build $window" ;;
    test) wanted="$build $window $test" ;;
    camera) wanted=$camera ;;
    deb) wanted="$build $deb" ;;
    peers) wanted="$build $peers" ;;
    *) echo "usage: $0 build|window|test|camera|deb|peers" >&2; exit 2 ;;
esac

if [ "$(uname -s)" != Linux ]; then
    exit 0 # macOS and Windows bring what the build needs with their compilers.
fi
if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    echo "facelens: this is not Debian or Ubuntu; please see that these packages, by their Debian names, are installed: $wanted" >&2
    exit 0
fi

missing=()
for package in $wanted; do
    state=$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$state" = installed ] || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || {
        echo "facelens: please install as root: apt-get install ${missing[*]}" >&2
        exit 1
    }
    as_root=(sudo)
fi
echo "facelens: installing ${missing[*]}" >&2
"${as_root[@]}" apt-get update -q
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends "${missing[@]}"
