#!/usr/bin/env bash
# The program against a real V4L2 device, without a camera: a small virtual machine boots Debian's kernel with its test
# driver `vivid` and with v4l2loopback, and guest.sh runs the program in it. Needs no root and no KVM. Usage: run.sh PROGRAM
#
# Environment: CAMERA_VM_TIMEOUT seconds for the machine (default 600), CAMERA_VM_KEEP=DIR to keep its log there.
set -euo pipefail

skip() {
    echo "skipped: $1"
    exit 0
}

[ $# -eq 1 ] || { echo "usage: $0 PROGRAM" >&2; exit 2; }
program=$(readlink -f "$1")
[ -x "$program" ] || { echo "$1: there is no such program; build it first (cargo build)" >&2; exit 2; }
here=$(dirname "$(readlink -f "$0")")
PATH=$PATH:/usr/sbin:/sbin

[ "$(uname -sm)" = "Linux x86_64" ] || skip "the camera test runs on x86_64 Linux only"
for command in qemu-system-x86_64 busybox cpio gzip modprobe depmod ldd strip apt-get apt-cache dpkg-deb; do
    command -v "$command" >/dev/null || skip "$command is missing (apt-get install qemu-system-x86 busybox-static cpio kmod binutils)"
done
ldd "$(command -v busybox)" >/dev/null 2>&1 && skip "busybox needs libraries; install busybox-static"

# The kernel with its modules: downloaded once, unpacked and not installed.
cache=${XDG_CACHE_HOME:-$HOME/.cache}/facelens-camera-vm
if [ ! -e "$cache/version" ]; then
    package=$(apt-cache depends linux-image-amd64 2>/dev/null | awk '/Depends: linux-image/ { print $2; exit }')
    [ -n "$package" ] || skip "the package lists hold no linux-image-amd64 (apt-get update; Debian only)"
    mkdir -p "$cache"
    download=$(mktemp -d "$cache/download.XXXXXX")
    (cd "$download" && apt-get download -q "$package" >/dev/null 2>&1) || { rm -rf "$download"; skip "$package cannot be downloaded"; }
    dpkg-deb -x "$download/$package"_*.deb "$download/root"
    version=$(basename "$download"/root/lib/modules/*)
    depmod -b "$download/root" "$version"
    rm -rf "$cache/root"
    mv "$download/root" "$cache/root"
    rm -rf "$download"
    echo "$version" >"$cache/version"
fi
version=$(cat "$cache/version")

# Debian has v4l2loopback as source: it is built once with the headers of the same kernel. Without it, its checks are left out.
build_loopback() {
    local download common headers
    download=$(mktemp -d "$cache/download.XXXXXX")
    common=linux-headers-${version%-*}-common
    headers=linux-headers-$version
    (
        cd "$download"
        apt-get download -q v4l2loopback-dkms "$headers" "$common" \
            "$(apt-cache depends "$headers" | awk '/Depends: linux-kbuild/ { print $2; exit }')"
        for package in *.deb; do
            dpkg-deb -x "$package" root
        done
        # Its Makefile names the place where it would be installed.
        sed -i "s|/usr/src|$download/root/usr/src|" "root/usr/src/$headers/Makefile"
        make -C "root/usr/src/$headers" M="$(echo "$download"/root/usr/src/v4l2loopback-*)" modules
    ) >"$cache/loopback.log" 2>&1 && cp "$download"/root/usr/src/v4l2loopback-*/v4l2loopback.ko "$cache/v4l2loopback-$version.ko"
    rm -rf "$download"
}
[ -e "$cache/v4l2loopback-$version.ko" ] || build_loopback || echo "note: v4l2loopback is not tested: $(tail -n 1 "$cache/loopback.log")"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/root
mkdir -p "$root"/{bin,dev,etc,modules,proc,sys,tmp}

# The program with the libraries that it is linked to. Without its debug information the machine boots faster.
strip -o "$root/bin/facelens" "$program"
cp "$(command -v busybox)" "$root/bin/busybox"
ldd "$program" | grep -oE '/[^ ]+' | while read -r library; do
    mkdir -p "$root/$(dirname "$library")"
    cp -L "$library" "$root/$library"
done

modprobe -d "$cache/root" -S "$version" --show-depends vivid | awk '$1 == "insmod" { print $2 }' | while read -r module; do
    name=$(basename "$module")
    case $name in
        *.xz) name=${name%.xz}; xz -dc "$module" >"$root/modules/$name" ;;
        *.zst) name=${name%.zst}; zstd -qdc "$module" >"$root/modules/$name" ;;
        *) cp "$module" "$root/modules/$name" ;;
    esac
    echo "$name"
done >"$root/modules/order"

[ ! -e "$cache/v4l2loopback-$version.ko" ] || cp "$cache/v4l2loopback-$version.ko" "$root/modules/v4l2loopback.ko"

cp "$here/guest.sh" "$root/guest.sh"
cat >"$root/init" <<'INIT'
#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin HOME=/tmp
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mkdir -p /dev/shm
echo 'root:x:0:0::/tmp:/bin/sh' >/etc/passwd
echo 'nobody:x:65534:65534::/tmp:/bin/sh' >>/etc/passwd
sh /guest.sh
poweroff -f
INIT
chmod +x "$root/init"
(cd "$root" && find . | cpio -o -H newc --quiet | gzip -1) >"$work/initrd"

log=$work/log
[ -z "${CAMERA_VM_KEEP:-}" ] || { mkdir -p "$CAMERA_VM_KEEP"; log=$CAMERA_VM_KEEP/camera-vm.log; }
# Without KVM the machine's clocks are slow to settle: no_timer_check keeps a busy host from stopping the boot.
timeout "${CAMERA_VM_TIMEOUT:-600}" qemu-system-x86_64 -accel tcg -cpu max -smp 2 -m 1024 -nodefaults -no-reboot \
    -display none -kernel "$cache/root/boot/vmlinuz-$version" -initrd "$work/initrd" \
    -append "console=ttyS0 quiet panic=-1 no_timer_check" -serial "file:$log" </dev/null >"$work/qemu" 2>&1 ||
    { echo "FAIL the virtual machine did not end by itself: $(tail -n 3 "$work/qemu")"; tail -n 40 "$log"; exit 1; }

tr -d '\r' <"$log" | grep -E '^(pass|FAIL|     )' || true
if tr -d '\r' <"$log" | grep -q '^FAIL' || ! tr -d '\r' <"$log" | grep -q '^all done'; then
    tr -d '\r' <"$log" | grep -q '^all done' || { echo "FAIL the test did not come to its end"; tail -n 40 "$log"; }
    exit 1
fi
