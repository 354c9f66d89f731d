"""What report is told besides the health of the door: only what the manager's signed document says (ADR 0017).

Rules kept here:
- Without a document, or with one that cannot be read or believed any more, the door is a BUILDING that counts nothing
  and seals the reasons of its alarms to nobody: a damaged disk makes it tell less, never more.
- What a newer document takes back is over even if the disk does not take the document: until it does, or until the next
  start, the door tells what both choices hold.
- How the door stands is told under the profile HOME and under no other. An opening is never told.
- A number of the day is told while the document asks for it and keeper says that enough places are taken. One that was
  taken back does not come again that day: it would date to a quarter of an hour when somebody moved in at the keypad.
- What stands is told when report comes, and again when it changes; report drops what was told before.
- The document lies on disk as the manager signed it, sealed under lock's own key, and is verified at every start. Its
  version is in it: choice and version are one file, so that no power cut leaves the one without the other.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from nacl.exceptions import CryptoError
from nacl.secret import SecretBox

from device import wire
from device.document import NO_COUNT, Parsed, Telling
from device.errors import DocumentRefused, StoreFault
from device.journal import log
from device.lock import durable
from device.lock.daily_count import DailyCount
from device.wire import NO_ALARM_KEY, Profile


@dataclass(slots=True)
class Reporting:
    """The choice in force. `folder` is lock's state folder, `verify` is `Managers.kept`, `box` seals what is there."""

    folder: Path
    verify: Callable[[bytes], Parsed]
    box: SecretBox = field(repr=False)
    telling: Telling = field(default_factory=Telling)
    version: int = 0  # of the document that lies on disk; 0 without one
    count: DailyCount = field(init=False)
    many: bool = False  # keeper's last word
    _said: tuple[wire.Reporting, int | None] | None = None
    _state: wire.DoorState | None = None

    def __post_init__(self) -> None:
        self.count = DailyCount(self.folder / "daily-count")
        try:
            self.telling, self.version = self._verified(bytes(self.box.decrypt(durable.load(self._stored))))
        except FileNotFoundError:
            return
        except (OSError, ValueError, CryptoError, DocumentRefused) as cause:
            # ValueError: too short to be a box at all.
            log(f"what this door may tell cannot be read; until it is signed anew it tells its health alone: {cause}")

    @property
    def _stored(self) -> Path:
        return self.folder / "reporting"

    @property
    def counts(self) -> bool:
        """Whether the openings of a day are counted at all."""
        return self.telling.epsilon_milli != NO_COUNT

    # ---- what happens

    def apply(self, content: bytes, parsed: Parsed) -> None:
        """Put the choice of a verified document into force, durably. Raises StoreFault."""
        if not isinstance(parsed.body, Telling):
            return
        try:
            durable.store(self._stored, bytes(self.box.encrypt(content)), "what this door may tell")
        except StoreFault:
            self._choose(_both(self.telling, parsed.body))
            raise
        self.version = parsed.version
        self._choose(parsed.body)

    def occupied(self, *, many: bool) -> None:
        """Keeper says whether so many places are taken that a number of the day names nobody."""
        if not many:  # also the first word after a start: the number may be one of the time before
            self.count.take_back()
        self.many = many

    def opened(self) -> None:
        """Somebody was let in."""
        if self.counts:
            self.count.opened()

    def deadline_ns(self) -> int | None:
        """When `tick` is due, CLOCK_MONOTONIC; None while nothing is counted."""
        return self.count.deadline_ns() if self.counts else None

    def tick(self, now_ns: int, now_unix: int | None) -> None:
        """Time has passed; `now_unix` is None while the clock is not believed."""
        if self.counts:
            self.count.tick(now_ns, now_unix, self.telling.epsilon_milli, many=self.many)

    # ---- what is told

    def begin(self) -> None:
        """Report has come, and knows nothing."""
        self._said = self._state = None

    def news(self, *, granted: bool, is_open: bool) -> tuple[wire.Message, ...]:
        """What report has not heard yet, while the strike is released or not and the door stands open or not."""
        found: list[wire.Message] = []
        choice = wire.Reporting(self.telling.profile, self.telling.alarm_key)
        number = self.count.told if self.counts and self.many else None
        if (choice, number) != self._said:
            self._said, self._state = (choice, number), None
            found.append(choice)
            if number is not None:
                found.append(wire.DailyCount(number))
        if self.telling.profile is Profile.HOME:
            state = wire.DoorState(granted, is_open)
            if state != self._state:
                self._state = state
                found.append(state)
        return tuple(found)

    def _choose(self, telling: Telling) -> None:
        counted, self.telling = self.telling.epsilon_milli, telling
        if counted != telling.epsilon_milli:
            self.count.begin()

    def _verified(self, content: bytes) -> tuple[Telling, int]:
        parsed = self.verify(content)
        if not isinstance(parsed.body, Telling):
            msg = "the file holds another document"
            raise DocumentRefused(msg)
        return parsed.body, parsed.version


def _both(one: Telling, other: Telling) -> Telling:
    """What is told under either choice."""
    return Telling(
        one.profile if one.profile is other.profile else Profile.BUILDING,
        one.epsilon_milli if one.epsilon_milli == other.epsilon_milli else NO_COUNT,
        one.alarm_key if one.alarm_key == other.alarm_key else NO_ALARM_KEY,
    )
