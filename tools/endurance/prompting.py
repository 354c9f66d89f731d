"""The motion challenge, judged from outside: when lock may ask somebody to turn, and whether its log is true.

Rules kept here:
- Somebody is asked to turn at most once in a window, and only in an approach in which eye had heard what its light
  challenge was before it asked for this.
- A log goes to eye once, for the approach of this moment. It tells three places, each another than the one before and
  the first not the middle, as the lights asked them and when, each for a second and a half at least. Then the lights
  are at rest.
- A face of an approach in which eye asked for it opens nothing by itself, driven or not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from device import wire
from device.challenge import Lights
from device.edges import Room
from device.wire import Facing
from tools.endurance.broken import Broken

Change = tuple[int, Lights]

PROMPT_NS = 1_500_000_000
REST = Lights(2, 2)
_ASKS = {Facing.LEFT: Lights(3, 1), Facing.MIDDLE: REST, Facing.RIGHT: Lights(1, 3)}


@dataclass(slots=True)
class Prompting:
    """What eye may ask for, and asked for, over one life of lock."""

    doubted: set[bytes] = field(default_factory=set)
    _may_ask: set[bytes] = field(default_factory=set)
    _lit: bytes = b""
    _asked: bytes = b""
    _in_window_ns: int | None = None

    def looked(self, nonce: bytes) -> None:
        """Eye was told to recognise whoever is there, in the approach `nonce`."""
        self._may_ask.add(nonce)

    def lit(self, nonce: bytes) -> None:
        """Eye was told what its light challenge was."""
        self._lit = nonce

    def eye_gone(self) -> None:
        """Nobody is left who could ask."""
        self._may_ask.clear()

    def asks(self, nonce: bytes) -> bool:
        """Eye wants somebody to turn; whether the table of messages must refuse it."""
        self.doubted.add(nonce)
        unasked = nonce not in self._may_ask
        self._may_ask.discard(nonce)
        if nonce == self._lit:
            self._asked = nonce
        return unasked

    def logged(
        self, room: Room, log: wire.MotionLog, looking: tuple[bytes, int] | None, changes: Sequence[Change], now_ns: int
    ) -> None:
        """Lock sends `log` to `room`; `looking`: the approach of this moment, since when its window. Raises Broken."""
        if room is not Room.EYE:
            raise Broken("where somebody was asked to turn to is told to somebody else than eye")
        if looking is None or log.nonce != looking[0] or log.nonce != self._asked:
            raise Broken("eye is told of a motion challenge that it could not ask for in this approach")
        if looking[1] == self._in_window_ns:
            raise Broken("somebody is asked to turn twice in one window")
        self._asked, self._in_window_ns = b"", looking[1]
        asked = (log.facing_0, log.facing_1, log.facing_2)
        if any(after is before for before, after in zip((Facing.MIDDLE, *asked), asked, strict=False)):
            raise Broken("somebody is asked to turn to where they look already")
        began = (log.began_0_ns, log.began_1_ns, log.began_2_ns)
        told = list(zip(began, (_ASKS[facing] for facing in asked), strict=True))
        after = [] if asked[-1] is Facing.MIDDLE else [(now_ns, REST)]
        if [*told, *after] != list(changes)[-len(told) - len(after) :] or log.ended_ns != now_ns:
            raise Broken("the log tells of other prompts than there were")
        if any(end - begin < PROMPT_NS for begin, end in zip(began, (*began[1:], now_ns), strict=True)):
            raise Broken("a prompt is too short")
