"""From an aligned crop to a unit embedding.

Rules kept here:
- What a byte of the picture becomes in the network follows from the manifest's scale and zero point, through a table of
  256 entries, and is the same on every runtime. A table that only shifts all bytes alike is one addition of bytes.
- An embedding has length 1 or does not exist.

Source: SFace (Zhong et al., IEEE TIP 2021) in OpenCV zoo's conversion; the real value of pixel p is (p - 128) / 128.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from device.errors import ModelRefused
from device.eye.alignment import CROP_PX
from device.eye.pixels import Picture
from device.eye.runtime import Array, Floats, Network, dequantized
from device.manifest import Tensor
from device.wire import EMBEDDING_DIM

_MIDDLE, _SPAN = 128.0, 128.0


def input_table(tensor: Tensor) -> npt.NDArray[np.int8]:
    """The stored input value of each pixel value 0..255. Raises ModelRefused for another type than int8."""
    if tensor.dtype != "int8" or tensor.scale <= 0:
        msg = f"the embedder must take int8, not {tensor.dtype}"
        raise ModelRefused(msg)
    real = (np.arange(256) - _MIDDLE) / _SPAN
    table: npt.NDArray[np.int8] = np.clip(np.rint(real / tensor.scale) + tensor.zero_point, -128, 127).astype(np.int8)
    return table


class Embedder:
    """An embedding network with its input table. Raises ModelRefused if the network is of another kind."""

    def __init__(self, network: Network) -> None:
        entry = network.entry
        if entry.input.shape != (1, CROP_PX, CROP_PX, 3) or [t.shape for t in entry.outputs] != [(1, EMBEDDING_DIM)]:
            msg = f"{entry.file} is no embedder of {CROP_PX} px crops into {EMBEDDING_DIM} numbers"
            raise ModelRefused(msg)
        self.network = network
        self._table = input_table(entry.input).tobytes()
        self._shift = shift_of(self._table)
        self._output = entry.outputs[0]

    def embed(self, crop: Picture) -> Floats:
        """The embedding of an aligned BGR crop, 112 x 112 x 3 uint8: float32, (128,), L2 norm 1."""

        def fill(view: Array) -> None:
            if self._shift is not None:
                np.add(crop, self._shift, out=view[0].view(np.uint8))
                return
            # bytes.translate is a table look-up without the index array of 300 kB that np.take would make.
            view[0] = np.frombuffer(crop.tobytes().translate(self._table), np.int8).reshape(crop.shape)

        self.network.feed(fill)
        self.network.invoke_only()
        return unit(dequantized(self.network.fetch(0)[0], self._output))


def shift_of(table: bytes) -> np.uint8 | None:
    """What turns each byte into its entry in `table` if it is added, round 256; None if it is not the same for all."""
    first = table[0]
    return np.uint8(first) if table == bytes((first + byte) % 256 for byte in range(256)) else None


def unit(vector: Floats) -> Floats:
    """`vector` at length 1, float32. Raises ModelRefused for one without a direction."""
    square = float(vector.dot(vector))
    length = math.sqrt(square) if 0 < square < math.inf else 0.0  # what is no number is neither
    if length <= 0:
        msg = "the embedder answered with a vector that has no direction"
        raise ModelRefused(msg)
    return (vector / np.float32(length)).astype(np.float32, copy=False)
