"""Ways in which a picture is spoilt before the door looks at it: light, blur, a mask, distance.

Rules kept here:
- What is done is stated in units that somebody else can use: stops, grey levels, millimetres on the face, metres.
- It is done to the main plane, before detection: detector, gates, alignment and embedder all see the spoilt picture.
- The same picture is spoilt in the same way every time: whatever is drawn follows from its sha256.
- All of it is made up. Real dusk, real haste and real cloth differ; what is compared is how much each costs.

Exposure is done on linear light (levels to the power of 2.2) and followed by noise, because a camera that sees little
light sees noise as well. Blur is stated in pixels of the door's own 112 px crop, in which eyes stand 35 px, that is
63 mm, apart: 1 px is 1.8 mm of the face. Distance follows from the camera: eyes 63 mm apart, seen at d metres by a lens
of `view_deg` over `width` pixels, are 0.063 / d * width / 2 / tan(view_deg / 2) pixels apart.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter1d  # type: ignore[import-untyped]  # it carries no annotations

from device.config.tables import CameraTable, SignTable
from device.eye.pixels import Picture
from tools.models.covered import CLOTHS

Reals = npt.NDArray[np.float32]

EYES_M: Final = 0.063  # between the pupils of an adult (mean of ANSUR II, 62 to 64 mm)
CROP_EYES_PX: Final = 35.24  # in the 112 px crop
_GAMMA: Final = 2.2
_SIDE_REACH: Final = 2.0  # eye distances from the nose over which light from one side fades


@dataclass(frozen=True, slots=True, eq=False)
class Where:
    """The face in a picture: its points, (5, 2) in pixels, and the sha256 that everything drawn follows from."""

    points: npt.NDArray[np.float64]
    seed: bytes


@dataclass(frozen=True, slots=True)
class Condition:
    """One way to spoil a picture. `kind` is a key of KINDS, "clean" or "distance"; `amount` in the unit it states."""

    kind: str
    amount: float = 0.0

    @property
    def name(self) -> str:
        """For tables, with its unit."""
        if self.kind == "mask":
            return f"mask {CLOTHS[int(self.amount)].name}"
        return NAMES[self.kind].format(self.amount)

    @property
    def family(self) -> str:
        """Which of light, blur, mask and distance it belongs to."""
        return FAMILIES[self.kind]

    def eyes_px(self, width: int = CameraTable().width_px, view_deg: float = SignTable().view_deg) -> float | None:
        """How far apart the eyes are to stand in the main plane; None: as they do."""
        return eyes_apart_px(self.amount, width, view_deg) if self.kind == "distance" else None

    def spoil(self, main: Picture, where: Where) -> Picture:
        """`main` in this condition, a picture of the same shape."""
        spoilt = KINDS.get(self.kind)
        return main if spoilt is None else spoilt(main, self.amount, where)


CLEAN: Final = Condition("clean")


def eyes_apart_px(metres: float, width: int, view_deg: float) -> float:
    """How many pixels lie between the eyes of somebody at `metres`, by the pinhole's rule."""
    return EYES_M / metres * width / 2 / math.tan(math.radians(view_deg) / 2)


def exposed(main: Picture, stops: float, where: Where) -> Picture:
    """`stops` more light (fewer, if negative), clipped where it is too much, with noise of 4 grey levels."""
    return noisy(_levels(_linear(main) * np.float32(2.0**stops)), 4.0, where)


def noisy(main: Picture, sd: float, where: Where) -> Picture:
    """Normal noise of `sd` grey levels, each pixel and colour by itself."""
    grain = _generator(where.seed, "noise").standard_normal(main.shape, np.float32) * np.float32(sd)
    return _rounded(main + grain)


def lit_from_one_side(main: Picture, ratio: float, where: Where) -> Picture:
    """One side of the face in 1 / `ratio` of the light of the other, falling off across it; noise of 4 levels."""
    side = 1 if _generator(where.seed, "side").random() < 0.5 else -1
    nose, across = where.points[2], where.points[1] - where.points[0]
    apart = float(np.hypot(*across)) or 1.0
    along = across / apart
    ys, xs = np.mgrid[0 : main.shape[0], 0 : main.shape[1]].astype(np.float32)
    place = ((xs - nose[0]) * along[0] + (ys - nose[1]) * along[1]) / apart * side
    share = np.clip(place / _SIDE_REACH + 0.5, 0, 1)
    light = np.exp(-share * math.log(ratio)).astype(np.float32)
    return noisy(_levels(_linear(main) * light[..., None]), 4.0, where)


def blurred(main: Picture, sigma: float, where: Where) -> Picture:
    """Out of focus: a Gaussian of `sigma` pixels of the crop."""
    wide = sigma * _crop_px(where.points)
    soft = gaussian_filter1d(gaussian_filter1d(main.astype(np.float32), wide, axis=0), wide, axis=1)
    return _rounded(soft)


def moved(main: Picture, sigma: float, where: Where) -> Picture:
    """Moved along a straight line while it was exposed, in a direction drawn for the picture.

    `sigma`: the standard deviation of the path in pixels of the crop; its whole length is sqrt(12) times that.
    """
    length = math.sqrt(12.0) * sigma * _crop_px(where.points)
    angle = _generator(where.seed, "motion").uniform(0, math.pi)
    kernel = _line(length, angle)
    reach = kernel.shape[0] // 2
    around = np.pad(main, ((reach, reach), (reach, reach), (0, 0)), mode="edge").astype(np.float32)
    height, width = main.shape[:2]
    total = np.zeros(main.shape, np.float32)
    for down, right in np.argwhere(kernel):
        total += around[down : down + height, right : right + width] * kernel[down, right]
    return _rounded(total)


def masked(main: Picture, which: float, where: Where) -> Picture:
    """Cloth number `which` of tools.models.covered painted over mouth and nose."""
    return CLOTHS[int(which)].over(main, where.points, where.seed.hex())


KINDS: Final[dict[str, Callable[[Picture, float, Where], Picture]]] = {
    "exposure": exposed,
    "noise": noisy,
    "side": lit_from_one_side,
    "defocus": blurred,
    "motion": moved,
    "mask": masked,
}
NAMES: Final = {
    "clean": "as it is",
    "exposure": "{:+g} stops, noise of 4 levels",
    "noise": "noise of {:g} levels",
    "side": "light from one side, {:g} to 1",
    "defocus": "out of focus, sigma {:g} px of the crop",
    "motion": "moved, sigma {:g} px of the crop",
    "distance": "at {:g} m",
}
FAMILIES: Final = {
    "clean": "clean",
    "exposure": "light",
    "noise": "light",
    "side": "light",
    "defocus": "blur",
    "motion": "blur",
    "mask": "mask",
    "distance": "distance",
}


def _generator(seed: bytes, what: str) -> np.random.Generator:
    return np.random.default_rng([zlib.crc32(seed), zlib.crc32(what.encode())])


def _linear(main: Picture) -> Reals:
    table = (np.arange(256, dtype=np.float32) / 255) ** np.float32(_GAMMA)
    return table[main]


def _levels(light: Reals) -> Picture:
    return _rounded(np.clip(light, 0, 1) ** np.float32(1 / _GAMMA) * np.float32(255))


def _rounded(levels: Reals) -> Picture:
    whole: Picture = np.clip(np.rint(levels), 0, 255).astype(np.uint8)
    return whole


def _crop_px(points: npt.NDArray[np.float64]) -> float:
    """How many pixels of the main plane one pixel of the crop is."""
    return float(np.hypot(*(points[1] - points[0]))) / CROP_EYES_PX


def _line(length: float, angle: float) -> Reals:
    """A straight path of `length` pixels around the middle of a square of odd side, each place shared among four."""
    reach = math.ceil(length / 2) + 1
    kernel = np.zeros((2 * reach + 1, 2 * reach + 1), np.float32)
    steps = max(2, 4 * math.ceil(length))
    for place in ((np.arange(steps) + 0.5) / steps - 0.5) * length:
        x, y = reach + place * math.cos(angle), reach + place * math.sin(angle)
        column, row = math.floor(x), math.floor(y)
        right, down = x - column, y - row
        kernel[row : row + 2, column : column + 2] += np.outer((1 - down, down), (1 - right, right)) / steps
    return kernel
