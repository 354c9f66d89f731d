"""Run a TFLite network with whichever runtime this environment has.

Rules: floats go in and come out; quantization is done here, from the scale and zero point the file states; one thread,
so that results repeat. Order of choice: ai-edge-litert, tflite-runtime, TensorFlow (the build environment).
"""

import importlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
RUNTIMES = ("ai_edge_litert.interpreter", "tflite_runtime.interpreter", "tensorflow.lite.python.interpreter")


class RunnerError(Exception):
    """No TFLite runtime is installed."""


class Runner:
    """One loaded network. `outputs` maps output name to details, in interpreter order."""

    def __init__(self, model: bytes, runtime: str | None = None) -> None:
        self.runtime, interpreter = _interpreter(runtime)
        self._net = interpreter(model_content=model, num_threads=1)
        self._net.allocate_tensors()
        self.input: dict[str, Any] = self._net.get_input_details()[0]
        self.outputs: dict[str, dict[str, Any]] = {o["name"]: o for o in self._net.get_output_details()}

    @classmethod
    def load(cls, path: Path, runtime: str | None = None) -> "Runner":
        """From a file."""
        return cls(path.read_bytes(), runtime)

    def __call__(self, values: Floats) -> dict[str, Floats]:
        """Run once. values: float32 of the input's shape; the result is float32 by output name."""
        self._net.set_tensor(self.input["index"], _quantize(values, self.input))
        self._net.invoke()
        return {name: _dequantize(self._net.get_tensor(o["index"]), o) for name, o in self.outputs.items()}


def _interpreter(runtime: str | None) -> tuple[str, Any]:
    for name in (runtime,) if runtime else RUNTIMES:
        try:
            return name, importlib.import_module(name).Interpreter
        except ImportError:
            continue
    raise RunnerError("No TFLite runtime is installed: install ai-edge-litert or tflite-runtime.")


def _quantize(values: Floats, details: dict[str, Any]) -> npt.NDArray[Any]:
    if details["dtype"] == np.float32:
        return values.astype(np.float32)
    scale, zero = details["quantization"]
    limits = np.iinfo(details["dtype"])
    stored: npt.NDArray[Any] = np.clip(np.rint(values / scale + zero), limits.min, limits.max).astype(details["dtype"])
    return stored


def _dequantize(values: npt.NDArray[Any], details: dict[str, Any]) -> Floats:
    if details["dtype"] == np.float32:
        return values.astype(np.float32)
    scale, zero = details["quantization"]
    real: Floats = ((values.astype(np.float32) - zero) * scale).astype(np.float32)
    return real
