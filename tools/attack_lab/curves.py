"""Where it ends: one condition set to a value after the other, all others drawn as indoors.

Rules kept here:
- A curve changes one thing. Everything else is drawn from the same seeds, so that neighbours on a curve are the same
  people or the same paper, in the same places, with the same noise.
"""

from __future__ import annotations

from typing import Final

AXES: Final[dict[str, tuple[float, ...]]] = {
    "hallway_lx": (20.0, 100.0, 300.0, 1000.0),
    "sun_lx": (0.0, 1000.0, 10000.0),
    "distance_mm": (330.0, 450.0, 600.0, 800.0),
    "skin": (0.06, 0.12, 0.25, 0.45),
    "sway_px": (0.0, 4.0, 8.0, 16.0),
    "turn_deg": (0.0, 5.0, 10.0),
    "lag_ms": (0.0, 30.0, 60.0, 100.0),
    "fps": (12.0, 15.0, 20.0, 30.0),
    "offset_mm": (50.0, 80.0, 120.0),
    "candela": (2.0, 8.0, 20.0),
}
"""What is varied for a curve, and the values: names are those of `Conditions`."""
