"""What was decided against what was right: wrong accepts and wrong rejects, with intervals. Pure.

Rules kept here:
- An approach is one question. A stranger is wrongly accepted if any slot opens; a resident if a neighbour's does, since
  the door takes one for the other; a resident is wrongly rejected if none does.
- A picture in which a tool finds no face it would look at cannot match; an approach without one is refused.
- Shares have 95 % intervals of Clopper and Pearson over *people*, who count once each: by whether any of their
  approaches went wrong. The shares of approaches beside them are not independent of each other and have no interval.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from tools.benchmark.peers.draw import Draw, Person
from tools.evaluate.intervals import upper_bound

STRICT: Final = (0.01, 0.001, 0.0)
"""Shares of the strangers' approaches to a door of one resident: where all tools are compared alike."""


@dataclass(frozen=True, slots=True)
class Question:
    """One approach to one household: `right` is the slot that should open, None for a stranger."""

    household: int
    person: str
    right: int | None
    probes: tuple[str, ...]
    gallery: Mapping[int, tuple[str, ...]]

    def plain(self, seen: frozenset[str]) -> dict[str, Any]:
        """For a worker: with the pictures it saw a face in."""
        gallery = {str(slot): [path for path in paths if path in seen] for slot, paths in self.gallery.items()}
        return {
            "gallery": {slot: paths for slot, paths in gallery.items() if paths},
            "probes": [path for path in self.probes if path in seen],
        }


def questions(draw: Draw, residents: int, pictures: int) -> list[Question]:
    """Every resident once at their own door, every stranger at each; doors of `residents`, approaches of `pictures`."""
    asked = []
    people = [person for household in draw.households for person in household]
    doors = [people[start : start + residents] for start in range(0, len(people) - residents + 1, residents)]
    for number, door in enumerate(doors):
        gallery = {slot: person.enrolled for slot, person in enumerate(door)}

        def one(person: Person, right: int | None, number: int = number, gallery: Any = gallery) -> Question:
            return Question(number, person.name, right, person.approach[:pictures], gallery)

        asked += [one(person, slot) for slot, person in enumerate(door)]
        asked += [one(person, None) for person in draw.strangers]
    return asked


@dataclass(frozen=True, slots=True)
class Share:
    """`wrong` of `of`, counted in people, and the same in approaches."""

    wrong: int
    of: int
    approaches_wrong: int
    approaches: int

    @property
    def interval(self) -> tuple[float, float]:
        """95 %, two-sided, over people."""
        low = 0.0 if self.wrong == 0 else 1 - upper_bound(self.of - self.wrong, self.of, 0.975)
        return low, upper_bound(self.wrong, self.of, 0.975)

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        low, high = self.interval
        return {
            "people_wrong": self.wrong,
            "people": self.of,
            "low": low,
            "high": high,
            "approaches_wrong": self.approaches_wrong,
            "approaches": self.approaches,
        }


@dataclass(frozen=True, slots=True)
class Errors:
    """Of one tool, one size of household, one number of pictures an approach."""

    strangers_accepted: Share
    residents_rejected: Share
    residents_mistaken: Share


def errors(asked: Sequence[Question], slots: Sequence[int | None]) -> Errors:
    """What `slots` got wrong of `asked`."""
    pairs = list(zip(asked, slots, strict=True))
    strangers = [(one.person, slot is not None) for one, slot in pairs if one.right is None]
    rejected = [(one.person, slot is None) for one, slot in pairs if one.right is not None]
    mistaken = [(one.person, slot not in {None, one.right}) for one, slot in pairs if one.right is not None]
    return Errors(_share(strangers), _share(rejected), _share(mistaken))


def as_strict(asked: Sequence[Question], likeness: Sequence[float], share: float) -> Share:
    """Residents refused where at most `share` of the strangers' approaches are let in, whatever the tool's own limit.

    The limit is read off these very strangers, for every tool alike: it flatters all of them.
    """
    pairs = list(zip(asked, likeness, strict=True))
    strangers = sorted((like for one, like in pairs if one.right is None), reverse=True)
    limit = strangers[math.floor(share * len(strangers))]
    return _share([(one.person, like <= limit) for one, like in pairs if one.right is not None])


def _share(outcomes: Sequence[tuple[str, bool]]) -> Share:
    people = {person for person, _ in outcomes}
    wrong = {person for person, bad in outcomes if bad}
    return Share(len(wrong), len(people), sum(bad for _, bad in outcomes), len(outcomes))
