"""The report's curves, as SVG: DET, how many pictures and frames, conditions, groups.

Rules kept here:
- What is drawn is what the report says, with the intervals; nothing is smoothed.
- Readable without colour: each line has a mark, each bar its name.
- The same numbers give the same file: no date, no random names inside.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from tools.evaluate.accuracy.measured import Conditions, Groups, Measured
from tools.evaluate.accuracy.rates import Rate

_MARKS: Final = ("o", "x", "s", "^", "d")
_STYLE: Final[dict[Any, Any]] = {
    "svg.hashsalt": "doorward",
    "svg.fonttype": "none",
    "font.size": 9,
    "axes.grid": True,
    "grid.alpha": 0.3,
}
_LINE: Final = 0.24  # inches that a row of bars takes


def draw(made: Measured, out: Path) -> list[Path]:
    """All pictures that the report has numbers for, in `out`."""
    written = []
    with mpl.rc_context(_STYLE):
        written.append(_save(_det(made), out / "accuracy-det.svg"))
        if made.matrix:
            written.append(_save(_matrix(made), out / "accuracy-frames.svg"))
        if made.conditions:
            written.append(_save(_conditions(made.conditions), out / "accuracy-conditions.svg"))
        if made.groups:
            written.append(_save(_groups(made.groups), out / "accuracy-groups.svg"))
    return written


def _save(figure: Figure, path: Path) -> Path:
    figure.savefig(path, format="svg", metadata={"Date": None}, bbox_inches="tight")
    return path


def _det(made: Measured) -> Figure:
    figure = Figure(figsize=(6.4, 4.4))
    axes = figure.subplots()
    for number, each in enumerate(made.verified):
        label = f"{each.design.enrolled} enrolled, {each.design.frames} frame" + "s" * (each.design.frames > 1)
        seen = [point for point in each.curve if point[1] > 0]  # a logarithmic scale has no place for none
        if seen:
            false, missed = zip(*seen, strict=True)
            axes.plot(false, missed, marker=_MARKS[number % 5], markevery=0.12, markersize=4, linewidth=1, label=label)
        else:
            axes.plot([], [], color="none", label=f"{label}: none missed where a stranger matches")
    drawn = any(np.size(line.get_xdata()) for line in axes.lines)
    scale = {"xscale": "log", "yscale": "log", "xlim": (3e-7, 1), "ylim": (3e-4, 1)} if drawn else {}
    axes.set(xlabel="FMR, mixed strangers", ylabel="FNMR", **scale)
    axes.set_title(f"Detection error trade-off, {made.folder}, int8")
    if made.verified:
        axes.legend(loc="upper right")
    return figure


def _matrix(made: Measured) -> Figure:
    figure = Figure(figsize=(6.4, 3.6))
    axes = figure.subplots()
    means = [each for each in made.matrix if each.door and (each.design.enrolled, each.design.frames) != (1, 1)]
    for number, enrolled in enumerate(sorted({each.design.enrolled for each in means})):
        rows = [each for each in means if each.design.enrolled == enrolled]
        rates: list[Rate | None] = [each.door[0].fnmr for each in rows]
        _errors(
            axes, [each.design.frames + (number - 1) * 0.06 for each in rows], rates, number, f"{enrolled} enrolled"
        )
    threshold = f" {means[0].door[0].threshold:.3f}" if means else ""
    axes.set(
        xlabel="frames averaged", ylabel=f"FNMR at{threshold}, one face awake", ylim=(0, 1), xticks=(1, 2, 3, 4, 5)
    )
    axes.set_title(f"The same {made.matrix[0].residents} people")
    if means:
        axes.legend()
    return figure


def _conditions(made: Conditions) -> Figure:
    names = [cost.name for cost in made.costs]
    figure = Figure(figsize=(8.6, _LINE * len(names) + 1.2))
    left, right = figure.subplots(1, 2, sharey=True)
    places = list(range(len(names)))[::-1]
    _bars(left, places, [cost.fta for cost in made.costs])
    _bars(right, places, [cost.single for cost in made.costs])
    left.set(yticks=places, yticklabels=names, xlabel="FTA: told to do something", xlim=(0, 1))
    right.set(xlabel=f"FNMR of one frame at {made.single_threshold:.3f}", xlim=(0, None))
    figure.suptitle(f"{made.people} people, enrolled as they are, shown spoilt", y=1.0)
    return figure


def _groups(made: Groups) -> Figure:
    rows = [row for row in made.rows if row.ages == "all" and row.fmr]
    figure = Figure(figsize=(6.4, _LINE * 1.6 * len(rows) + 1.0))
    axes = figure.subplots()
    places = list(range(len(rows)))[::-1]
    for number, (fmr, at) in enumerate(made.thresholds):
        _errors(
            axes,
            [row.fmr[number].value if row.fmr else 0 for row in rows],
            [row.fmr[number] if row.fmr else None for row in rows],
            number,
            f"at {at:.3f}, where mixed strangers have {fmr}",
            across=[place + 0.15 * (number - 0.5) for place in places],
        )
        axes.axvline(float(fmr), linestyle=":", color=f"C{number}")
    axes.set(yticks=places, yticklabels=[row.name for row in rows], xscale="log", xlabel="FMR, same sex and group")
    axes.legend(loc="lower right", bbox_to_anchor=(1, 1.0))
    return figure


def _bars(axes: Any, places: list[int], rates: list[Rate | None]) -> None:
    axes.barh(places, [rate.value if rate else 0 for rate in rates], color="0.7", edgecolor="0.3")
    for place, rate in zip(places, rates, strict=True):
        if rate:
            axes.plot([rate.low, rate.high], [place, place], color="0.1", linewidth=1)


def _errors(
    axes: Any, at: list[float], rates: list[Rate | None], number: int, label: str, across: list[float] | None = None
) -> None:
    """Points with their intervals: upright at `at`, or lying at `across`."""
    known = [rate for rate in rates if rate]
    spread = [[rate.value - rate.low for rate in known], [rate.high - rate.value for rate in known]]
    look = {"fmt": _MARKS[number], "markersize": 4, "capsize": 2, "label": label}
    if across is None:
        axes.errorbar(at, [rate.value for rate in known], yerr=spread, **look)
    else:
        axes.errorbar([rate.value for rate in known], across, xerr=spread, **look)
