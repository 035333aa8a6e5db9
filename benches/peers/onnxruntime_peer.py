"""OpenCV's cascade and ONNX Runtime on the networks that facelens ships; and every ONNX file given, call by call."""

import os
import tomllib

import cv2
import numpy
import onnxruntime

import worker


def session(path):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


class Net:
    """A shipped network with the crop and scaling that its card states."""

    def __init__(self, path):
        self.session = session(path)
        self.input = self.session.get_inputs()[0].name
        with open(os.path.splitext(path)[0] + ".toml", "rb") as file:
            card = tomllib.load(file)
        self.margin, scaling = card["crop"]["margin"], card["input"]["scaling"]
        self.mean, self.scale = scaling["mean"], 1.0 / scaling["std"][0]

    def run(self, picture, box):
        face = worker.crop(picture, box, self.margin)
        blob = cv2.dnn.blobFromImage(face, self.scale, (64, 64), self.mean, swapRB=True)
        return self.session.run(None, {self.input: blob})


class OnnxRuntime:
    def __init__(self, options):
        self.shipped = [Net(path) for path in options["shipped"]]
        self.files = options["files"]
        self.cascade = worker.Cascade(options.get("cascade"))
        self.words = f"ONNX Runtime {onnxruntime.__version__}, {self.cascade.name()} every 5th frame"

    def reset(self):
        self.cascade.reset()

    def frame(self, picture):
        boxes = self.cascade.find(picture)
        for box in boxes:
            for net in self.shipped:
                net.run(picture, box)
        return len(boxes)

    def nets(self):
        def call(name, path):
            net = session(path)
            # Detectors take any side; the one that they are made for ends their name.
            free = int(name.rpartition("-")[2]) if name.startswith("blazeface") else 1
            shape = [side if isinstance(side, int) else free for side in net.get_inputs()[0].shape]
            value = numpy.random.default_rng(1).uniform(-1, 1, shape).astype(numpy.float32)
            feed = {net.get_inputs()[0].name: value}
            return lambda: net.run(None, feed)

        return {name: call(name, path) for name, path in self.files.items()}


if __name__ == "__main__":
    worker.serve(OnnxRuntime)
