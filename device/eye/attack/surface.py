"""From FaceMesh's points to patches: where they lie on the face and how the surface is turned there. Pure.

Rules kept here:
- Patches are places on skin: cheeks, nose, forehead, jaw. Eyes, brows and mouth move by themselves and have none.
- A patch belongs to the mesh points that lie nearest to it when it is chosen, and moves with them: a head that turns a
  little takes its patches along.
- A normal is that of the plane that fits those points best; where the mesh has too few, there is no patch.
- Only four points of the mesh are known by number, the corners of the eyes; all others are taken as they come.

Lengths are in eye distances: x right, y down, z towards the camera, from the middle of the eyes.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating[Any]]

EYE_CORNERS: Final = ((33, 133), (263, 362))
"""Outer and inner corner of the eye at the picture's left, and of the one at its right (MediaPipe's own numbering)."""

NEIGHBOURS: Final = 12
"""Points that make a patch. Of what 32 people of lfw-dev should show of left against right (0.10, root mean square), no
bent sheet explains 0.023 with 8 points, 0.021 with 12 and 0.018 with 16: with more, noses are flatter."""

REACH: Final = 0.2
"""How far its points may lie from a patch on average; beyond it the mesh has ended."""

_STEP: Final = 0.16
_CORNERS: Final = np.array(EYE_CORNERS).ravel()
_PRODUCTS: Final = ([0, 0, 1, 0, 1], [0, 1, 1, 2, 2])  # of x, y, z: xx, xy, yy, xz, yz


def on_skin(x: float, y: float) -> bool:
    """Whether a place, in eye distances from the middle of the eyes, is skin: no eye, brow or mouth."""
    eye = min(((abs(x) - 0.5) / 0.33) ** 2 + (y / 0.20) ** 2, 9.0) < 1
    brow = abs(y + 0.28) < 0.10 and 0.15 < abs(x) < 0.95  # noqa: PLR2004 - eye distances, as everywhere here
    mouth = (x / 0.48) ** 2 + ((y - 1.12) / 0.24) ** 2 < 1
    return not (eye or brow or mouth)


PATCHES: Final[Floats] = np.array(
    [(x, y) for y in np.arange(-0.55, 1.6, _STEP) for x in np.arange(-5, 6) * _STEP if on_skin(float(x), float(y))]
)
"""(P, 2): where patches are looked for. Their mean mesh spans -1.1 to 1.2 and -0.9 to 1.9."""


def eyes_apart(points: Floats) -> float:
    """How far apart the middles of both eyes lie in `points` (N, 2 or 3), in their pixels; not across their depth."""
    left, right = _eyes(points)
    return float(np.hypot(*(right - left)))


def in_eye_distances(points: Floats) -> tuple[Floats, float]:
    """`points` (N, 3) in any pixels, depth away from the camera, in the face's own units; and the eye distance.

    Raises ValueError for eyes that lie in one place.
    """
    left, right = _eyes(points)
    apart = float(np.hypot(*(right - left)))
    if not np.isfinite(apart) or apart <= 0:
        msg = "a mesh without an eye distance is no face"
        raise ValueError(msg)
    middle = np.zeros(3)
    middle[:2] = (left + right) / 2
    placed = (points - middle) / apart
    placed[:, 2] *= -1
    return placed, apart


def _eyes(points: Floats) -> tuple[Floats, Floats]:
    """The middles of both eyes, (2,) each, of four rows taken at once: a mean of each pair costs several times that."""
    outer, inner, other_outer, other_inner = points.take(_CORNERS, axis=0)[:, :2]
    return (outer + inner) / 2, (other_outer + other_inner) / 2


def chosen(points: Floats, patches: Floats = PATCHES) -> npt.NDArray[np.intp]:
    """Which points (P, NEIGHBOURS) make each patch; `points` (N, 3) in eye distances. -1 where the mesh has none."""
    apart = ((points[None, :, :2] - patches[:, None]) ** 2).sum(axis=2)
    nearest = np.argpartition(apart, NEIGHBOURS, axis=1)[:, :NEIGHBOURS]
    reach = np.sqrt(np.take_along_axis(apart, nearest, axis=1)).mean(axis=1)
    nearest[reach > REACH] = -1
    return nearest


def surface(points: Floats, members: npt.NDArray[np.intp]) -> tuple[Floats, Floats]:
    """Places (P, 2) and outward unit normals (P, 3) of the patches made of `members`; NaN where there are none.

    The plane z = c + ax + by that fits best has the normal (-a, -b, 1), brought to length 1.
    """
    each = points.take(members.T, axis=0)  # (NEIGHBOURS, P, 3): the mean of rows is four times as fast
    middle = each.sum(axis=0) / len(each)
    around = np.ascontiguousarray((each - middle).transpose(2, 1, 0))
    xx, xy, yy, xz, yz = (around[_PRODUCTS[0]] * around[_PRODUCTS[1]]).sum(axis=2)  # five small sums for one call
    spread = xx * yy - xy * xy
    normals = np.ones((len(members), 3))
    with np.errstate(divide="ignore", invalid="ignore"):
        normals[:, 0] = (yz * xy - xz * yy) / spread
        normals[:, 1] = (xz * xy - yz * xx) / spread
        normals /= np.sqrt((normals**2).sum(axis=1))[:, None]
    places = middle[:, :2].copy()
    nowhere = (members[:, 0] < 0) | (spread <= 0)
    places[nowhere], normals[nowhere] = np.nan, np.nan
    return places, normals
