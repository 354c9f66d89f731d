"""The picture of the curves of one run or several: what passes, along one condition after the other, with intervals.

Rules kept here:
- What is drawn is what was counted: every point has its interval of 95 %, and the number of attempts behind it.
- Plain SVG with a title and a description, readable without colour: each kind has a mark of its own.

    python -m tools.attack_lab.plot RUN ... docs/attack-curves.svg

A run is what `python -m tools.attack_lab --curve ... --json` or `--log` prints: its last line counts. Of several, with
seeds of their own, what they counted is added up.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any, Final

from tools.attack_lab.counts import Rate

WIDTH: Final = 900
HEIGHT: Final = 220  # of a panel
_ACROSS, _PANEL_W = 3, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 14, 34, 38
_AXES: Final = {
    "distance_mm": "distance, mm",
    "hallway_lx": "light of the hallway, lx",
    "skin": "what the skin reflects, as a share",
    "sway_px": "sway, pixels of 640",
    "lag_ms": "frames later than their stamp, ms",
    "turn_deg": "turn of the head, degrees",
    "fps": "frames a second",
    "sun_lx": "sun from one side, lx",
    "offset_mm": "lights beside the lens, mm",
    "candela": "a level of a light, candela",
}
_LOOKS: Final = (("#1b6ca8", "o"), ("#b03a2e", "x"), ("#2e7d32", "+"), ("#6a1b9a", "v"))


class NoCurves(ValueError):
    """A file that holds no curves of a run."""


@dataclass(frozen=True, slots=True)
class Point:
    """`low` to `high` is the interval of the share `share` of `trials`."""

    value: float
    share: float
    low: float
    high: float
    trials: int


Curves = dict[str, dict[str, list[Point]]]
"""For each axis, who or what along it, point by point."""

Counted = Counter[tuple[str, str, float, bool]]
"""How many windows there were of an axis, of who or what, at a value; those that passed (True), and all others."""


def counted(told: Any) -> Counted:
    """What `python -m tools.attack_lab --json` says of its curves. Raises NoCurves if it is anything else."""
    found: Counted = Counter()
    impossible = False
    try:
        for axis, tallies in told["curves"].items():
            for tally in tallies:
                who, value = str(tally["name"]).rsplit(f", {axis} ", 1)
                passed, trials = int(tally["passed"]["count"]), int(tally["passed"]["trials"])
                windows = {True: passed, False: trials - passed}
                impossible |= min(windows.values()) < 0 or trials == 0
                found.update({(str(axis), who, float(value), each): count for each, count in windows.items()})
    except (KeyError, TypeError, ValueError, AttributeError) as cause:
        msg = "this is not what `python -m tools.attack_lab --curve ... --json` prints"
        raise NoCurves(msg) from cause
    if impossible:
        msg = "more passed than there were, or there was nothing"
        raise NoCurves(msg)
    if not found:
        msg = "there are no curves in it: ask for some with --curve"
        raise NoCurves(msg)
    return found


def curves_of(found: Counted) -> Curves:
    """Its points with their intervals, in the order in which they were counted."""
    curves: Curves = {}
    for axis, who, value in dict.fromkeys(key[:3] for key in found):
        rate = Rate(found[axis, who, value, True], found[axis, who, value, True] + found[axis, who, value, False])
        point = Point(value, rate.count / rate.trials, rate.low, rate.high, rate.trials)
        curves.setdefault(axis, {}).setdefault(who, []).append(point)
    return {
        axis: {who: sorted(points, key=lambda point: point.value) for who, points in each.items()}
        for axis, each in curves.items()
    }


def svg(curves: Curves) -> str:
    """The picture as a text."""
    kinds = list(dict.fromkeys(who for each in curves.values() for who in each))
    looks = {who: _LOOKS[number % len(_LOOKS)] for number, who in enumerate(kinds)}
    high = -(-len(curves) // _ACROSS) * HEIGHT + 30
    panels = "".join(
        _panel(axis, each, looks, (number % _ACROSS * _PANEL_W, number // _ACROSS * HEIGHT))
        for number, (axis, each) in enumerate(curves.items())
    )
    legend = "".join(
        f"{_mark(looks[who], 60 + 270 * number, high - 16)}"
        f'<text x="{72 + 270 * number}" y="{high - 12}">{escape(who)}</text>\n'
        for number, who in enumerate(kinds)
    )
    said = (
        "Rendered. Of people all should pass, of everything else nothing. Bars are intervals of 95 % after Clopper and "
        "Pearson. " + " ".join(_told(axis, each) for axis, each in curves.items())
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {high}" font-family="sans-serif" '
        f'font-size="12" fill="#222" role="img" aria-labelledby="t d">\n'
        f'<title id="t">What passes one attempt of the light challenge, rendered</title>\n'
        f'<desc id="d">{escape(said)}</desc>\n'
        f'<rect width="{WIDTH}" height="{high}" fill="#fff"/>\n{panels}{legend}</svg>\n'
    )


def _panel(axis: str, each: dict[str, list[Point]], looks: dict[str, tuple[str, str]], at: tuple[int, int]) -> str:
    left, right = at[0] + _LEFT, at[0] + _PANEL_W - _RIGHT
    top, base = at[1] + _TOP, at[1] + HEIGHT - _BOTTOM
    values = sorted({point.value for points in each.values() for point in points})
    step = (right - left) / len(values)

    def y(share: float) -> float:
        return base - share * (base - top)

    parts = [f'<text x="{left}" y="{at[1] + 22}" font-weight="bold">{escape(_AXES.get(axis, axis))}</text>\n']
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        parts.append(f'<path d="M{left} {y(share):.1f}H{right}" stroke="#ddd"/>')
        parts.append(f'<text x="{left - 6}" y="{y(share) + 4:.1f}" text-anchor="end">{share:.0%}</text>\n')
    for number, value in enumerate(values):
        middle = left + (number + 0.5) * step
        parts.append(f'<text x="{middle:.1f}" y="{base + 16}" text-anchor="middle">{value:g}</text>\n')
    for number, (who, points) in enumerate(each.items()):
        beside = (number - (len(each) - 1) / 2) * 9
        x = [left + (values.index(point.value) + 0.5) * step + beside for point in points]
        parts += [_line(looks[who], [(a, y(point.share)) for a, point in zip(x, points, strict=True)])]
        for a, point in zip(x, points, strict=True):
            parts.append(f'<path d="M{a:.1f} {y(point.low):.1f}V{y(point.high):.1f}" stroke="{looks[who][0]}"/>')
            parts.append(_mark(looks[who], a, y(point.share)))
    return "".join(parts)


def _line(look: tuple[str, str], places: Sequence[tuple[float, float]]) -> str:
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    return f'<polyline points="{points}" fill="none" stroke="{look[0]}" stroke-opacity="0.45" stroke-width="1.5"/>\n'


def _mark(look: tuple[str, str], x: float, y: float) -> str:
    colour, shape = look
    if shape == "o":
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{colour}"/>\n'
    paths = {"x": "m-4 -4l8 8m0 -8l-8 8", "+": "m-5 0h10m-5 -5v10", "v": "m-4 -3h8l-4 7z"}
    return f'<path d="M{x:.1f} {y:.1f}{paths[shape]}" stroke="{colour}" stroke-width="2" fill="none"/>\n'


def _told(axis: str, each: dict[str, list[Point]]) -> str:
    told = "; ".join(
        f"{who}: " + ", ".join(f"{point.value:g}: {point.share:.0%} of {point.trials}" for point in points)
        for who, points in each.items()
    )
    return f"{_AXES.get(axis, axis)}: {told}."


def main(words: list[str]) -> int:
    """Draw runs together; 0, 1 with a sentence if one holds no curves or a file cannot be used, 2 for wrong usage."""
    if len(words) < 2:
        print("python -m tools.attack_lab.plot RUN ... OUT.svg", file=sys.stderr)
        return 2
    *runs, out = words
    found: Counted = Counter()
    for run in runs:
        try:
            *_, last = Path(run).read_text(encoding="utf-8").splitlines() or [""]
            found += counted(json.loads(last))
        except OSError as cause:
            print(f"{run} cannot be read: {cause.strerror}", file=sys.stderr)
            return 1
        except NoCurves as refused:
            print(f"{run}: {refused}", file=sys.stderr)
            return 1
        except ValueError:
            print(f"{run}: its last line is no JSON", file=sys.stderr)
            return 1
    try:
        Path(out).write_text(svg(curves_of(found)), encoding="utf-8")
    except OSError as cause:
        print(f"{out} cannot be written: {cause.strerror}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
