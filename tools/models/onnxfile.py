"""Read an ONNX file into plain values: nodes in order, weights by name.

Rules: only what the two networks need is read; weights come out as float64 so that folding loses nothing.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import onnx
from onnx import numpy_helper

Weights = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Node:
    """One operator: its kind, the names it reads and writes, its attributes (int, float or list of int)."""

    op: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    ints: dict[str, list[int]]
    floats: dict[str, float]


@dataclass(frozen=True)
class Network:
    """A whole file: operators in topological order, weights, and the names of the outputs."""

    nodes: tuple[Node, ...]
    weights: dict[str, Weights]
    outputs: tuple[str, ...]


def parse(data: bytes) -> Network:
    """Parse the bytes of an ONNX file. Raises onnx's own DecodeError on garbage."""
    graph = onnx.load_model_from_string(data).graph
    weights = {w.name: np.asarray(numpy_helper.to_array(w), np.float64) for w in graph.initializer}
    return Network(tuple(_node(n) for n in graph.node), weights, tuple(o.name for o in graph.output))


def _node(proto: onnx.NodeProto) -> Node:
    kinds = onnx.AttributeProto
    ints: dict[str, list[int]] = {}
    floats: dict[str, float] = {}
    for attribute in proto.attribute:
        if attribute.type == kinds.INTS:
            ints[attribute.name] = list(attribute.ints)
        elif attribute.type == kinds.INT:
            ints[attribute.name] = [attribute.i]
        elif attribute.type == kinds.FLOAT:
            floats[attribute.name] = attribute.f
    return Node(proto.op_type, tuple(proto.input), tuple(proto.output), ints, floats)
