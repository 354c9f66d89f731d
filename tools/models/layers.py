"""The few TensorFlow operations that both networks are rebuilt from, and the conversion to TFLite.

Rules: tensors are NHWC; ONNX kernels (out, in/group, h, w) are transposed here and nowhere else; weights are constants
of the graph, so the converted file holds no variables; inputs and outputs keep the names they are given.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

Float = npt.NDArray[np.floating[Any]]
Tensor = Any  # TensorFlow ships no usable types
Samples = Callable[[], Iterator[list[npt.NDArray[np.float32]]]]


def conv(
    x: Tensor, kernel: Float, bias: Float | None, stride: int = 1, *, relu: bool = False, whole: bool = False
) -> Tensor:
    """Ordinary or depthwise convolution, then bias, then ReLU.

    kernel: ONNX layout (out, in/group, k, k); depthwise if in/group is 1 and out equals the channels of `x`.
    Padding is half the kernel on all sides, or none if the kernel covers the `whole` map.
    """
    size = kernel.shape[2]
    depthwise = kernel.shape[1] == 1 and kernel.shape[0] == x.shape[3]
    padding = "VALID" if whole else "SAME"
    if stride > 1 and size > 1:  # TensorFlow's SAME would pad one-sidedly; ONNX pads both sides
        half = size // 2
        x, padding = tf.pad(x, [[0, 0], [half, half], [half, half], [0, 0]]), "VALID"
    strides = [1, stride, stride, 1]
    if depthwise:
        x = tf.nn.depthwise_conv2d(x, _const(kernel.transpose(2, 3, 0, 1)), strides, padding)
    else:
        x = tf.nn.conv2d(x, _const(kernel.transpose(2, 3, 1, 0)), strides, padding)
    if bias is not None:
        x = tf.nn.bias_add(x, _const(bias))
    return tf.nn.relu(x) if relu else x


def prelu(x: Tensor, slope: Float) -> Tensor:
    """PReLU for slopes of at most 1 as slope*x + relu((1-slope)*x): two 1x1 depthwise convolutions and an ADD.

    The native int8 PRELU operator is slow in both runtimes; these operators are not.
    """
    as_kernel = slope.reshape(-1, 1, 1, 1)
    return tf.add(conv(x, as_kernel, None), conv(x, 1 - as_kernel, None, relu=True))


def to_tflite(
    graph: tf.Graph, inputs: Sequence[Tensor], outputs: Sequence[Tensor], samples: Samples | None = None
) -> bytes:
    """Convert a graph of constants. With `samples` (float inputs) to full int8, input and output too, else float."""
    return bytes(converter(graph, inputs, outputs, samples).convert())


def converter(
    graph: tf.Graph, inputs: Sequence[Tensor], outputs: Sequence[Tensor], samples: Samples | None = None
) -> Any:
    """TensorFlow's converter, ready. The version-1 one is used because it keeps tensor names and output order."""
    session = tf.compat.v1.Session(graph=graph)
    made = tf.compat.v1.lite.TFLiteConverter.from_session(session, inputs, outputs)
    if samples is not None:
        made.optimizations = [tf.lite.Optimize.DEFAULT]
        made.representative_dataset = samples
        made.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        made.inference_input_type = tf.int8
        made.inference_output_type = tf.int8
    return made


def _const(value: Float) -> Tensor:
    return tf.constant(np.ascontiguousarray(value, np.float32))
