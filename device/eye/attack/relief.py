"""Whether the two lights fall on a solid face: the slope of what is seen on what a face would show. Pure.

Rules kept here:
- Two answers are compared with what a face would show: (left - right) / (left + right) of what each lamp gave to a
  patch, and the logarithm of what both gave for what there is. The colour of the skin is in all of these and cancels
  (docs/liveness.md has the derivations).
- Before the slope is taken, everything that something flat or bent could show is taken out of both sides: any smooth
  change over the face up to the third power, and any change at all along the line between the lamps.
- So is everything that the room's light could do by flickering, and the face by moving: a patch that lies a little
  beside itself changes with the slope of its brightness, whatever the move was. And so is, of the second answer, what
  goes with the brightness itself: a camera's curve is known nearly only, and prints are brighter where faces are.
- The slope has two errors. What the frames leave over, all patches together, so that a shake of the head or a flicker
  counts in full, says whether it could be nothing. What the patches leave over says whether it is the face that the
  mesh sees: crumpled paper and mirrored lamps have relief as well, but another one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating[Any]]

DEGREE: Final = 3
TONE: Final = 2
"""Up to which power of the logarithm of the brightness a camera's curve may differ from the one that is known."""

KNOTS: Final[Floats] = np.arange(-0.9, 0.91, 0.3)
"""Where the line between the lamps is cut, in eye distances: between two of them a change may have any slope."""

BLUR: Final = 0.1
"""Over which distance normals are averaged: a patch is 1 cm wide, and skin scatters light over some millimetres."""

STEEPEST: Final = 0.3
"""Where what is expected begins to level off. The mesh's steepest patches, beside the nose and at the rim, are steeper
than what is seen there: of rendered heads, slopes were 0.3 with these patches in full and 1.2 so (docs/liveness.md)."""

SHALLOW: Final = 0.3
"""Where what is expected of both lamps together levels off, as a logarithm, for the same reason."""

_BEST_LIT: Final = 0.95  # of all patches: the few beyond are the mesh's odd ones
_BRIGHTER: Final = 0.1

MISFIT: Final = (0.03, 0.06)
"""How much a patch of a real face departs from what is expected of either answer, whatever its noise is: of the first
0.025 and 0.038 on two rendered heads. It keeps the few quietest patches from deciding alone."""

PALE: Final = 1.1
"""Where red less blue is so much of green, half of the departure is the colours' own: they are each read with a small
error of the camera's curve, and what is left of both is as small as that in the end. A choice."""

LEAST_LEFT: Final = 10
"""Degrees of freedom that must remain of both answers' patches."""

_RANK: Final = 1e-6


@dataclass(frozen=True, slots=True)
class Slope:
    """About 1 to 3 for a face, 0 for whatever is flat or bent; with its standard errors.

    `by_frames`: how far noise alone may have moved it, n - 4 degrees of freedom. `by_patches`: how far relief of
    another shape may have, `patches_left` degrees.
    """

    value: float
    by_frames: float
    by_patches: float
    patches_left: int


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """What each lamp gave to each patch for one level, (P,); the `noise` of a frame (n, P) around that.

    `bright` (P,): how bright the patch is; `colour` (P,): as a share of its green. `left_row` and `right_row` (n,): how
    much of each frame goes into `left` and `right`.
    """

    left: Floats
    right: Floats
    noise: Floats
    bright: Floats
    colour: Floats
    left_row: Floats
    right_row: Floats

    @property
    def both(self) -> Floats:
        """What both lamps gave."""
        return self.left + self.right

    def of(self, which: npt.NDArray[np.bool_]) -> Answers:
        """Those patches alone."""
        left, right, bright, colour = (part[which] for part in (self.left, self.right, self.bright, self.colour))
        return Answers(left, right, self.noise[:, which], bright, colour, self.left_row, self.right_row)


@dataclass(frozen=True, slots=True, eq=False)
class Compared:
    """One answer, (P,): what is `seen` and `wanted`, how each frame `moved` (n, P) what is seen, the `basis` (P, k)."""

    seen: Floats
    wanted: Floats
    moved: Floats
    basis: Floats
    misfit: Floats


def expected(places: Floats, normals: Floats, lens: Floats, offset: float) -> tuple[Floats, Floats]:
    """What a matt face shows by Lambert's cosine and the square of the distance, (P,) each.

    (left - right) / (left + right), and the logarithm of left + right, less that of the best lit patches. `offset`:
    from the lens to each lamp, in the unit of all others. The left lamp is left for who looks into the lens, and so at
    the picture's right.
    """
    surface = np.concatenate([places, np.zeros((len(places), 1))], axis=1)
    facing, given = _blurred(places, normals), []
    for side in (1, -1):
        way = lens + np.array([side * offset, 0.0, 0.0]) - surface
        given.append(np.maximum((facing * way).sum(axis=1), 0.0) / np.sqrt((way**2).sum(axis=1)) ** 3)
    left, right = given
    with np.errstate(invalid="ignore", divide="ignore"):
        difference: Floats = (left - right) / (left + right)
        below = np.log(left + right)
    known = np.isfinite(difference)
    best = float(np.quantile(below[known], _BEST_LIT)) if known.any() else 0.0
    below = np.maximum(best - below, -_BRIGHTER)
    return difference / (1 + np.abs(difference) / STEEPEST), -below / (1 + np.maximum(below, 0.0) / SHALLOW)


def _blurred(places: Floats, normals: Floats) -> Floats:
    """Normals as a patch of some width shows them: the mean of those around, by distance; NaN stays NaN."""
    known = np.isfinite(normals).all(axis=1) & np.isfinite(places).all(axis=1)
    at, there = places[known], normals[known]
    apart = ((at[:, None] - at[None, :]) ** 2).sum(axis=2)
    mixed = np.exp(-apart / (2 * BLUR**2)) @ there
    result = np.full_like(normals, np.nan)
    result[known] = mixed / np.sqrt((mixed**2).sum(axis=1))[:, None]
    return result


def flat_or_bent(places: Floats) -> Floats:
    """The basis (P, k) of what is taken out before the slope."""
    x, y = places[:, 0], places[:, 1]
    powers = [x**i * y**j for i in range(DEGREE + 1) for j in range(DEGREE + 1 - i)]
    width = KNOTS[1] - KNOTS[0]
    hats = [np.maximum(0.0, 1 - np.abs(x - knot) / width) for knot in KNOTS]
    return np.stack([*powers, *hats], axis=1)


def restless(bright: Floats, slopes: Floats, places: Floats, total: Floats) -> Floats:
    """What flicker and small moves can add to (left - right) / (left + right), (P, 7).

    `bright` (P,) and `slopes` (P, 2) of each patch, and `total`, what both lamps gave to it: flicker adds in proportion
    to the brightness, a shift, turn or growth of the face (any affine move) to slope times place.
    """
    x, y = places[:, :1], places[:, 1:]
    parts = np.concatenate([bright[:, None], slopes, slopes * x, slopes * y], axis=1)
    shares: Floats = parts / total[:, None]
    return shares


def compared(answers: Answers, wanted: tuple[Floats, Floats], places: Floats, slopes: Floats) -> tuple[Compared, ...]:
    """Both answers of the patches at `places` (P, 2), with `slopes` (P, 2), and what is taken out of each."""
    both, noise, left_row, right_row = (
        answers.both,
        answers.noise,
        answers.left_row[:, None],
        answers.right_row[:, None],
    )
    smooth = flat_or_bent(places)
    moves = restless(answers.bright, slopes, places, both)
    # The derivatives of what is seen by each lamp's part, and with them how every single frame moved it.
    swayed = 2 / both**2 * (answers.right * left_row - answers.left * right_row) * noise
    raised = (left_row + right_row) * noise / both
    tone = np.log(answers.bright / np.median(answers.bright))[:, None] ** np.arange(1, TONE + 1)
    spread = np.sqrt(1 + (PALE / answers.colour) ** 2)
    return (
        Compared(
            (answers.left - answers.right) / both,
            wanted[0],
            swayed,
            np.concatenate([smooth, moves], axis=1),
            MISFIT[0] * spread,
        ),
        # Flicker adds the same to all of the second: it is among the powers.
        Compared(
            np.log(both / answers.bright),
            wanted[1],
            raised,
            np.concatenate([smooth, moves[:, 1:], tone], axis=1),
            MISFIT[1] * spread,
        ),
    )


def slope(parts: Sequence[Compared]) -> Slope | None:
    """How much of what is wanted is seen, beyond each part's basis; None if too little of it would be left to see."""
    rests = [_rest(part) for part in parts]
    seen, wanted = (np.concatenate([rest[which] for rest in rests]) for which in (0, 1))
    moved = np.concatenate([rest[2] for rest in rests], axis=1)
    patches_left = sum(rest[3] for rest in rests) - 1
    power = float(wanted @ wanted)
    if patches_left < LEAST_LEFT or power <= 0:
        return None
    row = wanted / power
    value = float(row @ seen)
    by_frames = float(((moved @ row) ** 2).sum()) * _more(moved)
    by_patches = float(((row * (seen - value * wanted)) ** 2).sum()) * len(seen) / patches_left
    return Slope(value, math.sqrt(by_frames), math.sqrt(by_patches), patches_left)


def _rest(part: Compared) -> tuple[Floats, Floats, Floats, int]:
    """What is seen and wanted beyond the basis, and what frames moved, each by its error; patches that are free."""
    root = 1 / np.sqrt((part.moved**2).sum(axis=0) * _more(part.moved) + part.misfit**2)
    out = _spanned(root[:, None] * part.basis)
    seen, wanted = root * part.seen, root * part.wanted
    return seen - out @ (out.T @ seen), wanted - out @ (out.T @ wanted), root * part.moved, len(seen) - out.shape[1]


def _spanned(basis: Floats) -> Floats:
    """An orthonormal basis (P, r) of what `basis` (P, k) spans; columns that say the same count once."""
    vectors, sizes, _ = np.linalg.svd(basis, full_matrices=False)
    spanned: Floats = vectors[:, sizes > _RANK * sizes[0]]
    return spanned


def _more(moved: Floats) -> float:
    """How much more than the frames show their noise is: four numbers were fitted to them."""
    return len(moved) / (len(moved) - 4)


def settled(noise: Floats, bright: Floats, slopes: Floats, places: Floats) -> Floats:
    """`noise` (n, P) less what flicker and small moves explain of it: what each patch has for itself."""
    out = _spanned(restless(bright, slopes, places, bright))
    own = noise / bright
    rest: Floats = (own - (own @ out) @ out.T) * bright * math.sqrt(len(bright) / (len(bright) - out.shape[1]))
    return rest
