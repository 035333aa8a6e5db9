"""What all peers share: pictures, the published crop, the clock, and the questions that run.py asks on standard input.

A peer has `frame(bgr)`, which gives the number of faces found, `reset()` before other pictures come, and `nets()`, a
function for each network call."""

import glob
import json
import os
import statistics
import sys
import time

import cv2

# Frames that are not counted, and how long they may take together.
WARM_UP, WARM_UP_S = 10, 0.5


def pictures(folder, cache={}):
    """The folder's pictures, BGR, in their order and back."""
    if folder not in cache:
        names = sorted(glob.glob(os.path.join(folder, "*")))
        read = [picture for picture in map(cv2.imread, names) if picture is not None]
        if not read:
            raise SystemExit(f"{folder}: there is no picture in it")
        cache[folder] = read + read[-2:0:-1]
    return cache[folder]


def crop(picture, box, margin, size=64):
    """The face with a margin of its box's size on each side, cut at the picture's edge, as the published demos do it."""
    height, width = picture.shape[:2]
    x, y, w, h = box
    left, top = max(int(x - margin * w), 0), max(int(y - margin * h), 0)
    right, bottom = min(int(x + w + margin * w), width - 1), min(int(y + h + margin * h), height - 1)
    return cv2.resize(picture[top : bottom + 1, left : right + 1], (size, size))


class Cascade:
    """OpenCV's cascade as in the published demos: every fifth frame, the old boxes in between."""

    FILES = [
        "/usr/share/opencv4/lbpcascades/lbpcascade_frontalface_improved.xml",
        "/usr/share/opencv/lbpcascades/lbpcascade_frontalface_improved.xml",
        os.path.join(cv2.data.haarcascades, "haarcascade_frontalface_default.xml"),
    ]

    def __init__(self, path=None):
        self.path = path or next(path for path in self.FILES if os.path.isfile(path))
        self.cascade = cv2.CascadeClassifier(self.path)
        if self.cascade.empty():
            raise SystemExit(f"{self.path}: OpenCV cannot read this cascade")
        self.reset()

    def reset(self):
        self.number, self.boxes = 0, []

    def name(self):
        return os.path.splitext(os.path.basename(self.path))[0]

    def find(self, picture):
        if self.number % 5 == 0:
            found = self.cascade.detectMultiScale(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), 1.1)
            self.boxes = list(found) or self.boxes
        self.number += 1
        return self.boxes


def time_frames(frame, folder, seconds):
    """Frames one after the other for this long; wall and processor seconds of the whole process."""
    shown = pictures(folder)
    number, start = 0, time.perf_counter()
    while number < WARM_UP and time.perf_counter() - start < WARM_UP_S:
        frame(shown[number % len(shown)])
        number += 1
    found, start, cpu = [], time.perf_counter(), time.process_time()
    while not found or time.perf_counter() - start < seconds:
        found.append(frame(shown[len(found) % len(shown)]))
    wall, cpu = time.perf_counter() - start, time.process_time() - cpu
    return {"frames": len(found), "wall_s": wall, "cpu_s": cpu, "found": statistics.median(found)}


def time_call(call, seconds):
    """Median wall milliseconds and mean processor milliseconds of one call."""
    for _ in range(3):
        call()
    times, start, cpu = [], time.perf_counter(), time.process_time()
    while len(times) < 5 or time.perf_counter() - start < seconds:
        before = time.perf_counter()
        call()
        times.append(time.perf_counter() - before)
    return {"wall_ms": statistics.median(times) * 1e3, "cpu_ms": (time.process_time() - cpu) / len(times) * 1e3}


def serve(make):
    """Answers run.py's questions, one JSON document a line each. Libraries that print go to standard error."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    def say(answer):
        answers.write(json.dumps(answer) + "\n")
        answers.flush()

    cv2.setNumThreads(1)
    peer = make(json.loads(sys.argv[1]))
    say({"ready": peer.words})
    nets = peer.nets()
    for line in sys.stdin:
        ask = json.loads(line)
        if "folder" in ask:
            peer.reset()
            say(time_frames(peer.frame, ask["folder"], ask["seconds"]))
        else:
            say({name: time_call(call, ask["seconds"]) for name, call in nets.items()})
