#!/usr/bin/env bash
# Opens the real window under a virtual display, drives it by keys and mouse, keeps pictures of it to look at, and checks
# what can be checked from outside: that pictures move and stop, that pages come up, and that closing ends the program
# within a second.
#
# usage: tests/window.sh PROGRAM OUT_DIR
#
# Needs Xvfb, xdotool and ImageMagick; without them it says "skipped" and succeeds.
set -u

if [ $# -ne 2 ]; then
    echo "usage: tests/window.sh PROGRAM OUT_DIR" >&2
    exit 2
fi
program=$(realpath "$1")
for tool in Xvfb xdotool import compare convert identify; do
    if ! command -v "$tool" >/dev/null; then
        echo "skipped: $tool is not installed, so the window cannot be tested here"
        exit 0
    fi
done
mkdir -p "$2"
out=$(realpath "$2")
assets=$(realpath "$(dirname "$0")/../assets")
work=$(mktemp -d)
failures=0
server=
app=

cleanup() {
    [ -n "$app" ] && kill "$app" 2>/dev/null
    [ -n "$server" ] && kill "$server" 2>/dev/null
    rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

fail() {
    echo "FAILED: $*" >&2
    failures=$((failures + 1))
}

# A free display is chosen by the server itself.
Xvfb -displayfd 3 -screen 0 1280x800x24 -nolisten tcp -noreset 3>"$work/display" 2>"$work/xvfb.log" &
server=$!
for _ in $(seq 100); do
    [ -s "$work/display" ] && break
    sleep 0.1
done
if [ ! -s "$work/display" ]; then
    echo "skipped: Xvfb gives no display: $(tail -1 "$work/xvfb.log")"
    exit 0
fi
export DISPLAY=:$(cat "$work/display")
export LIBGL_ALWAYS_SOFTWARE=1 FACELENS_CONFIG_DIR=$work/config HOME=$work/home
export XDG_RUNTIME_DIR=$work
unset WAYLAND_DISPLAY WAYLAND_SOCKET DBUS_SESSION_BUS_ADDRESS
mkdir -p "$HOME" "$FACELENS_CONFIG_DIR"

# open ARGUMENTS...: starts the program and waits for its window.
open() {
    "$program" "$@" 2>"$work/errors" &
    app=$!
    window=
    for _ in $(seq 300); do
        window=$(xdotool search --onlyvisible --name '^facelens$' 2>/dev/null | head -1)
        [ -n "$window" ] && break
        if ! kill -0 "$app" 2>/dev/null; then
            break
        fi
        sleep 0.1
    done
    if [ -z "$window" ]; then
        fail "no window: facelens $*: $(cat "$work/errors")"
        return 1
    fi
    xdotool windowmove "$window" 0 0 windowfocus "$window" mousemove 400 20
    sleep 2
}

key() {
    xdotool key --clearmodifiers "$@"
    sleep 0.8
}

# shoot NAME: keeps a picture of the window.
shoot() {
    import -window "$window" "$out/$1.png"
}

# differ A B REGION: how many pixels differ between two pictures.
differ() {
    convert "$out/$1.png" -crop "$3" +repage "$work/a.png"
    convert "$out/$2.png" -crop "$3" +repage "$work/b.png"
    compare -metric AE "$work/a.png" "$work/b.png" null: 2>&1 | cut -d. -f1 | cut -d' ' -f1
}

# light NAME: how light the middle of the picture is, 0 to 100; a page is nearly black.
light() {
    convert "$out/$1.png" -crop $middle +repage -colorspace gray -format '%[fx:round(100*mean)]' info:
}

# steady NAME: keeps pictures until two of them, a second apart, are the same; a busy machine may need a while to
# analyse the frame that is held.
steady() {
    shoot "$1"
    for _ in $(seq 15); do
        sleep 1
        shoot "$1-later"
        [ "$(differ "$1" "$1-later" $middle)" -eq 0 ] && return 0
        shoot "$1"
    done
    return 1
}

# moves NAME: keeps pictures until two of them differ.
moves() {
    shoot "$1"
    for _ in $(seq 15); do
        sleep 1
        shoot "$1-later"
        [ "$(differ "$1" "$1-later" $middle)" -gt 1000 ] && return 0
    done
    return 1
}

# page NAME: keeps a picture once a page is shown instead of a picture.
page() {
    for _ in $(seq 15); do
        shoot "$1"
        [ "$(light "$1")" -lt 15 ] && return 0
        sleep 1
    done
    return 1
}

# The middle of the picture, free of panels, banners and notices.
middle=500x380+130+140

# quit KEY: closes by a key and checks that the program is gone within a second, and that it said 0.
quit() {
    local from to
    from=$(date +%s%N)
    xdotool key --clearmodifiers "$1"
    for _ in $(seq 200); do
        kill -0 "$app" 2>/dev/null || break
        sleep 0.02
    done
    to=$(date +%s%N)
    if kill -0 "$app" 2>/dev/null; then
        fail "the window does not close by $1"
        kill -9 "$app"
    elif [ $((to - from)) -gt 1000000000 ]; then
        fail "closing took $(((to - from) / 1000000)) ms"
    else
        echo "closed in $(((to - from) / 1000000)) ms"
    fi
    wait "$app"
    local code=$?
    app=
    [ "$code" -eq 0 ] || fail "exit code $code: $(cat "$work/errors")"
    if grep -q panicked "$work/errors"; then
        fail "a thread panicked: $(cat "$work/errors")"
    fi
}

echo "the first start says what this is, over the demo"
if open; then
    shoot first-start
    grep -q '^welcomed = true' "$FACELENS_CONFIG_DIR/settings.toml" || fail "the first start is not remembered"
    key Escape
    moves first-demo || fail "the demo does not move"
    key ctrl+comma
    shoot preferences
    key Escape
    quit ctrl+q
fi
sed -i 's/^theme = .*/theme = "light"/' "$FACELENS_CONFIG_DIR/settings.toml"
if open; then
    moves light-theme || fail "the demo does not move"
    convert "$out/light-theme.png" -crop 200x100+850+450 +repage "$work/panel.png"
    [ "$(convert "$work/panel.png" -colorspace gray -format '%[fx:round(100*mean)]' info:)" -gt 80 ] \
        || fail "the light theme is dark"
    key shift+m
    shoot messages
    key Escape
    quit ctrl+q
fi
rm -f "$FACELENS_CONFIG_DIR/settings.toml"

echo "the demo moves, holds, and goes on"
if open --source demo; then
    moves demo || fail "the demo does not move"
    [ "$(light demo)" -gt 20 ] || fail "the demo shows no picture"
    key space
    steady paused || fail "a held picture moves"
    key space
    key F1
    shoot help
    [ "$(differ paused help $middle)" -gt 10000 ] || fail "F1 shows no help"
    key Escape
    key i
    shoot about
    key Escape

    xdotool mousemove 58 18 click 1
    sleep 0.8
    shoot menu
    key Escape

    echo "a picture is opened by its path"
    xdotool mousemove 900 118 click 1
    sleep 0.5
    xdotool type --clearmodifiers --delay 20 "$assets/astronaut.png"
    key Return
    xdotool mousemove 400 20
    sleep 2
    steady picture || fail "a still picture moves"
    [ "$(differ demo picture $middle)" -gt 10000 ] || fail "the picture was not opened"
    key s
    for _ in $(seq 15); do
        [ -n "$(find "$HOME" -name 'facelens-*.png')" ] && break
        sleep 1
    done
    shoot snapshot
    [ -n "$(find "$HOME" -name 'facelens-*.png')" ] || fail "S saves no picture"
    key g
    shoot angles
    key p
    shoot panel-closed
    key p
    quit q
fi
if ! grep -q astronaut.png "$FACELENS_CONFIG_DIR/settings.toml"; then
    fail "the source is not remembered: $(cat "$FACELENS_CONFIG_DIR/settings.toml")"
fi

echo "what was shown last is shown again, in the smallest window"
sed -i 's/^window_size.*/window_size = [720.0, 480.0]/' "$FACELENS_CONFIG_DIR/settings.toml"
if open; then
    sleep 1
    shoot smallest
    [ "$(identify -format '%wx%h' "$out/smallest.png")" = 720x480 ] || fail "the window's size is not remembered"
    quit ctrl+q
fi
rm -f "$FACELENS_CONFIG_DIR/settings.toml"

echo "names in other letters are shown, and a path can be pasted"
# Two names of the same length in letters that the built-in fonts lack: as boxes they would look alike.
first=$work/صورة.png
second=$work/حديد.png
cp "$assets/astronaut.png" "$first"
cp "$assets/astronaut.png" "$second"
if ! command -v fc-list >/dev/null || [ -z "$(fc-list :lang=ar family)" ]; then
    echo "skipped: no font with Arabic letters is installed"
elif open --source "$first"; then
    shoot arabic-first
    if command -v xclip >/dev/null; then
        printf %s "$second" | xclip -selection clipboard
        xdotool mousemove 900 118 click 1
        sleep 0.5
        key ctrl+v
        key Return
        xdotool mousemove 400 20
        sleep 2
        shoot arabic-second
        [ "$(differ arabic-first arabic-second 400x40+720+0)" -gt 20 ] || fail "a pasted path with Arabic letters changes nothing"
        grep -q "حديد.png" <<<"$(xdotool sleep 1; cat "$FACELENS_CONFIG_DIR/settings.toml")" || fail "the pasted path was not opened"
    else
        echo "skipped: xclip is not installed, so nothing can be pasted"
    fi
    quit q
fi
rm -f "$FACELENS_CONFIG_DIR/settings.toml"

echo "without a display that can be drawn on, one sentence says so"
says_why() {
    local words
    words=$("$@" 2>&1)
    [ $? -eq 1 ] || fail "$*: exit code"
    # Libraries may warn before.
    grep -q '^facelens: the window cannot be opened: .*; .*facelens analyze' <<<"$(tail -1 <<<"$words")" \
        || fail "$*: $words"
}
says_why env DISPLAY=:987 "$program" --source demo
says_why env -u DISPLAY "$program" --source demo
says_why env LIBGL_DRIVERS_PATH=/nowhere __EGL_VENDOR_LIBRARY_FILENAMES=/nowhere "$program" --source demo

echo "a killed recording is reported and recovered at the next start"
sessions=$HOME/Videos/facelens
if open --source demo; then
    moves before-recording || fail "the demo does not move"
    key e
    for _ in $(seq 60); do
        [ -n "$(find "$sessions" -name faces.csv -size +1 2>/dev/null)" ] && break
        sleep 1
    done
    shoot recording
    key q
    shoot close-asks
    kill -0 "$app" 2>/dev/null || fail "the window closes while it records, without a question"
    key Escape
    grep -q '"end": null' "$sessions"/*/session.json || fail "a running recording has an end already"
    kill -9 "$app"
    wait "$app" 2>/dev/null
    app=
fi
if open --source demo; then
    shoot recovery
    for _ in $(seq 30); do
        grep -q '"how": "recovered"' "$sessions"/*/session.json && break
        sleep 1
    done
    grep -q '"how": "recovered"' "$sessions"/*/session.json || fail "an interrupted recording is not recovered"
    [ -z "$(find "$sessions" -name recording.lock)" ] || fail "a lock is left behind"
    moves again || fail "the demo does not move"
    key shift+e
    shoot recording-options
    key Escape
    key e
    sleep 3
    key e
    for _ in $(seq 30); do
        grep -q '"how": "stopped"' "$sessions"/*/session.json && break
        sleep 1
    done
    shoot recorded
    grep -q '"how": "stopped"' "$sessions"/*/session.json || fail "a recording that is stopped has no end"
    quit q
fi

echo "pages"
if open --camera 9; then
    page no-camera || fail "--camera 9 shows a picture"
    quit q
fi
echo "this is no video" >"$work/text.mp4"
if open --source "$work/text.mp4"; then
    page broken-file || fail "a text named .mp4 shows a picture"
    quit q
fi
if open --source "$work/missing.png"; then
    page missing-file || fail "a missing file shows a picture"
    quit q
fi

echo "settings full of garbage"
printf 'mirror = "perhaps"\n' >"$FACELENS_CONFIG_DIR/settings.toml"
if open --source demo; then
    shoot bad-settings
    quit q
fi
rm -f "$FACELENS_CONFIG_DIR/settings.toml"

echo "a model that is refused leaves the window as it was"
if open --source demo --model "pose=$work/text.mp4"; then
    shoot bad-model
    quit q
fi
echo "live outputs go out, and stop with the window"
if open --source demo --jsonl - --opentrack >"$work/lines"; then
    for _ in $(seq 30); do
        grep -q '"yaw"' "$work/lines" && break
        sleep 1
    done
    shoot outputs
    key shift+t
    shoot outputs-dialog
    key Escape
    quit q
    grep -q '^{"input":"demo",.*"yaw"' "$work/lines" || fail "no JSON lines: $(head -c 200 "$work/lines")"
fi

echo "a session is replayed"
session=$work/session
mkdir "$session"
"$program" analyze demo --seconds 3 -o "$session/faces.csv" --video "$session/video.mp4"
if open replay "$session"; then
    shoot replay
    [ "$(light replay)" -gt 12 ] || fail "a session shows no picture"
    key Right
    key Right
    shoot replay-stepped
    [ "$(differ replay replay-stepped 1000x60+60+560)" -gt 20 ] || fail "a step moves nothing in the timeline"
    key End
    shoot replay-end
    [ "$(differ replay replay-end $middle)" -gt 1000 ] || fail "the end shows the picture of the beginning"
    key BackSpace
    sleep 1
    shoot replay-closed
    quit q
fi
if "$program" replay "$work/config" 2>"$work/errors"; then
    fail "a folder without a session opens"
fi

# People who walk: the panel lists them, and the window goes on as before.
if open --source "$assets/../tests/walkers/walkers.mp4"; then
    shoot walkers
    key w
    sleep 4
    shoot gait
    [ "$(differ walkers gait 320x250+800+200)" -gt 20 ] || fail "the gaits change nothing in the panel"
    key w
    quit q
fi

shared=${FACELENS_SHARED:-$(dirname "$0")/../../shared}
pose=$(find "$shared/reference/fsanet" -name '*.h5' 2>/dev/null | sort | head -1)
if [ -n "$pose" ]; then
    echo "a head pose model"
    if open --source demo --model "pose=$pose"; then
        sleep 8
        shoot pose
        quit q
    fi
else
    echo "skipped: no head pose model is here"
fi

if [ "$failures" -gt 0 ]; then
    echo "$failures failure(s); the pictures are in $out" >&2
    exit 1
fi
echo "the window works; its pictures are in $out"
