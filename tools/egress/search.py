"""Search the views of a recording for canaries, and say what the search is worth.

Rules kept here:
- A hit names the canary, the form it was found in and where; never its value.
- Beside the hits stands how many of them chance alone would make in as much random content (`Result.by_chance`). A
  search where that is more than one in a hundred is not conclusive, and says so: more traffic wants longer canaries.
- Faces are looked for by their forms and by correlation; the bound of the latter is computed for this very search.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from tools.egress import canaries, correlation, unwrap
from tools.egress.canaries import Canary, Form, Vector
from tools.egress.correlation import Bounds, Floats, Series
from tools.egress.views import Views

MOST_BY_CHANCE: Final = 0.01
_BETWEEN: Final = b"\xff\xfe\x00\xff"
_RUNS: Final = {
    "base64": re.compile(rb"[A-Za-z0-9+/_-]{2,}"),
    "hex": re.compile(rb"[0-9A-Fa-f]{2,}"),
    "decimal": re.compile(rb"[0-9]{2,}"),
}


@dataclass(frozen=True, slots=True)
class Hit:
    """A canary that was found."""

    canary: str
    form: str
    where: str

    def __str__(self) -> str:
        """For a person."""
        return f"{self.canary}: {self.form}, in {self.where}"


@dataclass(frozen=True, slots=True)
class Result:
    """What a search found. `by_chance`: hits to be expected in as much random content; `bytes_searched`: unwrapped."""

    hits: tuple[Hit, ...]
    by_chance: float
    bytes_searched: int
    forms: int
    bounds: Bounds

    @property
    def conclusive(self) -> bool:
        """Whether a hit means something."""
        return self.by_chance <= MOST_BY_CHANCE

    @property
    def found(self) -> frozenset[str]:
        """The names of the canaries that were found."""
        return frozenset(hit.canary for hit in self.hits)


@dataclass(frozen=True, slots=True)
class Sought:
    """What a search looks for: canaries with forms, and vectors for the correlation."""

    canaries: tuple[Canary, ...]
    vectors: dict[str, Floats] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, plain: Iterable[Canary], faces: dict[str, Vector]) -> Sought:
        """`plain` canaries, and the vectors `faces` by name."""
        forms = (canaries.vector(name, numbers) for name, numbers in faces.items())
        return cls((*plain, *forms), {name: numbers.astype(np.float64) for name, numbers in faces.items()})


def search(seen: Views, sought: Sought) -> Result:
    """Look for all of `sought` in all of `seen`."""
    wrapped = {text: unwrap.everything([text]) - {text} for text in seen.texts}
    origin = {each: f"something wrapped in {where}" for text, where in seen.texts.items() for each in wrapped[text]}
    places = {**seen.frames, **origin, **seen.texts}
    hits = _forms(places, sought.canaries)
    series = [*seen.series, *(each for text in _for_correlation(seen, wrapped) for each in correlation.series_of(text))]
    alike, limit = correlation.alike(_distinct(series), sought.vectors)
    hits += [
        Hit(each.name, f"{each.length} numbers ({each.kind}) that correlate by {each.correlation:.3f}", "the traffic")
        for each in alike
    ]
    distinct = tuple(dict.fromkeys(hits))
    return Result(
        distinct,
        by_chance(places, sought.canaries),
        sum(map(len, places)),
        sum(len(canary.forms) for canary in sought.canaries),
        limit,
    )


def by_chance(texts: Iterable[bytes], wanted: Iterable[Canary]) -> float:
    """How many hits as much random content of the same kinds would make: places of a kind times the chance of each."""
    texts = list(texts)
    lengths = {kind: [len(run) for text in texts for run in runs.findall(text)] for kind, runs in _RUNS.items()}
    lengths["bytes"] = [len(text) for text in texts]
    counted = {kind: np.array(each, dtype=np.int64) for kind, each in lengths.items()}
    places: dict[tuple[str, int], int] = {}
    total = 0.0
    for form in (form for canary in wanted for form in canary.forms):
        for kind, chance in form.chances.items():
            key = (kind, len(form.content))
            if key not in places:
                places[key] = int(np.maximum(counted[kind] - key[1] + 1, 0).sum())
            total += _places(form, kind, places[key], texts) * chance
    return total


def _places(form: Form, kind: str, places: int, texts: list[bytes]) -> int:
    if kind != "decimal" or not form.word:
        return places
    # A word of digits is compared with the words of as many digits, and with no part of a longer one. One that is in
    # a hundred unwrapped copies of one message is one chance: it is the canary in all of them or in none.
    word = re.compile(rb"(?<![0-9A-Fa-f])[0-9]{%d}(?![0-9A-Fa-f])" % len(form.content))
    return len({each for text in texts for each in word.findall(text)})


def _forms(places: dict[bytes, str], wanted: Iterable[Canary]) -> list[Hit]:
    # One long text to look through instead of thousands of short ones; what is found is looked up again one by one.
    heap = _BETWEEN.join(places)
    hits: list[Hit] = []
    for canary in wanted:
        for form in canary.forms:
            if form.content not in heap:
                continue
            word = canaries.pattern(form) if form.word else None
            for text, where in places.items():
                if word.search(text) if word else form.content in text:
                    hits.append(Hit(canary.name, form.name, where))
    return hits


def _for_correlation(seen: Views, wrapped: dict[bytes, set[bytes]]) -> list[bytes]:
    """Streams hold their messages, so those are not read a second time."""
    whole = {text for text, where in seen.texts.items() if " on " not in where}
    inside = {each for text in whole for each in wrapped[text] if each != text[::-1] and len(each) < len(text) // 2}
    return sorted(whole | {each for each in inside if len(each) >= correlation.LENGTHS[0]})


def _distinct(series: Iterable[Series]) -> list[Series]:
    seen: dict[tuple[str, bytes], Series] = {}
    for each in series:
        seen.setdefault((each.kind, each.numbers.tobytes()), each)
    return list(seen.values())
