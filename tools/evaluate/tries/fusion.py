"""Several frames of one approach, weighted by how good each seems, against their plain mean.

Rules kept here:
- One picture enrolled and three looked with: with the door's five enrolled nobody is refused at these rates, and no way
  could be told from another.
- A weight is known at the door with its frame: the length of the embedding before it is made 1, the detector's score.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from tools.evaluate.figures import threshold_at
from tools.evaluate.tries import measures
from tools.evaluate.tries.embed import Bench, Floats, Folder
from tools.evaluate.tries.measures import Names, Rate
from tools.evaluate.tries.tries import FIVE

FRAMES: Final = 3
FMRS: Final = (1e-4, 1e-5)


def weights(bench: Bench, people: Folder) -> dict[str, Floats]:
    """(n,) by name; the plain mean first."""
    lengths, score = bench.lengths(people, FIVE), people.geometry.score
    return {
        "plain mean": np.ones_like(lengths),
        "by the embedding's length": lengths,
        "by its square": lengths**2,
        "by the detector's score": score,
        "by its eighth power": score**8,
    }


def rates(vectors: Floats, names: Names, weight: Floats, draws: int) -> Iterator[Rate]:
    """Refusals at each of FMRS, strangers being the residents' probes of the same draw."""
    persons, counts = np.unique(names, return_counts=True)
    residents = [np.flatnonzero(names == name) for name in persons[counts > FRAMES]]
    genuine, owners, strangers = [], [], []
    for seed in range(draws):
        generator = np.random.default_rng(seed)
        templates, probes, owner = [], [], []
        for person, own in enumerate(residents):
            order = generator.permutation(own)
            fit = (len(order) - 1) // FRAMES
            chosen = order[1 : 1 + fit * FRAMES].reshape(fit, FRAMES)
            mixed = (vectors[chosen] * weight[chosen][..., None]).sum(axis=1)
            probes.append(mixed / np.linalg.norm(mixed, axis=1, keepdims=True))
            templates.append(vectors[order[0]])
            owner += [person] * fit
        scores, who = np.concatenate(probes) @ np.stack(templates).T, np.array(owner)
        apart = np.ones(scores.shape, bool)
        apart[np.arange(len(who)), who] = False
        genuine.append(scores[~apart])
        strangers.append(scores[apart])
        owners.append(who)
    drawn = measures.Drawn(tuple(genuine), tuple(owners), tuple(strangers), len(residents))
    for fmr in FMRS:
        yield drawn.rate([threshold_at(scores, fmr) for scores in strangers])


def table(bench: Bench, people: Folder, draws: int = measures.DRAWS) -> str:
    """A Markdown table: refusals, and points fewer than with the plain mean."""
    vectors, names = bench.embeddings(people, [FIVE])[FIVE], people.geometry.folders
    head = " | ".join(f"pooled {fmr:.0e} | points fewer" for fmr in FMRS)
    lines = [f"| three frames, weighted | {head} |", "|---" * (1 + 2 * len(FMRS)) + "|"]
    plain: list[Rate] = []
    for name, weight in weights(bench, people).items():
        found = list(rates(vectors, names, weight, draws))
        plain = plain or found
        cells = [f"{100 * rate.value:.2f} | {_fewer(rate, base)}" for rate, base in zip(found, plain, strict=True)]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _fewer(rate: Rate, base: Rate) -> str:
    less, low, high = (100 * value for value in rate.less_than(base))
    return f"{less:+.2f} ({low:+.2f} to {high:+.2f})"
