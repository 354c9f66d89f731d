"""Rebuild the SFace embedder (2021dec) from its ONNX weights as full int8 TFLite.

Rules: the input normalisation is not in the graph: the float input is (p - 128) / 128 with quantization scale 1/128 and
zero point 0, so that the int8 input is exactly pixel - 128; calibration crops decide ranges and nothing else.

Input: 1 x 112 x 112 x 3, BGR, aligned to the five-point template. Output: 1 x 128, not normalised; compare by cosine.
Source: Zhong et al., "SFace: Sigmoid-Constrained Hypersphere Loss for Robust Face Recognition", IEEE TIP 30 (2021).
"""

from typing import Any

import numpy as np
import tensorflow as tf

from tools.models import layers, sface_weights
from tools.models.onnxfile import Weights, parse
from tools.models.sface_weights import Block

SIZE = 112
VALUES = "BGR, aligned crop; int8 = pixel - 128, float (p - 128) / 128"


def build(onnx_bytes: bytes, samples: layers.Samples | None, *, balanced: bool = True) -> bytes:
    """TFLite bytes: int8 with calibration `samples` of shape (1, 112, 112, 3), (p - 128) / 128; float32 without.

    balanced: scale channels for int8 (see sface_weights); False shows what that is worth. Raises
    sface_weights.BuildError if the ONNX file is another network.
    """
    if samples is not None and balanced:
        blocks = balanced_blocks(onnx_bytes, samples)
    else:
        blocks = sface_weights.fold(parse(onnx_bytes))
    graph = tf.Graph()
    with graph.as_default():
        image, _, output = network(blocks)
    return layers.to_tflite(graph, [image], [output], samples)


def balanced_blocks(onnx_bytes: bytes, samples: layers.Samples) -> list[Block]:
    """The network's blocks with their channels scaled for int8. Raises sface_weights.BuildError as `build` does."""
    blocks = sface_weights.fold(parse(onnx_bytes))
    return sface_weights.balance(blocks, _ranges(blocks, samples))


def network(blocks: list[Block]) -> tuple[Any, list[Any], Any]:
    """Input placeholder, the output of every convolution before its PReLU, and the embedding."""
    image = x = tf.compat.v1.placeholder(tf.float32, (1, SIZE, SIZE, 3), name="bgr")
    before = []
    for block in blocks[:-1]:
        x = layers.conv(x, block.kernel, block.bias, block.stride)
        before.append(x)
        x = layers.prelu(x, block.slope)
    head = blocks[-1]
    x = layers.conv(x, head.kernel, head.bias, whole=True)
    return image, before, tf.identity(tf.reshape(x, (1, head.bias.size)), name="embedding")


def _ranges(blocks: list[Block], samples: layers.Samples) -> list[Weights]:
    """Largest |value| of every channel of every block over the samples, before PReLU."""
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        image, before, _ = network(blocks)
        largest = [tf.reduce_max(tf.abs(x), axis=[0, 1, 2]) for x in before]
        seen = [session.run(largest, {image: sample}) for (sample,) in samples()]
    return [np.max(channel, axis=0).astype(np.float64) for channel in zip(*seen, strict=True)]
