"""How much the threshold depends on what was decided about the group set: for people who doubt the decisions.

Rules kept here:
- Only one decision is changed at a time, and everything else is computed as for the file the door carries.
"""

from __future__ import annotations

import tomllib
from pathlib import Path

import numpy as np
from rich.progress import track

from device.vault.budget import Budget
from tools.evaluate import groups, tail
from tools.evaluate.extremes import Reals
from tools.evaluate.gather import Gallery

DRAWS = tail.DRAWS
GALLERIES = (1, 4)


def table(gallery: Gallery, listed: Path) -> str:
    """A Markdown table: the single-picture threshold for some galleries under each way to decide."""
    control = tomllib.loads(listed.read_text(encoding="utf-8"))["control"]
    factor = tail.judging_factor(control["look_alikes"], control["called_same"])
    whole, pictures = groups.judged_in(listed), groups.judged_in(listed, ("same_picture",))
    bounds = {
        "as shipped": _bounds(gallery, whole, factor),
        "judge taken as never wrong": _bounds(gallery, whole, 1.0),
        "only identical pictures set aside": _bounds(gallery, pictures, 1.0),
        "nothing set aside": _bounds(gallery, {}, 1.0),
    }
    shipped = bounds["as shipped"]
    bounds["all cells in one pot (wrong)"] = {"pool": np.mean(list(shipped.values()), axis=0)}
    head = "| decision | " + " | ".join(f"{faces} awake" for faces in GALLERIES) + " |\n|---"
    lines = [head + "|---" * len(GALLERIES) + "|"]
    for name, cells in bounds.items():
        found = [_threshold(cells, Budget().false_match_rate(faces)) for faces in GALLERIES]
        lines.append(f"| {name} | " + " | ".join(found) + " |")
    return "\n".join(lines)


def _bounds(gallery: Gallery, judged: dict[str, groups.Judged], factor: float) -> dict[str, Reals]:
    members = [cell for cell in groups.cells(gallery, judged) if cell.used]
    return {cell.name: tail.measure(cell, factor, DRAWS).upper for cell in track(members, description="tails")}


def _threshold(cells: dict[str, Reals], rate: float) -> str:
    low_enough = np.all([upper <= rate for upper in cells.values()], axis=0)
    return f"{tail.THRESHOLDS[np.argmax(low_enough)]:.3f}" if low_enough.any() else "beyond the data"
