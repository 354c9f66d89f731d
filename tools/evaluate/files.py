"""The files the door carries: models/impostor-tail.toml, and the counts it was made from.

Rules kept here:
- Rates are rounded up and refusals are written as measured, so that reading the file never loosens what was found.
- The file says which network, which pictures, which command; the door refuses it for another network.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil, floor, log10

import numpy as np
from numpy.typing import NDArray

from tools.evaluate.averaging import Shift
from tools.evaluate.extremes import Reals
from tools.evaluate.tail import FIRST, STEP, CellTail

HEAD = """\
# How often two people of one group, same sex, look alike to the embedder, and what averaging does to it: what the
# door's threshold is computed from (device/vault/tail.py reads it, docs/budget.md explains it). Written by a command:
#
#     {command}
#
# Counts are of single pictures against single pictures. `upper` is what the door uses: the largest of three 95 % bounds
# (counted: Clopper-Pearson; resampled: people drawn again; fitted: log-linear tail, people drawn again), multiplied by
# judging_factor, and never rising. Lists hold one number a threshold: first, first + step, ...
"""


@dataclass(frozen=True)
class Mode:
    """What averaging `enrolled` pictures against `frames` does. shifts: per rate; fnmr: a rate per threshold.

    length: of the mean of the enrolled pictures' embeddings, on average; None where it was not measured.
    """

    enrolled: int
    frames: int
    people: int
    probes: int
    shifts: tuple[Shift, ...]
    fnmr: Reals
    length: float | None = None

    @property
    def shift(self) -> float:
        """The largest upper bound over the rates it was measured at."""
        return max(shift.upper for shift in self.shifts)


@dataclass(frozen=True)
class Origin:
    """Where a tail file comes from."""

    model_sha256: str
    command: str
    date: str
    groups: str
    faces: str
    judging_factor: float


HEAD_COVERED = """\
# The same as impostor-tail.toml, of faces with mouth and nose covered, in cloths that were painted on: what the door's
# threshold for covered faces is computed from (docs/adr/0029-a-covered-face-is-enrolled-as-one.md). Each cell is one
# sex of one group in one cloth; of two cloths the larger shift and the larger refusals stand under [[averaging]].
# Written by a command:
#
#     {command}
#
"""


def tail_file(origin: Origin, cells: Iterable[CellTail], modes: Iterable[Mode], head: str = HEAD) -> str:
    """models/impostor-tail.toml, and with another `head` its like for covered faces."""
    lines = [head.format(command=origin.command)]
    lines += ["schema = 1", f'model_sha256 = "{origin.model_sha256}"', f'date = "{origin.date}"']
    lines += [f'groups = "{origin.groups}"', f'faces = "{origin.faces}"']
    lines += [f"judging_factor = {up(origin.judging_factor)}", f"first = {FIRST}", f"step = {STEP}"]
    for cell in cells:
        if cell.used:
            lines += ["", f"[cells.{cell.name}]"]
            lines += [f"pictures = {cell.pictures}", f"people = {cell.people}", f"pairs = {cell.pairs}"]
            lines += [_whole("above", cell.above)]
            lines += [_rates(name, getattr(cell, name)) for name in ("counted", "resampled", "fitted", "upper")]
    for mode in modes:
        lines += ["", "[[averaging]]", f"enrolled = {mode.enrolled}", f"frames = {mode.frames}"]
        lines += [f"people = {mode.people}", f"probes = {mode.probes}", f"shift = {ceil(mode.shift * 1000) / 1000}"]
        if mode.length is not None:
            lines += [f"length = {ceil(mode.length * 1000) / 1000}"]
        lines += [
            f"# at rate {s.rate:.0e}: threshold {s.plain:.3f}, {s.measured:+.3f}, at most {s.upper:+.3f}"
            for s in mode.shifts
        ]
        lines += ["fnmr = [" + ", ".join(f"{rate:.4f}" for rate in mode.fnmr) + "]"]
    return "\n".join(lines) + "\n"


def counts_file(origin: Origin, cells: Iterable[CellTail]) -> str:
    """models/impostor-tail-counts.toml: the histogram of every cell, used or not, without its empty ends."""
    lines = [
        "# Every same-sex, same-group comparison of the group set, by score: bins of 0.001. Bin `from_bin` begins at",
        "# from_bin / 1000 - 1. Cells with used = false set no threshold: children, and people of no one group.",
        f"# {origin.command}",
        "",
        f'model_sha256 = "{origin.model_sha256}"',
    ]
    for cell in cells:
        filled = np.flatnonzero(cell.histogram)
        lines += ["", f"[{cell.name}]", f"used = {str(cell.used).lower()}"]
        lines += [f"pictures = {cell.pictures}", f"people = {cell.people}", f"pairs = {cell.pairs}"]
        lines += [f"from_bin = {filled[0]}", _whole("counts", cell.histogram[filled[0] : filled[-1] + 1])]
    return "\n".join(lines) + "\n"


def up(rate: float) -> float:
    """`rate` with three digits, rounded up."""
    if rate <= 0:
        return 0.0
    digits = 2 - floor(log10(rate))
    return float(f"{ceil(rate * 10**digits - 1e-9) / 10**digits:.6g}")


def _rates(name: str, rates: Reals) -> str:
    return f"{name} = [" + ", ".join(f"{up(float(rate)):g}" if rate else "0.0" for rate in rates) + "]"


def _whole(name: str, numbers: NDArray[np.int_]) -> str:
    return f"{name} = [" + ", ".join(str(int(number)) for number in numbers) + "]"
