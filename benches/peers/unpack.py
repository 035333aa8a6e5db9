"""Writes ONNX files anew with each list of numbers unpacked, as rten 0.27 wants them: unpack.py FOLDER FILE..."""

import os
import sys

import onnx

for path in sys.argv[2:]:
    onnx.save(onnx.load(path), os.path.join(sys.argv[1], os.path.basename(path)))
