"""What somebody holds up before the simulated camera, as it answers to light: one `.npz` file of three pictures.

Rules kept here:
- A file is judged by its size, its names and the sizes it declares before an array is made of it, and nothing in it is
  ever unpickled.
- A file of other pictures, or for a camera of another size, is refused with a sentence that names it.

The three arrays, `ambient`, `left` and `right`, are uint16, height x width x 3, BGR, in linear light: what the sensor
would say without the two lights, and what one level of each light adds. 65535 is where the sensor is full.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from device.errors import PictureRefused

MAX_FILE_BYTES: Final = 64 << 20  # 640 x 480 has 5.5 MB, 1280 x 960 22 MB
_NAMES: Final = ("ambient", "left", "right")
_HEADER_BYTES: Final = 4096  # of one array at most; numpy writes 128

Linear = npt.NDArray[np.uint16]


@dataclass(frozen=True, slots=True, eq=False)
class Basis:
    """How much light comes back, H x W x 3 BGR, linear: without the lights, and from one level of each."""

    ambient: Linear
    left: Linear
    right: Linear


def read_basis(path: Path, width: int, height: int) -> Basis:
    """The basis in `path`, of exactly this size. Raises PictureRefused."""
    data = _bytes(path)
    shape = (height, width, 3)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            declared = {member.filename: member.file_size for member in archive.infolist()}
        if set(declared) != {f"{name}.npy" for name in _NAMES}:
            msg = f"{path.name} does not hold {', '.join(_NAMES)} and nothing else"
            raise PictureRefused(msg)
        if max(declared.values()) > height * width * 3 * 2 + _HEADER_BYTES:
            msg = f"{path.name} was not made for a camera of {width} x {height} pixels"
            raise PictureRefused(msg)
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            return Basis(*(_linear(arrays[name], shape, path) for name in _NAMES))
    except _BROKEN as cause:
        if isinstance(cause, PictureRefused):
            raise
        msg = f"{path.name} cannot be read as what somebody holds up: {type(cause).__name__}"
        raise PictureRefused(msg) from cause


# What zipfile and numpy are known to raise for archives that are none, and for headers that lie.
_BROKEN: Final = (
    OSError,
    ValueError,
    EOFError,
    KeyError,
    TypeError,
    SyntaxError,
    MemoryError,
    OverflowError,
    RuntimeError,
    zipfile.BadZipFile,
    zlib.error,
)


def _linear(array: npt.NDArray[Any], shape: tuple[int, int, int], path: Path) -> Linear:
    if array.shape != shape or array.dtype != np.dtype("<u2"):
        msg = f"{path.name} was not made for a camera of {shape[1]} x {shape[0]} pixels"
        raise PictureRefused(msg)
    return np.ascontiguousarray(array)


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except OSError as cause:
        msg = f"{path.name} cannot be read: {cause.strerror}"
        raise PictureRefused(msg) from cause
    if len(data) > MAX_FILE_BYTES:
        msg = f"{path.name} holds more than {MAX_FILE_BYTES >> 20} MB"
        raise PictureRefused(msg)
    return data
