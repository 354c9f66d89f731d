"""Single turns: what the mesh sees of them and what the pixels show, for heads and for sheets.

Rules kept here:
- The same people in every row, the same heads, each picture with noise of its own.
- The sign is that of the turn: what moves the wrong way is below 0.

    python -m tools.attack_lab.turns --faces DIR [--n N] [--seed S]

Everything is rendered, as in `tools.attack_lab.motion`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np

from device.errors import PictureRefused, Refusal
from device.eye.attack.motion import Middle
from device.eye.attack.parallax import parallax
from tools.attack_lab.motion import Place, place, shot_of
from tools.attack_lab.turned import Solid, head, sheet

Make = Callable[[Place], Solid]


def _bent(radius_mm: float | None) -> Make:
    return lambda at: sheet(at.lens, at.shown, at.person, radius_mm)


ROWS: Final[dict[str, tuple[Make, tuple[float, ...]]]] = {
    "head": (lambda at: head(at.lens, at.shown, at.person), (0.0, 6.0, 8.0, 12.0, 16.0)),
    "flat sheet": (_bent(None), (15.0, 30.0, 45.0)),
    "bent over 150 mm": (_bent(150.0), (15.0, 30.0)),
    "bent over 80 mm": (_bent(80.0), (15.0, 30.0)),
}


def main(words: list[str]) -> int:
    """Print the table; 0, or 1 with a sentence if the pictures cannot be used."""
    parser = argparse.ArgumentParser(prog="python -m tools.attack_lab.turns", description=__doc__)
    parser.add_argument("--faces", type=Path, required=True, help="DIR/person/picture.jpg")
    parser.add_argument("--n", type=int, default=20, help="people")
    parser.add_argument("--seed", type=int, default=1)
    wishes = parser.parse_args(words)
    found: dict[tuple[str, float], list[tuple[float, float]]] = {
        (name, degrees): [] for name, (_, all_degrees) in ROWS.items() for degrees in all_degrees
    }
    try:
        pictures = sorted(wishes.faces.glob("*/*.jpg"))
        if not pictures or wishes.n < 1:
            raise PictureRefused(f"{wishes.faces} holds no DIR/person/picture.jpg, or nobody was asked for")
        for which in range(wishes.n):
            _turn(place(pictures, np.random.default_rng([wishes.seed, which])), which, found)
    except Refusal as refusal:
        print(refusal, file=sys.stderr)
        return 1
    for (name, degrees), values in found.items():
        print(f"{name}, {degrees:.0f} degrees: {_told(values)}; {len(values)} of {wishes.n} found again")
    print("rendered, not photographed")
    return 0


def _turn(at: Place, which: int, found: dict[tuple[str, float], list[tuple[float, float]]]) -> None:
    """Adds what the mesh saw and what the pixels showed; half of the people turn left, half right."""
    rng, side = np.random.default_rng([which, 1]), 1 if which % 2 else -1
    for (name, degrees), values in found.items():
        solid = ROWS[name][0](at)
        before, after = shot_of(solid, 0.0, rng), shot_of(solid, -side * degrees, rng)
        if before is None or after is None:
            continue
        moved = parallax(before, after)
        if moved is not None:
            values.append((side * Middle(before.points).sideways(after.points), side * moved.value))


def _told(values: list[tuple[float, float]]) -> str:
    if not values:
        return "nothing"
    low, middle, high = np.quantile(np.array(values), [0, 0.5, 1], axis=0)
    mesh, pixels = (f"{middle[k]:+.3f} ({low[k]:+.3f} to {high[k]:+.3f})" for k in (0, 1))
    return f"mesh {mesh}, pixels {pixels}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
