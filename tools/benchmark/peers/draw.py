"""Who lives behind which door, and who comes: drawn from a folder of person/picture, alike for every tool. Pure.

Rules kept here:
- One draw for all: every tool sees the same households, the same strangers, the same pictures in the same order.
- A resident is enrolled with the first pictures of a drawn order and comes with others, never with one of those.
- A stranger lives in no household of the draw.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

ENROLLED = 5
APPROACH = 3


@dataclass(frozen=True, slots=True)
class Person:
    """Pictures to be enrolled with (none of a stranger), and those of one approach."""

    name: str
    enrolled: tuple[str, ...]
    approach: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Draw:
    """Households of residents, and strangers who come to each of them."""

    households: tuple[tuple[Person, ...], ...]
    strangers: tuple[Person, ...]

    @property
    def pictures(self) -> tuple[str, ...]:
        """All of them, each once, in an order that mixes who they are of."""
        people = [person for household in self.households for person in household] + list(self.strangers)
        longest = max(len(person.enrolled + person.approach) for person in people)
        return tuple(
            (person.enrolled + person.approach)[row]
            for row in range(longest)
            for person in people
            if row < len(person.enrolled + person.approach)
        )


def draw(folders: Mapping[str, Sequence[str]], households: int, residents: int, strangers: int, seed: int) -> Draw:
    """`households` of `residents` each and `strangers`, as many as the folders allow.

    Raises ValueError, with a sentence, if they allow no household or no stranger.
    """
    order = random.Random(seed)
    names = sorted(folders)
    order.shuffle(names)
    able = [name for name in names if len(folders[name]) >= ENROLLED + APPROACH]
    count = min(households, len(able) // residents)
    if count < 1:
        raise ValueError(
            f"a household needs {residents} people with {ENROLLED + APPROACH} pictures each, not {len(able)}"
        )
    chosen = [_person(name, folders[name], ENROLLED, order) for name in able[: count * residents]]
    at_home = {person.name for person in chosen}
    others = [name for name in names if name not in at_home and len(folders[name]) >= APPROACH][:strangers]
    if not others:
        raise ValueError(f"there is nobody else with {APPROACH} pictures, who could come as a stranger")
    return Draw(
        tuple(tuple(chosen[row * residents : (row + 1) * residents]) for row in range(count)),
        tuple(_person(name, folders[name], 0, order) for name in others),
    )


def _person(name: str, pictures: Sequence[str], enrolled: int, order: random.Random) -> Person:
    mixed = sorted(pictures)
    order.shuffle(mixed)
    return Person(name, tuple(mixed[:enrolled]), tuple(mixed[enrolled : enrolled + APPROACH]))
