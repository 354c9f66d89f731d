"""How the doors are now: what was heard of each since the console was started.

Rules kept here:
- It lives in memory and ends with the program: a collection of reports would be a diary of a house (`watching`).
- Of each door the last report counts, and the alarms that nobody has looked at yet. Looking at one is noted nowhere.
- Whoever listens and does not keep up is told to look anew, and never holds up anybody else.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import Enum, unique

from provisioning.watching import Fact

MOST_ALARMS = 500
_WELL = ("lock", "camera", "vault", "keeper", "bolt", "storage", "cert")


@unique
class Health(Enum):
    """How a door is, the worst that holds."""

    ALARM = "alarm"
    UNWELL = "unwell"
    OFFLINE = "offline"
    WELL = "well"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Status:
    """What is known of a door. `heard_unix`: when its last report came (0: none yet); `wrong`: what is not well.

    `alarms` are those nobody has looked at; `asks`: it wants its next certificate; `ended`: it has ended for good.
    """

    heard_unix: int = 0
    wrong: tuple[str, ...] = ()
    software: str = ""
    documents: int | None = None
    online: bool | None = None
    alarms: int = 0
    untested: bool = False
    asks: bool = False
    sealed: bool = False
    ended: bool = False

    @property
    def health(self) -> Health:
        """The worst that holds."""
        if self.alarms:
            return Health.ALARM
        if self.wrong or self.untested:
            return Health.UNWELL
        if self.online is False:
            return Health.OFFLINE
        return Health.WELL if self.heard_unix else Health.UNKNOWN


@dataclass(frozen=True, slots=True)
class Alarm:
    """An alarm that came: `reason` is a word of `OccurrenceKind`, "" if none opens; `may_be_test`: nobody can tell."""

    number: int
    at_unix: int
    door_id: str
    door: str
    reason: str
    may_be_test: bool


Listener = Callable[[str], None]
NOBODY = Status()


@dataclass(slots=True)
class Live:
    """The doors that were heard. `broker` is None without one, "" while connected, else why it is away."""

    clock: Callable[[], float]
    broker: str | None = None
    _doors: dict[str, Status] = field(default_factory=dict)
    _alarms: deque[Alarm] = field(default_factory=lambda: deque(maxlen=MOST_ALARMS))
    _listeners: dict[int, Listener] = field(default_factory=dict)
    _count: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, fact: Fact) -> None:
        """Note a news of `watching.Watch`, and tell whoever listens which door it is about."""
        with self._lock:
            door_id = self._noted(fact)
            listeners = list(self._listeners.values())
        for tell in listeners if door_id is not None else ():
            tell(str(door_id))

    def status(self, door_id: str) -> Status:
        """What is known of a door."""
        return self._doors.get(door_id, NOBODY)

    def alarms(self) -> tuple[Alarm, ...]:
        """The alarms that nobody has looked at, newest first."""
        with self._lock:
            return tuple(reversed(self._alarms))

    def looked_at(self, number: int) -> bool:
        """Somebody has looked at an alarm; False if there is none of that number (any more)."""
        with self._lock:
            found = next((each for each in self._alarms if each.number == number), None)
            if found is None:
                return False
            self._alarms.remove(found)
            self._count_alarms(found.door_id)
            listeners = list(self._listeners.values())
        for tell in listeners:
            tell(found.door_id)
        return True

    def attention(self) -> tuple[str, ...]:
        """The ids of the doors that want a look: alarm, not well, offline."""
        with self._lock:
            wanting = (Health.ALARM, Health.UNWELL, Health.OFFLINE)
            return tuple(door_id for door_id, status in self._doors.items() if status.health in wanting)

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` with the id of each door that changes ("" for the broker); returns how to stop that."""
        with self._lock:
            self._count += 1
            number = self._count
            self._listeners[number] = listener

        def stop() -> None:
            with self._lock:
                self._listeners.pop(number, None)

        return stop

    def _noted(self, fact: Fact) -> str | None:
        event = fact["event"]
        if event in ("connected", "lost"):
            self.broker = str(fact.get("why", ""))
            return ""
        door_id = str(fact.get("id", ""))
        if not door_id or event == "unknown":
            return None
        before = self._doors.get(door_id, NOBODY)
        after = self._after(before, fact)
        if after == before:
            return None
        self._doors[door_id] = after
        return door_id

    def _after(self, before: Status, fact: Fact) -> Status:
        match fact["event"]:
            case "report":
                docs, software = fact.get("docs"), fact.get("sw", before.software)
                return replace(
                    before,
                    heard_unix=int(self.clock()),
                    wrong=_wrong(fact),
                    software=str(software),
                    documents=docs if isinstance(docs, int) else before.documents,
                    online=True,
                    sealed=bool(fact.get("sealed")),
                    ended=bool(fact.get("retired")),
                )
            case "online" | "offline" as word:
                return replace(before, online=word == "online")
            case "alarm":
                return self._alarmed(before, fact)
            case "test":
                return replace(before, untested=False)
            case "no-test":
                return replace(before, untested=True)
            case "asks":
                return replace(before, asks=True)
            case "answered":
                return replace(before, asks=False)
            case _:
                return before

    def _alarmed(self, before: Status, fact: Fact) -> Status:
        self._count += 1
        reason, test = fact.get("reason"), bool(fact.get("may_be_test"))
        full = self._alarms[0] if len(self._alarms) == MOST_ALARMS else None
        self._alarms.append(
            Alarm(self._count, int(self.clock()), str(fact["id"]), str(fact.get("door", "")), str(reason or ""), test)
        )
        if full is not None and full.door_id != fact["id"]:
            self._count_alarms(full.door_id)
        return replace(before, alarms=sum(each.door_id == fact["id"] for each in self._alarms))

    def _count_alarms(self, door_id: str) -> None:
        left = sum(each.door_id == door_id for each in self._alarms)
        self._doors[door_id] = replace(self._doors.get(door_id, NOBODY), alarms=left)


def _wrong(fact: Fact) -> tuple[str, ...]:
    found = [name for name in _WELL if fact.get(name) is False]
    return (*found, "alarm") if fact.get("alarm") else tuple(found)
