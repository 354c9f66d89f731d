"""The kernel's input events read as keys of a door's keypad. Pure: bytes in, keys out.

Rules kept here:
- `struct input_event` of a 64-bit kernel: seconds and microseconds (i64 each), type and code (u16 each), value (i32),
  24 bytes in the machine's own order (linux/input.h). A piece of one waits for its rest.
- A press counts once: neither its release nor the repeats of a key that is held down are keys.
- A row of keys with a hole is never sent on: where the kernel says that it dropped events, `*` clears what was typed,
  and nothing counts until its next report.
- Whatever is on no keypad is nothing. Enter is `#`; so are a key of its own and Shift+3 of a small keyboard.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

EVENT = struct.Struct("@qqHHi")
_EV_SYN, _EV_KEY = 0, 1
_SYN_REPORT, _SYN_DROPPED = 0, 3
_UP, _DOWN = 0, 1
_SHIFTS = frozenset({42, 54})
# linux/input-event-codes.h: the row of digits, the numeric block, the keys of telephone keypads.
_KEYS = {
    **dict(enumerate("1234567890", start=2)),
    **dict(zip((82, 79, 80, 81, 75, 76, 77, 71, 72, 73), "0123456789", strict=True)),
    **dict(enumerate("0123456789*#", start=512)),
    28: "#",  # Enter
    96: "#",  # Enter of the numeric block
    55: "*",  # the numeric block's
    14: "*",  # backspace and escape: start again
    1: "*",
}
_SHIFTED = {4: "#", 9: "*"}  # Shift+3 and Shift+8


@dataclass(frozen=True, slots=True)
class Read:
    """What one read held: the keys pressed, and how many events there were of whatever kind."""

    keys: str = field(repr=False)
    events: int


@dataclass(slots=True)
class Reader:
    """One keypad's stream of events."""

    _rest: bytes = field(default=b"", repr=False)
    _shifts: frozenset[int] = frozenset()
    _lost: bool = False

    def read(self, content: bytes) -> Read:
        """The keys in the next bytes of the stream."""
        content = self._rest + content
        whole = len(content) - len(content) % EVENT.size
        self._rest = content[whole:]
        keys = [self._key(*event[2:]) for event in EVENT.iter_unpack(content[:whole])]
        return Read("".join(keys), len(keys))

    def _key(self, kind: int, code: int, value: int) -> str:
        if kind == _EV_SYN:
            if code == _SYN_DROPPED and not self._lost:
                self._lost, self._shifts = True, frozenset()
                return "*"
            self._lost = self._lost and code != _SYN_REPORT
            return ""
        if kind != _EV_KEY or self._lost:
            return ""
        if code in _SHIFTS:
            self._shifts = self._shifts - {code} if value == _UP else self._shifts | {code}
            return ""
        if value != _DOWN:
            return ""
        return _SHIFTED.get(code, "") if self._shifts else _KEYS.get(code, "")
