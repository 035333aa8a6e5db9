"""The published way: OpenCV's cascade, then SSR-Net's age and gender and FSA-Net's fusion by `model.predict`."""

import os

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import numpy
import tensorflow as tf

import keras_nets
import worker

AGE, GENDER = "ssrnet/age-imdb.h5", "ssrnet/gender-imdb.h5"
POSE = ["capsule_3_16_2_21_5", "var_capsule_3_16_2_21_5", "noS_capsule_3_16_2_192_5"]


def normalised(crop):
    """The demos' `cv2.normalize(..., NORM_MINMAX)`: one minimum and maximum over all channels."""
    crop = crop.astype(numpy.float64)
    span = crop.max() - crop.min()
    return (crop - crop.min()) * (255.0 / span) if span else crop * 0.0


class Keras:
    def __init__(self, options):
        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(1)
        path = lambda name: os.path.join(options["published"], name)
        self.age, self.gender = keras_nets.ssr_net(path(AGE)), keras_nets.ssr_net(path(GENDER))
        self.pose = keras_nets.fusion([path(f"fsanet/fsanet_{name}.h5") for name in POSE])
        self.cascade = worker.Cascade(options.get("cascade"))
        self.words = f"TensorFlow {tf.__version__}, {self.cascade.name()} every 5th frame"

    def reset(self):
        self.cascade.reset()

    def frame(self, picture):
        boxes = self.cascade.find(picture)
        if len(boxes):
            faces = numpy.stack([normalised(worker.crop(picture, box, 0.5)) for box in boxes])
            self.age.predict(faces, verbose=0)
            self.gender.predict(faces, verbose=0)
        for box in boxes:
            self.pose.predict(normalised(worker.crop(picture, box, 0.6))[None], verbose=0)
        return len(boxes)

    def nets(self):
        face = numpy.random.default_rng(1).uniform(0, 255, (1, 64, 64, 3))
        named = {"published SSR-Net age": self.age, "published SSR-Net gender": self.gender}
        named["published FSA-Net fusion"] = self.pose
        return {name: lambda net=net: net.predict(face, verbose=0) for name, net in named.items()}


if __name__ == "__main__":
    worker.serve(Keras)
