"""The two white lights, judged from outside: when they burn, how fast they change, and whether lock's log is true.

Rules kept here:
- In no second do they change more than three times, over every window, challenge and restart of lock.
- They burn while the camera may look, and not otherwise; only the pace makes either wait, and the start of a process,
  which cannot know what the one before it did.
- A log goes to eye once, for the approach of this moment, in which eye asked for it. It tells the last three changes as
  the lights made them, and that nothing else changed meanwhile.
- Somebody who is asked to turn by them: `prompting`.
- Where none are fitted, nothing of them happens.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from device import wire
from device.challenge import DELAYS_MS, LAST_MS, LASTS_MS, Lights, kind_of
from device.edges import Room
from tools.endurance.broken import Broken
from tools.endurance.prompting import Prompting

_MS = 1_000_000
_SECOND_NS = 1_000_000_000
_IN_A_SECOND = 3


@dataclass(slots=True)
class Shining:
    """The lights of one door, over all lives of its lock."""

    fitted: bool
    burning: Lights = field(default_factory=lambda: Lights(0, 0))
    began_ns: int = 0
    prompting: Prompting = field(default_factory=Prompting)
    _changes: list[tuple[int, Lights]] = field(default_factory=list)
    _may_ask: set[bytes] = field(default_factory=set)
    _asked: bytes = b""

    def restarted(self, now_ns: int) -> None:
        """A new process of lock has claimed the lines: they are dark."""
        self.burning, self.began_ns, self._asked = Lights(0, 0), now_ns, b""
        self._may_ask.clear()
        self.prompting = Prompting()

    def looked(self, nonce: bytes) -> None:
        """Eye was told to recognise whoever is there, in the approach `nonce`."""
        self._may_ask.add(nonce)
        self.prompting.looked(nonce)

    def eye_gone(self) -> None:
        """Nobody is left who could ask."""
        self._may_ask.clear()
        self.prompting.eye_gone()

    def asks(self, nonce: bytes) -> bool:
        """Eye asks for a challenge; whether the table of messages must refuse it."""
        if nonce not in self._may_ask:
            return True
        self._may_ask.remove(nonce)
        self._asked = nonce
        return False

    def shone(self, left: int, right: int, now_ns: int) -> None:
        """The lights change. Raises Broken."""
        lights = Lights(left, right)
        if not self.fitted:
            raise Broken("lights are driven where none are fitted")
        if lights == self.burning:
            raise Broken("a change of the lights changes nothing")
        self.burning = lights
        self._changes = [*self._changes[-_IN_A_SECOND:], (now_ns, lights)]
        if len(self._changes) > _IN_A_SECOND and now_ns - self._changes[0][0] < _SECOND_NS:
            raise Broken("the lights change more than three times in a second")

    def logged(self, room: Room, log: wire.ChallengeLog, looking: bytes | None, now_ns: int) -> None:
        """Lock sends `log` to `room` while the camera may look for the approach `looking`. Raises Broken."""
        if room is not Room.EYE:
            raise Broken("what the lights did is told to somebody else than eye")
        if log.nonce != looking or log.nonce != self._asked:
            raise Broken("eye is told of a challenge that it did not ask for in this approach")
        self._asked = b""
        self.prompting.lit(log.nonce)
        told = [
            (log.at_1_ns, Lights(log.left_1, log.right_1)),
            (log.at_2_ns, Lights(log.left_2, log.right_2)),
            (log.at_3_ns, Lights(log.left_3, log.right_3)),
        ]
        if told != self._changes[-3:] or log.ended_ns != now_ns:
            raise Broken("the log tells other lights than there were")
        lights = [Lights(log.left_0, log.right_0), *(each for _, each in told)]
        if len({kind_of(each) for each in lights}) != len(lights):
            raise Broken("a challenge leaves one kind of light out")
        began = [log.began_ns, *(at_ns for at_ns, _ in told), log.ended_ns]
        shortest = (DELAYS_MS[0], LASTS_MS[0], LASTS_MS[0], LAST_MS)
        if any(end - begin < ms * _MS for begin, end, ms in zip(began, began[1:], shortest, strict=False)):
            raise Broken("a light of a challenge is too short")

    def prompted(self, room: Room, log: wire.MotionLog, looking: tuple[bytes, int] | None, now_ns: int) -> None:
        """Lock sends `log` of a motion challenge to `room`, while the camera may look for `looking`. Raises Broken."""
        self.prompting.logged(room, log, looking, self._changes, now_ns)

    def holds(self, now_ns: int, *, looking: bool) -> None:
        """After every event. Raises Broken."""
        burns = self.burning != Lights(0, 0)
        recent = [at_ns for at_ns, _ in self._changes[-_IN_A_SECOND:] if now_ns - at_ns < _SECOND_NS]
        waits = len(recent) == _IN_A_SECOND or now_ns - self.began_ns < _SECOND_NS
        if self.fitted and burns is not looking and not waits:
            raise Broken("the lights burn for nobody" if burns else "the lights are dark while the camera looks")
