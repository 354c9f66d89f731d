"""What comes in from the fleet's doors: who asks for a certificate, how they are, what is wrong.

Rules kept here:
- Nothing of a report is stored, here or in the fleet's store. Its value is that of the moment; a collection of them
  would be a diary of a house, which nobody could take back, and which a thief would find on one computer.
- What comes from a broker is taken apart as if an enemy had sent it: unknown topics, doors, keys and values are left
  out, and nothing of a message reaches a terminal but numbers, flags, our own words, and the number of a version.
- A test alarm is none, to whoever has the key. To anybody else a door that sends tests has sent an alarm or a test, and
  that is what is told. What does not open is an alarm.
- What a report seals (whether the camera is well, whether somebody was locked out) is shown with the key. Without it,
  it is said that nothing is known of either; the rest of the report is told all the same.
- A message that makes no sense is said and ends nothing. Neither does a store that is away for a moment.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from cryptography import x509
from nacl.public import PrivateKey

from device.errors import Fault, Refusal
from provisioning import moments, rotation
from provisioning.errors import FleetFault
from provisioning.fleet import Fleet
from provisioning.line import Heard
from provisioning.renewing import Renewer
from provisioning.reporting import chosen, read_alarm, read_flags
from provisioning.revocation import Keeper
from provisioning.store import Door, DoorState
from provisioning.supervising import Supervision, sends_tests

TOPICS = tuple(f"doorward/+/{end}" for end in ("report", "alarm", "availability", "state", "renew"))
ENDS_SOON_S = 30 * 86_400
AUTHORITY_ENDS_SOON_S = 400 * 86_400
"""From here on a door's certificate of a year, renewed before its last months, ends with the authority."""
_TOPIC = re.compile(r"doorward/([0-9a-f]{16})/(report|alarm|availability|state|renew)")
_LARGEST = 4096
_DOORS_S = 30
_STRANGERS_S = 2  # so often, and no oftener, the store is asked whether an id that nobody knows is of a new door
_NUMBERS = ("docs", "dropped", "count", "seq")
_WELL = ("lock", "camera", "vault", "keeper", "bolt", "storage", "cert")  # true while all is well
_FLAGS = (*_WELL, "alarm", "lockout", "retired", "locked")
_TOLD, _LIVE = frozenset({*_NUMBERS, *_WELL, "sw", "alarm", "lockout", "retired"}), frozenset({"locked", "door"})
_SOFTWARE = re.compile(r"[0-9A-Za-z.+]{1,16}")
_OPEN_AT_HOME = frozenset({"camera", "lockout"})

Fact = dict[str, object]
Reply = tuple[str, bytes]


@dataclass(slots=True)
class Watch:
    """Somebody who listens for `fleet`. Without a `renewer` no door gets a certificate, without `key` no reason opens.

    `tell` is called with every news: an object for a program, which always has "event".
    """

    fleet: Fleet
    tell: Callable[[Fact], None]
    clock: Callable[[], float]
    renewer: Renewer | None = None
    key: PrivateKey | None = None
    keeper: Keeper | None = None
    supervision: Supervision = field(default_factory=Supervision)
    _doors: dict[str, Door] = field(default_factory=dict)
    _read_unix: float = float("-inf")

    def take(self, heard: Heard) -> Reply | None:
        """Tell what was heard; what is to be published for it."""
        if not heard.topic:
            self.supervision.interrupted()
            self.tell({"event": "lost", "why": heard.why} if heard.why else {"event": "connected"})
            return None
        found = _TOPIC.fullmatch(heard.topic)
        if found is None or not heard.content:
            return None
        try:
            door = self._door(found[1])
        except (Refusal, Fault) as trouble:
            self.tell({"event": "trouble", "why": str(trouble)})
            return None
        if door is None:
            self.tell({"event": "unknown", "id": found[1]})
            return None
        said: Fact = {"door": door.name, "id": door.id}
        try:
            return self._by_kind(found[2], door, said, heard.content)
        except (Refusal, Fault) as trouble:
            self.tell({"event": "trouble", **said, "why": str(trouble)})
            return None

    def daily(self, authority: Callable[[], x509.Certificate]) -> None:
        """As `notices`, while the watch goes on: what cannot be read now is told, and looked at the next day."""
        try:
            self.notices(authority())
        except (Refusal, Fault) as trouble:
            self.tell({"event": "trouble", "why": str(trouble)})

    def notices(self, authority: x509.Certificate | None) -> None:
        """Tell which certificates end soon, and renew the list of those that were revoked. Raises FleetFault."""
        now = self.clock()
        listed = self.keeper.look(int(now)) if self.keeper is not None else None
        if listed is not None:
            self.tell({"event": "revoked-list", "revoked": listed.count, "ends_unix": listed.issued.ends_unix})
        if authority is not None and authority.not_valid_after_utc.timestamp() - now < AUTHORITY_ENDS_SOON_S:
            self.tell({"event": "authority-ends", "ends_unix": int(authority.not_valid_after_utc.timestamp())})
        for door in self.fleet.store.doors():
            ends = door.not_after_unix
            if door.state is DoorState.JOINED and ends is not None and ends - now < ENDS_SOON_S:
                self.tell({"event": "certificate-ends", "door": door.name, "id": door.id, "ends_unix": ends})

    def _by_kind(self, kind: str, door: Door, said: Fact, content: bytes) -> Reply | None:
        if kind == "renew":
            return self._renewed(door, said, content)
        if kind == "availability":
            if content in (b"online", b"offline"):
                self.tell({"event": content.decode("ascii"), **said})
            return None
        if kind == "alarm":
            self._alarm(door, said, content)
            return None
        facts = dict(_sensible(content, _TOLD if kind == "report" else _LIVE))
        if kind == "report" and {"lock", "bolt"} <= facts.keys():
            facts |= self._sealed(facts, content)
            well = all(facts.get(name, True) for name in _WELL) and not facts.get("alarm")
            self.tell({"event": "report", **said, "well": well, **facts})
            self._supervise(door, said)
            docs = facts.get("docs")
            if isinstance(docs, int) and rotation.heard(self.fleet, door, docs):
                self.tell({"event": "knows-key", **said})
        elif kind == "state" and facts.keys() >= _LIVE:
            self.tell({"event": "state", **said, "locked": facts["locked"], "open": facts["door"] == "open"})
        return None

    def _alarm(self, door: Door, said: Fact, content: bytes) -> None:
        """Tell of an alarm, and why. That there is one, or a test, nobody needs a key for, and no damage hides."""
        fact: Fact = {"event": "alarm", **said, "reason": None}
        if self.key is None:
            self.tell({**fact, "may_be_test": _may_be_test(door)})
            return
        try:
            alarm = read_alarm(content, self.key)
        except Refusal as refused:
            self.tell({**fact, "why": str(refused)})
            return
        if alarm.door != door.id:
            self.tell({**fact, "why": "it was made for another door"})
        elif alarm.kind is None:
            self.supervision.tested(door.id)
            self.tell({"event": "test", **said})
        else:
            self.tell({**fact, "reason": alarm.kind.name})

    def _sealed(self, facts: Fact, content: bytes) -> Fact:
        """What a report says of the camera and of wrong attempts, if it does not so openly; or why that is unknown."""
        if facts.keys() >= _OPEN_AT_HOME:
            return {}
        if self.key is None:
            return {"sealed": True}
        try:
            opened = read_flags(content, self.key)
        except Refusal as refused:
            return {"sealed": True, "why": str(refused)}
        return {"camera": opened.camera, "lockout": opened.lockout}

    def _supervise(self, door: Door, said: Fact) -> None:
        telling = chosen(door) if self.key is not None else None
        if (
            self.key is None
            or telling is None
            or not sends_tests(telling)
            or telling.alarm_key != bytes(self.key.public_key)
        ):
            return
        quiet_s = self.supervision.reported(door.id, self.clock())
        if quiet_s is not None:
            self.tell({"event": "no-test", **said, "days": round(quiet_s / 86_400, 1)})

    def _renewed(self, door: Door, said: Fact, content: bytes) -> Reply | None:
        if self.renewer is None:
            self.tell({"event": "asks", **said})
            return None
        made = self.renewer.renew(door.name, content, int(self.clock()))
        if made is None:
            return None
        self.tell({"event": "renewed", **said, "ends_unix": made.ends_unix})
        return f"doorward/{door.id}/certificate", made.answer

    def _door(self, door_id: str) -> Door | None:
        """The door with this id, as the fleet knew it within the last half minute. Raises FleetFault."""
        age_s = self.clock() - self._read_unix
        if not 0 <= age_s <= (_DOORS_S if door_id in self._doors else _STRANGERS_S):
            self._doors = {door.id: door for door in self.fleet.store.doors()}
            self._read_unix = self.clock()
        return self._doors.get(door_id)


def in_words(fact: Fact) -> str:
    """A news as one line for a person."""
    return _WORDS[str(fact["event"])](fact)


def _at(fact: Fact) -> str:
    return str(fact.get("door", fact.get("id", "")))


def _report(fact: Fact) -> str:
    words = "is well" if fact["well"] else "is not well: " + ", ".join(_wrong(fact))
    beside = " (somebody was locked out for a while)" if fact.get("lockout") else ""
    if fact.get("sealed"):
        beside = f" (camera and wrong attempts: {fact.get('why', 'only the alarm key says')})"
    return f"{_at(fact)} {words}{beside}" + ("; it has ended for good" if fact.get("retired") else "")


def _may_be_test(door: Door) -> bool:
    """Whether an alarm of `door` may be one; of a door whose entry in the store is damaged each counts as real."""
    try:
        return sends_tests(chosen(door))
    except FleetFault:
        return False


def _alarm(fact: Fact) -> str:
    if fact.get("may_be_test"):
        return f"ALARM at {_at(fact)}, or a test of one: which of the two, only the alarm key says"
    about = str(fact["reason"] or fact.get("why", "why, only the alarm key says")).lower().replace("_", " ")
    return f"ALARM at {_at(fact)}: {about}"


def _state(fact: Fact) -> str:
    return f"{_at(fact)} is {'locked' if fact['locked'] else 'unlocked'} and {'open' if fact['open'] else 'closed'}"


_WORDS: dict[str, Callable[[Fact], str]] = {
    "report": _report,
    "alarm": _alarm,
    "test": lambda fact: f"test from {_at(fact)}: an alarm would arrive",
    "no-test": lambda fact: (
        f"no test from {_at(fact)} for {fact['days']} days, though its reports come: an alarm may not arrive either"
    ),
    "state": _state,
    "online": lambda fact: f"{_at(fact)} is online",
    "offline": lambda fact: f"{_at(fact)} is offline",
    "renewed": lambda fact: f"{_at(fact)} gets its next certificate, until {_day(fact['ends_unix'])}",
    "knows-key": lambda fact: f"{_at(fact)} knows the fleet's new key",
    "asks": lambda fact: f"{_at(fact)} asks for its next certificate",
    "certificate-ends": lambda fact: f"the certificate of {_at(fact)} ends on {_day(fact['ends_unix'])}",
    "authority-ends": lambda fact: (
        f"the fleet's authority ends on {_day(fact['ends_unix'])}, and every certificate with it; `doorward ca renew`"
    ),
    "revoked-list": lambda fact: (
        f"the list of revoked certificates was written anew, with {fact['revoked']} in it, until "
        f"{_day(fact['ends_unix'])}; the broker needs it"
    ),
    "unknown": lambda fact: f"{_at(fact)} is no door of this fleet",
    "connected": lambda _fact: "connected to the broker",
    "lost": lambda fact: f"no connection to the broker ({fact['why']}); it is tried again",
    "trouble": lambda fact: f"{_at(fact)}: {fact['why']}".removeprefix(": "),
}


def _wrong(fact: Fact) -> Iterator[str]:
    yield from (name for name in _WELL if fact.get(name) is False)
    if fact.get("alarm"):
        yield "alarm"


def _sensible(content: bytes, wanted: frozenset[str]) -> Iterator[tuple[str, object]]:
    """What is known of a door's own words, with values of the right kind."""
    try:
        said = json.loads(content) if len(content) <= _LARGEST else None
    except (ValueError, RecursionError):
        said = None
    for name, value in said.items() if isinstance(said, dict) else ():
        flag = name in _FLAGS and isinstance(value, bool)
        number = name in _NUMBERS and (type(value) is int or (name == "count" and value is None))
        word = name == "sw" and isinstance(value, str) and _SOFTWARE.fullmatch(value)
        if name in wanted and (flag or number or word or (name == "door" and value in ("open", "closed"))):
            yield name, value


def _day(unix: object) -> str:
    return moments.day(int(str(unix)))
