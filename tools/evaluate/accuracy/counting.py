"""The same rate counted in several ways, each a step from the one before: what a way of counting is worth.

Rules kept here:
- Everybody's pictures are the same; what differs is how many of a person count, and whether company is a reason to
  refuse a picture. `tools.evaluate.tries` counts as the last row does, and takes pictures besides that the door refuses
  for pose, blur or light: what is between that row and its figure is theirs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np

from device.wire import Hint
from tools.evaluate.accuracy import rates
from tools.evaluate.accuracy.cache import Cache
from tools.evaluate.accuracy.gathered import Gathered, gather
from tools.evaluate.accuracy.look import Chain
from tools.evaluate.accuracy.rates import Point
from tools.evaluate.accuracy.trials import CAP, Design, Floats, compare

DESIGN: Final = Design(3, 1)
FMRS: Final = (1e-4, 1e-5)
_ALL: Final = 10**9


@dataclass(frozen=True, slots=True)
class Counted:
    """One way of counting DESIGN. residents, probes: of one draw; most: probes of one person; points: at FMRS."""

    name: str
    residents: int
    probes: int
    most: int
    points: tuple[Point, ...]


def aside(clean: Gathered, folder: Path, chain: Chain, cache: Cache, workers: int | None) -> Gathered:
    """The same pictures with nobody else in them: only those that were refused for company are looked at again."""
    crowded = clean.records["hint"] == Hint.ONE_PERSON_ONLY
    if not crowded.any():
        return clean
    only = np.array([f"{clean.people[row]}/{clean.files[row]}" for row in np.flatnonzero(crowded)])
    again = gather(folder, replace(chain, aside=True), cache, workers=workers, only=only)
    records = clean.records.copy()
    records[crowded] = again.records
    return replace(clean, records=records)


def counted(people: Sequence[Floats], alone: Sequence[Floats]) -> tuple[Counted, ...]:
    """The ways. people: usable pictures of each, (n, 128); alone: likewise with nobody else in any picture."""
    ways = (
        (f"as in this report: at most {CAP} probes a person", people, CAP),
        ("every picture left is a probe", people, _ALL),
        ("pictures with company too, the largest face taken", alone, _ALL),
    )
    found = []
    for name, shown, cap in ways:
        compared = compare(shown, DESIGN, cap=cap)
        if compared is None:
            return ()
        most = max(min(cap, len(own) - DESIGN.enrolled) for own in shown)
        points = rates.points(compared, FMRS, rates.weights(compared.people))
        found.append(Counted(name, compared.residents, compared.probes, most, points))
    return tuple(found)
