"""A picture of linear light sampled between its pixels: shifted, turned and grown a little.

Rules kept here:
- As `PIL.Image.transform` does it (affine, bilinear): half a pixel beyond the middle of the outermost ones the picture
  is held, beyond that it is dark. A test compares the two; here it takes half the time, because places and weights are
  found once for all three planes, and rows are done a few at a time, which stay in a processor's cache.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Affine = tuple[float, float, float, float, float, float]
"""(a, b, c, d, e, f): the middle of a pixel (x, y) shows what lies at (ax + by + c, dx + ey + f)."""

_ROWS: Final = 24


class Held:
    """Planes (N, H, W) of light with a rim that repeats their edges. `planes` is written anew for each picture."""

    def __init__(self, number: int, height: int, width: int) -> None:
        self._rimmed: Floats = np.zeros((number, height + 2, width + 2), np.float32)
        self.planes: Floats = self._rimmed[:, 1:-1, 1:-1]
        wide = width + 2
        flat = self._rimmed.reshape(number, -1)
        self._corners = [[plane[step:] for step in (0, 1, wide, wide + 1)] for plane in flat]

    def shifted(self, where: Affine) -> Floats:
        """(H, W, N): what `planes` show there."""
        number, height, width = self.planes.shape
        self._hold_edges()
        a, b, c, d, e, f = where
        across = np.arange(width) + 0.5
        result: Floats = np.empty((height, width, number), np.float32)
        for top in range(0, height, _ROWS):
            down = np.arange(top, min(height, top + _ROWS))[:, None] + 0.5
            # Half a pixel for the rim and half for the middle of a pixel: 0.5 is the left or upper edge.
            x, y = a * across + (b * down + c + 0.5), d * across + (e * down + f + 0.5)
            dark = None
            if x.min() < 0.5 or y.min() < 0.5 or x.max() >= width + 0.5 or y.max() >= height + 0.5:
                dark = (x < 0.5) | (x >= width + 0.5) | (y < 0.5) | (y >= height + 0.5)
                x[dark] = y[dark] = 1
            left, up = x.astype(np.intp), y.astype(np.intp)
            beside, below = (x - left).astype(np.float32), (y - up).astype(np.float32)
            up *= width + 2
            up += left
            for plane, corners in enumerate(self._corners):
                upper, right, low, low_right = (corner.take(up) for corner in corners)
                _towards(upper, right, beside)
                _towards(low, low_right, beside)
                _towards(upper, low, below)
                if dark is not None:
                    upper[dark] = 0
                result[top : top + _ROWS, :, plane] = upper
        return result

    def _hold_edges(self) -> None:
        rimmed = self._rimmed
        rimmed[:, 0], rimmed[:, -1] = rimmed[:, 1], rimmed[:, -2]
        rimmed[:, :, 0], rimmed[:, :, -1] = rimmed[:, :, 1], rimmed[:, :, -2]


def _towards(one: Floats, other: Floats, share: Floats) -> None:
    """`one` becomes what lies that share of the way from it to `other`, which is used up."""
    other -= one
    other *= share
    one += other
