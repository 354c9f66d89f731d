"""Who turns before the simulated camera when the lights ask for it: a head in the sun, or a sheet in somebody's hands.

Rules kept here:
- The sun is so bright that the two lights are nothing beside it: what is rendered answers to no light, as a face in
  the sun does, and turns towards one all the same.
- The photograph is made into somebody by `tools.attack_lab.place`; heads and sheets turn as in
  `tools.attack_lab.turned`. Everything is rendered.

What is written is a folder of three bases, one for each place that may be asked for (`device.eye.turning`).
"""

from __future__ import annotations

from enum import StrEnum, unique
from pathlib import Path
from typing import Final

import numpy as np

from device.eye.pictures import read_scaled
from device.eye.turning import NAMES
from device.motion import Facing
from tools.attack_lab.basis import Basis
from tools.attack_lab.colours import linear, luminance
from tools.attack_lab.head import Head
from tools.attack_lab.hold_up import FACE_AT_REST
from tools.attack_lab.landmarks import five_points
from tools.attack_lab.place import stand
from tools.attack_lab.surfaces import Lens, turned
from tools.attack_lab.turned import head, sheet

_BENT_MM: Final = 150.0
_SEED: Final = 12


@unique
class Turns(StrEnum):
    """What turns. TURNED_PRINT is a photograph bent over a cylinder of 150 mm, which the mesh takes for a head."""

    TURNING = "turning"
    TURNED_PRINT = "turned-print"


_DEGREES: Final = {Turns.TURNING: 12.0, Turns.TURNED_PRINT: 30.0}
_SIDE: Final = {Facing.LEFT: -1, Facing.MIDDLE: 0, Facing.RIGHT: 1}  # yaw that turns a face to its own left is negative


def turning(picture: Path, kind: Turns, width_px: int, height_px: int, scale: float) -> dict[Facing, Basis]:
    """`picture` before a camera of that size, laid in as the replay camera does, turned to each place.

    Raises PictureRefused if it is no picture, or no face is found in it.
    """
    shown = read_scaled(picture, width_px, height_px, scale)
    lens = Lens(width_px, height_px)
    person = stand(lens, five_points(shown, picture.name), Head())
    solid = head(lens, shown, person) if kind is Turns.TURNING else sheet(lens, shown, person, _BENT_MM)
    rng = np.random.default_rng(_SEED)
    seen = {
        facing: linear(solid.seen(turned(side * _DEGREES[kind], 0.0), rng)).astype(np.float32)
        for facing, side in _SIDE.items()
    }
    gain = FACE_AT_REST / float(luminance(seen[Facing.MIDDLE].astype(np.float64))[person.face.there].mean())
    dark = np.zeros_like(seen[Facing.MIDDLE])
    return {facing: Basis(np.minimum(light * np.float32(gain), 1), dark, dark) for facing, light in seen.items()}


def save(bases: dict[Facing, Basis], folder: Path) -> None:
    """Write them into `folder`, which is there. Raises OSError."""
    for facing, basis in bases.items():
        basis.save(folder / NAMES[facing])
