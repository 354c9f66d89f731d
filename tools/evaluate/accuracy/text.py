"""The report in words and tables (Markdown), and as JSON.

Rules kept here:
- Every rate stands with its interval of 95 %; one that fewer than 30 errors are behind is marked with a star.
- What was not measured is named at the end, with the reason.
- The JSON holds every number of the report, unrounded.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from typing import Final

from tools.evaluate.accuracy import subgroups, text_goals
from tools.evaluate.accuracy.measured import Floating, Groups, Measured, Verified
from tools.evaluate.accuracy.rates import Rate
from tools.evaluate.accuracy.text_spoilt import conditions
from tools.evaluate.accuracy.wording import points, rate, small, table

_HEAD: Final = """\
# How well the door recognises people: {folder}

{pictures} pictures of {people} people, looked at by the door's own detector, gates, alignment and embedder (int8,
{embedder}) in a main plane of 640 x 480. Terms: ISO/IEC 19795-1. Each rate stands with its interval of 95 %, for which
people are drawn again ({resamples} times), because pictures of one person are not independent; where no error was seen,
the exact bound over people stands instead (the rule of three). A star marks what fewer than 30 errors are behind: read
its interval, not its value. Strangers are mixed people of the folder unless a table says otherwise; they flatter.
"""


def markdown(made: Measured, resamples: int) -> str:
    """The whole report."""
    head = _HEAD.format(
        folder=made.folder,
        pictures=made.pictures,
        people=made.people,
        embedder=f"sha256 {made.embedder[:16]}",
        resamples=resamples,
    )
    parts = [head, _acquired(made), _verified(made), _matrix(made), _searched(made)]
    if made.floating:
        parts.append(_floating(made.floating))
    if made.conditions:
        parts.append(conditions(made.conditions))
    if made.groups:
        parts.append(_groups(made.groups))
    if made.goals:
        parts.insert(1, text_goals.goals(made.goals))
    if made.counted:
        parts.append(text_goals.counted(made.counted))
    parts.append(_suspects(made))
    if made.left_out:
        parts.append("## Not measured\n\n" + "\n".join(f"- {each}" for each in made.left_out) + "\n")
    return "\n".join(parts)


def as_json(made: Measured, origin: dict[str, str]) -> str:
    """Every number. origin: what the run was made of (date, commit, machine)."""
    return json.dumps(origin | asdict(made), indent=1) + "\n"


def _acquired(made: Measured) -> str:
    found = made.acquired
    lines = [
        "## Failures to acquire and to enrol",
        "",
        f"FTA {rate(found.fta)} of {found.pictures} pictures. By what the door said: "
        + (", ".join(f"{name} {count}" for name, count in found.hints.items()) or "nothing")
        + ". ONE_PERSON_ONLY is about bystanders in a picture, whom a door would ask to step aside.",
    ]
    if found.unreadable:
        shown = ", ".join(found.unreadable[:5]) + (" and more" if len(found.unreadable) > 5 else "")
        lines.append(f"{len(found.unreadable)} files are no pictures that can be read, and count nowhere: {shown}.")
    rows = [
        [str(e.pictures), str(e.people), str(e.too_few), str(e.company), str(e.disagree), rate(e.fte)]
        for e in made.enrolled
    ]
    lines += [
        "",
        table(("enrolled pictures", "people", "too few usable", "of them for company", "disagree", "FTE"), rows),
    ]
    lines += [
        "",
        "An enrolment takes only faces that are alone in range, and samples that agree as vault wants it. Here they",
        "are pictures of other days, as many as the folder has; a door takes as many frames as ten seconds give.",
    ]
    return "\n".join(lines) + "\n"


def _verified(made: Measured) -> str:
    lines = [
        "## One to one",
        "",
        "Templates are means of so many pictures, probes of so many frames (here: pictures). FNMR where the FMR is:",
        "",
        _points(made.verified),
        "",
        "At the door's own thresholds, which rest on the worst group and not on these strangers (docs/budget.md):",
        "",
        _door(made.verified),
        "",
        "Without the labels that are suspicious (listed below; this flatters):",
        "",
        _points(made.without_suspects),
    ]
    return "\n".join(lines) + "\n"


def _points(rows: Iterable[Verified]) -> str:
    shown = list(rows)
    fmrs = [at.fmr for at in shown[0].points] if shown else []
    head = ("pictures + frames", "residents", "genuine", "impostor", "EER", *(f"FMR {fmr:.0e}" for fmr in fmrs))
    return table(
        head,
        [
            [str(v.design), str(v.residents), str(v.probes), f"{v.comparisons:,}", f"{v.eer:.2%}", *points(v.points)]
            for v in shown
        ],
    )


def _door(rows: Iterable[Verified]) -> str:
    return table(
        ("pictures + frames", "faces awake", "threshold", "FNMR", "FMR", "impostor comparisons"),
        [
            [
                str(v.design),
                str(at.faces),
                f"{at.threshold:.3f}",
                rate(at.fnmr),
                small(at.fmr) if at.fmr else "too low to read",
                f"{v.comparisons:,}",
            ]
            for v in rows
            for at in v.door
        ],
    )


def _matrix(made: Measured) -> str:
    if not made.matrix:
        return ""
    first = made.matrix[0]
    lines = [
        "## How many pictures, how many frames",
        "",
        f"The same {first.residents} people with {first.design.least} or more usable pictures in every row; FNMR.",
        "",
        table(
            ("enrolled", "frames", "genuine", "at FMR 1e-3", "at FMR 1e-4", "at the door's, one face awake"),
            [
                [
                    str(v.design.enrolled),
                    str(v.design.frames),
                    str(v.probes),
                    *points(v.points),
                    rate(v.door[0].fnmr) if v.door else "",
                ]
                for v in made.matrix
            ],
        ),
        "",
        "The threshold for one picture against one is lower than for means: the last column's first row is at another.",
    ]
    return "\n".join(lines) + "\n"


def _searched(made: Measured) -> str:
    rows = []
    for design, sizes in made.searched:
        for size in sizes:
            named = f"{size.size:,}" if size.size == size.wanted else f"{size.size:,} (for {size.wanted:,})"
            named += f", {size.filled:,} of them of {made.groups.folder}" if size.filled and made.groups else ""
            cells = [rate(at.fnir) if at.fnir else "too few strangers" for at in size.rows]
            door = size.door
            told = f"FPIR {small(door.fpir)}, FNIR {rate(door.fnir)} at {door.threshold:.3f}" if door else ""
            rows.append([str(design), named, str(size.galleries), *cells, told])
    lines = [
        "## One to many",
        "",
        "Random galleries; FNIR, first rank, where the FPIR is so much. A gallery holds at most half of the people; a",
        "larger one is filled with people of the other set, one picture each, children too, who never stand before it.",
        "Pictures of another source may be easier to tell apart than more people of the same one.",
        "",
        table(("pictures + frames", "gallery", "galleries", "FPIR 1e-2", "FPIR 1e-3", "at the door's threshold"), rows),
    ]
    return "\n".join(lines) + "\n"


def _floating(made: Floating) -> str:
    rows = []
    for design, eight, whole, worse in made.rows:
        for at, other, apart in zip(eight, whole, worse, strict=True):
            rows.append([str(design), f"{at.fmr:.0e}", *points((at,)), *points((other,)), _signed(apart)])
    lines = [
        "## int8 against float",
        "",
        f"Cosine between both networks' embeddings of one picture: mean {made.agreement_mean:.4f}, least",
        f"{made.agreement_least:.4f}. FNMR of each at its own threshold, and the difference in points, of the same",
        "people drawn again together:",
        "",
        table(("pictures + frames", "FMR", "int8", "float", "int8 less float"), rows),
    ]
    return "\n".join(lines) + "\n"


def _signed(apart: Rate | None) -> str:
    if apart is None:
        return "too few"
    return f"{apart.value * 100:+.2f} ({apart.low * 100:+.2f} to {apart.high * 100:+.2f})"


def _groups(made: Groups) -> str:
    head = ("group", "ages", "people", "FTA", *(f"FMR at {at:.3f} (pooled {fmr})" for fmr, at in made.thresholds))
    rows = [
        [
            row.name,
            row.ages,
            str(row.people),
            rate(row.fta),
            *([small(each) for each in row.fmr] if row.fmr else ["too few"] * len(made.thresholds)),
        ]
        for row in made.rows
    ]
    worst = []
    for which, (fmr, _) in enumerate(made.thresholds):
        found = subgroups.worst(list(made.rows), which)
        if found and found.fmr:
            times = found.fmr[which].value / float(fmr)
            worst.append(f"at pooled {fmr} {found.name} has {small(found.fmr[which])}, {times:.0f} times as many")
    lines = [
        "## Every group by itself",
        "",
        f"{made.folder}: one picture a person, strangers of the same sex, group and, where one stands, age, at",
        "thresholds that the mixed strangers above set. FNMR needs two pictures of a person, and the set has one: who",
        "is refused how often is not known here. Worst adult group: "
        + ("; ".join(worst) or "none has enough people")
        + ".",
        "Nobody's door uses these thresholds: they are what a single one for everybody would do.",
        "",
        table(head, rows),
    ]
    return "\n".join(lines) + "\n"


def _suspects(made: Measured) -> str:
    found = made.suspects
    lines = [
        "## Labels that may be wrong",
        "",
        "Pairs of two names that score 0.65 or more, and pictures that score below 0.10 with all others under their",
        "name. Nobody looked: among them are relatives and true look-alikes. No threshold is tuned to them.",
        "",
    ]
    lines += [f"- {one} and {other}: {score:.3f}" for one, other, score in found.pairs]
    lines += [f"- {file}: at most {score:.3f} with its own" for file, score in found.strays]
    return "\n".join(lines if found.pairs or found.strays else [*lines, "None."]) + "\n"
