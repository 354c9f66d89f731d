"""Three pictures from which the picture of any frame is mixed, and the file they travel in.

Rules kept here:
- The picture of a frame is `ambient + l * left + r * right`, for the levels l and r (0 to 3) of the two lights: light
  adds up. All three are linear; 1.0 is where the sensor is full.
- A basis file is an .npz of three uint16 arrays, `ambient`, `left` and `right`, height x width x 3 in BGR, of which
  65535 is a full sensor. Nothing in it is ever executed (no pickle), and it is written whole or not at all.
"""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from device.errors import PictureRefused

FULL: Final = 65535


@dataclass(frozen=True, eq=False)
class Basis:
    """Linear light, height x width x 3 BGR float32: without the lights, and of one level of the left and right one."""

    ambient: npt.NDArray[np.float32]
    left: npt.NDArray[np.float32]
    right: npt.NDArray[np.float32]

    def mixed(self, left: float, right: float) -> npt.NDArray[np.float32]:
        """Linear light at these levels; above 1 the sensor is full."""
        light: npt.NDArray[np.float32] = self.ambient + np.float32(left) * self.left + np.float32(right) * self.right
        return light

    def save(self, path: Path) -> None:
        """Write the .npz described above, whole or not at all."""
        temporary = path.with_name(path.name + ".new")
        with temporary.open("wb") as file:
            np.savez(file, ambient=_stored(self.ambient), left=_stored(self.left), right=_stored(self.right))
        temporary.replace(path)

    @classmethod
    def load(cls, path: Path) -> Basis:
        """What `save` wrote. Raises PictureRefused if it is anything else."""
        try:
            with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
                parts = [file[name] for name in ("ambient", "left", "right")]
        except (OSError, EOFError, ValueError, KeyError, TypeError, AttributeError, zipfile.BadZipFile) as cause:
            raise PictureRefused(f"{path.name} holds no picture and its answers to two lights") from cause
        if any(each.dtype != np.uint16 or each.ndim != 3 or each.shape != (*parts[0].shape[:2], 3) for each in parts):
            raise PictureRefused(f"{path.name} holds arrays of another kind than height x width x 3 of 16 bits")
        ambient, left, right = (each.astype(np.float32) / np.float32(FULL) for each in parts)
        return cls(ambient, left, right)


def _stored(part: npt.NDArray[np.float32]) -> npt.NDArray[np.uint16]:
    stored: npt.NDArray[np.uint16] = np.rint(np.clip(part, 0, 1) * np.float32(FULL)).astype(np.uint16)
    return stored
