"""The judge of a light challenge: from lock's log and the glances of the frames to a verdict. Pure.

Rules kept here:
- Nothing is bona fide by default: each test must say yes by itself, and whatever is unclear is inconclusive.
- A presentation attack is only called one where something contradicts a face; what a bright day, a dead lamp or a slow
  camera would look like as well is inconclusive. Both open nothing.
- Each limit is a stated probability, or a measured bound with its source; docs/liveness.md reckons them together.

The tests, in order: conditions (`conditions`), does anything answer, do both lamps (t tests on the face's mean), is it
the drawn code that it answers (`ranking`), less than what lies behind it, and is it solid (`relief`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, unique
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from device import wire
from device.eye.attack import relief
from device.eye.attack.conditions import Unfit, unfit, within
from device.eye.attack.driven import Driven, driven
from device.eye.attack.glance import EYE_DISTANCE_MM, Fitted, Glance
from device.eye.attack.levels import seen, steady_part
from device.eye.attack.ranking import Ranking, rank
from device.eye.attack.relief import Answers, Slope
from device.eye.attack.student import quantile
from device.wire import Attack

Floats = npt.NDArray[np.floating[Any]]

CODE_RISK: Final = 0.005
"""How often pictures made without knowing the code may pass for an answer to it: exact, see `ranking`."""

ANSWER_RISK: Final = 0.001
"""How often a lamp that gives nothing may seem to give something, for each lamp."""

FLAT_RISK: Final = 0.005
"""How often noise alone may lift something flat above MOST_FLAT, and as often may it press a face below LEAST_SOLID."""

SHAPE_RISK: Final = 0.05
"""How often relief that is no face's, but not flat either, may seem to be one by chance, noise aside."""

MOST_FLAT: Final = 0.4
"""The slope that something flat or bent may have for other reasons than noise: of some 600 rendered prints one had a
lower bound above it (docs/liveness.md)."""

LEAST_SOLID: Final = 0.40
"""The least slope of a face: below it whatever is there is flatter than any face."""

MOST_SOLID: Final = 8.0
"""The greatest slope that is believed: a wrong field of view may make it half as much again, and skin that shines
more."""

MIN_PATCHES: Final = 30
"""Patches of the face that must be measurable; what is taken out before the slope takes up to 25 of each answer."""

LEAST_COLOUR: Final = 0.45
"""How much more red than blue a patch must send, as a share of its green. A choice: what has less is a white shirt,
hair, a photograph in black and white, and with 0.35 one such print came near a face."""

MIN_CERTAIN: Final = 3.0
"""How many of its errors a patch must get from both lamps together, to have a quotient worth anything."""

AHEAD: Final = 60.0
"""From which lead another code is believed to be the one that is answered: twice the logarithm of 3,456 codes over
CODE_RISK is 27, for noise that is normal and independent; a face that moves has neither."""


@unique
class Why(Enum):
    """What decided, for whoever measures; it is never logged, stored or sent."""

    SOLID = "a solid face answers the code"
    LOG = Unfit.LOG.value
    FRAMES = Unfit.FRAMES.value
    MOVED = Unfit.MOVED.value
    NO_ANSWER = "nothing answers"
    ONE_LAMP = "one lamp alone answers"
    OTHER_CODE = "another code is answered"
    CODE_UNCLEAR = "many codes are answered as well"
    FEW_PATCHES = "too little of the face can be measured"
    BEHIND = "what lies behind answers more"
    FLAT = "light falls as on something flat"
    SHAPE_UNCLEAR = "flat or solid cannot be told"


@dataclass(frozen=True, slots=True)
class Figures:
    """What the tests came to, for whoever measures; None where a test was not reached."""

    frames: int = 0
    patches: int = 0
    left_t: float | None = None
    right_t: float | None = None
    ranking: Ranking | None = None
    slope: Slope | None = None
    face_answer: float | None = None
    behind_answer: float | None = None


@dataclass(frozen=True, slots=True)
class Judgement:
    """The verdict, what decided it, and the figures."""

    attack: Attack
    why: Why
    figures: Figures


def judge(log: wire.ChallengeLog, glances: Sequence[Glance], fitted: Fitted) -> Judgement:
    """Whether a solid face answered the challenge that `log` tells of. `glances` may hold more than the challenge."""
    drive = driven(log)
    if drive is None:
        return Judgement(Attack.INCONCLUSIVE, Why.LOG, Figures())
    used = within(drive, glances)
    figures = Figures(len(used))
    problem = unfit(drive, used) if used else Unfit.FRAMES
    if problem is not None:
        return Judgement(Attack.INCONCLUSIVE, Why[problem.name], figures)
    return _Bench(drive, used, fitted).judged()


class _Bench:
    """One challenge laid out as arrays: n frames, P patches that were measured in each of them."""

    def __init__(self, drive: Driven, glances: Sequence[Glance], fitted: Fitted) -> None:
        self.drive = drive
        self.times_ns = np.array([glance.time_ns for glance in glances], np.int64)
        face = np.array([glance.face for glance in glances], float)
        places = np.array([glance.places for glance in glances], float).mean(axis=0)
        normals = np.array([glance.normals for glance in glances], float).mean(axis=0)
        lens = np.array([glance.lens for glance in glances], float).mean(axis=0)
        wanted = relief.expected(places, normals, lens, fitted.light_offset_mm / EYE_DISTANCE_MM)
        kept = np.isfinite(face).all(axis=0) & np.isfinite(wanted[0]) & np.isfinite(wanted[1])
        kept &= np.where(np.isfinite(face), face, 0.0).mean(axis=0) > 0
        slopes, warm_slopes = (
            np.array(each, float).mean(axis=0)
            for each in ([glance.slopes for glance in glances], [glance.warm_slopes for glance in glances])
        )
        self.face, self.slopes, self.places = face[:, kept], slopes[kept], places[kept]
        self.wanted = wanted[0][kept], wanted[1][kept]
        warm = np.array([glance.warm for glance in glances], float)[:, kept]
        self.coloured = np.where(np.isfinite(warm).all(axis=0), warm.mean(axis=0), 0) > LEAST_COLOUR * self.face.mean(
            axis=0
        )
        self.warm, self.warm_slopes = warm[:, self.coloured], warm_slopes[kept][self.coloured]
        behind = np.array([glance.behind for glance in glances], float)
        self.behind = behind[:, np.isfinite(behind).all(axis=0)]

    def judged(self) -> Judgement:
        """The tests one after the other."""
        frames, patches = self.face.shape
        if patches < MIN_PATCHES:
            return Judgement(Attack.INCONCLUSIVE, Why.FEW_PATCHES, Figures(frames, patches))
        mean, odd = self._series()
        ranking = rank(self.drive, self.times_ns, mean, odd)
        design = self._design(ranking.lag_ms)
        left_t, right_t = _t_values(design, mean)
        strength = [_strength(part, design) for part in (self.face, self.behind)]
        slope, certain = self._slope(design)
        figures = Figures(frames, certain, left_t, right_t, ranking, slope, *map(_median, strength))
        attack, why = _decided(figures, self._less_than_behind(*strength))
        return Judgement(attack, why, figures)

    def _series(self) -> tuple[Floats, Floats]:
        """The face's brightness in each frame, and left against right, (n,) each; small moves are in neither.

        Sums over patches, each by its own mean brightness, with the weights nearest to equal ones and to what a face
        would show that no affine move changes.
        """
        bright = self.face.mean(axis=0)
        moves = np.linalg.qr(relief.restless(bright, self.slopes, self.places, bright)[:, 1:])[0]
        equal, shown = np.ones(len(bright)), self.wanted[0] - self.wanted[0].mean()
        even = equal - moves @ (moves.T @ equal)
        odd = np.linalg.qr(np.concatenate([moves, even[:, None]], axis=1))[0]
        uneven = shown - odd @ (odd.T @ shown)
        relative = self.face / bright
        return relative @ even / even.sum(), relative @ uneven

    def _design(self, lag_ms: float) -> Floats:
        """(n, 4): constant, drift, level of the left and of the right light in each frame, as they were driven."""
        steps = seen(self.times_ns, np.array(self.drive.at_ns, float), lag_ms)
        left, right = self.drive.changes()
        return np.concatenate([steady_part(self.times_ns), (left @ steps)[:, None], (right @ steps)[:, None]], axis=1)

    def _slope(self, design: Floats) -> tuple[Slope | None, int]:
        """The slope, of the patches that have colour and get enough from both lamps; and how many these are."""
        places, green = self.places[self.coloured], self.face[:, self.coloured].mean(axis=0)
        if len(green) < MIN_PATCHES:
            return None, len(green)
        rows, bright = np.linalg.pinv(design), self.warm.mean(axis=0)
        parts = rows @ self.warm
        noise = relief.settled(self.warm - design @ parts, bright, self.warm_slopes, places)
        answer = Answers(parts[2], parts[3], noise, bright, bright / green, rows[2], rows[3])
        certain = answer.both > MIN_CERTAIN * _error_of_sum(answer)
        count = int(np.count_nonzero(certain))
        if count < MIN_PATCHES:
            return None, count
        wanted = self.wanted[0][self.coloured][certain], self.wanted[1][self.coloured][certain]
        chosen = relief.compared(answer.of(certain), wanted, places[certain], self.warm_slopes[certain])
        return relief.slope(chosen), count

    def _less_than_behind(self, face: Floats, behind: Floats) -> bool:
        """Whether the background answers more: absolutely and for its brightness, each beyond its spread."""
        if not len(behind):
            return False
        return all(
            np.median(ahead) - np.median(own) > 2 * 1.2533 * (np.std(ahead) + np.std(own)) / np.sqrt(len(ahead))
            for own, ahead in zip(face.T, behind.T, strict=True)
        )


def _decided(found: Figures, behind: bool) -> tuple[Attack, Why]:  # noqa: FBT001 - one more test
    inconclusive, presentation = Attack.INCONCLUSIVE, Attack.PRESENTATION
    if found.ranking is None or found.left_t is None or found.right_t is None:
        return inconclusive, Why.NO_ANSWER
    least = quantile(1 - ANSWER_RISK, found.frames - 4)
    answering = (found.left_t > least) + (found.right_t > least)
    if found.ranking.share > CODE_RISK and found.ranking.ahead > AHEAD and answering != 1:
        return presentation, Why.OTHER_CODE
    if answering == 0:
        return inconclusive, Why.NO_ANSWER
    if answering == 1:
        return inconclusive, Why.ONE_LAMP
    if found.ranking.share > CODE_RISK:
        return inconclusive, Why.CODE_UNCLEAR
    if found.slope is None:
        return inconclusive, Why.FEW_PATCHES
    if behind:
        return presentation, Why.BEHIND
    return _by_slope(found.slope, found.frames - 4)


def _by_slope(slope: Slope, freedom: int) -> tuple[Attack, Why]:
    sure = quantile(1 - FLAT_RISK, freedom)
    shaped = slope.value > quantile(1 - SHAPE_RISK, slope.patches_left) * slope.by_patches
    if slope.value - sure * slope.by_frames > MOST_FLAT and shaped and slope.value <= MOST_SOLID:
        return Attack.BONA_FIDE, Why.SOLID
    if slope.value + sure * max(slope.by_frames, slope.by_patches) < LEAST_SOLID:
        return Attack.PRESENTATION, Why.FLAT
    return Attack.INCONCLUSIVE, Why.SHAPE_UNCLEAR


def _t_values(design: Floats, values: Floats) -> tuple[float, float]:
    """Student's t of both lamps' parts in `values` (n,), n - 4 degrees of freedom."""
    inverse = np.linalg.pinv(design.T @ design)
    parts = inverse @ design.T @ values
    rest = values - design @ parts
    variance = float(rest @ rest) / (len(values) - design.shape[1])
    left, right = parts[2:] / np.sqrt(np.maximum(variance * np.diag(inverse)[2:], 1e-30))
    return float(left), float(right)


def _error_of_sum(answer: Answers) -> Floats:
    """The standard error of left + right of each patch."""
    variance = (answer.noise**2).sum(axis=0) / (len(answer.noise) - 4)
    row = answer.left_row + answer.right_row
    error: Floats = np.sqrt(variance * float(row @ row))
    return error


def _strength(part: Floats, design: Floats) -> Floats:
    """What both lamps gave to each patch, (K, 2): as light, and as a share of its own brightness."""
    given = (np.linalg.pinv(design) @ part)[2:].sum(axis=0)
    return np.stack([given, given / np.maximum(part.mean(axis=0), 1e-6)], axis=1)


def _median(strength: Floats) -> float | None:
    return float(np.median(strength[:, 1])) if len(strength) else None
