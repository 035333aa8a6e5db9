"""Writes the published networks as TensorFlow's own exporter does, for ONNX Runtime: plain.py WEIGHTS FOLDER. facelens
writes them in the order that tract runs fast, which is not what ONNX Runtime likes best."""

import os
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import tensorflow as tf
import tf2onnx

import keras_nets

NETS = {
    "ssrnet-age-imdb": (keras_nets.ssr_net, "ssrnet/age-imdb.h5"),
    "ssrnet-gender-imdb": (keras_nets.ssr_net, "ssrnet/gender-imdb.h5"),
    "fsanet-capsule": (keras_nets.fsa_net, "fsanet/fsanet_capsule_3_16_2_21_5.h5"),
    "fsanet-var-capsule": (keras_nets.fsa_net, "fsanet/fsanet_var_capsule_3_16_2_21_5.h5"),
    "fsanet-nos-capsule": (keras_nets.fsa_net, "fsanet/fsanet_noS_capsule_3_16_2_192_5.h5"),
}

weights, folder = sys.argv[1:]
os.makedirs(folder, exist_ok=True)
for name, (make, file) in NETS.items():
    face = [tf.TensorSpec((1, 64, 64, 3), tf.float32, name="face")]
    model = make(os.path.join(weights, file))
    tf2onnx.convert.from_keras(model, face, opset=17, output_path=os.path.join(folder, f"{name}-plain.onnx"))
