"""The policy in force at this door, the time it is asked at, and what they allow now, at the door and for each slot.

Rules kept here:
- Without a policy every method opens at all times but a face alone, which needs a policy that names it: that is its
  manager's signed choice. Under doorsim (`unsigned`) it does not. A policy stays in force until a newer one.
- The policy lies on disk as the document the manager signed, and is verified anew at every start. One that cannot be
  read or believed any more opens by PIN and card only: a damaged disk neither locks a house out nor opens a camera.
- While the clock is not believed (`device.policy.clock`) PIN and card open if they do at any time, a face only if it
  does at every time.
- A slot whose offer names a timetable opens nothing outside its hours, nor while the clock is not believed, nor while
  the policy in force does not hold that timetable. Which slots do, `timetables` keeps; all others are let in.
- The newest moment known is on disk after each document, and once an hour whenever lock wakes: after an hour in which
  the clock neither jumped nor was doubted, so that a clock that jumped ahead by mistake and was set right within the
  hour is forgotten with the next start. A disk that does not take it costs nothing but the memory of it.
"""

from __future__ import annotations

import struct
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from nacl.secret import SecretBox

from device import wire
from device.document import Parsed
from device.errors import DocumentRefused, StoreFault
from device.journal import log
from device.lock import durable, timetables
from device.lock.timetables import TimetableFiles
from device.policy.clock import EARLIEST_UNIX, LOST, SLACK_S, Clock
from device.policy.methods import EVERYTHING, NOTHING, PIN_AND_CARD, Method
from device.policy.prover import without_a_clock
from device.policy.schedule import EPOCH, DoorPolicy, methods_on, shown_at, timetables_on, zone_of

DAY_S = 86_400
HOUR_NS = 3_600_000_000_000
NOT_ALONE = EVERYTHING & ~Method.FACE
_NEWEST = struct.Struct("<q")


@dataclass(slots=True)
class FloorFile:
    """The newest moment known, in seconds since 1970 (i64), durable when `store` returns."""

    path: Path

    def load(self) -> Clock:
        """The clock of this door as it was stored; LOST if the file is damaged."""
        try:
            data = durable.load(self.path)
        except FileNotFoundError:
            return Clock()
        except OSError:
            return LOST
        # Zeros are what a power cut leaves of a file.
        if len(data) != _NEWEST.size or not any(data):
            return LOST
        return Clock(max(EARLIEST_UNIX, _NEWEST.unpack(data)[0]))

    def store(self, clock: Clock) -> None:
        """Keep it. Raises StoreFault."""
        durable.store(self.path, _NEWEST.pack(clock.newest_unix), "the time floor")


@dataclass(frozen=True, slots=True)
class Now:
    """What holds at a moment: what may open, the slots whose own hours are not now, and the date at the door.

    Barred slots open nothing, by no method. `day` is by the policy's zone, or UTC, in days since 1970-01-01; NO_DAY
    while the clock is not believed.
    """

    allowed: Method = NOTHING
    barred: frozenset[int] = frozenset()
    day: int = wire.NO_DAY


@dataclass(slots=True)
class Hours:
    """What may open now. `folder` is lock's state folder, and `box` seals what it says about slots.

    `verify` is `Managers.kept`. `wall` says the seconds since 1970 as the clock does. `unsigned`: what opens without a
    policy, within door.toml's tier.
    """

    folder: Path
    verify: Callable[[bytes], Parsed]
    box: SecretBox = field(repr=False)
    wall: Callable[[], float] = time.time
    version: int = 0  # of the policy that lies on disk; 0 without one
    _policy: DoorPolicy | None = None
    unsigned: Method = NOT_ALONE
    _untimed: Method = field(init=False)  # what opens while the clock is not believed
    _clock: Clock = field(default_factory=Clock)
    _believed: bool = True
    _ahead_s: float = 0.0  # by how much the wall clock leads CLOCK_MONOTONIC
    _due_ns: int = 0
    _change_ns: int | None = None  # when the clock's next minute begins, at which an hour may end
    _slots: TimetableFiles = field(init=False)
    _now: Now = field(default_factory=Now)
    _asked: tuple[int | None, DoorPolicy | None, Method, timetables.Bindings] | None = None  # for what that was found

    def __post_init__(self) -> None:
        self._untimed = self.unsigned
        self._clock = self._floor.load()
        self._slots = TimetableFiles(self.folder, self.box)
        try:
            content = durable.load(self._stored)
            parsed = self.verify(content)
            self._take(parsed.body)
            self.version = parsed.version
        except FileNotFoundError:
            return
        except (OSError, DocumentRefused) as cause:
            log(f"the policy of this door cannot be read, so no face opens until there is a new one: {cause}")
            self._untimed = PIN_AND_CARD

    @property
    def _stored(self) -> Path:
        return self.folder / "policy"

    @property
    def _floor(self) -> FloorFile:
        return FloorFile(self.folder / "time-floor")

    # ---- what opens

    def at(self, now_ns: int) -> Now:
        """What holds at this moment, CLOCK_MONOTONIC `now_ns`."""
        now_unix = self._read(now_ns)
        # Asked with every event, and hours are whole minutes: what held in this minute holds.
        asked = (None if now_unix is None else now_unix // 60, self._policy, self._untimed, self._slots.bindings)
        if asked != self._asked:
            self._asked, self._now = asked, self._found(now_unix)
        return self._now

    def now_unix(self, now_ns: int) -> int | None:
        """The time that counts, in seconds since 1970; None while the clock is not believed."""
        return self._read(now_ns)

    def deadline_ns(self, now_ns: int, *, closely: bool) -> int | None:
        """When `tick` wants to be called next; `closely`: as soon as an hour may have ended."""
        if self._policy is None:
            return None
        if not closely:
            self._change_ns = None
            return self._due_ns
        if self._change_ns is None:
            self._change_ns = now_ns + round((60.001 - self.wall() % 60) * 1e9)  # 1 ms: surely behind the boundary
        return min(self._due_ns, self._change_ns)

    def tick(self, now_ns: int) -> None:
        """Time has passed: keep the newest moment once an hour."""
        self._change_ns = None
        self._read(now_ns)
        if now_ns < self._due_ns:
            return
        self._due_ns = now_ns + HOUR_NS
        if self._believed:
            self._keep_floor()

    # ---- what the manager says

    def apply(self, content: bytes, parsed: Parsed) -> None:
        """Put the policy of a verified document into force, durably. Raises DocumentRefused or StoreFault."""
        if isinstance(parsed.body, DoorPolicy):
            zone_of(parsed.body)
            durable.store(self._stored, content, "the policy")
            self._take(parsed.body)
            self.version = parsed.version

    def offered(self, offers: tuple[wire.SlotOffer, ...]) -> None:
        """Let the timetables that `offers` name bar, durably: before keeper hears of the offers. Raises StoreFault."""
        self._slots.keep(timetables.offered(self._slots.bindings, offers))
        named = {offer.timetable for offer in offers} - {wire.NO_TIMETABLE}
        if named - (self._policy.numbers if self._policy else frozenset()):
            log("an offer names a timetable that this door's policy does not hold; until one does, its slot stays shut")

    def kept(self, offers: tuple[wire.SlotOffer, ...]) -> None:
        """Keeper holds `offers`: what older ones named bars no more. Raises StoreFault."""
        self._slots.keep(timetables.kept(self._slots.bindings, offers))

    def told(self, issued_unix: int) -> None:
        """A document issued at `issued_unix` was applied: it is not earlier than that."""
        self._clock = self._clock.told(issued_unix, int(self.wall()))
        self._keep_floor()

    def _take(self, body: object) -> None:
        if not isinstance(body, DoorPolicy):
            msg = "the file holds another document"
            raise DocumentRefused(msg)
        zone_of(body)
        self._policy, self._untimed = body, without_a_clock(body)

    def _read(self, now_ns: int) -> int | None:
        """The time that counts, None while the clock is not believed."""
        wall = self.wall()
        self._clock, now_unix = self._clock.read(int(wall))
        ahead_s = wall - now_ns / 1e9
        if now_unix is None or abs(ahead_s - self._ahead_s) > SLACK_S:
            self._ahead_s, self._due_ns = ahead_s, now_ns + HOUR_NS
        if (now_unix is not None) is not self._believed:
            self._tell_doubt(believed=now_unix is not None)
        return now_unix

    def _found(self, now_unix: int | None) -> Now:
        bindings, policy = self._slots.bindings, self._policy
        if now_unix is None:
            return Now(self._untimed, timetables.barred(bindings, frozenset(), frozenset()), wire.NO_DAY)
        if policy is None:
            return Now(self._untimed, timetables.barred(bindings, frozenset(), frozenset()), now_unix // DAY_S)
        day, minute = shown_at(policy, now_unix)
        barred = timetables.barred(bindings, timetables_on(policy, day, minute), policy.numbers)
        return Now(methods_on(policy, day, minute), barred, day.toordinal() - EPOCH)

    def _keep_floor(self) -> None:
        try:
            self._floor.store(self._clock)
        except StoreFault as fault:
            log(str(fault))

    def _tell_doubt(self, *, believed: bool) -> None:
        self._believed = believed
        log("the clock is believed again" if believed else "the clock is not believed: what depends on hours waits")
