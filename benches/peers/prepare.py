"""Builds facelens, installs each peer into a virtual environment of its own in target/peers, draws the pictures, and
converts the published weights. What fails is skipped, and the reason is kept."""

import dataclasses
import glob
import os
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
TARGET = os.path.join(os.environ.get("CARGO_TARGET_DIR") or os.path.join(ROOT, "target"), "peers")
CASES = [("640x480", 1), ("1280x720", 4)]
PUBLISHED = {
    "age": ["ssrnet/age-imdb.h5"],
    "gender": ["ssrnet/gender-imdb.h5"],
    "pose": [f"fsanet/fsanet_{kind}_5.h5" for kind in ("capsule_3_16_2_21", "var_capsule_3_16_2_21", "noS_capsule_3_16_2_192")],
}
# Our own networks: the one in use, and the one that can be chosen.
IN_USE = ["facelens-face"]
TO_CHOOSE = ["facelens-pose"]


@dataclasses.dataclass
class Made:
    """What is ready. A peer is (command, None), or (None, why it is skipped)."""

    facelens: str
    cases: dict
    shipped: list
    files: dict
    published: list
    keras: tuple
    onnxruntime: tuple
    mediapipe: tuple
    rten: tuple

    @property
    def net_names(self):
        return list(self.files)

    @property
    def unpacked(self):
        """The files of the networks for rten."""
        return {name: os.path.join(TARGET, "unpacked", os.path.basename(path)) for name, path in self.files.items()}


def say(words):
    print(words, file=sys.stderr, flush=True)


def run(*command, **options):
    """Runs a command; gives None, or the last line of what it said where it failed."""
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)
    except OSError as error:
        return f"{command[0]}: {error.strerror}"
    lines = [line for line in done.stdout.splitlines() if line.strip()]
    return None if done.returncode == 0 else (lines or ["it failed without a word"])[-1]


def facelens(args):
    if args.facelens:
        return os.path.abspath(args.facelens)
    if not args.prepared:
        say("building facelens")
        why = run("cargo", "build", "--release", "--locked", cwd=ROOT)
        if why:
            raise SystemExit(f"facelens cannot be built: {why}")
    return os.path.join(os.environ.get("CARGO_TARGET_DIR") or os.path.join(ROOT, "target"), "release", "facelens")


def environment(name, args):
    """The Python of a peer with its packages in the versions that requirements/NAME.txt pins."""
    requirements = os.path.join(HERE, "requirements", f"{name}.txt")
    folder = os.path.join(TARGET, f"venv-{name}")
    python, done = os.path.join(folder, "bin", "python"), os.path.join(folder, "requirements.txt")
    with open(requirements) as wanted:
        fresh = os.path.isfile(done) and open(done).read() == wanted.read()
    if not fresh:
        if args.prepared:
            return None, "not installed; run without --prepared"
        say(f"installing {name}")
        shutil.rmtree(folder, ignore_errors=True)
        why = run(sys.executable, "-m", "venv", folder) or run(python, "-m", "pip", "install", "-q", "-r", requirements)
        if why:
            return None, why
        shutil.copy(requirements, done)
    return [python, os.path.join(HERE, f"{name}_peer.py")], None


def keras(args):
    if not args.published:
        return None, "the authors' weights are needed: --published FOLDER"
    missing = [name for names in PUBLISHED.values() for name in names if not os.path.isfile(os.path.join(args.published, name))]
    if missing:
        return None, f"{args.published} has no {missing[0]}"
    return environment("keras", args)


def plain(args, keras):
    """The published networks as TensorFlow exports them, by name."""
    command, why = keras
    folder = os.path.join(TARGET, "plain")
    if not args.prepared and not why:
        say("exporting the published networks")
        why = run(command[0], os.path.join(HERE, "plain.py"), args.published, folder)
        if why:
            say(f"skipped: TensorFlow's own export: {why}")
    found = [] if why else sorted(glob.glob(os.path.join(folder, "*.onnx")))
    return {os.path.splitext(os.path.basename(path))[0]: path for path in found}


def rten(args, onnxruntime, files):
    folder, target = os.path.join(HERE, "rten"), os.path.join(TARGET, "rten")
    program = os.path.join(target, "release", "facelens-bench-rten")
    if not args.prepared:
        say("building rten")
        why = run("cargo", "build", "--release", "--locked", cwd=folder, env={**os.environ, "CARGO_TARGET_DIR": target})
        if why:
            return None, why
    if not os.path.isfile(program):
        return None, "not built; run without --prepared"
    # The same networks; rten does not read lists of numbers as facelens writes them.
    unpacked = os.path.join(TARGET, "unpacked")
    os.makedirs(unpacked, exist_ok=True)
    command, why = onnxruntime
    why = why or run(command[0], os.path.join(HERE, "unpack.py"), unpacked, *files.values())
    return (None, f"its files cannot be written: {why}") if why else ([program], None)


def pictures(program, args):
    """The folder of each case: drawn ones, then the user's."""
    cases, folder = {}, os.path.join(TARGET, "pictures")
    for size, faces in CASES:
        name = f"{size}-{faces}"
        why = run(program, "bench", f"--sizes={size}", f"--faces={faces}", "--draw", folder)
        if why:
            raise SystemExit(f"the pictures cannot be drawn: {why}")
        cases[f"{size}, {faces} face{'s' if faces > 1 else ''}"] = os.path.join(folder, name)
    for given in args.pictures:
        cases[given] = os.path.abspath(given)
    return cases


def published(program, args):
    """The authors' weights as ONNX, by task; they stay in target/."""
    made, folder = [], os.path.join(TARGET, "published")
    for task, names in PUBLISHED.items() if args.published else []:
        for name in names:
            stem = os.path.splitext(os.path.basename(name))[0]
            # Converted anew each time: how the graph is written is part of what is measured.
            why = run(program, "models", "import", os.path.join(args.published, name), "--task", task, "-o",
                      os.path.join(folder, task, stem))
            found = glob.glob(os.path.join(folder, task, stem, "*.onnx"))
            if why or not found:
                say(f"skipped: {name}: {why}")
            else:
                made.append((task, found[0]))
    return made


def all_of_it(args):
    os.makedirs(TARGET, exist_ok=True)
    program = facelens(args)
    if args.published:
        args.published = os.path.abspath(args.published)
    models = os.path.join(ROOT, "models")
    shutil.rmtree(os.path.join(TARGET, "published"), ignore_errors=True)
    converted = published(program, args)
    files = {name: os.path.join(models, f"{name}.onnx") for name in IN_USE + TO_CHOOSE}
    files |= {os.path.splitext(os.path.basename(path))[0]: path for _, path in converted}
    files |= {name: os.path.join(models, f"{name}.onnx") for name in ("blazeface-back-256", "blazeface-front-128")}
    made_keras, onnxruntime = keras(args), environment("onnxruntime", args)
    files |= plain(args, made_keras)
    return Made(
        facelens=program,
        cases=pictures(program, args),
        shipped=[os.path.join(models, f"{name}.onnx") for name in IN_USE],
        files=files,
        published=converted,
        keras=made_keras,
        onnxruntime=onnxruntime,
        mediapipe=environment("mediapipe", args),
        rten=rten(args, onnxruntime, files),
    )
