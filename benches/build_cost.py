#!/usr/bin/env python3
"""What each dependency costs to build: processor seconds of its own crates and of those that only it brings.

Usage: build_cost.py [--target-dir DIR] [--readme]

Builds the program in release into DIR (default target/build-cost, which must be empty) with every rustc timed, and
prints a table; --readme puts it into benches/README.md. Processor seconds say the same on a busy machine. Those of build
scripts (C and C++ libraries) are their share of what rustc did not use, by the times of `cargo build --timings`.
"""

import argparse
import collections
import json
import os
import pathlib
import re
import resource
import subprocess
import sys

LOG = "FACELENS_BUILD_COST"
ROOT = pathlib.Path(__file__).resolve().parent.parent
README = ROOT / "benches/README.md"
MARKS = ("<!-- build cost: written by benches/build_cost.py --readme -->", "<!-- end of build cost -->")
# Dependencies below this share of the whole are not listed.
LEAST_SHARE = 0.01


def wrap(command):
    """Runs a rustc and notes its processor time; cargo tells it the package in the environment."""
    status = subprocess.run(command).returncode
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    name = os.environ.get("CARGO_PKG_NAME")
    if name:
        line = json.dumps([name, os.environ["CARGO_PKG_VERSION"], used.ru_utime + used.ru_stime])
        with open(os.environ[LOG], "a") as log:
            log.write(line + "\n")
    return status


def build(target):
    """Processor seconds of each package (name, version), and the seconds of the whole build."""
    log = target / "rustc.log"
    target.mkdir(parents=True, exist_ok=True)
    if any(target.iterdir()):
        sys.exit(f"{target}: is not empty; remove it, as what is built already would cost nothing")
    env = os.environ | {"RUSTC_WRAPPER": str(pathlib.Path(__file__).resolve()), LOG: str(log)}
    cargo = ["cargo", "build", "--release", "--locked", "--timings", "--target-dir", str(target)]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    if subprocess.run(cargo, cwd=ROOT, env=env).returncode != 0:
        sys.exit("the build failed")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    whole = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    seconds = collections.Counter()
    for line in log.read_text().splitlines():
        name, version, used = json.loads(line)
        seconds[name, version] += used
    scripts = script_times(target / "cargo-timings/cargo-timing.html")
    rest = max(whole - sum(seconds.values()), 0.0)
    for package, time in scripts.items():
        seconds[package] += rest * time / sum(scripts.values())
    return seconds, whole


def script_times(page):
    """How long the build script of each package ran."""
    units = json.loads(re.search(r"UNIT_DATA = (\[.*?\]);", page.read_text(), re.DOTALL).group(1))
    times = collections.Counter()
    for unit in units:
        if unit["mode"] == "run-custom-build":
            times[unit["name"], unit["version"]] += unit["duration"]
    return times


def graph():
    """The dependencies of each package as they are built for this machine, and the names of our own packages."""
    host = re.search(r"host: (.*)", subprocess.check_output(["rustc", "-vV"], text=True)).group(1)
    command = ["cargo", "metadata", "--format-version", "1", "--locked", "--filter-platform", host]
    metadata = json.loads(subprocess.check_output(command, cwd=ROOT))
    packages = {package["id"]: (package["name"], package["version"]) for package in metadata["packages"]}
    edges = {}
    for node in metadata["resolve"]["nodes"]:
        used = (d["pkg"] for d in node["deps"] if any(kind["kind"] != "dev" for kind in d["dep_kinds"]))
        edges[packages[node["id"]]] = {packages[package] for package in used}
    own = {packages[member] for member in metadata["workspace_members"]}
    return edges, own


def reached(edges, start, without=None):
    """Every package that `start` needs, if `without` were not there."""
    found, waiting = set(), [start]
    while waiting:
        package = waiting.pop()
        if package not in found and package != without:
            found.add(package)
            waiting.extend(edges.get(package, ()))
    return found


def table(seconds, whole, edges, own):
    root = next(package for package in own if package[0] == "facelens")
    direct = set().union(*(edges[package] for package in own)) - own
    everything = reached(edges, root)
    rows = []
    for package in direct & everything:
        alone = everything - reached(edges, root, without=package)
        cost = sum(seconds[other] for other in alone)
        if cost >= LEAST_SHARE * whole:
            rows.append((cost, package[0], len(alone)))
    ours = sum(seconds[package] for package in own)
    lines = ["| dependency | processor seconds | share | crates that only it brings |", "| --- | --- | --- | --- |"]
    for cost, name, crates in sorted(rows, reverse=True):
        lines.append(f"| {name} | {cost:.0f} | {100 * cost / whole:.0f} % | {crates} |")
    shared = whole - ours - sum(cost for cost, *_ in rows)
    lines.append(f"| what several of them share, and the smaller ones | {shared:.0f} | {100 * shared / whole:.0f} % | |")
    lines.append(f"| our own crates | {ours:.0f} | {100 * ours / whole:.0f} % | {len(own & everything)} |")
    lines.append(f"| everything | {whole:.0f} | | {len(everything & set(seconds))} |")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--target-dir", type=pathlib.Path, default=ROOT / "target/build-cost")
    parser.add_argument("--readme", action="store_true", help="put the table into benches/README.md")
    args = parser.parse_args()
    text = table(*build(args.target_dir.resolve()), *graph())
    print(text)
    if args.readme:
        before, rest = README.read_text().split(MARKS[0])
        after = rest.split(MARKS[1])[1]
        README.write_text(f"{before}{MARKS[0]}\n{text}\n{MARKS[1]}{after}")


if __name__ == "__main__":
    if LOG in os.environ and len(sys.argv) > 1 and not sys.argv[1].startswith("-"):
        sys.exit(wrap(sys.argv[1:]))
    main()
