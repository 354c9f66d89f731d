"""The weights of SFace, folded and balanced for int8: pure numpy, no graph.

Rules: what the float network computes does not change, up to rounding. Batch norms are folded into the convolution
before them, the last one into the head; the head becomes one convolution over the whole 7 x 7 map, because TFLite
quantizes convolutions per output channel and dense layers per tensor.

A PReLU slope a above 1 does not fit the int8 rewriting of `layers.prelu`. PReLU_a(x) = -a * PReLU_{1/a}(-x): the sign
goes into the convolution before, the factor -a into the layer after.

Balancing: PReLU is positively homogeneous, so a channel may be scaled by s > 0 before it and by 1/s in the next layer.
int8 activations share one scale per tensor, so channels of equal range lose least. Source: Nagel et al., "Data-Free
Quantization through Weight Equalization and Bias Correction", ICCV 2019; between a depthwise and a pointwise
convolution the range is shared with the weights as in Xiao et al., "SmoothQuant", ICML 2023.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from tools.models.onnxfile import Network, Node, Weights

SHARE = 0.7  # of a channel's range that the weights after a depthwise convolution take over
FLOOR = 1e-3  # of the largest channel range: channels below count as this
HALF_GREY = 0.5 / 128  # (p - 127.5) / 128 is what SFace wants, (p - 128) / 128 is what it gets


class BuildError(Exception):
    """The ONNX file holds something this builder does not know."""


@dataclass(frozen=True)
class Block:
    """Convolution, bias, PReLU. kernel: (out, in/group, k, k); bias and slope: (out,); slope 1 is no activation."""

    kernel: Weights
    bias: Weights
    stride: int
    slope: Weights

    @property
    def depthwise(self) -> bool:
        """Whether every channel is convolved alone."""
        return self.kernel.shape[1] == 1


def fold(network: Network) -> list[Block]:
    """27 blocks with PReLU and the head. Raises BuildError on another network."""
    nodes = [n for n in network.nodes if n.op not in ("Sub", "Mul", "Dropout", "Flatten")]
    if [n.op for n in nodes] != ["Conv", "BatchNormalization", "PRelu"] * 27 + [
        "BatchNormalization",
        "Gemm",
        "BatchNormalization",
    ]:
        raise BuildError("SFace: the ONNX file is not the network this builder knows.")
    blocks: list[Block] = []
    owed: Weights = np.ones(3)
    for at in range(0, 81, 3):
        block, owed = _fold_block(network, nodes[at], nodes[at + 1], nodes[at + 2], owed)
        blocks.append(block)
    first = blocks[0]
    blocks[0] = replace(first, bias=first.bias + first.kernel.sum(axis=(1, 2, 3)) * HALF_GREY)
    return [*blocks, _fold_head(network, nodes[81:], owed)]


def balance(blocks: list[Block], ranges: Sequence[Weights]) -> list[Block]:
    """Scale channels between layers. ranges: for every block but the head, the largest |value| of each channel."""
    balanced = list(blocks)
    for i, seen in enumerate(ranges):
        this, after = balanced[i], balanced[i + 1]
        reach = np.maximum(seen, FLOOR * seen.max())
        if after.depthwise:
            factor = 1 / reach
        else:
            rows = np.abs(after.kernel).max(axis=(1, 2, 3), keepdims=True)
            weight = (np.abs(after.kernel) / rows).max(axis=(0, 2, 3))
            factor = np.maximum(weight, FLOOR * weight.max()) ** (1 - SHARE) / reach**SHARE
        factor = factor / np.exp(np.log(factor).mean())
        balanced[i] = replace(this, kernel=this.kernel * _rows(factor), bias=this.bias * factor)
        balanced[i + 1] = replace(after, kernel=after.kernel * _columns(after, 1 / factor))
    return balanced


def _fold_block(
    network: Network, convolution: Node, norm: Node, activation: Node, owed: Weights
) -> tuple[Block, Weights]:
    gain, shift = _norm(network, norm)
    slope = network.weights[activation.inputs[1]].ravel()
    steep = slope > 1
    sign = np.where(steep, -1.0, 1.0)
    gentle = np.where(steep, 1 / np.where(steep, slope, 1.0), slope)
    block = Block(network.weights[convolution.inputs[1]], shift * sign, convolution.ints["strides"][0], gentle)
    kernel = block.kernel * _rows(gain * sign) * _columns(block, owed)
    return replace(block, kernel=kernel), np.where(steep, -slope, 1.0)


def _fold_head(network: Network, nodes: list[Node], owed: Weights) -> Block:
    gain_in, shift_in = _norm(network, nodes[0])
    gain_out, shift_out = _norm(network, nodes[2])
    kernel = network.weights[nodes[1].inputs[1]].reshape(gain_out.size, gain_in.size, 7, 7)
    bias = network.weights[nodes[1].inputs[2]] + (kernel * shift_in[None, :, None, None]).sum(axis=(1, 2, 3))
    kernel = kernel * (gain_in * owed)[None, :, None, None] * _rows(gain_out)
    return Block(kernel, bias * gain_out + shift_out, 1, np.ones(gain_out.size))


def _norm(network: Network, node: Node) -> tuple[Weights, Weights]:
    """Gain and shift of a batch norm in inference."""
    gamma, beta, mean, variance = (network.weights[name] for name in node.inputs[1:5])
    gain = gamma / np.sqrt(variance + node.floats["epsilon"])
    return gain, beta - mean * gain


def _rows(values: Weights) -> Weights:
    return values[:, None, None, None]


def _columns(block: Block, values: Weights) -> Weights:
    return _rows(values) if block.depthwise else values[None, :, None, None]
