"""The picture of a restart: who tried to connect, who got in, and what arrived, second by second.

Rules kept here:
- What is drawn is what was counted; a second run may lie behind the first, and the legend says which is which.
- Plain SVG with a title and a description, readable without colour: bars, a line, a dashed line.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 900, 250
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 20, 46, 34
_TICKS = 5


@dataclass(frozen=True, slots=True)
class Series:
    """Counts a second, from `first_s` before or after the broker went."""

    label: str
    colour: str
    counts: Sequence[int]
    bars: bool = False
    dashed: bool = False


@dataclass(frozen=True, slots=True)
class Panel:
    """One diagram: `first` is the second of the first count, `away` the seconds between which there was no broker."""

    title: str
    first: int
    away: tuple[float, float]
    series: tuple[Series, ...]


def svg(title: str, description: str, panels: Sequence[Panel]) -> str:
    """The picture as a text."""
    height = HEIGHT * len(panels)
    body = "".join(_panel(panel, number * HEIGHT) for number, panel in enumerate(panels))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" '
        f'font-size="13" role="img" aria-labelledby="t d">\n<title id="t">{escape(title)}</title>\n'
        f'<desc id="d">{escape(description)}</desc>\n'
        f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>\n{body}</svg>\n'
    )


def _panel(panel: Panel, top: int) -> str:
    seconds = max(len(each.counts) for each in panel.series)
    most = max(1, *(count for each in panel.series for count in each.counts))
    step = _step(most)
    scale_x = (WIDTH - _LEFT - _RIGHT) / seconds
    high = HEIGHT - _TOP - _BOTTOM
    scale_y = high / (step * -(-most // step))
    base = top + HEIGHT - _BOTTOM

    def x(second: float) -> float:
        return _LEFT + (second - panel.first) * scale_x

    parts = [
        f'<text x="{_LEFT}" y="{top + 20}" font-size="15" font-weight="bold">{escape(panel.title)}</text>\n',
        (
            f'<rect x="{x(panel.away[0]):.1f}" y="{top + _TOP}" height="{high}" '
            f'width="{(panel.away[1] - panel.away[0]) * scale_x:.1f}" fill="#eee"/>\n'
        ),
    ]
    for value in range(0, most + step, step):
        at = base - value * scale_y
        if at >= top + _TOP - 1:
            parts.append(f'<path d="M{_LEFT} {at:.1f}H{WIDTH - _RIGHT}" stroke="#ddd"/>')
            parts.append(f'<text x="{_LEFT - 8}" y="{at + 4:.1f}" text-anchor="end" fill="#333">{value}</text>\n')
    for second in range(-(-panel.first // 10) * 10, panel.first + seconds + 1, 10):
        parts += [f'<text x="{x(second):.1f}" y="{base + 18}" text-anchor="middle" fill="#333">{second} s</text>\n']
    parts += [_drawn(each, scale_x, scale_y, base) for each in panel.series]
    parts += _legend(panel.series, top)
    return "".join(parts)


def _drawn(series: Series, scale_x: float, scale_y: float, base: float) -> str:
    if series.bars:
        bars = "".join(
            f"M{_LEFT + number * scale_x:.1f} {base:.1f}v{-count * scale_y:.1f}h{max(scale_x - 1, 0.5):.1f}V{base:.1f}z"
            for number, count in enumerate(series.counts)
            if count
        )
        return f'<path d="{bars}" fill="{series.colour}"/>\n'
    points = " ".join(
        f"{_LEFT + (number + 0.5) * scale_x:.1f},{base - count * scale_y:.1f}"
        for number, count in enumerate(series.counts)
    )
    dash = ' stroke-dasharray="5 4"' if series.dashed else ""
    return f'<polyline points="{points}" fill="none" stroke="{series.colour}" stroke-width="1.8"{dash}/>\n'


def _legend(series: Sequence[Series], top: int) -> list[str]:
    parts = []
    for number, each in enumerate(series):
        x = _LEFT + number * 260
        dash = ' stroke-dasharray="5 4"' if each.dashed else ""
        width = 9 if each.bars else 2
        parts.append(
            f'<path d="M{x} {top + 35}h24" stroke="{each.colour}" stroke-width="{width}"{dash}/>'
            f'<text x="{x + 30}" y="{top + 39}" fill="#333">{escape(each.label)}</text>\n'
        )
    return parts


def _step(most: int) -> int:
    """A round distance between lines, so that there are at most `_TICKS` of them above the ground."""
    step = 1
    while True:
        for factor in (1, 2, 5):
            if step * factor * _TICKS >= most:
                return step * factor
        step *= 10
