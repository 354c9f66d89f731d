"""What a second sitting buys somebody who comes covered: which are joined at which limit, and what is refused after it.

Rules kept here:
- As `tools.evaluate.joined` does it, by vault's own code and thresholds; each cloth is a table of its own.
- Whose sitting must not be joined is looked at among like people: everybody of one cell of the group set with everybody
  else of it, one rendered sitting each in the same cloth, and bare to compare with. Pairs that the committed list calls
  one person are left out.
- A stranger's looks are tried against what came of several sittings, each template under its own threshold.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np

from device.manifest import load
from device.meaning import meaning
from device.vault import pooling, record
from device.vault import tail as tail_file
from device.vault.budget import Budget, Thresholds
from tools.evaluate import groups, joined
from tools.evaluate.covered_sittings import ENROLLING
from tools.evaluate.figures import mean_vector
from tools.evaluate.gather import Floats
from tools.evaluate.joined import percent
from tools.evaluate.sittings import DRAWS, LOOKING

LIMITS: Final = (0.50, 0.55, 0.60, 0.64, 0.65)
HOUSES: Final = (1, 2, 3)
OFTEN: Final = (1, 2, 3)


def thresholds_in(models: Path) -> Thresholds:
    """Those of a door with the default budget."""
    meant = meaning(load(models))
    bare, covered = tail_file.load(models, meant.bare), tail_file.load(models, meant.covered, tail_file.COVERED_FILE)
    return Thresholds(Budget(), bare, LOOKING, covered)


def table(name: str, people: list[Floats], thresholds: Thresholds) -> str:
    """Markdown, of one cloth: joined at which limit, then refused after how many sittings."""
    second, third = joined.likenesses(people, 1), joined.likenesses(people, 2)
    lines = [
        f"{name}: {len(people)} people, {len(second.right):,} right sittings and {len(second.others):,} of others",
        "",
        "| joined from a cosine of | second, right | second, others | third, right | third, others |",
        "|---|---|---|---|---|",
    ]
    for limit in LIMITS:
        shares = [share for each in (second, third) for share in each.reaching(limit)]
        lines.append(f"| {_marked(limit)} | " + " | ".join(percent(share) for share in shares) + " |")
    lines += ["", "| covered faces awake | once | twice | three times |", "|---|---|---|---|"]
    looks = [joined.seen(people, thresholds, days=days, covered=True) for days in (False, True)]
    for house in HOUSES:
        cells = []
        for often in OFTEN:
            one, days = (joined.refused(found, often, house, thresholds, covered=True) for found in looks)
            cells.append(f"{one:.1%} ({days:.1%})")
        lines.append(f"| {house} | " + " | ".join(cells) + " |")
    taken, tried = strangers(people, thresholds)
    told = ", ".join(f"{each} after {often}" for often, each in zip(OFTEN, taken, strict=True))
    lines += [
        "",
        joined.counted(looks[0]),
        f"Strangers' looks taken for somebody, of {tried:,}, one face awake: {told}.",
    ]
    return "\n".join(lines)


def strangers(people: list[Floats], thresholds: Thresholds) -> tuple[list[int], int]:
    """How many looks of others, LOOKING pictures of different days, are known as somebody who came 1, 2 or 3 times.

    Each template under its own threshold, with one face awake. Also how many were tried each time.
    """
    rng = np.random.default_rng(0)
    taken, tried = [0] * len(OFTEN), 0
    for _ in range(DRAWS):
        faces: list[tuple[record.FaceRecord, ...]] = []
        probes = []
        for own in people:
            order = rng.permutation(len(own))
            sittings = [joined.mean_of(own[at, 1 : 1 + ENROLLING]) for at in order[: len(OFTEN)]]
            faces.append(tuple(joined.several(sittings[:often], thresholds, covered=True) for often in OFTEN))
            probes.append(mean_vector(own[order[len(OFTEN) : len(OFTEN) + LOOKING], 0]))
        looked = np.stack(probes).astype(np.float64)
        for row, each in enumerate(faces):
            others = np.delete(looked, row, axis=0)
            tried += len(others)
            for number, face in enumerate(each):
                heights = thresholds.heights((face.averaged,), 1, covered=True)
                taken[number] += int((others @ record.vector_of(face) >= heights[0]).sum()) if heights else 0
    return taken, tried


def like_pairs(names: list[str], sittings: Floats, judged: groups.Judged) -> tuple[int, list[float]]:
    """Of one cell: how many pairs of two people, and the share of them whose sittings reach each of `LIMITS`."""
    vectors = np.stack([mean_vector(frames[1:]) for frames in sittings])
    cell = groups.Cell("", vectors, np.array(names), groups.people(np.array(names), judged.same))
    scores = cell.cosines()[cell.impostors()]
    return len(scores), [float((scores >= limit).mean()) for limit in LIMITS]


def like_table(rows: list[tuple[str, str, int, list[float]]]) -> str:
    """Markdown: cell, cloth, pairs, and the share of them at each limit."""
    head = " | ".join(_marked(limit) for limit in LIMITS)
    lines = [f"| like people | cloth | pairs | {head} |", "|---|---|---|" + "---|" * len(LIMITS)]
    lines += [
        f"| {cell} | {cloth} | {pairs:,} | " + " | ".join(f"{share:.3%}" for share in shares) + " |"
        for cell, cloth, pairs, shares in rows
    ]
    return "\n".join(lines)


def _marked(limit: float) -> str:
    mark = "**" if limit == pooling.LIKENESS_COVERED else ""
    return f"{mark}{limit:.2f}{mark}"
