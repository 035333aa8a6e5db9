#!/usr/bin/env python3
"""Times facelens and its peers on the same pictures in the same run, by turns, each on one core, and prints the tables
that benches/README.md shows; that page also says what is compared with what.

Everything that is downloaded or built lies in target/peers. What cannot be had is skipped, with the reason."""

import argparse
import json
import os
import subprocess
import sys
import threading
import time

import prepare
import report

HERE = os.path.dirname(os.path.abspath(__file__))

# Seconds for one answer.
PATIENCE = 180


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--facelens", help="the program; built in release without this")
    parser.add_argument("--published", help="folder with the authors' weights: ssrnet/*.h5 and fsanet/*.h5")
    parser.add_argument("--pictures", action="append", default=[], help="a folder of pictures of one size, beside the drawn")
    parser.add_argument("--cascade", help="another cascade file of OpenCV")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=1.5, help="of each peer, case and round")
    parser.add_argument("--json", help="write the figures to this file, too")
    parser.add_argument("--readme", action="store_true", help="put the tables into benches/README.md, too")
    parser.add_argument("--prepare", action="store_true", help="install and build, measure nothing")
    parser.add_argument("--prepared", action="store_true", help="everything is installed and built: look for nothing new")
    return parser.parse_args()


class Worker:
    """A peer that answers questions; it sleeps in between."""

    def __init__(self, name, command, options, environment):
        self.name, self.skipped = name, None
        self.process = subprocess.Popen(
            [*command, json.dumps(options)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=HERE,
            env={**os.environ, **environment}, stderr=open(os.path.join(prepare.TARGET, f"{name}.log"), "w"),
        )

    def answer(self):
        # A peer that hangs must not hold the others up.
        watchdog = threading.Timer(PATIENCE, self.process.kill)
        watchdog.start()
        line = self.process.stdout.readline() if not self.skipped else ""
        watchdog.cancel()
        if not line:
            self.skipped = self.skipped or f"it ended; see target/peers/{self.name}.log"
            return None
        return json.loads(line)

    def ask(self, question):
        if self.skipped:
            return None
        try:
            self.process.stdin.write(json.dumps(question) + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass
        return self.answer()

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class Facelens:
    """A process for each question, as `facelens bench` is."""

    def __init__(self, program, published):
        self.name, self.program, self.skipped = "facelens", program, None
        self.published = [f"--model={task}={path}" for task, path in published]

    def bench(self, *options):
        command = [self.program, "bench", "--json", *options]
        return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)

    def frames(self, folder, seconds):
        frames = self.bench("--parts=frames", f"--seconds-per-case={seconds}", "--pictures", folder)["frames"][0]
        wall = frames["frames"] / frames["fps"]
        cpu = frames.get("cpu_ms_per_frame", float("nan")) * frames["frames"] / 1e3
        return {"frames": frames["frames"], "wall_s": wall, "cpu_s": cpu, "found": frames["found"]}

    def nets(self, seconds):
        options = ["--parts=nets", f"--seconds-per-case={4 * seconds}"]
        nets = self.bench(*options)["nets"] + self.bench(*options, "--model=pose=facelens-pose")["nets"]
        if self.published:
            nets += self.bench(*options, *self.published)["nets"]
        # One thread that computes all the time: processor time is the time.
        return {net["name"]: {"wall_ms": net["median_ms"], "cpu_ms": net["median_ms"]} for net in nets}


def one_core():
    """Everything runs on the last core that this process may use."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def start(name, made, options):
    """The worker, ready; or why there is none."""
    command, why = made
    if why:
        print(f"skipped: {name}: {why}", flush=True)
        return None
    one_thread = {"OMP_NUM_THREADS": "1", "RTEN_NUM_THREADS": "1"}
    worker = Worker(name, command, options, one_thread)
    ready = worker.answer()
    if not ready:
        print(f"skipped: {name}: {worker.skipped}", flush=True)
        return None
    worker.words = ready["ready"]
    return worker


def main():
    args = arguments()
    made = prepare.all_of_it(args)
    if args.prepare:
        return
    one_core()
    common = {"published": args.published, "cascade": args.cascade, "files": made.files, "shipped": made.shipped}
    peers = [
        start("keras", made.keras, common),
        start("onnxruntime", made.onnxruntime, common),
        start("mediapipe-mesh", made.mediapipe, {**common, "what": "mesh", "faces": 4}),
        start("mediapipe-detection", made.mediapipe, {**common, "what": "detection"}),
    ]
    peers = [peer for peer in peers if peer]
    rten = start("rten", made.rten, {"files": made.unpacked})
    facelens = Facelens(made.facelens, made.published)
    began = time.time()
    frames, nets = {}, {}
    for number in range(args.rounds):
        for case, folder in made.cases.items():
            frames.setdefault((case, "facelens"), []).append(facelens.frames(folder, args.seconds))
            for peer in peers:
                answer = peer.ask({"folder": folder, "seconds": args.seconds})
                if answer:
                    frames.setdefault((case, peer.name), []).append(answer)
        nets.setdefault("facelens", []).append(facelens.nets(args.seconds / 10))
        for peer in [*peers, rten]:
            answer = peer.ask({"seconds": args.seconds / 10}) if peer else None
            if answer:
                nets.setdefault(peer.name, []).append(answer)
        print(f"round {number + 1} of {args.rounds} after {time.time() - began:.0f} s", file=sys.stderr, flush=True)
    own = facelens.bench("--parts=frames,live", f"--seconds-per-case={args.seconds / 3:.2f}")
    words = {peer.name: peer.words for peer in [*peers, rten] if peer}
    for peer in [*peers, rten]:
        if peer:
            peer.close()
    result = report.Result(own, frames, nets, words, list(made.cases), made.net_names)
    print(result.text())
    if args.readme:
        result.write_into(os.path.join(prepare.ROOT, "benches", "README.md"))
    if args.json:
        with open(args.json, "w") as file:
            json.dump(result.document(), file, indent=1)


if __name__ == "__main__":
    main()
