"""Numbers that are like a face, however they were scaled, shifted, rounded or turned over.

Rules kept here:
- Every run of 32, 64 and 128 numbers that bytes can be read as (int8, uint8, 16, 32 and 64 bits, both orders, from
  every byte on) is compared with every run of the same length of every vector, by the absolute value of Pearson's
  correlation. It does not change when numbers are scaled, shifted or negated.
- The bound follows from how many comparisons are made: all of them together cry wolf with a probability of at most
  `rate`, each with `rate` divided by their number (Bonferroni). Nothing is tuned.
- Numbers that are all alike have no correlation.

The bound for the numbers themselves: take any window of n numbers that are not all alike. Against n independent normal
numbers its correlation r has the density (1 - r^2)^((n - 4) / 2) / B(1/2, (n - 2)/2), whatever the window is (Fisher,
Biometrika 10, 1915). The components of an embedding are close to normal; the bound is the point beyond which that
density leaves rate/comparisons on both sides, exactly and not by Fisher's z, which errs far out.

The bound for the signs: for n independent fair signs s and any centred window a of length 1, P(|a.s| >= t) is at most
2 exp(-t^2 / 2) (Hoeffding, JASA 58, 1963). In runs of 32 signs there are only 2^32 patterns, too few for so many
comparisons, so signs are compared in runs of 64 and 128.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

LENGTHS: Final = (32, 64, 128)
SIGN_LENGTHS: Final = (64, 128)
KINDS: Final = ("i1", "u1", "<i2", ">i2", "<f2", ">f2", "<f4", ">f4", "<f8", ">f8")
RATE: Final = 1e-3
_HUGE: Final = 1e30  # what text reads as in floating point: beyond it squares overflow
_STEP: Final = 4096  # windows at a time

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Alike:
    """A run of numbers that is like the vector `name`; `at` is where it begins in its series."""

    name: str
    kind: str
    at: int
    length: int
    correlation: float


@dataclass(frozen=True, slots=True)
class Bounds:
    """Above which correlation a run of so many numbers is no chance, for so many comparisons."""

    comparisons: int
    numbers: dict[int, float]
    signs: dict[int, float]


@dataclass(frozen=True, slots=True)
class Series:
    """Numbers in a row, and what they were read as."""

    kind: str
    numbers: Floats


def tail(correlation: float, length: int) -> float:
    """The probability that |r| of `length` pairs, one side independent normal numbers, exceeds `correlation`."""
    if correlation >= 1:
        return 0.0
    half = (length - 2) / 2
    scale = math.lgamma(0.5) + math.lgamma(half) - math.lgamma(0.5 + half)
    at = np.linspace(correlation, 1.0, 20001)
    height = np.exp((half - 1) * np.log(np.maximum(1 - at**2, 1e-300)) - scale)
    return float(2 * (height.sum() - (height[0] + height[-1]) / 2) * (at[1] - at[0]))


def bounds(comparisons: int, rate: float = RATE) -> Bounds:
    """The bounds at which `comparisons` together cry wolf with a probability of at most `rate`."""
    each = min(rate / max(comparisons, 1), 1.0)
    numbers = {}
    for length in LENGTHS:
        low, high = 0.0, 1.0
        for _ in range(60):
            middle = (low + high) / 2
            low, high = (middle, high) if tail(middle, length) > each else (low, middle)
        numbers[length] = high
    signs = {length: math.sqrt(2 * math.log(2 / each) / length) for length in SIGN_LENGTHS}
    return Bounds(comparisons, numbers, signs)


def series_of(text: bytes) -> Iterator[Series]:
    """Everything that `text` can be read as, from every byte on."""
    for kind in KINDS:
        width = np.dtype(kind).itemsize
        for first in range(width):
            count = (len(text) - first) // width
            if count >= LENGTHS[0]:
                with np.errstate(invalid="ignore"):  # signalling NaNs of float32: they become NaN, and then 0
                    raw = np.frombuffer(text, kind, count, first).astype(np.float64)
                yield Series(kind, raw)


def alike(read: Iterable[Series], vectors: dict[str, Floats], rate: float = RATE) -> tuple[list[Alike], Bounds]:
    """Every run of `read` that is like one of `vectors`, and the bounds that were used."""
    all_series = [Series(each.kind, _bounded(each.numbers)) for each in read]
    targets = {length: _targets(vectors, length) for length in LENGTHS}
    signs = {length: _signs(vectors, length) for length in SIGN_LENGTHS}
    comparisons = 0
    for length in LENGTHS:
        per_window = len(targets[length][0]) + (len(signs[length][0]) if length in signs else 0)
        # At most so many: a run of numbers that are all alike is counted here and not compared.
        comparisons += per_window * sum(max(len(each.numbers) - length + 1, 0) for each in all_series)
    limit = bounds(comparisons, rate)
    hits: list[Alike] = []
    for length in LENGTHS:
        for each in all_series:
            for found, at in _windows(each.numbers, length):
                hits += _beyond(each, found, at, targets[length], limit.numbers[length], length)
                if length in signs:
                    of_signs = Series(f"{each.kind}, by its signs", each.numbers)
                    hits += _beyond(of_signs, found, at, signs[length], limit.signs[length], length)
    return hits, limit


def _bounded(numbers: Floats) -> Floats:
    """`numbers` without what is no number or too large to be squared: bytes and text read as anything."""
    return np.asarray(np.clip(np.nan_to_num(numbers, posinf=_HUGE, neginf=-_HUGE), -_HUGE, _HUGE), dtype=np.float64)


def _windows(numbers: Floats, length: int) -> Iterator[tuple[Floats, NDArray[np.intp]]]:
    """Centred runs of length 1, and where they begin; those without a direction are left out."""
    if len(numbers) < length:
        return
    views = sliding_window_view(numbers, length)
    for start in range(0, len(views), _STEP):
        centred = views[start : start + _STEP] - views[start : start + _STEP].mean(axis=1, keepdims=True)
        norm = np.linalg.norm(centred, axis=1)
        # A run of equal numbers is zero up to rounding, by the size of its numbers.
        largest = np.abs(views[start : start + _STEP]).max(axis=1)
        good = np.flatnonzero(norm > 1e-9 * np.maximum(largest, 1e-290))
        if len(good):
            yield centred[good] / norm[good, None], good + start


def _targets(vectors: dict[str, Floats], length: int) -> tuple[Floats, list[str]]:
    rows, names = [], []
    for name, numbers in vectors.items():
        for found, _ in _windows(np.asarray(numbers, dtype=np.float64), length):
            rows.append(found)
            names += [name] * len(found)
    return (np.concatenate(rows) if rows else np.empty((0, length))), names


def _signs(vectors: dict[str, Floats], length: int) -> tuple[Floats, list[str]]:
    rows, names = [], []
    for name, numbers in vectors.items():
        if len(numbers) >= length:
            found = np.sign(sliding_window_view(np.asarray(numbers, dtype=np.float64), length)) / math.sqrt(length)
            rows.append(found)
            names += [name] * len(found)
    return (np.concatenate(rows) if rows else np.empty((0, length))), names


def _beyond(
    read: Series,
    found: Floats,
    at: NDArray[np.intp],
    targets: tuple[Floats, list[str]],
    limit: float,
    length: int,
) -> Iterator[Alike]:
    rows, names = targets
    if not len(rows) or limit >= 1:
        return
    product = np.abs(found.astype(np.float32) @ rows.T.astype(np.float32))
    for window, target in zip(*np.nonzero(product > limit), strict=True):
        yield Alike(names[target], read.kind, int(at[window]), length, float(product[window, target]))
