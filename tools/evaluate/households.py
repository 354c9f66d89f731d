"""What several people at one door give away together: angles between templates survive every rotation.

Rules kept here:
- The attacker holds the templates of many doors in the clear and no secret, and knows that every household of a first
  set of doors is enrolled at one of a second set, in another order, from other pictures.
- Of a household nothing but its matrix of scores (each with each) is used: a rotation drawn at random leaves nothing
  else. The best order is found by trying all of them, so no attacker of this kind does better at finding the nearest.
- Two questions, each beside what a blind guess would give: is it found among all households, and are its people told
  apart once it is known which one it is?

The second set of doors may as well be photographs that somebody took of the people of every flat. And it may be the
same doors after a rekey: then the templates are the very same ones, and nothing blurs their angles.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

from tools.evaluate.figures import Floats
from tools.evaluate.linkability import People, Reals, new_secret, stored

Numbers = NDArray[np.int_]

MOST = 100  # households to choose from
SIZES = (2, 3, 4, 8)
ROUNDS = 10


@dataclass(frozen=True)
class Success:
    """Shares of right answers over all rounds. `among`: households to choose from; `tried`: how often that was done."""

    size: int
    among: int
    tried: int
    found: float
    told_apart: float

    @property
    def found_blindly(self) -> float:
        """A guess among the households."""
        return 1 / self.among

    @property
    def told_apart_blindly(self) -> float:
        """A guess at the order: one of its people is right on average."""
        return 1 / self.size


def measure(people: People, size: int, rounds: int, seed: int, *, shuffled: bool = False) -> Success:
    """Households of `size` put together at random. shuffled: the second doors have other people (nothing to find)."""
    generator = np.random.default_rng(seed)
    among = min(MOST, len(people) // size)
    found, told_apart = [], []
    for _ in range(rounds):
        chosen = generator.permutation(len(people))[: among * size].reshape(among, size)
        others = generator.permutation(chosen.ravel()).reshape(among, size) if shuffled else chosen
        orders = generator.permuted(np.tile(np.arange(size), (among, 1)), axis=1)
        here = [_angles(stored(new_secret(generator), people.first[rows])) for rows in chosen]
        there = [
            _angles(stored(new_secret(generator), people.second[rows[order]]))
            for rows, order in zip(others, orders, strict=True)
        ]
        distances, own = _distances(np.stack(here), np.stack(there))
        found.append(np.argmin(distances, axis=1) == np.arange(among))
        told_apart.append(np.take_along_axis(orders, own, axis=1) == np.arange(size))
    return Success(size, among, rounds * among, float(np.mean(found)), float(np.mean(told_apart)))


def table(people: People) -> str:
    """Households of every size in SIZES, other pictures and the very same templates, as Markdown."""
    rekeyed = People(people.first, people.first)
    cases = ("two doors", people, False), ("before and after a rekey", rekeyed, False), ("nobody twice", people, True)
    lines = [
        "Several people together:",
        "",
        "| | people | their household found | blindly | each told apart | blindly | tried |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, who, shuffled in cases:
        for size in SIZES:
            made = measure(who, size, ROUNDS, seed=4, shuffled=shuffled)
            lines.append(
                f"| {name} | {size} | {made.found:.1%} | {made.found_blindly:.1%} "
                f"| {made.told_apart:.1%} | {made.told_apart_blindly:.1%} | {made.tried:,} |"
            )
    return "\n".join(lines)


def _angles(templates: Floats) -> Reals:
    """The scores of each with each, n x n: the Gram matrix."""
    wide = templates.astype(np.float64)
    gram: Reals = wide @ wide.T
    return gram


def _distances(here: Reals, there: Reals) -> tuple[Reals, Numbers]:
    """How far household i is from household j in the best order, and that order for i = j.

    here, there: (m, n, n). Squared differences over all pairs of people: |a|^2 + |b|^2 - 2 a.b, where only a.b depends
    on the order.
    """
    count, size, _ = here.shape
    orders = np.array(list(permutations(range(size))))
    row, column = np.triu_indices(size, 1)
    known = here[:, row, column]
    distances = np.empty((count, count))
    own = np.empty((count, size), dtype=np.int_)
    for j, gram in enumerate(there):
        products = gram[orders[:, row], orders[:, column]] @ known.T  # every order against every household
        distances[:, j] = (known**2).sum(axis=1) + (gram[row, column] ** 2).sum() - 2 * products.max(axis=0)
        own[j] = orders[products[:, j].argmax()]
    return distances, own
