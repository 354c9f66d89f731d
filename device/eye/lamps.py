"""The lights before the simulated camera: `lights.meter`, which doorsim keeps beside its scene.

Rules kept here:
- What the simulated camera sees of the lights comes from the hardware's end of lock's cable, where they burn, and never
  from lock: a simulated light that lock believes to be lit and that is not leaves the face dark, as a real one does.
- A file that somebody is writing at this moment is told by its sum and read again; one that stays torn is a fault of
  the camera, never a dark hallway.
- The last changes are kept and no more. Whoever asks for a moment before all of them gets a fault, not a guess.
- Where nobody drives lights (no file) they are off.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

from device.errors import CameraFault

LIGHTS: Final = "lights.meter"
KEPT: Final = 16  # three changes a second at most (`device.challenge`): five seconds and more
FULL: Final = 3
_HEAD: Final = struct.Struct("<II")
_CHANGE: Final = struct.Struct("<qBB6x")
SIZE: Final = _HEAD.size + KEPT * _CHANGE.size
_TRIES: Final = 20
_PAUSE_S: Final = 0.001


@dataclass(frozen=True, slots=True)
class LightChange:
    """From `at_ns` (CLOCK_MONOTONIC) on the two lights burn at these levels, 0 to 3."""

    at_ns: int
    left: int
    right: int


def packed(changes: Sequence[LightChange], made: int) -> bytes:
    """`lights.meter` after `made` changes in all, of which `changes` (ascending) are the last."""
    kept = list(changes)[-KEPT:]
    unused = [LightChange(0, 0, 0)] * (KEPT - len(kept))
    body = b"".join(_CHANGE.pack(each.at_ns, each.left, each.right) for each in (*unused, *kept))
    sealed = struct.pack("<I", made & 0xFFFFFFFF) + body
    return struct.pack("<I", zlib.crc32(sealed)) + sealed


class Lamps:
    """Reads `path`, which may be absent; `sleep` stands for time in tests."""

    def __init__(self, path: Path, sleep: Callable[[float], None]) -> None:
        self._path, self._sleep = path, sleep

    def mean(self, begin_ns: int, end_ns: int) -> tuple[float, float]:
        """The mean levels left and right from `begin_ns` to the later `end_ns`. Raises CameraFault."""
        changes, whole = self._read()
        if not whole and changes[0].at_ns > begin_ns:
            msg = f"the lights changed too often to know from {self._path.name} what burnt during an exposure"
            raise CameraFault(msg)
        moments = [LightChange(begin_ns, 0, 0), *changes, LightChange(end_ns, 0, 0)]
        left = right = 0
        for burning, following in pairwise(moments):
            lasted_ns = max(0, min(following.at_ns, end_ns) - max(burning.at_ns, begin_ns))
            left += lasted_ns * burning.left
            right += lasted_ns * burning.right
        return left / (end_ns - begin_ns), right / (end_ns - begin_ns)

    def until(self, now_ns: int) -> list[LightChange]:
        """The last changes up to `now_ns`, ascending. Raises CameraFault."""
        return [each for each in self._read()[0] if each.at_ns <= now_ns]

    def _read(self) -> tuple[list[LightChange], bool]:
        """The changes, ascending, and whether they are all that ever were."""
        for _ in range(_TRIES):
            try:
                data = self._path.read_bytes()
            except FileNotFoundError:
                return [], True
            except OSError as cause:
                msg = f"the lights {self._path.name} cannot be read: {cause.strerror}"
                raise CameraFault(msg) from cause
            if len(data) == SIZE:
                total, made = _HEAD.unpack_from(data)
                if total == zlib.crc32(data[4:]):
                    return self._parsed(data, made), made <= KEPT
            self._sleep(_PAUSE_S)
        msg = f"{self._path.name} says nothing about the lights: it is torn, or none"
        raise CameraFault(msg)

    def _parsed(self, data: bytes, made: int) -> list[LightChange]:
        changes = [LightChange(*fields) for fields in _CHANGE.iter_unpack(data[_HEAD.size :])]
        changes = changes[KEPT - min(made, KEPT) :]
        ascending = all(one.at_ns <= other.at_ns for one, other in pairwise(changes))
        if not ascending or any(max(each.left, each.right) > FULL for each in changes):
            msg = f"{self._path.name} holds changes of the lights that cannot have been"
            raise CameraFault(msg)
        return changes
