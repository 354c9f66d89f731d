"""What somebody holds up before the simulated camera, as it answers to light: one `.npz` file of three pictures.

Rules kept here:
- A file is judged by its size, its names, how it is packed and the sizes it declares before an array is made of it. No
  more is unpacked than a picture of this camera has, whatever the file says of itself.
- Nothing in it is unpickled or evaluated: the one line that stands before the numbers has the one form that numpy
  writes, and is compared with it.
- A file of other pictures, or for a camera of another size, is refused with a sentence that names it.

The three arrays, `ambient`, `left` and `right`, are uint16, height x width x 3, BGR, in linear light: what the sensor
would say without the two lights, and what one level of each light adds. 65535 is where the sensor is full.
"""

from __future__ import annotations

import io
import os
import re
import struct
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from device.errors import PictureRefused

MAX_FILE_BYTES: Final = 64 << 20  # 640 x 480 has 5.5 MB, 1280 x 960 22 MB
_NAMES: Final = ("ambient", "left", "right")
_HEADER_BYTES: Final = 4096  # of one array at most; numpy writes 128
_ENTRY: Final = b"PK\1\2"  # before each member in an archive's directory
_MOST_ENTRIES: Final = 64  # three, and more by chance than a picture will ever hold
_PACKED: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # what numpy writes; LZMA may ask for 4 GB to unpack a byte
_FORM: Final = re.compile(  # version 1.0 of numpy.lib.format
    rb"\x93NUMPY\x01\x00..{'descr': '([^']*)', 'fortran_order': (True|False), 'shape': \(([0-9, ]*)\), } *\n",
    re.DOTALL,
)
_KIND: Final = b"<u2"

Linear = npt.NDArray[np.uint16]


@dataclass(frozen=True, slots=True, eq=False)
class Basis:
    """How much light comes back, H x W x 3 BGR, linear: without the lights, and from one level of each. Read only."""

    ambient: Linear
    left: Linear
    right: Linear


def read_basis(path: Path, width: int, height: int) -> Basis:
    """The basis in `path`, of exactly this size. Raises PictureRefused."""
    data = _bytes(path)
    shape = (height, width, 3)
    largest = height * width * 3 * 2 + _HEADER_BYTES
    try:
        if data.count(_ENTRY) > _MOST_ENTRIES:
            raise _holds_others(path)
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
            if sorted(member.filename for member in members) != [f"{name}.npy" for name in _NAMES]:
                raise _holds_others(path)
            if any(member.compress_type not in _PACKED for member in members):
                raise _unreadable(path, "it is packed in another way than numpy's")
            if max(member.file_size for member in members) > largest:
                raise _for_another(path, shape)
            return Basis(*(_linear(archive, f"{name}.npy", shape, path) for name in _NAMES))
    except PictureRefused:
        raise
    except _BROKEN as cause:
        raise _unreadable(path, type(cause).__name__) from cause


# What zipfile is known to raise for archives that are none.
_BROKEN: Final = (
    OSError,
    ValueError,
    EOFError,
    KeyError,
    TypeError,
    MemoryError,
    OverflowError,
    RuntimeError,
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
)


def _linear(archive: zipfile.ZipFile, name: str, shape: tuple[int, int, int], path: Path) -> Linear:
    size = archive.getinfo(name).file_size
    with archive.open(name) as member:
        content = member.read(size)  # never read(): that unpacks all there is, and then looks at the size
    form = _FORM.match(content, 0, _HEADER_BYTES)
    if form is None or form.end() != 10 + int.from_bytes(content[8:10], "little"):
        raise _unreadable(path, f"{name} is no array as numpy writes it")
    numbers = memoryview(content)[form.end() :]
    declared = tuple(int(word) for word in form[3].split(b",") if word.strip())
    if form[1] != _KIND or declared != shape:
        raise _for_another(path, shape)
    if len(numbers) != shape[0] * shape[1] * shape[2] * 2:
        raise _unreadable(path, f"{name} has more or fewer numbers than it declares")
    array = np.frombuffer(numbers, np.dtype("<u2"))
    return np.ascontiguousarray(array.reshape(shape, order="F" if form[2] == b"True" else "C"))


def _unreadable(path: Path, why: str) -> PictureRefused:
    return PictureRefused(f"{path.name} cannot be read as what somebody holds up: {why}")


def _holds_others(path: Path) -> PictureRefused:
    return PictureRefused(f"{path.name} does not hold {', '.join(_NAMES)} and nothing else")


def _for_another(path: Path, shape: tuple[int, int, int]) -> PictureRefused:
    return PictureRefused(f"{path.name} was not made for a camera of {shape[1]} x {shape[0]} pixels")


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            # As much as there is: read() sets aside what it is asked for.
            data = file.read(min(os.fstat(file.fileno()).st_size, MAX_FILE_BYTES) + 1)
    except OSError as cause:
        msg = f"{path.name} cannot be read: {cause.strerror}"
        raise PictureRefused(msg) from cause
    if len(data) > MAX_FILE_BYTES:
        msg = f"{path.name} holds more than {MAX_FILE_BYTES >> 20} MB"
        raise PictureRefused(msg)
    return data
