"""How often two frames of a camera that stands still before a scene that stands still are equal to the last bit.

Rules kept here:
- The hint that looks is the door's own (`device.eye.attack.hints`); nothing of it is changed for the measurement.
- It is measured at its worst: nobody moves, no lamp flickers, and only the sensor's noise tells two frames apart.
- The photograph lies between levels, as light does: each of its values is moved by a fraction of a level that stays.
- Noise is made up, normal and alike in all pixels; no real sensor was measured. Motion-JPEG is Pillow's, one quality.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
from PIL import Image

from device.eye.attack.hints import Repeats
from device.eye.pixels import Picture
from tools.evaluate.intervals import upper_bound

NOISES: Final = (0.1, 0.3, 1.0)  # standard deviation in levels of 255
QUALITIES: Final = (None, 90, 50)  # None: not compressed
BRIGHTNESS: Final = (1.0, 0.2)
FRAMES: Final = 6


@dataclass(frozen=True, slots=True)
class Row:
    """One kind of camera in one light: of `pictures` looked at for FRAMES frames, how many were called a repeat."""

    brightness: float
    noise: float
    quality: int | None
    pictures: int
    refused: int


def measure(pictures: Iterable[Picture], seed: int = 0) -> list[Row]:
    """Every light, noise and compression; `pictures` are main planes."""
    rng = np.random.default_rng(seed)
    counts = {(light, noise, quality): 0 for light in BRIGHTNESS for noise in NOISES for quality in QUALITIES}
    looked_at = 0
    for picture in pictures:
        looked_at += 1
        between = picture + rng.random(picture.shape, np.float32) - np.float32(0.5)
        for light, noise in ((light, noise) for light in BRIGHTNESS for noise in NOISES):
            repeats = {quality: Repeats() for quality in QUALITIES}
            again = dict.fromkeys(QUALITIES, False)
            for _ in range(FRAMES):
                grain = rng.standard_normal(picture.shape, np.float32) * np.float32(noise)
                frame = np.clip(np.rint(between * np.float32(light) + grain), 0, 255).astype(np.uint8)
                for quality in QUALITIES:
                    again[quality] |= repeats[quality].again(_through(frame, quality))
            for quality in QUALITIES:
                counts[light, noise, quality] += again[quality]
    return [Row(*kind, looked_at, refused) for kind, refused in counts.items()]


def table(rows: Iterable[Row]) -> str:
    """The rows as Markdown, each with the 95 % upper bound of its share."""
    lines = [
        "| brightness | noise, levels | Motion-JPEG | challenges | refused | at most (95 %) |",
        "|---|---|---|---|---|---|",
    ]
    for row in rows:
        quality = "none" if row.quality is None else f"quality {row.quality}"
        most = upper_bound(row.refused, row.pictures)
        lines.append(
            f"| {row.brightness:g} | {row.noise:g} | {quality} | {row.pictures} | {row.refused} | {most:.1%} |"
        )
    return "\n".join(lines)


def _through(frame: Picture, quality: int | None) -> Picture:
    if quality is None:
        return frame
    stored = io.BytesIO()
    Image.fromarray(frame).save(stored, "JPEG", quality=quality)
    return np.asarray(Image.open(stored))
