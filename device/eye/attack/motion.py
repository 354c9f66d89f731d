"""Whether somebody turned their face to where they were asked, and whether it was a solid one that turned. Pure.

Rules kept here:
- Each place is judged against the person's own middle, the frames before the first prompt: nobody has to look straight
  into the lens, and ENOUGH is reached by turning 8 degrees or so.
- At the beginning of a prompt the face is still where it was: who turns before being asked was not asked.
- The network's points say where a face turned to, and no more than that; they follow a turned sheet as well. That it is
  solid is for the pixels to say (`parallax`), over all turns together, beyond an error of SHAPE_RISK.
- Whatever is unclear does not pass, and nothing that passes is worth as much as an answer to the light challenge: a
  film that guessed the order passes too.

That the moments show one person is for whoever took them to see to (`device.eye.attack.moved`): `Turning.looked_at` are
those that were looked at, one for each place the face was in.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import Enum, unique
from itertools import pairwise
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from device.challenge import MS
from device.eye.attack.parallax import DEGREE, Shot, parallax
from device.eye.attack.student import quantile
from device.eye.attack.surface import in_eye_distances, on_skin
from device.eye.pixels import Picture
from device.motion import Facing, Prompted

Floats = npt.NDArray[np.floating[Any]]

ENOUGH: Final = 0.12
"""The least `sideways` of a face turned aside: of rendered heads those that turn by 8 degrees come to 0.15 or more."""

MIDDLE: Final = 0.08
"""The most of one that is in the middle again: of rendered heads those that stay come to 0.06 at most."""

LEAST_WIDE: Final = 0.9
"""How narrow the points may become, the smaller of their two scales over the larger: none of 29
rendered heads fell below it at 14 degrees; flat sheets do when they are turned far enough to look like one."""

BEFORE_MS: Final = 500  # before the first prompt, in which the middle is taken
AHEAD_MS: Final = 150  # from a prompt's beginning: nobody has turned by then (to see a light takes 200 ms and more)
HOLD_MS: Final = 400  # at the end of a prompt, in which the face is where it was asked to be
LEAST: Final = 2  # frames in each of these
MAX_GAP_MS: Final = 220  # a face that is gone for longer may be another one's afterwards

SHAPE_RISK: Final = 0.005
"""How often noise of the patches alone may lift something flat above MOST_FLAT."""

MOST_FLAT: Final = 0.02
"""The parallax that something flat or bent may have for other reasons than noise, in the mean of all turns: the most of
42 sheets that turned as asked was 0.021 (docs/liveness.md)."""


@unique
class Why(Enum):
    """What decided, for whoever measures; it is never logged, stored or sent."""

    TURNED = "a solid face turned as asked"
    FRAMES = "too few frames, or a gap between them"
    RESTLESS = "it did not keep still before the first prompt"
    EARLY = "it turned before it was asked to"
    ELSEWHERE = "it was not where it was asked to be"
    LOST = "too little of it was found again"
    NARROW = "it became narrow, as a sheet does"
    FLAT = "it turned like something flat, or too little to tell"


@dataclass(frozen=True, slots=True, eq=False)
class Moment:
    """One frame of the one face. `time_ns`: the beginning of its exposure, CLOCK_MONOTONIC.

    `crop`: the aligned face of the same frame, 112 x 112 x 3 BGR, if it is good enough for an embedding.
    """

    time_ns: int
    shot: Shot = field(repr=False)
    crop: Picture | None = field(default=None, repr=False)

    def forget(self) -> None:
        """Overwrite what was seen."""
        self.shot.forget()
        if self.crop is not None:
            self.crop.fill(0)


@dataclass(frozen=True, slots=True)
class Turning:
    """Whether it passed, and what decided. The rest only if every turn was seen, None before that.

    `aside`: how far the mesh saw it turn, in the mean; `value`: the mean parallax of all turns, with its `error`.
    `looked_at`: the moment before the first prompt, and of each prompt the one that counted.
    """

    passed: bool
    why: Why
    aside: float | None = None
    value: float | None = None
    error: float | None = None
    looked_at: tuple[Moment, ...] = field(default=(), repr=False)


class Middle:
    """Somebody's own middle: the points (468, 3) of a frame in which they looked ahead."""

    def __init__(self, points: Floats) -> None:
        """Raises ValueError for a mesh whose eyes lie in one place."""
        self._points, _ = in_eye_distances(points)
        self._skin = np.array([on_skin(float(x), float(y)) for x, y, _z in self._points])
        x, y, z = self._points[self._skin].T
        basis, _ = np.linalg.qr(np.stack([np.ones_like(x), x, y], axis=1))
        depth = z - basis @ (basis.T @ z)
        power = float(depth @ depth)
        self._row = depth / power if power > 0 else None

    def sideways(self, points: Floats) -> float:
        """How far a face was turned to its own left since (right: negative): near the sine of the turn.

        The slope of how far each point moved across, on its depth; anything affine is taken out of both. Of a mesh
        without depth NaN, which is at no place that could be asked for.
        """
        if self._row is None:
            return math.nan
        now, _ = in_eye_distances(points)
        return float(self._row @ (now - self._points)[self._skin, 0])

    def wide(self, points: Floats) -> float:
        """The smaller of the two scales of the affine map that explains `points` best, over the larger."""
        now, _ = in_eye_distances(points)
        begin = np.column_stack([self._points[self._skin, :2], np.ones(np.count_nonzero(self._skin))])
        affine = np.linalg.lstsq(begin, now[self._skin, :2], rcond=None)[0]
        larger, smaller = np.linalg.svd(affine[:2], compute_uv=False)
        return float(smaller / larger)


def turning(prompted: Prompted, moments: Sequence[Moment]) -> Turning:
    """Whether `moments`, in the order of time, answer what was `prompted`. They may hold more than that."""
    begin_ns, end_ns = prompted.began_ns[0] - BEFORE_MS * MS, prompted.ended_ns
    used = [moment for moment in moments if begin_ns <= moment.time_ns <= end_ns]
    before = [moment for moment in used if moment.time_ns <= prompted.began_ns[0]]
    if len(before) < LEAST or _gap(used, begin_ns, end_ns):
        return Turning(passed=False, why=Why.FRAMES)
    first = _with_crop(before)[-1]
    middle = Middle(first.shot.points)
    aside = [(moment, middle.sideways(moment.shot.points)) for moment in used]
    if any(abs(value) > MIDDLE for moment, value in aside if moment.time_ns <= prompted.began_ns[0]):
        return Turning(passed=False, why=Why.RESTLESS)
    previous, turns, looked_at = Facing.MIDDLE, list[tuple[int, float, Shot]](), [first]
    for facing, began_ns, until_ns in prompted.spans():
        ahead = [(m, v) for m, v in aside if began_ns <= m.time_ns < began_ns + AHEAD_MS * MS]
        held = [(m, v) for m, v in aside if until_ns - HOLD_MS * MS <= m.time_ns <= until_ns]
        if len(ahead) < LEAST or len(held) < LEAST:
            return Turning(passed=False, why=Why.FRAMES)
        if not _is(previous, ahead):
            return Turning(passed=False, why=Why.EARLY)
        if not _is(facing, held):
            return Turning(passed=False, why=Why.ELSEWHERE)
        if any(middle.wide(moment.shot.points) < LEAST_WIDE for moment, _ in held):
            return Turning(passed=False, why=Why.NARROW)
        side, seen = _side(facing), {moment.time_ns: value for moment, value in held}
        farthest = max(_with_crop([moment for moment, _ in held]), key=lambda each: side * seen[each.time_ns])
        looked_at.append(farthest)
        if facing is not Facing.MIDDLE:
            turns.append((side, side * seen[farthest.time_ns], farthest.shot))
        previous = facing
    return replace(_solid(first.shot, turns), looked_at=tuple(looked_at))


def _with_crop(moments: Sequence[Moment]) -> Sequence[Moment]:
    """Those whose person can be told, so that what turned and who it was come from one frame; all if there are none."""
    return [moment for moment in moments if moment.crop is not None] or moments


def _gap(moments: Sequence[Moment], begin_ns: int, end_ns: int) -> bool:
    times = [begin_ns, *(moment.time_ns for moment in moments), end_ns]
    return any(after - before > MAX_GAP_MS * MS for before, after in pairwise(times))


def _is(facing: Facing, seen: Sequence[tuple[Moment, float]]) -> bool:
    value = float(np.median([value for _, value in seen]))
    return abs(value) <= MIDDLE if facing is Facing.MIDDLE else value * _side(facing) >= ENOUGH


def _side(facing: Facing) -> int:
    """The sign of `Middle.sideways` of who faces there."""
    return {Facing.LEFT: 1, Facing.MIDDLE: 0, Facing.RIGHT: -1}[facing]


def _solid(first: Shot, turns: Sequence[tuple[int, float, Shot]]) -> Turning:
    """Over all turns together: each counts alike, whatever its size."""
    aside = sum(value for _, value, _ in turns) / len(turns)
    found = [(side, parallax(first, shot)) for side, _, shot in turns]
    seen = [(side, each) for side, each in found if each is not None]
    if len(seen) < len(found):
        return Turning(passed=False, why=Why.LOST, aside=aside)
    value = sum(side * each.value for side, each in seen) / len(seen)
    error = math.sqrt(sum(each.error**2 for _, each in seen)) / len(seen)
    taken = (DEGREE + 1) * (DEGREE + 2) // 2 + 1
    reach = quantile(1 - SHAPE_RISK, min(each.patches for _, each in seen) - taken) * error
    passed = value - reach > MOST_FLAT
    return Turning(passed, Why.TURNED if passed else Why.FLAT, aside, value, error)
