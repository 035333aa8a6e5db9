"""Medians over the rounds, and the tables."""

import re
import statistics

README_PART = re.compile(r"(<!-- speed: .*? -->\n).*?(<!-- end of speed -->)", re.DOTALL)

IN_USE = ("facelens-face",)
OURS = (*IN_USE, "facelens-pose")
NAMES = {
    "facelens": "facelens",
    "keras": "the published way",
    "onnxruntime": "OpenCV and ONNX Runtime, our networks",
    "mediapipe-mesh": "mediapipe's face mesh",
    "mediapipe-detection": "mediapipe's face detection alone",
    "rten": "rten",
}


def table(rows):
    """A Markdown table."""
    head, *lines = rows
    return "\n".join("| " + " | ".join(row) + " |" for row in [head, ["---"] * len(head), *lines])


def number(value, digits=2):
    return "" if value is None else f"{value:.{digits}f}"


class Result:
    """`own`: what `facelens bench` says. `frames`: the answers of each round by (case, peer). `nets`: by peer, each
    round's times by network."""

    def __init__(self, own, frames, nets, words, cases, net_names):
        self.own, self.words, self.cases, self.net_names = own, words, cases, net_names
        self.nets = {peer: self.of_calls(rounds) for peer, rounds in nets.items()}
        self.frames = {key: self.of_rounds(rounds) for key, rounds in frames.items()}

    @staticmethod
    def of_rounds(rounds):
        median = lambda of: statistics.median(of(answer) for answer in rounds)
        return {
            "fps": median(lambda answer: answer["frames"] / answer["wall_s"]),
            "cpu_ms": median(lambda answer: answer["cpu_s"] / answer["frames"] * 1e3),
            "found": median(lambda answer: answer["found"]),
        }

    @staticmethod
    def of_calls(rounds):
        median = lambda name, key: statistics.median(times[name][key] for times in rounds)
        return {name: {key: median(name, key) for key in ("wall_ms", "cpu_ms")} for name in rounds[0]}

    def own_rows(self):
        """Frames a second and processor time by size and number of faces."""
        frames = self.own["frames"]
        faces = sorted({frame["faces"] for frame in frames})
        rows = [["frames a second (processor ms a frame)", *(f"{n} face{'s' if n > 1 else ''}" for n in faces)]]
        for size in dict.fromkeys((frame["width"], frame["height"]) for frame in frames):
            row = {frame["faces"]: frame for frame in frames if (frame["width"], frame["height"]) == size}
            cell = lambda frame: f"{frame['fps']:.0f} ({number(frame.get('cpu_ms_per_frame'), 1)})"
            rows.append([f"{size[0]}x{size[1]}", *(cell(row[n]) for n in faces)])
        return rows

    def own_words(self):
        start, live = self.own["start"], self.own["live"]
        memory = f", {start['memory']['peak_mib']:.0f} MiB in RAM at most" if "memory" in start else ""
        return (f"The models are loaded in {start['load_models_ms']:.0f} ms and the detector in "
                f"{start['load_detector_ms']:.0f} ms{memory} (without the window). Live, on the demo with two faces, an overlay "
                f"is ready {live['delay_ms']:.1f} ms after its frame came (median).")

    def frame_rows(self, case):
        peers = [peer for (of, peer) in self.frames if of == case]
        ours = self.frames[case, "facelens"]
        rows = [[case, "faces found", "frames a second", "processor ms a frame", "times facelens'"]]
        for peer in peers:
            figures = self.frames[case, peer]
            ratio = f"{figures['cpu_ms'] / ours['cpu_ms']:.1f}"
            cells = [f"{figures['found']:.0f}", number(figures["fps"], 0), number(figures["cpu_ms"]), ratio]
            rows.append([NAMES[peer], *cells])
        return rows

    def net_rows(self):
        peers = [peer for peer in ("facelens", "onnxruntime", "rten") if peer in self.nets]
        titles = {"facelens": "facelens (tract)", "onnxruntime": "ONNX Runtime", "rten": "rten"}
        ratio = "onnxruntime" in peers
        rows = [["ms a call", *(titles[peer] for peer in peers), *(["tract / ONNX Runtime"] if ratio else [])]]
        for name in self.net_names:
            times = {peer: self.nets[peer].get(name, {}).get("wall_ms") for peer in peers}
            cells = [number(times[peer]) for peer in peers]
            if ratio:
                both = times["facelens"] and times["onnxruntime"]
                cells.append(number(times["facelens"] / times["onnxruntime"], 1) if both else "")
            rows.append([name, *cells])
        return rows

    def published_rows(self):
        """What one `model.predict` of the published programs costs."""
        calls = self.nets.get("keras", {})
        rows = [["ms a call of `model.predict`", "time", "processor time"]]
        return rows + [[name, number(call["wall_ms"], 1), number(call["cpu_ms"], 1)] for name, call in calls.items()]

    def goal(self):
        """All three estimates of a face: what ships in facelens, and the published networks in ONNX Runtime, each in the
        form that is the faster one there."""
        calls = self.nets.get("onnxruntime", {})
        ours = [self.nets["facelens"].get(name) for name in IN_USE]
        theirs = [min(call["wall_ms"], calls.get(f"{name}-plain", call)["wall_ms"]) for name, call in calls.items()
                  if name not in OURS and not name.startswith("blazeface") and not name.endswith("-plain")]
        if None in ours or len(theirs) < 5:
            return ""
        ours, theirs = sum(net["wall_ms"] for net in ours), sum(theirs)
        return (f"Age, gender and pose of one face: {ours:.2f} ms by what ships, in tract; {theirs:.2f} ms by the published "
                f"SSR-Net age and gender and FSA-Net fusion, in ONNX Runtime: {ours / theirs:.2f} times.")

    def text(self):
        parts = [table(self.own_rows()), self.own_words(), *(table(self.frame_rows(case)) for case in self.cases)]
        parts.append(table(self.net_rows()))
        if "keras" in self.nets:
            parts.append(table(self.published_rows()))
        parts.append(self.goal())
        parts.append("One core each, by turns. " + "; ".join(self.words.values()) + ".")
        return "\n\n".join(part for part in parts if part)

    def write_into(self, path):
        """Puts the tables between the two marks in a Markdown file."""
        with open(path, encoding="utf-8") as file:
            text = file.read()
        if not README_PART.search(text):
            raise SystemExit(f"{path}: there are no marks to write the tables between")
        with open(path, "w", encoding="utf-8") as file:
            file.write(README_PART.sub(lambda marks: f"{marks[1]}{self.text()}\n{marks[2]}", text))

    def document(self):
        frames = [{"case": case, "peer": peer, **figures} for (case, peer), figures in self.frames.items()]
        return {"facelens": self.own, "frames": frames, "nets": self.nets, "versions": self.words}
