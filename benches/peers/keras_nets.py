"""SSR-Net and FSA-Net in Keras, written from the papers (Yang et al., IJCAI 2018 and CVPR 2019), with the weights of the
authors' HDF5 files. The files come from the user; this project holds none of them."""

import re

import h5py
import tensorflow as tf
from tensorflow.keras import layers

BINS = 3


class Weights:
    """The tensors of a file, or of one of its nested models, by layer. Keras counts on within a session, so of layers
    without a name of their own only the order of the numbers means something."""

    def __init__(self, group):
        self.layers = {}

        def visit(name, item):
            if isinstance(item, h5py.Dataset):
                layer, tensor = name.split("/")[-2:]
                self.layers.setdefault(layer, {})[tensor.removesuffix(":0")] = item[()]

        group.visititems(visit)
        self.used = {}

    def next(self, kind):
        """The next layer of this kind, in the order in which the authors' program made them."""
        names = [name for name in self.layers if re.fullmatch(rf"{kind}(_\d+)?", name)]
        names.sort(key=lambda name: int(name.removeprefix(kind).lstrip("_") or 0))
        place = self.used.get(kind, 0)
        self.used[kind] = place + 1
        return self.layers[names[place]]

    def has(self, kind):
        return any(re.fullmatch(rf"{kind}(_\d+)?", name) for name in self.layers)


class Builder:
    """Makes layers and remembers what they are to be filled with."""

    def __init__(self):
        self.fill = []

    def layer(self, layer, x, *tensors):
        y = layer(x)
        self.fill.append((layer, tensors))
        return y

    def convolution(self, x, weights, activation=None):
        kernel, bias = weights["kernel"], weights["bias"]
        made = layers.Conv2D(kernel.shape[-1], kernel.shape[:2], activation=activation)
        return self.layer(made, x, kernel, bias)

    def dense(self, x, weights, activation=None):
        made = layers.Dense(weights["bias"].shape[0], activation=activation)
        return self.layer(made, x, weights["kernel"], weights["bias"])

    def norm(self, x, weights):
        tensors = [weights[name] for name in ("gamma", "beta", "moving_mean", "moving_variance")]
        return self.layer(layers.BatchNormalization(), x, *tensors)

    def finish(self, inputs, outputs):
        model = tf.keras.Model(inputs, outputs)
        for layer, tensors in self.fill:
            layer.set_weights(tensors)
        return model


def regression(stages, first_bin, value_range):
    """Soft stagewise regression of (p, eta, delta) of each stage; p is [batch, ..., bins]."""
    index = tf.range(first_bin, first_bin + BINS, dtype=tf.float32)
    total, width = 0.0, 1.0
    for p, eta, delta in stages:
        width = width * (BINS * (1.0 + delta))
        total = total + tf.reduce_sum((index + eta) * p, axis=-1) / width
    return total * value_range


def ssr_net(path):
    """Years of an age file, the male score of a gender file; input [n, 64, 64, 3], BGR, 0 to 255."""
    with h5py.File(path) as file:
        w = Weights(file)
    prefix = "pred_age_stage" if w.has("pred_age_stage1") else "pred_stage"
    value_range = 101.0 if prefix == "pred_age_stage" else 1.0
    b = Builder()
    inputs = layers.Input((64, 64, 3))

    def stream(activation, pool):
        x, maps = inputs, []
        for block in range(4):
            x = b.convolution(x, w.next("conv2d"))
            x = b.norm(x, w.next("batch_normalization"))
            x = layers.Activation(activation)(x)
            if block < 3:
                x = pool(2)(x)
            maps.append(x)
        return maps

    relu_maps = stream("relu", layers.AveragePooling2D)
    tanh_maps = stream("tanh", layers.MaxPooling2D)
    stages = []
    for stage, (scale, pool) in enumerate([(3, 1), (1, 4), (0, 8)], start=1):
        tanh_head = b.convolution(tanh_maps[scale], w.next("conv2d"), "relu")
        relu_head = b.convolution(relu_maps[scale], w.next("conv2d"), "relu")
        if pool > 1:
            tanh_head, relu_head = layers.MaxPooling2D(pool)(tanh_head), layers.AveragePooling2D(pool)(relu_head)
        tanh_head, relu_head = layers.Flatten()(tanh_head), layers.Flatten()(relu_head)
        delta = b.dense(layers.multiply([tanh_head, relu_head]), w.layers[f"delta_s{stage}"], "tanh")
        tanh_mix = b.dense(tanh_head, w.next("dense"), "relu")
        relu_mix = b.dense(relu_head, w.next("dense"), "relu")
        feature = b.dense(layers.multiply([tanh_mix, relu_mix]), w.next("dense"), "relu")
        p = b.dense(feature, w.layers[f"{prefix}{stage}"], "relu")
        eta = b.dense(feature, w.layers[f"local_delta_stage{stage}"], "tanh")
        stages.append((p, eta, delta))

    def merge(parts):
        triples = [(parts[k], parts[k + 1], parts[k + 2][:, 0]) for k in (0, 3, 6)]
        return regression(triples, 0.0, value_range)[:, None]

    return b.finish(inputs, layers.Lambda(merge)([part for stage in stages for part in stage]))


def route(features, weights, rounds=2):
    """Routing by agreement (Sabour et al., NIPS 2017): features [b, n, 64], weights [3, n, 16, 64] -> [b, 3, 16]."""
    votes = tf.einsum("jnvf,bnf->bjnv", weights, features)
    agreement = tf.zeros_like(votes[..., 0])
    for _ in range(rounds):
        coupling = tf.nn.softmax(agreement, axis=1)
        total = tf.einsum("bjn,bjnv->bjv", coupling, votes)
        square = tf.reduce_sum(total * total, -1, keepdims=True)
        capsules = square / (1.0 + square) / tf.sqrt(square + 1e-7) * total
        agreement = agreement + tf.einsum("bjv,bjnv->bjn", capsules, votes)
    return capsules


def fsa_net(path):
    """Yaw, pitch and roll in degrees; input [n, 64, 64, 3], BGR, 0 to 255. The capsule nets: 1x1, variance, no scoring."""
    with h5py.File(path) as file:
        part = {name: Weights(file[name]) for name in file if len(file[name])}
    g, heads, capsules = part["ssr_G_model"], part["ssr_F_Cap_model"], part["ssr_Cap_model"].layers["caps"]["W"]
    structure = part.get("ssr_S_model")
    b = Builder()
    inputs = layers.Input((64, 64, 3))

    def stream(activation, pool):
        x, maps = inputs, []
        for block in range(7):
            w = g.next("separable_conv2d")
            made = layers.SeparableConv2D(w["bias"].shape[0], 3, padding="same")
            x = b.layer(made, x, w["depthwise_kernel"], w["pointwise_kernel"], w["bias"])
            x = layers.Activation(activation)(b.norm(x, g.next("batch_normalization")))
            if block in (0, 2, 4):
                x = pool(2)(x)
            maps.append(x)
        return maps

    relu_maps = stream("relu", layers.AveragePooling2D)
    tanh_maps = stream("tanh", layers.MaxPooling2D)
    maps = []
    for scale in (6, 4, 2):
        tanh_head = b.convolution(tanh_maps[scale], g.next("conv2d"), "tanh")
        relu_head = b.convolution(relu_maps[scale], g.next("conv2d"), "relu")
        maps.append(layers.multiply([tanh_head, relu_head]))
    maps[2] = layers.AveragePooling2D(2)(maps[2])
    places = layers.Concatenate(axis=1)([layers.Reshape((64, 64))(x) for x in maps])
    features = mapped(b, structure, maps, places) if structure else places
    vectors = layers.Lambda(lambda x: route(x, tf.constant(capsules)))(features)
    outputs = []
    for stage in (1, 2, 3):
        vector = layers.Lambda(lambda x, k=stage - 1: x[:, k])(vectors)
        cut = lambda x, start, end: layers.Lambda(lambda x: x[:, start:end])(x)
        delta = b.dense(cut(vector, 0, 4), heads.layers[f"delta_s{stage}"], "tanh")
        eta = b.dense(cut(vector, 4, 8), heads.layers[f"local_delta_stage{stage}"], "tanh")
        p = layers.Reshape((3, BINS))(b.dense(cut(vector, 8, 16), heads.next("dense"), "relu"))
        outputs += [p, eta, delta]

    def merge(parts):
        return regression([(parts[k], parts[k + 1][..., None], parts[k + 2]) for k in (0, 3, 6)], -1.0, 99.0)

    return b.finish(inputs, layers.Lambda(merge)(outputs))


def mapped(b, w, maps, places):
    """Fine-grained structure mapping: weighted sums of the features of all places."""
    if w.has("conv2d"):
        # One layer scores all three maps.
        kernel = w.next("conv2d")
        score = layers.Conv2D(1, 1, activation="sigmoid")
        scores = [score(x) for x in maps]
        b.fill.append((score, (kernel["kernel"], kernel["bias"])))
    else:
        scores = [layers.Lambda(lambda x: tf.math.reduce_variance(x, axis=-1))(x) for x in maps]
    scores = [layers.Flatten()(x) for x in scores]
    of_map, of_all = w.next("dense"), w.next("dense")
    dense = layers.Dense(of_map["bias"].shape[0], activation="sigmoid")
    rows = of_map["bias"].shape[0] // 192
    sheets = [layers.Reshape((rows, 192))(dense(x)) for x in scores]
    b.fill.append((dense, (of_map["kernel"], of_map["bias"])))
    combination = b.dense(layers.Concatenate()(scores), of_all, "sigmoid")
    combination = layers.Reshape((of_all["bias"].shape[0] // rows, rows))(combination)

    def combine(parts):
        combination, places, *sheets = parts
        found = []
        for sheet in sheets:
            structure = combination @ sheet
            found.append((structure @ places) / tf.reduce_sum(structure, axis=-1, keepdims=True))
        return tf.concat(found, axis=1)

    return layers.Lambda(combine)([combination, places, *sheets])


def fusion(paths):
    """The mean of several FSA-Nets, as the authors' demo builds it."""
    inputs = layers.Input((64, 64, 3))
    return tf.keras.Model(inputs, layers.Average()([fsa_net(path)(inputs) for path in paths]))
