"""The door's own lock, moved by simulated people: what it tells report, and what it knows and does not tell.

Rules kept here:
- The machine is `device.lock.machine.step`, unchanged, with its rules of the product; vault's and keeper's answers are
  given at once, by their own message types. What report hears is what the machine `Tell`s, nothing else.
- What a forbidden profile or a seeded leak would publish (`Known`) is kept apart from it.
- An act that begins in a quiet house has the same consequences at every moment, so each kind of act is run once and
  moved in time (`lived`); a test runs whole weeks through one machine (`lived_in_one`) and compares.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum, auto, unique
from functools import cache

from device import wire
from device.edges import Room
from device.keeper.throttle import BUDGET
from device.lock import machine
from device.lock.state import Came as Heard
from device.lock.state import (
    CardCame,
    DoorMoved,
    Event,
    ExitRequested,
    FaceButton,
    Key,
    PeerUp,
    Release,
    Rules,
    Send,
    State,
    Tell,
    Tick,
)
from device.wire import CameraCondition, OccurrenceKind, Outcome
from tools.anonymity.acts import Act, Done

SLOT = 12
SECOND_NS = 1_000_000_000
RULES = Rules(face_alone_opens=True)
SETTLED_S = 25.0  # after this, nothing of an act is left in the machine but memory of questions
_RIGHT, _WRONG, _FORCED = "482913", "482914", "482915"


@unique
class Known(Enum):
    """What lock knows and report is never told."""

    OPENED_BY_FACE = auto()
    OPENED_BY_PIN = auto()
    OPENED_BY_CARD = auto()
    WENT_OUT = auto()
    LOCKED_OUT = auto()
    DOOR_OPEN = auto()
    DOOR_CLOSED = auto()
    GRANTED = auto()
    SECURED = auto()


@dataclass(frozen=True, slots=True)
class Happened:
    """One thing at the door: for report's ears (an `OccurrenceKind`), or not (`Known`)."""

    at_s: float
    what: OccurrenceKind | Known


_Script = tuple[tuple[float, Event | Known], ...]


def _typed(at_s: float, digits: str) -> _Script:
    return tuple((at_s + 0.4 * number, Key(key)) for number, key in enumerate(f"{SLOT}#{digits}#"))


def _through(at_s: float) -> _Script:
    return (at_s, DoorMoved(open=True)), (at_s + 3.0, DoorMoved(open=False))


def _out(held_s: float) -> _Script:
    return (
        (0.0, ExitRequested()),
        (1.0, Known.WENT_OUT),
        (1.0, DoorMoved(open=True)),
        (1.0 + held_s, DoorMoved(open=False)),
    )


_BY_PIN = (*_typed(0.0, _RIGHT), *_through(6.0))
_WRONG_FIRST = (*_typed(0.0, _WRONG), *_typed(8.0, _RIGHT), *_through(14.0))
_CAMERA_IS = {Act.FACE_FAILS: True, Act.CAMERA_MENDED: False}
_SCRIPTS: dict[Act, _Script] = {
    Act.GOES_OUT: _out(3.0),
    Act.HOLDS_OPEN: _out(120.0),
    Act.FACE: ((0.0, FaceButton()), *_through(3.0)),
    Act.PIN: _BY_PIN,
    Act.CARD: ((0.0, CardCame()), *_through(2.0)),
    Act.MISTYPES: _WRONG_FIRST,
    Act.LOCKED_OUT: (
        *(step for number in range(4) for step in _typed(4.5 * number, _WRONG)),
        (19.0, CardCame()),
        *_through(21.0),
    ),
    Act.FACE_FAILS: ((0.0, FaceButton()), *((2.0 + at_s, what) for at_s, what in _BY_PIN)),
    Act.CALLS_FOR_HELP: (*_typed(0.0, _FORCED), *_through(6.0)),
    Act.CAMERA_MENDED: ((0.0, Heard(Room.EYE, wire.CameraState(CameraCondition.IDLE))),),
}
_FAULT = Heard(Room.EYE, wire.CameraState(CameraCondition.FAULT))


@dataclass(slots=True)
class Lock:
    """One lock with a house around it that answers at once."""

    state: State = field(default_factory=State)
    now_ns: int = 0
    happened: list[Happened] = field(default_factory=list)
    dark: bool = False  # the camera gives nothing; lock learns of it when somebody presses
    _wrong: int = 0  # PINs in a row
    _asked: int = 0

    def __post_init__(self) -> None:
        for room in (Room.EYE, Room.VAULT, Room.KEEPER, Room.DESK, Room.REPORT):
            self._step(PeerUp(room))
        self._step(Heard(Room.VAULT, wire.FaceReady(recognise=True, enrol=False, claim_first=False)))

    def does(self, each: Done) -> None:
        """One act, at its time."""
        if each.act in _CAMERA_IS:
            self.dark = _CAMERA_IS[each.act]
        for offset_s, what in _SCRIPTS[each.act]:
            self.waits(round((each.at_s + offset_s) * SECOND_NS))
            if isinstance(what, Known):
                self._note(what)
                continue
            self._step(what)
            if isinstance(what, DoorMoved):
                self._note(Known.DOOR_OPEN if what.open else Known.DOOR_CLOSED)

    def waits(self, until_ns: int) -> None:
        """Time passes."""
        while (due_ns := machine.next_deadline_ns(self.state, RULES)) is not None and due_ns < until_ns:
            self.now_ns = max(due_ns, self.now_ns)
            self._step(Tick())
        self.now_ns = max(until_ns, self.now_ns)

    def _step(self, event: Event) -> None:
        self._asked += 1
        before = self.state.granted_until_ns
        self.state, effects = machine.step(self.state, event, self.now_ns, self._asked.to_bytes(16, "big"), RULES)
        for effect in effects:
            match effect:
                case Tell(kind):
                    self.happened.append(Happened(self.now_ns / SECOND_NS, kind))
                case Release():
                    self._note(Known.GRANTED)
                case Send(room, msg):
                    self._answer(room, msg)
        if before is not None and self.state.granted_until_ns is None:
            self._note(Known.SECURED)

    def _answer(self, room: Room, msg: wire.Message) -> None:
        match msg:
            case wire.CheckPin(nonce):
                yes = Outcome.DURESS if msg.digits == _FORCED else Outcome.ACCEPTED
                self._verdict(room, nonce, Known.OPENED_BY_PIN, yes, right=msg.digits != _WRONG)
            case wire.CardShown(nonce):
                self._verdict(room, nonce, Known.OPENED_BY_CARD, right=True)
            case wire.Window(nonce) if not self.dark:
                self._verdict(room, nonce, Known.OPENED_BY_FACE, right=True)
            case wire.Look() if self.dark:
                self._step(_FAULT)

    def _verdict(
        self, room: Room, nonce: bytes, opening: Known, yes: Outcome = Outcome.ACCEPTED, *, right: bool
    ) -> None:
        outcome, slot = (yes, SLOT) if right else (Outcome.REFUSED, wire.NOBODY)
        self._wrong = 0 if right else self._wrong + 1
        if right:
            self._note(opening)
        self._step(Heard(room, wire.Verdict(nonce, self.now_ns, outcome, slot)))
        if self._wrong > BUDGET.free_tries:
            self._note(Known.LOCKED_OUT)
            self._step(Heard(room, wire.LockedOut()))

    def _note(self, what: Known) -> None:
        self.happened.append(Happened(self.now_ns / SECOND_NS, what))


def lived_in_one(done: Iterable[Done], ends_s: float) -> tuple[Happened, ...]:
    """Everything that comes of `done`, by one machine from the first act to the last."""
    lock = Lock()
    lock.happened.clear()
    for each in done:
        lock.does(each)
    lock.waits(round(ends_s * SECOND_NS))
    return tuple(lock.happened)


def lived(done: Iterable[Done]) -> tuple[Happened, ...]:
    """The same, each kind of act run once and moved in time."""
    dark, found = False, []
    for each in done:
        found += [Happened(each.at_s + part.at_s, part.what) for part in consequences(each.act, dark=dark)]
        dark = _CAMERA_IS.get(each.act, dark)
    return tuple(sorted(found, key=lambda part: part.at_s))


@cache
def consequences(act: Act, *, dark: bool) -> tuple[Happened, ...]:
    """What follows from `act` in a quiet house, in seconds since it began; `dark`: the camera was found broken."""
    lock = Lock(dark=dark)
    if dark:
        lock.does(Done(0.0, Act.FACE_FAILS))
    begins_s = lock.now_ns / SECOND_NS + SETTLED_S
    lock.waits(round(begins_s * SECOND_NS))
    lock.happened.clear()
    lock.does(Done(begins_s, act))
    lock.waits(lock.now_ns + round(SETTLED_S * SECOND_NS))
    return tuple(Happened(round(each.at_s - begins_s, 6), each.what) for each in lock.happened)
