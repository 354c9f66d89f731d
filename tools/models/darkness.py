"""Whom the gate of light refuses in the dark, and whether it is right to.

`python -m tools.models.darkness --groups DIR` prints it.

Rules kept here:
- Every adult group is printed, never only the pool; a limit that refuses one group more than another at equal quality
  of its embeddings is unfair, whatever the average says.
- Pictures are darkened and given noise in memory; nothing of them is written.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from device.config.tables import EyeTable
from device.eye.camera import LOW_HEIGHT_PX, LOW_WIDTH_PX, Frame
from device.eye.pictures import read_scaled
from device.eye.pixels import Picture, fit_area
from device.eye.sight import Seen, Sight
from device.paths import models_dir
from device.wire import Hint

GROUPS = tuple(f"{origin}-{sex}" for origin in ("asian", "black", "indian", "white") for sex in ("female", "male"))
LIGHTS = ((0.35, 0.0), (0.35, 3.0), (0.2, 3.0))  # brightness factor, sd of the noise in grey levels
TIGHT_CROP_SCALE = 0.62  # groups-dev is cut tightly; the detector wants room around a face


@dataclass(frozen=True, slots=True)
class Row:
    """One group in one light: share told TOO_DARK, share refused otherwise, and the cosines of those not refused."""

    too_dark: float
    otherwise: float
    cosines: tuple[float, ...]


def measure(sight: Sight, pictures: list[Path], factor: float, noise: float, rng: np.random.Generator) -> Row:
    """Darken each picture that is usable as it is, and look again."""
    hints: Counter[Hint | None] = Counter()
    cosines: list[float] = []
    for path in pictures:
        bright = read_scaled(path, 640, 480, TIGHT_CROP_SCALE)
        before = _look(sight, bright)
        if before.embedding is None:
            continue
        dark = np.clip(bright * factor + rng.normal(0.0, noise, bright.shape), 0, 255).astype(np.uint8)
        after = _look(sight, dark)
        hints[after.hint] += 1
        if after.embedding is not None:
            cosines.append(float(before.embedding @ after.embedding))
    total = max(1, hints.total())
    refused = total - hints[None] - hints[Hint.TOO_DARK]
    return Row(hints[Hint.TOO_DARK] / total, refused / total, tuple(cosines))


def _look(sight: Sight, picture: Picture) -> Seen:
    return sight.look(Frame(picture, fit_area(picture, LOW_HEIGHT_PX, LOW_WIDTH_PX), 0))


def main() -> int:
    """Print the table; 0, or 2 if the folder is not there."""
    parser = argparse.ArgumentParser(description="Whom the gate of light refuses in the dark, by group.")
    parser.add_argument("--groups", type=Path, required=True, help="a folder of group/picture")
    parser.add_argument("--pictures", type=int, default=80, help="a group; default 80")
    asked = parser.parse_args()
    if not asked.groups.is_dir():
        print(f"there is no folder {asked.groups}", file=sys.stderr)
        return 2
    sight = Sight.load(EyeTable(), models_dir())
    print("group           light         too dark  refused otherwise  cosine 5 %  median")
    for group in GROUPS:
        rng = np.random.default_rng(1)
        files = sorted((asked.groups / group).iterdir())
        chosen = [files[at] for at in rng.permutation(len(files))[: asked.pictures]]
        for factor, noise in LIGHTS:
            row = measure(sight, chosen, factor, noise, rng)
            low, median = np.quantile(row.cosines, [0.05, 0.5]) if row.cosines else (0.0, 0.0)
            light = f"x {factor:g} + {noise:g}"
            print(f"{group:15} {light:13} {row.too_dark:8.1%} {row.otherwise:18.1%} {low:11.2f} {median:7.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
