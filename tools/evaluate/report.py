"""What the budget's thresholds cost residents and let through, for the door as it decides: Markdown and JSON.

Rules kept here:
- The thresholds are the ones vault computes, by the code vault runs, from the file vault reads.
- A rate stands beside its number of comparisons and its 95 % upper bound. Terms: ISO/IEC 19795-1.
- False matches counted here are of mixed strangers, who flatter: the budget rests on the worst group, not on them.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from math import ceil
from pathlib import Path

import numpy as np

from device.manifest import Job, load
from device.vault import tail as tail_file
from device.vault.budget import Budget, Thresholds
from device.vault.tail import Tail
from tools.evaluate import averaging
from tools.evaluate.gather import Gallery
from tools.evaluate.intervals import upper_bound

GALLERIES = (1, 2, 3, 4, 5, 10, 50)
ENROLLED, FRAMES = 5, 3
LEAST = ENROLLED + FRAMES
DRAWS = 10


@dataclass(frozen=True)
class Row:
    """One gallery size. threshold None: the measurement ends before the budget is met.

    alike, alike_refused: the same where the enrolment pictures are as alike as frames of one sitting; refused is read
    off different pictures all the same.
    """

    faces: int
    allowed: float
    worst: str
    single: float | None
    threshold: float | None
    refused: float | None
    alike: float | None
    alike_refused: float | None
    press_is_enough: bool


@dataclass(frozen=True)
class Measured:
    """What one threshold does on pictures: rates with their comparisons and upper bounds."""

    threshold: float
    fnmr: float
    genuine: int
    fnmr_upper: float
    fmr: float
    impostor: int
    fmr_upper: float


@dataclass(frozen=True)
class Report:
    """The rows that follow from the tail file, and what their thresholds do on the pictures of `faces`."""

    faces: str
    people: int
    rows: tuple[Row, ...]
    measured: tuple[Measured, ...]


def make(gallery: Gallery, models: Path, faces: str) -> Report:
    """The report. Raises ModelRefused without a tail file of this network."""
    tail = tail_file.load(models, load(models).for_job(Job.EMBED).sha256)
    found = rows(tail)
    people = averaging.with_pictures(gallery, LEAST)
    thresholds = sorted({height for row in found for height in (row.threshold, row.alike) if height is not None})
    return Report(faces, len(people), found, _measured(gallery, thresholds))


def rows(tail: Tail) -> tuple[Row, ...]:
    """What follows from `tail` for each of GALLERIES; no picture is needed."""
    return tuple(_row(tail, faces) for faces in GALLERIES)


def _row(tail: Tail, faces: int) -> Row:
    allowed = Budget().false_match_rate(faces)
    single = tail.threshold(allowed)
    threshold, alike = (_raised(tail, single, pictures) for pictures in (ENROLLED, tail.worth(ENROLLED, 1.0)))
    return Row(
        faces=faces,
        allowed=allowed,
        worst=worst_cell(tail, allowed),
        single=single,
        threshold=threshold,
        refused=None if threshold is None else tail.refused(ENROLLED, FRAMES, threshold),
        alike=alike,
        alike_refused=None if alike is None else tail.refused(ENROLLED, FRAMES, alike),
        press_is_enough=Thresholds(Budget(), tail, FRAMES).threshold(faces, ENROLLED) is not None,
    )


def _raised(tail: Tail, single: float | None, pictures: int) -> float | None:
    shift = tail.shift(pictures, FRAMES)
    return None if single is None or shift is None else single + shift


def worst_cell(tail: Tail, rate: float) -> str:
    """The cell of `tail` that needs the highest threshold at `rate`."""
    alone = {name: Tail(b"", tail.first, tail.step, ((name, upper),), ()).threshold(rate) for name, upper in tail.cells}
    return max(alone, key=lambda name: np.inf if alone[name] is None else float(alone[name] or 0.0))


def _measured(gallery: Gallery, thresholds: list[float]) -> tuple[Measured, ...]:
    people = averaging.with_pictures(gallery, LEAST)
    generator = np.random.default_rng(5)
    genuine, impostor = [], []
    for _ in range(DRAWS):
        made = averaging.draw(people, ENROLLED, FRAMES, generator)
        scores = made.scores()
        own = np.zeros(scores.shape, bool)
        own[np.arange(len(made.owner)), made.owner] = True
        genuine.append(scores[own])
        impostor.append(scores[~own])
    right, wrong = np.stack(genuine), np.stack(impostor)
    found = []
    for threshold in thresholds:
        fnmr, fmr = float((right < threshold).mean()), float((wrong >= threshold).mean())
        # Draws share pictures, so the bound is that of a single draw's comparisons.
        bounds = [upper_bound(ceil(rate * n - 1e-9), n) for rate, n in ((fnmr, right.shape[1]), (fmr, wrong.shape[1]))]
        found.append(Measured(threshold, fnmr, right.shape[1], bounds[0], fmr, wrong.shape[1], bounds[1]))
    return tuple(found)


def table(found: tuple[Row, ...]) -> str:
    """The rows as a Markdown table."""
    heads = ("faces awake", "allowed per comparison", "worst cell", "one picture", "threshold", "refused")
    lines = [
        "| " + " | ".join((*heads, "alike", "refused", "a press is enough")) + " |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for row in found:
        single, threshold, alike = (_cosine(value) for value in (row.single, row.threshold, row.alike))
        refused, less = ("" if rate is None else f"{rate:.1%}" for rate in (row.refused, row.alike_refused))
        answer = "yes" if row.press_is_enough else "no, claim first"
        lines.append(
            f"| {row.faces} | {row.allowed:.1e} | {row.worst} | {single} | {threshold} | {refused} | {alike} | {less} "
            f"| {answer} |"
        )
    return "\n".join(lines)


def markdown(report: Report) -> str:
    """The report for people."""
    budget = Budget()
    lines = [
        f"# The false-open budget on {report.faces}",
        "",
        f"Budget: {budget.false_opens_per_year:g} false open a year, {budget.strangers_per_day:g} strangers a day,",
        f"three tries each; {ENROLLED} enrolment pictures, {FRAMES} frames a probe.",
        "",
        table(report.rows),
        "",
        f"On {report.people} people with {LEAST} or more pictures, means of {DRAWS} draws; bounds 95 %, for one draw.",
        "False matches are of mixed strangers: they flatter.",
        "",
        "| threshold | FNMR | at most | comparisons | FMR | at most | comparisons |",
        "|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {m.threshold:.3f} | {m.fnmr:.2%} | {m.fnmr_upper:.2%} | {m.genuine} "
        f"| {m.fmr:.1e} | {m.fmr_upper:.1e} | {m.impostor} |"
        for m in report.measured
    ]
    return "\n".join(lines) + "\n"


def as_json(report: Report) -> str:
    """The report for programs."""
    return json.dumps(asdict(report), indent=1) + "\n"


def _cosine(value: float | None) -> str:
    return "beyond the data" if value is None else f"{value:.3f}"
