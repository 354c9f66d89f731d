"""FaceMesh in other number formats, made from the one file there is of it.

Rules kept here:
- The shipped file keeps its weights as 16-bit floats and turns them back into 32-bit ones when it is loaded: here the
  weights are turned back once and for all, which changes no result.
- Nothing made here is shipped; it is counted and compared.

Run in the environment that rebuilds the networks (TensorFlow), by `tools.arm64.variants`. The mark of a network that
may be computed in 16-bit floats is TFLite's metadata "reduced_precision_support" (tensorflow/lite/tools/optimize,
reduced_precision_metadata.h); a runtime follows it only where the processor has such arithmetic.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import flatbuffers  # type: ignore[import-untyped]  # LiteRT's wheel brings it, without types
import numpy as np
from tensorflow.lite.python import schema_py_generated as schema
from tensorflow.lite.python.optimize.calibrator import Calibrator

_IDENTIFIER = b"TFL3"
_MAY_BE_16_BIT = (b"reduced_precision_support", b"fp16accfp16")
Samples = Sequence[Any]


def float32(model: bytes) -> bytes:
    """The same network with 32-bit weights: what `int8` starts from."""
    net = _read(model)
    graph = net.subgraphs[0]
    kept = []
    for operator in graph.operators:
        if _code(net, operator) == schema.BuiltinOperator.DEQUANTIZE:
            short, long = graph.tensors[operator.inputs[0]], graph.tensors[operator.outputs[0]]
            weights = np.frombuffer(bytes(net.buffers[short.buffer].data), np.float16).astype(np.float32)
            long.buffer = _buffer(net, weights.tobytes())
        else:
            kept.append(operator)
    graph.operators = kept
    _drop_unused(net, graph)
    return _written(net)


def int8(model: bytes, samples: Samples) -> bytes:
    """`model` (32-bit weights) in 8-bit integers, its ranges taken from `samples`; float input and output."""
    from tensorflow import float32 as real

    made = Calibrator(model).calibrate_and_quantize(lambda: ([each] for each in samples), real, real, False)
    return bytes(made)


def float16_arithmetic(model: bytes) -> bytes:
    """`model` with the mark that it may be computed in 16-bit floats."""
    net = _read(model)
    mark = schema.MetadataT()
    mark.name, data = _MAY_BE_16_BIT
    mark.buffer = _buffer(net, data)
    net.metadata = [*(net.metadata or []), mark]
    return _written(net)


def _drop_unused(net: Any, graph: Any) -> None:
    codes = sorted({operator.opcodeIndex for operator in graph.operators})
    net.operatorCodes = [net.operatorCodes[code] for code in codes]
    used = sorted({t for o in graph.operators for t in (*o.inputs, *o.outputs) if t >= 0} | {*graph.inputs})
    place = {old: new for new, old in enumerate(used)} | {-1: -1}
    graph.tensors = [graph.tensors[old] for old in used]
    for operator in graph.operators:
        operator.opcodeIndex = codes.index(operator.opcodeIndex)
        operator.inputs, operator.outputs = ([place[t] for t in ts] for ts in (operator.inputs, operator.outputs))
    graph.inputs, graph.outputs = ([place[t] for t in ts] for ts in (graph.inputs, graph.outputs))
    net.signatureDefs = None


def _code(net: Any, operator: Any) -> int:
    code = net.operatorCodes[operator.opcodeIndex]
    return int(max(code.builtinCode, code.deprecatedBuiltinCode))


def _buffer(net: Any, data: bytes) -> int:
    buffer = schema.BufferT()
    buffer.data = np.frombuffer(data, np.uint8)
    net.buffers.append(buffer)
    return len(net.buffers) - 1


def _read(model: bytes) -> Any:
    return schema.ModelT.InitFromObj(schema.Model.GetRootAs(bytearray(model), 0))


def _written(net: Any) -> bytes:
    builder = flatbuffers.Builder(1 << 20)
    builder.Finish(net.Pack(builder), file_identifier=_IDENTIFIER)
    return bytes(builder.Output())
