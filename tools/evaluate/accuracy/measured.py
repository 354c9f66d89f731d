"""What a report holds: numbers only, a class for each part.

Rules kept here: every rate stands with its interval, its trials and its people (`rates.Rate`); a part that could not be
measured is None or empty and stands in `left_out` with the reason.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from tools.evaluate.accuracy import counting, failures, goals, identify, spoilt, subgroups
from tools.evaluate.accuracy.rates import Point, Rate
from tools.evaluate.accuracy.suspects import Suspects
from tools.evaluate.accuracy.trials import Design


@dataclass(frozen=True, slots=True)
class AtDoor:
    """FNMR and FMR at the threshold of a door with `faces` awake. fmr None: below the scores that were kept."""

    faces: int
    threshold: float
    fnmr: Rate
    fmr: Rate | None


@dataclass(frozen=True, slots=True)
class Verified:
    """1:1 with one design."""

    design: Design
    people: int
    residents: int
    probes: int
    comparisons: int
    eer: float
    points: tuple[Point, ...]
    door: tuple[AtDoor, ...]
    curve: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Floating:
    """int8 and float embedders on the same pictures. worse: FNMR of int8 less that of float, at each FMR."""

    agreement_mean: float
    agreement_least: float
    rows: tuple[tuple[Design, tuple[Point, ...], tuple[Point, ...], tuple[Rate | None, ...]], ...]


@dataclass(frozen=True, slots=True)
class Conditions:
    """thresholds: of one frame, at the FMR `single_fmr` of mixed strangers, and of three, the door's with one awake.

    bare: FNMR of a masked face against a bare template.
    """

    people: int
    shown: int
    single_fmr: float
    single_threshold: float
    fused_threshold: float
    costs: tuple[spoilt.Cost, ...]
    bare: tuple[tuple[str, Rate | None], ...]
    turned: tuple[spoilt.Turned, ...]


@dataclass(frozen=True, slots=True)
class Groups:
    """thresholds: pooled FMR and where it lies; rows: every subgroup."""

    folder: str
    thresholds: tuple[tuple[str, float], ...]
    rows: tuple[subgroups.Subgroup, ...]


@dataclass(slots=True)
class Measured:
    """The report's numbers; a part that is None stands in `left_out` with the reason."""

    folder: str
    pictures: int
    people: int
    embedder: str
    acquired: failures.Acquired
    enrolled: list[failures.Enrolled]
    suspects: Suspects
    verified: list[Verified] = field(default_factory=list)
    matrix: list[Verified] = field(default_factory=list)
    without_suspects: list[Verified] = field(default_factory=list)
    searched: list[tuple[Design, list[identify.Size]]] = field(default_factory=list)
    conditions: Conditions | None = None
    floating: Floating | None = None
    groups: Groups | None = None
    counted: tuple[counting.Counted, ...] = ()
    goals: tuple[goals.Goal, ...] = ()
    left_out: list[str] = field(default_factory=list)
