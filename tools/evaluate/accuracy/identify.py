"""Searches of a gallery, 1:N: how often a stranger is taken for somebody, and somebody for nobody or another.

Rules kept here:
- As vault searches: the best score counts, if it reaches the threshold. A resident who is taken for another resident
  was not found: the door opens all the same, and it is an error of identification.
- FPIR: of probes of people who are not in the gallery, the share that reaches the threshold. FNIR: of probes of people
  who are, the share that does not, or whose best score is another's.
- Galleries are drawn at random, several of each size, because who the neighbours are matters most in small ones. No
  gallery holds more than half of the people: strangers are needed, too. A size that the people do not allow is named.
- A size beyond that half is filled with people of another set, one picture each, where one is given: templates that
  nobody who stands before the camera belongs to. How many they are stands beside the row.
- Intervals draw again the people who stand before the camera; the galleries are as they were drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from device.wire import EMBEDDING_DIM
from tools.evaluate.accuracy.rates import Rate, of_people
from tools.evaluate.accuracy.trials import CAP, Design, Floats, Numbers, Reals
from tools.evaluate.figures import mean_vector

SIZES: Final = (4, 50, 500, 5000)
FPIRS: Final = (1e-2, 1e-3)
_SEARCHES: Final = 2000  # templates in all galleries of one size, at least
_MOST, _FEWEST = 100, 5  # galleries of one size
_LEAST: Final = 3
_LEAST_OWN: Final = 2  # residents of a gallery who are of the people themselves


@dataclass(frozen=True, slots=True, eq=False)
class Searched:
    """Searches in all galleries of one size.

    own: score of each mated probe with its own template, or -2 where another's is higher; owner: whose it is.
    other: the best score of each non-mated probe; stranger: whose it is.
    """

    size: int
    galleries: int
    own: Floats
    owner: Numbers
    other: Floats
    stranger: Numbers


@dataclass(frozen=True, slots=True)
class AtFpir:
    """FNIR where the FPIR is `fpir`; None: too few strangers for such a rate."""

    fpir: float
    threshold: float | None
    fnir: Rate | None


@dataclass(frozen=True, slots=True)
class AtThreshold:
    """FPIR and FNIR at the threshold that the door has with so many faces awake."""

    threshold: float
    fpir: Rate
    fnir: Rate


@dataclass(frozen=True, slots=True)
class Size:
    """One size of gallery. wanted: what was asked for; size: what the people allowed; filled: of another set."""

    wanted: int
    size: int
    galleries: int
    rows: tuple[AtFpir, ...]
    door: AtThreshold | None
    filled: int = 0


def sizes(people: int, filling: int = 0, wanted: Sequence[int] = SIZES) -> list[tuple[int, int, int]]:
    """(wanted, people, filled): every size that half of the people fill, and the larger ones with `filling` others.

    Of those that cannot be filled, the first at that half.
    """
    half = people // 2
    possible = [(size, size, 0) for size in wanted if size <= half]
    too_large = [size for size in wanted if size > half]
    filled = [(size, half, size - half) for size in too_large if half >= _LEAST_OWN and size - half <= filling]
    if not filled and too_large and half >= _LEAST_OWN and half not in wanted:
        return [*possible, (too_large[0], half, 0)]
    return possible + filled


def search(
    people: Sequence[Floats], design: Design, size: int, filling: Floats | None = None, seed: int = 3
) -> Searched | None:
    """Searches in random galleries of `size` of the people. people: (n, 128) of each. None if there are too few.

    filling: (m, 128), other people, of whom all stand in every gallery as well.
    """
    able = [row for row, own in enumerate(people) if len(own) >= design.enrolled]
    if len(able) < size:
        return None
    generator = np.random.default_rng([seed, size, design.enrolled, design.frames])
    galleries = int(np.clip(_SEARCHES // size, _FEWEST, _MOST))
    others = np.zeros((0, EMBEDDING_DIM), np.float32) if filling is None else filling
    found = [
        _one(people, design, generator.choice(able, size, replace=False), others, generator) for _ in range(galleries)
    ]
    own, owner, other, stranger = (np.concatenate(part) for part in zip(*found, strict=True))
    if not len(own) or not len(other):
        return None
    return Searched(size, galleries, own, owner, other, stranger)


def measure(searched: Searched, wanted: int, door: float | None, resamples: Reals, filled: int = 0) -> Size:
    """The rates of one size. door: the threshold the door has with so many faces awake, if it has one."""
    rows = tuple(_at_fpir(searched, fpir, resamples) for fpir in FPIRS)
    at_door = None
    if door is not None:
        fpir = of_people(searched.other >= door, searched.stranger, resamples)
        at_door = AtThreshold(door, fpir, of_people(searched.own < door, searched.owner, resamples))
    return Size(wanted, searched.size + filled, searched.galleries, rows, at_door, filled)


def _at_fpir(searched: Searched, fpir: float, resamples: Reals) -> AtFpir:
    allowed = int(fpir * len(searched.other))
    if fpir * len(np.unique(searched.stranger)) < _LEAST:
        return AtFpir(fpir, None, None)
    falling = -np.sort(-searched.other)
    threshold = float(np.nextafter(falling[allowed], np.float32(2)))
    return AtFpir(fpir, threshold, of_people(searched.own < threshold, searched.owner, resamples))


def _one(
    people: Sequence[Floats],
    design: Design,
    residents: npt.NDArray[np.int_],
    filling: Floats,
    generator: np.random.Generator,
) -> tuple[Floats, Numbers, Floats, Numbers]:
    templates, mated, owner = [], [], []
    at = np.full(len(people), -1)
    at[residents] = np.arange(len(residents))
    for row in residents:
        own = people[row][generator.permutation(len(people[row]))]
        templates.append(mean_vector(own[: design.enrolled]))
        for probe in _probes(own[design.enrolled :], design.frames):
            mated.append(probe)
            owner.append(int(row))
    others, stranger = [], []
    for row in np.flatnonzero(at < 0):
        # One probe a stranger and gallery: there are many galleries, and other pictures are drawn for each.
        own = people[row][generator.permutation(len(people[row]))]
        for probe in _probes(own, design.frames)[:1]:
            others.append(probe)
            stranger.append(int(row))
    gallery = np.concatenate([np.stack(templates), filling]).astype(np.float32)
    own_score = np.zeros(0, np.float32)
    if mated:
        scores = np.stack(mated).astype(np.float32) @ gallery.T
        right = scores[np.arange(len(owner)), at[owner]]
        own_score = np.where(right >= scores.max(axis=1), right, np.float32(-2))
    best = (np.stack(others).astype(np.float32) @ gallery.T).max(axis=1) if others else np.zeros(0, np.float32)
    return own_score, np.array(owner, int), best, np.array(stranger, int)


def _probes(own: Floats, frames: int) -> Floats:
    fit = min(CAP, len(own) // frames)
    return mean_vector(own[: fit * frames].reshape(fit, frames, -1)) if fit else own[:0]
