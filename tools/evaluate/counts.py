"""From one figure for the same networks to another: FNMR of 3 + 1 as the report counts it, and as the tries do.

Rules kept here:
- Each row changes one thing of the row above it: how many pictures of a person count, what a face is cut from, which
  pictures count, how a threshold is read. In another order a step may be worth something else.
- The looks are those of the report and of the tail: nothing is looked at anew that either has in its cache.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from device.wire import Hint
from tools.evaluate.accuracy.gathered import Gathered
from tools.evaluate.accuracy.trials import CAP, Design, Floats, compare
from tools.evaluate.figures import averaged, threshold_at
from tools.evaluate.gather import Gallery

DESIGN = Design(3, 1)
FMRS = (1e-4, 1e-5)
DRAWS = 10
_ALL = 10**9


@dataclass(frozen=True)
class Row:
    """One way of counting: residents, probes of one draw, and the FNMR at FMRS."""

    name: str
    residents: int
    probes: int
    fnmr: tuple[float, ...]


def rows(looked: Gathered, found: Gallery) -> list[Row]:
    """looked: as a door looks at each picture; found: the face near the middle of each, cut from the picture itself."""
    at = {f"{person}/{file}": row for row, (person, file) in enumerate(zip(found.folders, found.files, strict=True))}
    names = [f"{person}/{file}" for person, file in zip(looked.people, looked.files, strict=True)]
    both = np.array([name in at for name in names])
    itself = np.array([at.get(name, 0) for name in names])
    company = looked.records["hint"] == Hint.ONE_PERSON_ONLY
    good = looked.good & both

    def own(chosen: np.ndarray[tuple[int], np.dtype[np.bool_]], vectors: Floats) -> list[Floats]:
        return [vectors[chosen & (looked.people == person)] for person in np.unique(looked.people[chosen])]

    seen, plain = looked.vectors, found.vectors[itself]
    return [
        _row(f"as in the report: at most {CAP} probes a person", own(good, seen), CAP),
        _row("every picture left is a probe", own(good, seen), _ALL),
        _row("the face cut from the picture itself, not from a camera's plane", own(good, plain), _ALL),
        _row("pictures with company too, the large face near the middle", own((good | company) & both, plain), _ALL),
        _row("those too that a door refuses for pose, blur or light", own(both, plain), _ALL),
        _drawn("a threshold from each draw's comparisons with residents and others", found),
    ]


def _row(name: str, people: Sequence[Floats], cap: int) -> Row:
    compared = compare(people, DESIGN, cap=cap, draws=DRAWS)
    if compared is None:
        return Row(name, 0, 0, ())
    allowed = [int(rate * compared.impostors.total) for rate in FMRS]
    refused = tuple(float((compared.genuine <= compared.impostors.scores[rank]).mean()) for rank in allowed)
    return Row(name, compared.residents, compared.probes, refused)


def _drawn(name: str, found: Gallery) -> Row:
    draws = [averaged(found.vectors, found.folders, DESIGN.enrolled, DESIGN.frames, seed) for seed in range(DRAWS)]
    refused = tuple(
        float(np.mean([(made.genuine <= threshold_at(made.impostor, rate)).mean() for made in draws])) for rate in FMRS
    )
    _, counts = np.unique(found.folders, return_counts=True)
    return Row(name, int((counts >= DESIGN.needed).sum()), len(draws[0].genuine), refused)


def table(made: Sequence[Row]) -> str:
    """Markdown."""
    lines = ["| counted | residents | probes | FMR 1e-04 | FMR 1e-05 |", "|---|---|---|---|---|"]
    lines += [
        f"| {row.name} | {row.residents} | {row.probes:,} | " + " | ".join(f"{rate:.2%}" for rate in row.fnmr) + " |"
        for row in made
    ]
    return "\n".join(lines)
