# Runs as root in the virtual machine of run.sh, by busybox. Prints a line `pass ...` or `FAIL ...` per check.
# Faces are searched by the small detector: every instruction is emulated, and the program is not optimised.
# The driver's other nodes take images and give metadata: they are a /dev/video* as well, and must not be listed.

check() { # DESCRIPTION COMMAND...: passes when the command succeeds; else shows what the program said.
    description=$1
    shift
    if "$@"; then
        echo "pass $description"
    else
        echo "FAIL $description"
        for file in /tmp/out /tmp/err /tmp/long.err; do
            [ -s "$file" ] && tail -n 8 "$file" | cut -c1-300 | sed 's/^/     /'
        done
    fi
}
run() { # ARGS...: facelens with its output in /tmp/out and /tmp/err and its exit status in $status.
    facelens "$@" >/tmp/out 2>/tmp/err
    status=$?
}
says() { grep -qi -- "$1" /tmp/err; }
rows() { [ "$(grep -c '^{' "$1")" -ge "$2" ]; }
eventually() { # SECONDS COMMAND...
    left=$(($1 * 4))
    shift
    while [ "$left" -gt 0 ]; do
        "$@" && return 0
        left=$((left - 1))
        usleep 250000
    done
    return 1
}
unplug() { echo vivid.0 >/sys/bus/platform/drivers/vivid/unbind; }
plug() { echo vivid.0 >/sys/bus/platform/drivers/vivid/bind; }

while read -r module; do
    options=
    [ "$module" = vivid.ko ] && options="n_devs=1 node_types=0x20101 num_inputs=1 input_types=0 num_outputs=1 output_types=0"
    # shellcheck disable=SC2086
    insmod "/modules/$module" $options || echo "FAIL insmod $module"
done </modules/order
check "the driver made a capture, an output and a metadata node" test -e /dev/video0 -a -e /dev/video1 -a -e /dev/video2

run cameras --json
check "cameras --json succeeds" test "$status" = 0
check "one camera is listed, and no other node" test "$(grep -c '"device"' /tmp/out)" = 1
check "it has a name, its device and formats" grep -q '"YUYV .* at [0-9]* fps"' /tmp/out
run cameras
check "the table names device and format" grep -q '/dev/video0 .* fps' /tmp/out

run analyze --detector blaze-front camera --seconds 3 -o /tmp/live.jsonl
check "analyze camera succeeds" test "$status" = 0
check "frames were analysed" rows /tmp/live.jsonl 2
check "their size is the camera's" grep -q '"width":[1-9][0-9]*,"height":[1-9]' /tmp/live.jsonl
run analyze --detector blaze-front camera:vivid --seconds 1 -o /tmp/name.jsonl
check "a part of the name chooses the camera" test "$status" = 0

run analyze --detector blaze-front camera:7 --seconds 1 -o /tmp/none.jsonl
check "another number: exit code 1" test "$status" = 1
check "another number: there is no such camera" says "no such camera"

chmod 600 /dev/video0
su -s /bin/sh nobody -c "facelens analyze --detector blaze-front camera --seconds 1 -o -" >/tmp/out 2>/tmp/err
status=$?
check "without permission: exit code 1" test "$status" = 1
check "without permission: the group is named" says "group .video"

# Unplugged and plugged in again while it streams; before that another program asks for it.
facelens analyze --detector blaze-front camera --seconds 3600 -o /tmp/long.jsonl >/tmp/long.out 2>/tmp/long.err &
long=$!
check "the long run streams" eventually 120 rows /tmp/long.jsonl 1
run analyze --detector blaze-front camera --seconds 1 -o /tmp/busy.jsonl
check "in use: exit code 1" test "$status" = 1
check "in use: it says so" says "in use by another program"
unplug
check "the long run still streams" kill -0 $long
check "unplugging is reported" eventually 120 grep -qi 'disconnected' /tmp/long.err
before=$(grep -c '^{' /tmp/long.jsonl)
plug
check "it is back by itself" eventually 120 grep -qi 'is back' /tmp/long.err
check "and streams again" eventually 120 rows /tmp/long.jsonl $((before + 2))
kill -INT $long
wait $long
status=$?
check "interrupted, it ends with exit code 130" test "$status" = 130
rm /tmp/long.err

# The virtual camera: a session of the demo is recorded and shown meanwhile. Records FILE ARGS...
record() {
    file=$1
    shift
    facelens record demo --detector blaze-front --pictures none -o /tmp/sessions --seconds 3600 "$@" >/tmp/out 2>"$file" &
    recording=$!
}
seen_again() { [ "$(grep -c "see the images" /tmp/err)" -ge 2 ]; }
stop() { # Ends the recording; its exit code is in $status.
    kill -INT $recording
    wait $recording
    status=$?
}
record /tmp/err --virtual-camera
check "no virtual camera: it says what to install" eventually 120 says "install v4l2loopback.*sudo modprobe"
check "no virtual camera: the recording goes on" kill -0 $recording
stop
check "no virtual camera: the session is saved" test "$status" = 130 -a -s "$(ls -d /tmp/sessions/*/faces.csv | head -n 1)"

record /tmp/err --virtual-camera /dev/video1
check "an output of hardware shows the demo" eventually 120 says "see the images as the camera .*(/dev/video1), YUYV"
unplug
check "an output that goes away is reported" eventually 120 says "/dev/video1.*no longer there"
check "and the recording goes on" kill -0 $recording
plug
check "it is found again by itself" eventually 120 seen_again
stop
check "and the session is saved" test "$status" = 130

if [ -e /modules/v4l2loopback.ko ]; then
    insmod /modules/v4l2loopback.ko video_nr=10 exclusive_caps=1 card_label=facelens
    chmod 600 /dev/video10
    chmod 1777 /tmp
    su -s /bin/sh nobody -c "exec facelens record demo --detector blaze-front --pictures none -o /tmp/nobody --seconds 3600 --virtual-camera" >/tmp/out 2>/tmp/err &
    recording=$!
    check "v4l2loopback without permission: the group is named" eventually 120 says "group .video"
    stop
    record /tmp/long.err --virtual-camera
    check "v4l2loopback is found and shows the demo" eventually 120 grep -q 'as the camera facelens (/dev/video10), YUYV' /tmp/long.err
    run cameras
    check "other programs list it as a camera" grep -q 'facelens  */dev/video10  *YUYV' /tmp/out
    run analyze --detector blaze-front camera:facelens --seconds 4 -o /tmp/loop.jsonl
    check "and read the demo from it" test "$status" = 0
    check "with its faces" grep -q '"faces":\[{' /tmp/loop.jsonl
    facelens record demo --detector blaze-front --pictures none -o /tmp/second --seconds 3600 --virtual-camera 10 >/tmp/out 2>/tmp/err &
    second=$!
    check "a second program is told that it is in use" eventually 120 says "another program sends images"
    kill -INT $second
    wait $second
    stop
    check "and the session is saved" test "$status" = 130
    rm /tmp/long.err
else
    echo "pass (v4l2loopback is skipped: its module could not be built)"
fi

unplug
run cameras --json
check "no camera: the list is empty, exit code 0" test "$status:$(cat /tmp/out)" = "0:[]"
check "no camera: a word on what to check" says "plugged in"
run analyze --detector blaze-front camera --seconds 1 -o /tmp/none.jsonl
check "no camera: exit code 1" test "$status" = 1
check "no camera: it says so" says "no camera was found"

echo "all done at $(cut -d' ' -f1 /proc/uptime) s"
