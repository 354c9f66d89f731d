"""Under what conditions somebody stands at the door: drawn for each attempt, or set for a curve.

Rules kept here:
- Conditions are drawn before it is known who, or what, will stand there: people and attacks get the same.
- Indoor means a hallway by day or by lamplight, not the sun. What is outside is looked at in curves of its own.

Sources: corridors are lit with 100 lx or more, entrance halls with 200 (EN 12464-1, table of traffic zones). How many
electrons a lux gives at 1/60 s on a pixel of 640 x 480 put together from a small sensor's is an estimate: 1 lx is
about 4,100 photons of 555 nm a second and square micrometre; f/2, a quantum efficiency of a half and 20 to 60 square
micrometres leave 30 to 200 of something white. Skin: luminous reflectances of 0.08 to 0.42 are L* of 34 to 71 (CIELAB).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from tools.attack_lab.light import Around, Lamps

LENS_PX: Final = (640, 480)


@dataclass(frozen=True, slots=True)
class Conditions:
    """One attempt: the hallway, who stands there, and the camera.

    `candela` is that of one level of one light; `skin` what the face reflects, `shine` the slope of its roughness.
    `sway_px` and `turn_deg`: how far people move meanwhile. `electrons_per_lux` come from something white. `lag_ms`:
    how much later a frame is exposed than its stamp says; `readout_ms`: from its first row to its last. `flicker` is
    how deep mains lamps darken, `flicker_hz` times a second; `curve` bends sRGB as cameras bend it.
    """

    hallway_lx: float = 150.0
    sun_lx: float = 0.0
    candela: float = 8.0
    offset_mm: float = 80.0
    distance_mm: float = 480.0
    behind_mm: float = 1500.0
    skin: float = 0.25
    shine: float = 0.3
    glasses: bool = False
    sway_px: float = 2.0
    turn_deg: float = 2.0
    fps: float = 24.0
    jitter_ms: float = 2.0
    exposure_ms: float = 16.7
    readout_ms: float = 16.0
    lag_ms: float = 5.0
    electrons_per_lux: float = 80.0
    flicker: float = 0.1
    flicker_hz: float = 100.0
    curve: float = 1.0

    @property
    def around(self) -> Around:
        """The light that is there anyway: a third of it from above, and the sun from one side."""
        return Around(self.hallway_lx * 2 / 3, self.hallway_lx / 3, self.sun_lx)

    @property
    def lamps(self) -> Lamps:
        """The two lights."""
        return Lamps(self.offset_mm, self.candela)


def draw_indoor(rng: np.random.Generator) -> Conditions:
    """A hallway, somebody in it, and a camera."""
    return Conditions(
        hallway_lx=float(np.exp(rng.uniform(np.log(50), np.log(300)))),
        distance_mm=float(rng.uniform(330, 650)),
        behind_mm=float(rng.uniform(700, 4000)),
        skin=float(np.exp(rng.uniform(np.log(0.08), np.log(0.42)))),
        shine=float(rng.uniform(0.2, 0.4)),
        glasses=bool(rng.random() < 0.3),
        sway_px=float(rng.uniform(0, 4)),
        turn_deg=float(rng.uniform(0, 3)),
        fps=float(rng.uniform(18, 30)),
        jitter_ms=float(rng.uniform(0, 4)),
        exposure_ms=float(rng.uniform(8, 20)),
        readout_ms=float(rng.uniform(8, 25)),
        lag_ms=float(rng.uniform(0, 30)),
        electrons_per_lux=float(np.exp(rng.uniform(np.log(30), np.log(200)))),
        flicker=float(rng.choice([0.0, 0.1, 0.3])),
        flicker_hz=float(rng.choice([100.0, 120.0])),
        curve=float(rng.uniform(0.9, 1.15)),
    )


def changed(cond: Conditions, change: Iterable[tuple[str, Any]]) -> Conditions:
    """`cond` with these values."""
    return replace(cond, **dict(change))
