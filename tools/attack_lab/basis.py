"""Three pictures from which the picture of any frame is mixed, and the file they travel in.

Rules kept here:
- The picture of a frame is `ambient + l * left + r * right`, for the levels l and r (0 to 3) of the two lights: light
  adds up. All three are linear; 1.0 is where the sensor is full.
- A basis file is an .npz of three uint16 arrays, `ambient`, `left` and `right`, height x width x 3 in BGR, of which
  65535 is a full sensor. It is written whole or not at all. `device.eye.basis` reads it, and believes none.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

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
        """Write the .npz described above, whole or not at all. Raises OSError."""
        temporary = path.with_name(path.name + ".new")
        try:
            with temporary.open("wb") as file:
                np.savez(file, ambient=_stored(self.ambient), left=_stored(self.left), right=_stored(self.right))
            temporary.replace(path)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise


def _stored(part: npt.NDArray[np.float32]) -> npt.NDArray[np.uint16]:
    stored: npt.NDArray[np.uint16] = np.rint(np.clip(part, 0, 1) * np.float32(FULL)).astype(np.uint16)
    return stored
