"""Whether the pattern that a screen's pixels make with a camera's could be a reason to refuse.

Rules kept here:
- It was measured before it was to be built. On photographs it is counted how strong a pattern has to be before it
  stands out from what faces, hair and glasses have of their own. For screens it is reckoned how strong a pattern can
  be behind a lens and a pixel. No screen was recaptured.
- The reckoning errs on the screen's side: its pixels are as black between as can be, and its finest lines count alone.

A grid of pitch p (in pixels of the camera) is a sum of waves, the coarsest of 1/p cycles a pixel, none with more than
twice the mean's amplitude. A lens that blurs by a normal spread s leaves exp(-2 (pi s f)^2) of a wave of frequency f,
a square pixel |sin(pi f) / (pi f)|: what is left of the coarsest wave is what folds down to a pattern.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

Reals = npt.NDArray[np.float64]

SIDE_PX: Final = 96  # of the square in the middle of a face that is looked at
VIEW_DEG: Final = 66.0  # horizontal, of a Raspberry Pi Camera Module 3 (its product brief)
WIDTHS_PX: Final = (640, 2304)  # the main plane; what that module reads out before it is scaled down to it
LENS_PX: Final = 0.5  # a sharp lens: spread in pixels of the width it was made for
_BAND: Final = (0.12, 0.5)  # cycles a pixel: below, faces have structure of their own
_RINGS: Final = 24


@dataclass(frozen=True, slots=True)
class Screen:
    """A screen by the pitch of its pixels, and how near it is held: so that a face on it has the size of a face."""

    name: str
    pitch_mm: float
    distance_mm: float

    def left_over(self, width_px: int) -> float:
        """The most that is left of its grid as contrast, in a camera that samples `width_px` across."""
        focal_px = width_px / 2 / math.tan(math.radians(VIEW_DEG) / 2)
        wave = self.distance_mm / self.pitch_mm / focal_px  # cycles a pixel
        pixel = abs(math.sin(math.pi * wave) / (math.pi * wave))
        return min(1.0, 2 * pixel * math.exp(-2 * (math.pi * LENS_PX * wave) ** 2))


SCREENS: Final = (
    Screen("phone, 460 pixels an inch", 25.4 / 460, 300),
    Screen("tablet, 264 pixels an inch", 25.4 / 264, 350),
    Screen("laptop, 141 pixels an inch", 25.4 / 141, 400),
    Screen("monitor, 92 pixels an inch", 25.4 / 92, 450),
    Screen("monitor, 92 pixels an inch, filling the view", 25.4 / 92, 250),
)


def strongest(grey: Reals) -> float:
    """The strongest peak of a square picture's spectrum within the band, over the median of its ring."""
    window = np.hanning(len(grey))
    flat = (grey - grey.mean()) * window[:, None] * window[None, :]
    power = np.abs(np.fft.fft2(flat))
    per_pixel = np.fft.fftfreq(len(grey))
    radius = np.hypot(per_pixel[:, None], per_pixel[None, :])
    rings = np.linspace(*_BAND, _RINGS + 1)
    best = 0.0
    for inner, outer in pairwise(rings):
        ring = power[(radius >= inner) & (radius < outer)]
        best = max(best, float(ring.max() / (np.median(ring) + 1e-9)))
    return best


def patterned(grey: Reals, contrast: float, rng: np.random.Generator) -> Reals:
    """`grey` with one wave over it, of any frequency within the band and any direction, as levels of 255."""
    y, x = np.mgrid[: len(grey), : len(grey)]
    wave, turn = rng.uniform(*_BAND), rng.uniform(0, np.pi)
    phase = 2 * np.pi * (wave * (x * np.cos(turn) + y * np.sin(turn)) + rng.uniform())
    covered: Reals = np.clip(np.rint(grey * (1 + contrast * np.cos(phase))), 0, 255)
    return covered
