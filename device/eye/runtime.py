"""The two TFLite runtimes behind one small class.

Rules kept here:
- A network runs only if its inputs and outputs are exactly those of its manifest entry: name, shape, type and
  quantization. An output nobody declared, or one that is missing, refuses the model.
- The interpreter is made from bytes that were checked (`device.manifest.load_model_bytes`), never from a path.
- The number of threads is always stated; the runtimes' default depends on the machine.
- tflite-runtime's last release was built for numpy 1 and fails with a bare SystemError under numpy 2: refused in words.
- What the C++ side says while loading is not lost: it is held back, dropped only if it is an "INFO:" line, and part of
  the sentence if loading fails.

Sources: measured with ai-edge-litert 2.3.0 and tflite-runtime 2.14.0; both take the same arguments.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum, unique
from pathlib import Path
from typing import Any, Final, cast

import numpy as np
import numpy.typing as npt

from device.errors import ModelRefused
from device.manifest import ModelEntry, Tensor, load_model_bytes

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float32]

_STDERR: Final = 2


@unique
class Runtime(StrEnum):
    """A runtime by the word the configuration uses."""

    LITERT = "litert"
    TFLITE = "tflite"


_MODULES: Final = {
    Runtime.LITERT: "ai_edge_litert.interpreter",
    Runtime.TFLITE: "tflite_runtime.interpreter",
}
# LiteRT needs fewer instructions for every network on both 64-bit Arm processors that were counted: the figures are in
# models/manifest.toml (arm64_millions), how they were had in docs/arm64.md. tflite-runtime sends no int8 operation of
# SFace to XNNPACK, neither there nor on x86-64. So there is one order for all platforms.
PREFERENCE: Final = (Runtime.LITERT, Runtime.TFLITE)
PACKAGES: Final = {Runtime.LITERT: "ai-edge-litert", Runtime.TFLITE: "tflite-runtime"}


def installed() -> frozenset[Runtime]:
    """The runtimes this environment has."""
    return frozenset(
        runtime for runtime, module in _MODULES.items() if importlib.util.find_spec(module.partition(".")[0])
    )


def choose(setting: str, present: frozenset[Runtime] | None = None) -> Runtime:
    """The runtime for `setting` ("auto", "litert" or "tflite"). Raises ModelRefused if it is not installed.

    "auto" is the first of `PREFERENCE` that is installed, on every processor.
    """
    present = installed() if present is None else present
    if not present:
        msg = "no TFLite runtime is installed: install ai-edge-litert or tflite-runtime"
        raise ModelRefused(msg)
    if setting != "auto":
        runtime = Runtime(setting)
        if runtime not in present:
            msg = f"[eye] runtime asks for {runtime}, but {PACKAGES[runtime]} is not installed"
            raise ModelRefused(msg)
        return runtime
    return next(runtime for runtime in PREFERENCE if runtime in present)


@dataclass(slots=True, eq=False)
class Network:
    """One loaded network; not for use by several threads.

    `feed`, `invoke_only` and `fetch` are the path without copies; `run` is the plain one.
    """

    entry: ModelEntry
    runtime: Runtime
    _net: Any = field(repr=False)
    _input: int = field(repr=False)
    _outputs: tuple[int, ...] = field(repr=False)

    @classmethod
    def load(cls, entry: ModelEntry, folder: Path, runtime: Runtime, threads: int = 1) -> Network:
        """The network of `entry`, its file read from `folder` and checked. Raises ModelRefused."""
        return cls.from_bytes(entry, load_model_bytes(entry, folder), runtime, threads)

    @classmethod
    def from_bytes(cls, entry: ModelEntry, model: bytes, runtime: Runtime, threads: int = 1) -> Network:
        """The network in `model`, which the caller has checked. Raises ModelRefused."""
        net = _interpreter(entry, model, runtime, threads)
        inputs, outputs = net.get_input_details(), net.get_output_details()
        _compare(entry, "input", (entry.input,), inputs)
        _compare(entry, "output", entry.outputs, outputs)
        index = {details["name"]: int(details["index"]) for details in outputs}
        return cls(entry, runtime, net, int(inputs[0]["index"]), tuple(index[t.name] for t in entry.outputs))

    def run(self, values: Array) -> tuple[Floats, ...]:
        """Real values out, in manifest order, for an input of the manifest's shape and type. Raises ModelRefused.

        The results are copies: they stay as they are when the network runs again.
        """
        wanted = self.entry.input
        if values.shape != wanted.shape or values.dtype != np.dtype(wanted.dtype):
            msg = f"{self.entry.name} takes {wanted.dtype} {wanted.shape}, not {values.dtype} {values.shape}"
            raise ModelRefused(msg)
        self._net.set_tensor(self._input, values)
        self._net.invoke()
        return tuple(
            dequantized(self._net.get_tensor(index), tensor)
            for index, tensor in zip(self._outputs, self.entry.outputs, strict=True)
        )

    def feed(self, fill: Callable[[Array], None]) -> None:
        """Let `fill` write into the network's own input array; it must not keep the array."""
        fill(self._net.tensor(self._input)())

    def invoke_only(self) -> None:
        """Run on whatever was fed last: what a benchmark takes as the network's own time."""
        self._net.invoke()

    def fetch(self, which: int) -> Array:
        """A copy of output number `which` in manifest order, as stored (not dequantized)."""
        return cast("Array", self._net.get_tensor(self._outputs[which]))

    def forget(self) -> None:
        """Overwrite input, inner values and outputs by running on zeros."""
        self.feed(lambda view: view.fill(0))
        self._net.invoke()


def dequantized(stored: Array, tensor: Tensor) -> Floats:
    """The real values of `stored` (float32): (stored - zero_point) * scale, or as they are if not quantized."""
    if tensor.scale == 0:
        return stored.astype(np.float32, copy=False)
    return (stored.astype(np.float32) - np.float32(tensor.zero_point)) * np.float32(tensor.scale)


def _interpreter(entry: ModelEntry, model: bytes, runtime: Runtime, threads: int) -> Any:
    if runtime is Runtime.TFLITE and int(np.__version__.partition(".")[0]) >= 2:  # noqa: PLR2004 - numpy's major version
        msg = f"tflite-runtime works with numpy below 2 only, and this is numpy {np.__version__}: use ai-edge-litert"
        raise ModelRefused(msg)
    try:
        make = importlib.import_module(_MODULES[runtime]).Interpreter
    except ImportError as cause:
        msg = f"{PACKAGES[runtime]} cannot be loaded: {cause}"
        raise ModelRefused(msg) from cause
    with _held_back() as said:
        try:
            net = make(model_content=model, num_threads=threads)
            net.allocate_tensors()
        except (ValueError, RuntimeError, SystemError) as cause:
            why = " ".join([str(cause), *said()]).strip()
            msg = f"{entry.file} cannot be run by {PACKAGES[runtime]}: {why}"
            raise ModelRefused(msg) from cause
    return net


def _compare(entry: ModelEntry, kind: str, declared: tuple[Tensor, ...], found: list[dict[str, Any]]) -> None:
    by_name = {str(details["name"]): details for details in found}
    undeclared = sorted(by_name.keys() - {tensor.name for tensor in declared})
    if undeclared or len(by_name) != len(found):
        msg = f"{entry.file} has an {kind} the manifest does not declare: {', '.join(undeclared) or 'one twice'}"
        raise ModelRefused(msg)
    for tensor in declared:
        details = by_name.get(tensor.name)
        if details is None:
            msg = f"{entry.file} has no {kind} {tensor.name}, which the manifest declares"
            raise ModelRefused(msg)
        scale, zero_point = details["quantization"]
        # A per-channel quantization has no single scale; `quantization` then reads (0.0, 0) and hides it.
        scales = len(details["quantization_parameters"]["scales"])
        same = (
            tuple(int(n) for n in details["shape"]) == tensor.shape
            and np.dtype(details["dtype"]) == np.dtype(tensor.dtype)
            and np.float32(scale) == np.float32(tensor.scale)
            and int(zero_point) == tensor.zero_point
            and scales == (1 if tensor.scale else 0)
        )
        if not same:
            msg = f"{entry.file} disagrees with the manifest about {kind} {tensor.name}: shape, type or quantization"
            raise ModelRefused(msg)


@contextmanager
def _held_back() -> Iterator[Callable[[], list[str]]]:
    """Keep what is written to file descriptor 2; afterwards pass on all but INFO lines. For one thread only."""
    sys.stderr.flush()
    saved = os.dup(_STDERR)
    with tempfile.TemporaryFile() as kept:

        def said() -> list[str]:
            kept.seek(0)
            lines = kept.read().decode("utf-8", "replace").splitlines()
            return [line for line in lines if line.strip() and not line.startswith("INFO:")]

        try:
            os.dup2(kept.fileno(), _STDERR)
            yield said
        finally:
            os.dup2(saved, _STDERR)
            os.close(saved)
            for line in said():
                os.write(_STDERR, line.encode() + b"\n")
