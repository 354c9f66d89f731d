"""Somebody before the simulated camera who turns their face to the light that is bright, and ahead when none is.

Rules kept here:
- What they see is what burns (`device.eye.lamps`), and never what lock means to ask: a light that does not light up
  turns nobody.
- They turn once a light has burnt for REACTS_NS, as people do: the quick changes of a light challenge turn nobody.
- A folder that does not hold all three places is refused with a sentence, when it is shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Final

from device.challenge import MS
from device.errors import PictureRefused
from device.eye.lamps import LightChange
from device.motion import LIGHTS, Facing

TURNING_SUFFIX: Final = ".turning"
NAMES: Final = {Facing.LEFT: "left.npz", Facing.MIDDLE: "middle.npz", Facing.RIGHT: "right.npz"}

REACTS_NS: Final = 600 * MS
"""How long a light burns before they have turned to it. A choice: a third of a second to see it, and as much to turn; a
light challenge changes within 300 ms, and its last light burns for some 500."""


def facing(changes: Sequence[LightChange], now_ns: int) -> Facing:
    """Where they look at `now_ns`, after `changes` of the lights (ascending)."""
    looks = Facing.MIDDLE
    for burning, following in pairwise((*changes, LightChange(now_ns, 0, 0))):
        if min(following.at_ns, now_ns) - burning.at_ns >= REACTS_NS:
            looks = _towards(burning)
    return looks


def place(source: Path, where: Facing) -> Path:
    """The file in the folder `source` that shows them so. Raises PictureRefused."""
    if not all((source / name).is_file() for name in NAMES.values()):
        msg = f"{source.name} does not hold {', '.join(NAMES.values())}: nobody can turn"
        raise PictureRefused(msg)
    return source / NAMES[where]


def _towards(burning: LightChange) -> Facing:
    """To the brighter one where the other is at its lowest: what asks, and what a person sees as one light."""
    for where, lights in LIGHTS.items():
        if (burning.left, burning.right) == (lights.left, lights.right):
            return where
    return Facing.MIDDLE
