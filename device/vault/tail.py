"""models/impostor-tail.toml: how alike strangers of one group look to the embedder, as measured, read and checked.

Rules kept here:
- Without the file, with one made for another network, or with one that contradicts itself, face does not start. There
  is one for bare faces and one for covered ones (`COVERED_FILE`), read and checked alike.
- Strangers are those of the worst cell: at every rate the highest threshold that any adult cell needs.
- What was not measured is not guessed: a rate below the last bound, or more pictures and frames than were averaged, has
  no answer. Between measured modes the larger shift and the larger refusal count.
- Pictures that are alike count as fewer (`worth`): only as the length of their own mean says, never as more.
- A bound may not rise with the threshold, nor lie below the count it bounds.
"""

from __future__ import annotations

import hmac
import tomllib
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from math import ceil
from pathlib import Path
from typing import cast

from device import reading
from device.errors import ModelRefused

FILE = "impostor-tail.toml"
COVERED_FILE = "impostor-tail-covered.toml"  # the same of faces with mouth and nose covered
SCHEMA = 1
_MAX_BYTES = 1 << 20

Rates = tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Averaging:
    """What the mean of `enrolled` pictures against the mean of `frames` does.

    shift: by how much the threshold has to be higher for strangers (upper bound, cosine).
    fnmr: share of the right people's comparisons refused, a number per threshold of the file.
    length: of the mean of `enrolled` different pictures of one person, on average; 1 where it was not measured,
    and then it says nothing.
    """

    enrolled: int
    frames: int
    shift: float
    fnmr: Rates
    length: float = 1.0


@dataclass(frozen=True, slots=True)
class Tail:
    """The thresholds first, first + step, ... (cosine), and at each the highest rate of false matches (95 % bound).

    cells: a name and such rates for every adult cell, one picture against one picture.
    """

    model_sha256: bytes
    first: float
    step: float
    cells: tuple[tuple[str, Rates], ...]
    averaging: tuple[Averaging, ...]

    def threshold(self, rate: float) -> float | None:
        """The least threshold at which no cell has more than `rate` false matches; None if the file ends before."""
        # The bounds fall, so their negatives rise; the first at or below `rate` is the one wanted.
        places = [bisect_left(upper, -rate, key=lambda bound: -bound) for _, upper in self.cells]
        if any(place == len(upper) for place, (_, upper) in zip(places, self.cells, strict=True)):
            return None
        return self.first + max(places) * self.step

    def shift(self, enrolled: int, frames: int) -> float | None:
        """How much averaging adds at most, for up to so many pictures; None if more than were measured."""
        reaching = [mode for mode in self.averaging if mode.enrolled >= enrolled and mode.frames >= frames]
        if not reaching:
            return None
        least = (min(mode.enrolled for mode in reaching), min(mode.frames for mode in reaching))
        return max(mode.shift for mode in self.averaging if mode.enrolled <= least[0] and mode.frames <= least[1])

    def worth(self, enrolled: int, length: float) -> int:
        """How many different pictures a template of `enrolled` is worth, whose mean is `length` long; never more.

        The least measured number whose means are no longer on average: what is as alike as that brings strangers no
        closer than that many different pictures do. `enrolled` where nothing says less.
        """
        less = {mode.enrolled for mode in self.averaging if mode.length < 1.0 and length >= mode.length}
        return min([enrolled, *less])

    def length(self, pictures: int) -> float | None:
        """How long the mean of so many different pictures is, or of the next more that were measured; else None."""
        reaching = [mode for mode in self.averaging if mode.enrolled >= pictures and mode.length < 1.0]
        least = min((mode.enrolled for mode in reaching), default=0)
        return min((mode.length for mode in reaching if mode.enrolled == least), default=None)

    def refused(self, enrolled: int, frames: int, threshold: float) -> float:
        """Share of the right people's comparisons refused at `threshold`: 1 where nothing was measured."""
        place = ceil((threshold - self.first) / self.step - 1e-6)
        modes = [mode for mode in self.averaging if mode.enrolled <= enrolled and mode.frames <= frames]
        if not modes or not 0 <= place < len(modes[0].fnmr):
            return 1.0
        return min(mode.fnmr[place] for mode in modes)


def load(folder: Path, model_sha256: bytes, name: str = FILE) -> Tail:
    """The tail in the file `name` in `folder`, of templates that mean `model_sha256` (`device.meaning`).

    Raises ModelRefused with one sentence.
    """
    path = folder / name
    try:
        data = reading.content(path, _MAX_BYTES + 1)
    except OSError as cause:
        msg = f"face does not start without a measured impostor tail: {name} cannot be read: {cause.strerror}"
        raise ModelRefused(msg) from cause
    if len(data) > _MAX_BYTES:
        msg = f"face does not start: {name} is longer than any impostor tail"
        raise ModelRefused(msg)
    tail = parse(data, name)
    if not hmac.compare_digest(tail.model_sha256, model_sha256):
        msg = (
            f"face does not start: {name} was measured with another network, or of faces cut otherwise, than the door's"
        )
        raise ModelRefused(msg)
    return tail


def parse(data: bytes, name: str = FILE) -> Tail:
    """The tail in `data`, of the file `name`. Raises ModelRefused."""
    try:
        table = tomllib.loads(data.decode("utf-8"))
        tail = Tail(
            model_sha256=bytes.fromhex(table["model_sha256"]),
            first=_number(table["first"]),
            step=_number(table["step"]),
            cells=tuple((name, _cell(cell)) for name, cell in table["cells"].items()),
            averaging=tuple(_averaging(mode) for mode in table["averaging"]),
        )
        _check(tail, table["schema"])
    except (KeyError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError) as cause:
        msg = f"face does not start: {name} is no impostor tail ({cause})"
        raise ModelRefused(msg) from cause
    return tail


def _check(tail: Tail, schema: object) -> None:
    if schema != SCHEMA:
        raise ValueError("another schema")
    lengths = {len(upper) for _, upper in tail.cells} | {len(mode.fnmr) for mode in tail.averaging}
    if len(lengths) != 1 or not tail.cells or not tail.averaging or not min(lengths):
        raise ValueError("a list is missing or too short")
    last = tail.first + (max(lengths) - 1) * tail.step
    if not (tail.first > 0.0 and tail.step > 0.0 and last < 1.0):
        raise ValueError("its thresholds are no cosines")


def _cell(cell: Mapping[str, object]) -> Rates:
    upper, above = _numbers(cell["upper"]), _numbers(cell["above"])
    pairs = _number(cell["pairs"])
    seen = [count / pairs for count in above]
    if not all(0.0 < bound <= 1.0 for bound in upper) or any(low < high for low, high in pairwise(upper)):
        raise ValueError("a bound is no rate, or rises with the threshold")
    if any(bound < rate for bound, rate in zip(upper, seen, strict=True)):
        raise ValueError("a bound lies below the count it bounds")
    return upper


def _averaging(mode: Mapping[str, object]) -> Averaging:
    enrolled, frames = (int(_number(mode[key])) for key in ("enrolled", "frames"))
    made = Averaging(enrolled, frames, _number(mode["shift"]), _numbers(mode["fnmr"]), _number(mode.get("length", 1.0)))
    if made.enrolled < 1 or made.frames < 1 or not 0.0 <= made.shift < 1.0:
        raise ValueError("an averaging mode is none")
    if not 0.0 < made.length <= 1.0:
        raise ValueError("the mean of an averaging mode has no length")
    if not all(0.0 <= rate <= 1.0 for rate in made.fnmr) or any(low > high for low, high in pairwise(made.fnmr)):
        raise ValueError("a refusal rate is none, or falls with the threshold")
    return made


def _number(value: object) -> float:
    if type(value) not in (int, float):
        raise TypeError("a number is missing")
    number = float(cast("float", value))
    if not abs(number) < 1e12:  # noqa: PLR2004 - also refuses infinity and what is no number
        raise ValueError("a number is none")
    return number


def _numbers(value: object) -> Rates:
    return tuple(_number(item) for item in cast("list[object]", value))
