"""Whether what turned its face aside is solid: near parts move past far ones, on paper they do not. Pure.

Rules kept here:
- What moved is read from the pixels, patch by patch. The mesh only says where to begin looking and how deep a face is
  at each place: a turned sheet makes the network believe in a turned head (docs/liveness.md has the figures), but its
  pixels do not move as those of a head.
- Before the slope is taken, everything that something flat or bent could do while it is turned, moved or flexed is
  taken out of both sides: any smooth displacement up to the third power of the place.
- Every patch is compared without its mean and contrast: light that changes while a head turns is no movement.
- A patch that is not found again counts for nothing, and one that lies far off the others for little.

Sources: Lucas and Kanade, "An iterative image registration technique with an application to stereo vision", IJCAI 1981,
pages 674 to 679 (the search); Huber, "Robust estimation of a location parameter", Annals of Mathematical Statistics 35,
1964 (the weights).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from device.eye.attack.surface import chosen, in_eye_distances, on_skin
from device.eye.pixels import Picture

Floats = npt.NDArray[np.floating[Any]]

DEGREE: Final = 3
SOFT: Final = ((3, 6), (1, 6))
"""Over how many pixels to each side both crops are softened, and how many steps are taken so: first roughly, then
finely. A crop has about 45 pixels to an eye distance."""

REACH_PX: Final = 6
"""Half of a patch: 13 pixels are 18 mm. Larger ones straddle the nose and what is beside it."""

LONGEST_PX: Final = 1.5
"""The longest step: a patch that needs more at once has lost its way."""

ALIKE: Final = 0.8
"""The least correlation of a patch with what was found for it."""

LEAST_AREA: Final = 0.05
"""What the second mesh must have of the first one's area: what is narrower is seen from its edge, or is no face, and
where its patches were cannot be reckoned back."""

MIN_PATCHES: Final = 60
_STEP: Final = 0.12
_ROUNDS: Final = 3
_FAR: Final = 2.0  # spreads, from which a patch counts for less (Huber's bound is between 1.3 and 2)
_MAD: Final = 1.4826  # from the median of absolute values to the standard deviation of a normal distribution
_PLACES: Final[Floats] = np.array(
    [(x, y) for y in np.arange(-0.75, 1.75, _STEP) for x in np.arange(-8, 9) * _STEP if on_skin(float(x), float(y))]
)


@dataclass(frozen=True, slots=True, eq=False)
class Shot:
    """The mesh's crop of one frame: `grey` (192, 192) bytes, and the points (468, 3) of the mesh in its pixels."""

    grey: Picture
    points: Floats

    def forget(self) -> None:
        """Overwrite the picture and the mesh."""
        self.grey.fill(0)
        self.points.fill(0)


@dataclass(frozen=True, slots=True)
class Parallax:
    """How much of what a solid face shows was seen, in how many patches; `error` is its standard error.

    Near the sine of the turn to the person's own left (right: negative), or 0 for whatever is flat or bent.
    """

    value: float
    error: float
    patches: int


def parallax(before: Shot, after: Shot) -> Parallax | None:
    """How `after` differs from `before` sideways, beyond what paper could do; None if that cannot be told.

    It cannot if too few patches are found again, or one of both meshes is no face: without depth, or without breadth.
    Raises ValueError for a mesh whose eyes lie in one place.
    """
    points, apart = in_eye_distances(before.points)
    members = chosen(points, _PLACES)
    there = members[:, 0] >= 0
    places, members = _PLACES[there], members[there]
    weights = 1 / (((points[members, :2] - places[:, None]) ** 2).sum(axis=2) + 1e-3)
    depth = (points[members, 2] * weights).sum(axis=1) / weights.sum(axis=1)
    eyes = before.points[0, :2] - points[0, :2] * apart
    begin = np.column_stack([before.points[:, :2], np.ones(len(points))])
    affine = np.linalg.lstsq(begin, after.points[:, :2].astype(float), rcond=None)[0]
    from_px = places * apart + eyes
    to_px = np.column_stack([from_px, np.ones(len(places))]) @ affine
    if abs(float(np.linalg.det(affine[:2]))) < LEAST_AREA:
        return None
    found_px, alike = _found(before.grey, from_px, after.grey, to_px, affine[:2].T)
    moved = (found_px - to_px) @ np.linalg.inv(affine[:2]) / apart
    known = alike > ALIKE
    return _slope(places[known], depth[known], moved[known, 0]) if np.count_nonzero(known) >= MIN_PATCHES else None


def _slope(places: Floats, depth: Floats, moved: Floats) -> Parallax | None:
    x, y = places[:, 0], places[:, 1] - 0.5
    smooth = np.stack([x**i * y**j for i in range(DEGREE + 1) for j in range(DEGREE + 1 - i)], axis=1)
    weight = np.ones(len(x))
    value = error = 0.0
    for _ in range(_ROUNDS):
        root = np.sqrt(weight)
        basis, _triangle = np.linalg.qr(smooth * root[:, None])
        wanted, seen = (part * root - basis @ (basis.T @ (part * root)) for part in (depth, moved))
        if not float(wanted @ wanted) > 0:
            return None
        value = float(wanted @ seen / (wanted @ wanted))
        rest = seen - value * wanted
        error = math.sqrt(float(rest @ rest) / (len(x) - smooth.shape[1] - 1) / float(wanted @ wanted))
        off = np.abs(rest) / np.maximum(root, 1e-6)
        weight = np.minimum(1.0, _FAR * _MAD * float(np.median(off)) / np.maximum(off, 1e-9))
    return Parallax(value, error, len(x))


def _found(before: Picture, from_px: Floats, after: Picture, to_px: Floats, turn: Floats) -> tuple[Floats, Floats]:
    """Where the patches at `from_px` (P, 2) of `before` lie in `after`, begun at `to_px`, and how alike they are.

    `turn` (2, 2) says how a step within a patch of `before` looks in `after`.
    """
    y, x = (part.ravel() for part in np.mgrid[-REACH_PX : REACH_PX + 1, -REACH_PX : REACH_PX + 1].astype(float))
    step_x, step_y = turn @ np.stack([x, y])
    at, alike = to_px.copy(), np.zeros(len(to_px))
    for soft, steps in SOFT:
        first, second = _softened(before, soft), _softened(after, soft)
        wanted = _level(_sampled(first, from_px[:, :1] + x, from_px[:, 1:] + y))
        power = (wanted**2).sum(axis=1) + 1e-3
        for _ in range(steps):
            u, v = at[:, :1] + step_x, at[:, 1:] + step_y
            seen = _level(_sampled(second, u, v))
            right = _level(_sampled(second, u + 0.5, v) - _sampled(second, u - 0.5, v))
            down = _level(_sampled(second, u, v + 0.5) - _sampled(second, u, v - 0.5))
            shared = (seen * wanted).sum(axis=1)
            alike = shared / np.sqrt((seen**2).sum(axis=1) * power + 1e-6)
            at = at + np.clip(_step(right, down, (shared / power)[:, None] * wanted - seen), -LONGEST_PX, LONGEST_PX)
    return at, alike


def _step(right: Floats, down: Floats, missing: Floats) -> Floats:
    """The step (P, 2) that explains best what is `missing`; across an edge there is one, along it hardly any."""
    xx, xy, yy = ((a * b).sum(axis=1) for a, b in ((right, right), (right, down), (down, down)))
    hold = 0.02 * (xx + yy) + 1
    by_x, by_y = (right * missing).sum(axis=1), (down * missing).sum(axis=1)
    area = (xx + hold) * (yy + hold) - xy**2
    return np.stack([((yy + hold) * by_x - xy * by_y) / area, ((xx + hold) * by_y - xy * by_x) / area], axis=1)


def _level(patches: Floats) -> Floats:
    level: Floats = patches - patches.mean(axis=1, keepdims=True)
    return level


def _softened(plane: Picture, reach: int) -> Floats:
    """The mean over 2 * reach + 1 pixels each way, twice: near enough to a bell."""
    soft: Floats = plane.astype(np.float32)
    for axis in (0, 1, 0, 1):
        edges = [(0, 0), (0, 0)]
        edges[axis] = (reach + 1, reach)
        total = np.cumsum(np.pad(soft, edges, mode="edge"), axis=axis, dtype=np.float64)
        ahead, behind = [slice(None)] * 2, [slice(None)] * 2
        ahead[axis], behind[axis] = slice(2 * reach + 1, None), slice(None, -2 * reach - 1)
        soft = ((total[tuple(ahead)] - total[tuple(behind)]) / (2 * reach + 1)).astype(np.float32)
    return soft


def _sampled(plane: Floats, x: Floats, y: Floats) -> Floats:
    """`plane` between its pixels; held at its edges."""
    height, width = plane.shape
    x, y = np.clip(x, 0, width - 1.001), np.clip(y, 0, height - 1.001)
    left, top = x.astype(np.intp), y.astype(np.intp)
    x, y, at = x - left, y - top, top * width + left
    flat = plane.reshape(-1)
    upper = flat[at] * (1 - x) + flat[at + 1] * x
    between: Floats = upper * (1 - y) + (flat[at + width] * (1 - x) + flat[at + width + 1] * x) * y
    return between
