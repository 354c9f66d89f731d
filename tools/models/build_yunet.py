"""Rebuild the YuNet face detector (2023mar) from its ONNX weights as TFLite with a fixed input size.

Rules: the graph is walked, not retyped, so that every weight lands where ONNX has it; outputs are called
kind_stride (cls_8 ... kps_32) and come in the order of OUTPUTS; an operator we do not know stops the build.

Input: 1 x 256 x 320 x 3, BGR, 0..255. Outputs, row-major over the stride grid: cls and obj (n, 1) probabilities,
bbox (n, 4) centre offset and log size in strides, kps (n, 10) five points in strides.
Source: Wu, Peng, Yu, "YuNet: A Tiny Millisecond-level Face Detector", Machine Intelligence Research 20 (2023).
"""

from typing import Any

import tensorflow as tf

from tools.models import layers
from tools.models.onnxfile import Network, Node, parse

HEIGHT, WIDTH = 256, 320
STRIDES = (8, 16, 32)
OUTPUTS = tuple(f"{kind}_{stride}" for kind in ("cls", "obj", "bbox", "kps") for stride in STRIDES)


class BuildError(Exception):
    """The ONNX file holds something this builder does not know."""


def build(onnx_bytes: bytes, samples: layers.Samples | None = None) -> bytes:
    """TFLite bytes: float32, or int8 when calibration `samples` are given. Raises BuildError."""
    network = parse(onnx_bytes)
    graph = tf.Graph()
    with graph.as_default():
        image = tf.compat.v1.placeholder(tf.float32, (1, HEIGHT, WIDTH, 3), name="bgr")
        values: dict[str, Any] = {"input": image}
        for node in network.nodes:
            name = node.outputs[0]
            values[name] = _apply(node, network, values)
        named = [tf.identity(values[name], name=name) for name in OUTPUTS]
    return layers.to_tflite(graph, [image], named, samples)


def _apply(node: Node, network: Network, values: dict[str, Any]) -> Any:
    x = values[node.inputs[0]]
    match node.op:
        case "Conv":
            kernel, bias = (network.weights[name] for name in node.inputs[1:3])
            return layers.conv(x, kernel, bias, node.ints["strides"][0])
        case "Relu":
            return tf.nn.relu(x)
        case "MaxPool":
            return tf.nn.max_pool2d(x, 2, 2, "VALID")
        case "Resize":  # nearest, by two
            return tf.compat.v1.image.resize_nearest_neighbor(x, [2 * x.shape[1], 2 * x.shape[2]])
        case "Add":
            return tf.add(x, values[node.inputs[1]])
        case "Transpose":  # to NHWC, where we already are
            return x
        case "Reshape":
            return tf.reshape(x, (1, x.shape[1] * x.shape[2], x.shape[3]))
        case "Sigmoid":
            return tf.sigmoid(x)
    raise BuildError(f"YuNet: operator {node.op} is not known to this builder.")
