"""Random lives: who presses, types, speaks, lies, repeats, is late, dies and comes back, drawn from a number.

Rules kept here:
- The same number is the same life: what fails, fails again.
- Half of what happens is what people and rooms do all day, so that lives get far; the other half is wrong. What people
  do is `people`, what rooms say `rooms`; what breaks, and time, are here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from device.policy.methods import EVERYTHING, PIN_AND_CARD, Method
from tools.endurance.broken import Broken
from tools.endurance.door import NEEDED, ROOMS
from tools.endurance.drawn import GAPS_MS, MS, READY
from tools.endurance.locks import Lock
from tools.endurance.rooms import Rooms

_LONG_MS = (70_000, 700_000, 90_000_000)
_HOURS = (EVERYTHING, EVERYTHING, PIN_AND_CARD, PIN_AND_CARD | Method.FACE_WITH_PIN, Method.CARD, Method.PIN)
_BARRED = (frozenset[int](), frozenset[int](), frozenset({12}), frozenset({7, 700}))
_NEEDED = frozenset(NEEDED)


@dataclass(slots=True)
class Told:
    """What a number of lives came to. `found`: the number of the life that broke a rule, and the rule."""

    lives: int = 0
    events: int = 0
    decisions: int = 0
    windows: int = 0
    found: tuple[int, str] | None = None


SHORT = (1, 5)
LONG = (4, 24)
"""How many moments a life has: at least the first, fewer than the second. A moment is one to a dozen events."""


def run(lock: Lock, numbers: Iterable[int], moments: tuple[int, int] = LONG) -> Told:
    """Live the lives of these `numbers`, up to the first that breaks a rule."""
    told = Told()
    for number in numbers:
        told.lives += 1
        try:
            someone = Someone(lock, number)
            someone.lives(moments)
        except Broken as broken:
            told.found = number, str(broken)
            break
        told.events += someone.events
        told.decisions += someone.decisions
        told.windows += someone.windows
    return told


class Someone(Rooms):
    """Drives one door through one life."""

    def lives(self, moments: tuple[int, int]) -> None:
        """One life. Raises Broken."""
        door, oracle = self.door, self.door.oracle
        self._ready(READY[0])
        for _ in range(self._random.randrange(*moments)):
            was, decided = oracle.looking, oracle.decided_ns
            self._random.choice(_MOMENTS)(self)
            self.windows += oracle.looking is not None and oracle.looking is not was
            self.decisions += oracle.decided_ns != decided
            if not door.links.keys() >= _NEEDED and self._random.random() < 0.7:
                self._comes_back()
        door.passes(self._random.choice(GAPS_MS) * MS)

    # ---- what breaks

    def dies(self) -> None:
        """A room's process ends."""
        self.events += 1
        self.door.goes(self._one(ROOMS))

    def _comes_back(self) -> None:
        for room in ROOMS if self._random.random() < 0.5 else NEEDED:
            self.door.connects(room)
        self._ready(self._one(READY))

    def lock_dies(self) -> None:
        """Lock's process ends, in good order or at once, and begins anew; maybe the whole door was off."""
        lit = self.door.life.lights and self._random.random() < 0.5
        if lit:
            self.comes_home_by_face()
        self.events += 1
        (self.door.stopped if self._random.random() < 0.3 else self.door.killed)()
        self.door.lock.clock.now_ns += self._one((100, 500, 30_000)) * MS
        self.door.oracle.now_ns = self.door.lock.clock.now_ns
        self.door.oracle.free_only_by_decision(free=self.door.line.free)
        self.door.start()
        self._ready(self._one(READY))
        if lit:
            self.press()

    def bolt_breaks(self) -> None:
        """The line refuses from now on, or obeys again."""
        self.door.line.broken = not self.door.line.broken

    def breaks_while_open(self) -> None:
        """The line refuses just when somebody comes home, and obeys soon after."""
        self.door.line.broken = True
        self.comes_home_by_pin()
        self.door.line.broken = False
        self.types("5")

    # ---- time

    def hours_change(self) -> None:
        """Another hour of the policy begins."""
        self.events += 1
        hours = self.door.policy.hours
        self.door.hours_change(self._one(_HOURS), self._one(_BARRED), hours.today + self._one((0, 1)))

    def passes_long(self) -> None:
        """Minutes to a day."""
        self.events += 1
        self.door.passes(self._one(_LONG_MS) * MS)

    def stalls(self) -> None:
        """Time, with lock not getting to run."""
        self.events += 1
        self.door.stalls(self._one(GAPS_MS) * MS)


_MOMENTS: tuple[Callable[[Someone], None], ...] = (
    *(Someone.press,) * 3,
    *(Someone.types,) * 3,
    *(Someone.comes_home_by_pin,) * 4,
    *(Someone.comes_home_by_face,) * 4,
    *(Someone.comes_home_by_card,) * 4,
    Someone.shows_a_card,
    *(Someone.holds_and_pulls,) * 2,
    Someone.adds_a_card,
    *(Someone.talks,) * 2,
    *(Someone.says_who_first,) * 3,
    *(Someone.goes_through,) * 2,
    Someone.leaves_or_tampers,
    *(Someone.waits_for_keeper,) * 2,
    *(Someone.waits_for_vault,) * 3,
    *(Someone.speaks,) * 6,
    *(Someone.lies,) * 1,
    *(Someone.replays,) * 3,
    Someone.stutters,
    *(Someone.keeps_back,) * 2,
    *(Someone.delivers_late,) * 2,
    *(Someone.answers_twice_over,) * 2,
    Someone.tries_again,
    Someone.answers_for_another,
    *(Someone.announces,) * 2,
    *(Someone.camera_says,) * 2,
    *(Someone.dies,) * 2,
    Someone.lock_dies,
    Someone.bolt_breaks,
    Someone.breaks_while_open,
    *(Someone.passes,) * 6,
    Someone.passes_long,
    Someone.hours_change,
    *(Someone.stalls,) * 2,
)
