"""A float embedder in the place of the door's int8 one, so that everything around it stays the same.

Rules kept here:
- The door's `Embedder` drives it as it drives the int8 network: it writes pixel - 128 into the input and reads numbers.
- It is for comparison only: a door refuses a network that its manifest does not name.
- `sface-float32.tflite` is what `python -m tools.models.rebuild --variants --out DIR` writes beside what ships.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np

from device.errors import ModelRefused
from device.eye.runtime import Array, Network, Runtime
from device.manifest import ModelEntry
from tools.models.runner import Floats, Runner

FILE: Final = "sface-float32.tflite"
_SPAN: Final = np.float32(128)  # the input's meaning: (pixel - 128) / 128 (models/sface.md)


class FloatEmbedder(Network):
    """Takes what the int8 network of the same entry takes, and answers in the same way with float arithmetic."""

    __slots__ = ("_answer", "_runner", "_stored")

    @classmethod
    def of(cls, entry: ModelEntry, file: Path) -> FloatEmbedder:
        """The network in `file`, dressed as `entry`. Raises ModelRefused for one of another shape or kind."""
        try:
            runner = Runner(file.read_bytes())
        except (OSError, ValueError, RuntimeError) as cause:
            msg = f"{file.name} is no network that can be loaded: {cause}"
            raise ModelRefused(msg) from cause
        outputs = list(runner.outputs.values())
        shape, kind = tuple(int(side) for side in runner.input["shape"]), runner.input["dtype"]
        if shape != entry.input.shape or kind is not np.float32 or len(outputs) != 1:
            msg = f"{file.name} is no float embedder of the shape of {entry.file}"
            raise ModelRefused(msg)
        made = cls(entry, Runtime.LITERT, None, 0, ())
        made._runner = runner
        made._stored = np.zeros(shape, np.int8)
        made._answer = np.zeros(0, np.float32)
        return made

    _runner: Runner
    _stored: Array
    _answer: Floats

    def feed(self, fill: Callable[[Array], None]) -> None:
        fill(self._stored)

    def invoke_only(self) -> None:
        (self._answer,) = self._runner(self._stored.astype(np.float32) / _SPAN).values()

    def fetch(self, which: int) -> Array:
        """The answer as if it had been stored: the caller's `dequantized` gives back the float numbers."""
        tensor = self.entry.outputs[which]
        scale = tensor.scale or 1.0
        stored: Array = self._answer / np.float32(scale) + np.float32(tensor.zero_point if tensor.scale else 0)
        return stored

    def forget(self) -> None:
        self.feed(lambda view: view.fill(0))
        self.invoke_only()
