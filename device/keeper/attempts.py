"""The counts of `throttle` on the disk.

Rules kept here:
- What cannot be read is never taken for zero. If no page is whole, or the file is gone although slots are known, every
  count is taken for spent.
- Everything else is `pages`: `save` is durable when it returns, a write that is cut short leaves the counts before this
  attempt (and this attempt was never checked, because `save` had not returned), the file keeps its size and place, and
  whoever takes the card home sees neither which slots typed, nor how many there are, nor when. An older copy of the
  whole disk brings older counts back; nothing on the same disk can prevent that.

Byte form: the pages of `pages` with magic "DWAT" | version (2), 16384 bytes each. Payload, little-endian: door (u16) |
slots (u16), then per slot, ascending from 1: slot (u32) | count (u16, from 1).
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path

from device.errors import StoreFault
from device.keeper.pages import OVERHEAD_BYTES, Form, TwinPages
from device.keeper.throttle import BUDGET, Budget, Counts
from device.wire import NOBODY

PAGE_BYTES = 16384
_HEAD = struct.Struct("<HH")
_SLOT = struct.Struct("<IH")
_MOST = 0xFFFF
_ROOM = (PAGE_BYTES - OVERHEAD_BYTES - _HEAD.size) // _SLOT.size  # 2720
MAX_SLOTS = 2048  # of a door; fewer than a page has room for, because counts of damaged records stay


class AttemptFile:
    """The file at `path`, held open by the one process that owns it. Not to be used by two threads at once.

    `key`: 32 bytes that seal nothing else.
    """

    def __init__(self, path: Path, key: bytes, budget: Budget = BUDGET) -> None:
        self._pages = TwinPages(path, key, FORM)
        self._budget = budget
        self.damaged = False  # whether `load` had to assume the worst
        self.unsaved = 0  # how many saves in a row have failed

    def load(self, known: Iterable[int]) -> Counts:
        """The saved counts; `known` are the slots there are. Makes the file on a new door. Raises StoreFault."""
        slots = tuple(known)
        worst = Counts.worst(slots, self._budget)
        # Made with the worst inside: otherwise losing the file and starting twice would forget everything.
        told = self._pages.load(worst if slots else Counts(0, {}))
        self.damaged = told is None or (self._pages.missing and bool(slots))
        return worst if told is None else told

    def save(self, counts: Counts) -> None:
        """Make `counts` durable. Raises StoreFault; what was durable before still is."""
        self.unsaved += 1
        self._pages.save(counts)
        self.unsaved = 0

    def close(self) -> None:
        """Let go of the file."""
        self._pages.close()


def _pack(counts: Counts) -> bytes:
    # A count of nothing, and a count of nobody, say the same as none.
    told = sorted((slot, min(count, _MOST)) for slot, count in counts.slots.items() if slot != NOBODY and count > 0)
    if len(told) > _ROOM:
        msg = f"a door counts the attempts of at most {_ROOM} slots"
        raise StoreFault(msg)
    parts = [_HEAD.pack(min(counts.door, _MOST), len(told))]
    parts += [_SLOT.pack(slot, count) for slot, count in told]
    return b"".join(parts)


def _parse(payload: bytes) -> Counts | None:
    door, count = _HEAD.unpack_from(payload)
    end = _HEAD.size + count * _SLOT.size
    if end > len(payload) or any(payload[end:]):
        return None
    told: list[tuple[int, int]] = list(_SLOT.iter_unpack(payload[_HEAD.size : end]))
    return Counts(door, dict(told)) if _makes_sense(told) else None


def _makes_sense(told: Sequence[tuple[int, int]]) -> bool:
    slots = [NOBODY, *(slot for slot, _ in told)]
    return all(low < high for low, high in pairwise(slots)) and all(count > 0 for _, count in told)


FORM: Form[Counts] = Form(b"DWAT\x02", PAGE_BYTES, "the counts of wrong attempts", _pack, _parse)
