"""The page as the desk's loop sees it: whether it is armed, who sits, and what vault is asked for them.

Rules kept here:
- Armed by `012 #` for ten minutes, or always where the installer says so; never shorter than somebody sits. Otherwise
  nothing is served.
- A grant that no browser's code belongs to is given back to vault at once, and so is that of whoever leaves.
- Vault decides whether a sitting still stands. Its word ends one here; that it is away ends none, and is told as that.
- Every question ends: with an answer, or with a reason. A late answer is told to nobody; one that nobody asked for
  breaks the table of messages.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from device import wire
from device.desk import timeouts
from device.desk.errands import Asker, Rooms
from device.desk.page.counter import Counter, Ended, Face, Held, Phase, Served, Sitting, Unavailable
from device.desk.page.crossing import Crossing, Reply
from device.desk.page.sittings import Sittings
from device.edges import Room
from device.errors import Fault, NotPermitted, Refusal
from device.journal import log

ARMED_S = 600.0
MOST_QUESTIONS = 32
_OVER = "this sitting is over; the door has to be asked at its keypad again"
_AWAY = "the part of the door that keeps faces does not answer; PIN and card open as ever"


class Errands(Protocol):
    """The part of the desk that the page uses."""

    def act_for(self, asker: Asker, grant: bytes, asked: wire.Act) -> None:
        """Begin an act in the name of a sitting; `asker` hears of it what a command line would."""

    def withdraw(self, grant: bytes) -> None:
        """Whoever began an enrolment with this grant has left."""

    def asker_left(self, asker: Asker) -> None:
        """Nobody waits there any more."""

    def ask_status(self, asker: Asker) -> None:
        """How is the door?"""


@dataclass(slots=True)
class _Question:
    """What is held, asked for `grant`; `reply` is None once nobody waits for it any more."""

    grant: bytes
    sitting_ends_s: float
    reply: Reply[Held] | None
    ends_s: float


@dataclass(slots=True)
class Reception:
    """`always`: the page is served as long as the desk runs. Times are CLOCK_MONOTONIC seconds."""

    desk: Errands
    rooms: Rooms
    served: Served
    now_s: Callable[[], float]
    always: bool = False
    sittings: Sittings = field(default_factory=Sittings)
    crossing: Crossing = field(default_factory=Crossing)
    counter: Counter | None = None  # what the page is given: set by whoever puts both together
    armed: bool = field(init=False)
    _armed_until_s: float = 0.0
    _serves: bool = False
    _asked: list[_Question] = field(default_factory=list)
    _owed: deque[bytes] = field(default_factory=lambda: deque(maxlen=16), repr=False)  # ended while vault was away

    def __post_init__(self) -> None:
        self.armed = self.always

    # ---- from the keypad

    def arm(self) -> None:
        """`012 #` was typed."""
        self._armed_until_s = max(self._armed_until_s, self.now_s() + ARMED_S)
        self._serve()

    def ticket(self, ticket: wire.GrantTicket) -> None:
        """Somebody typed a code, and their PIN was right."""
        now_s = self.now_s()
        for grant in self.sittings.bind(ticket, now_s):
            self._give_back(grant)
        self._armed_until_s = max(self._armed_until_s, self.sittings.last_end_s(now_s) or 0.0)
        self._serve()

    # ---- from the page, by way of the crossing

    def begin(self, reply: Reply[Sitting | None], address: str) -> None:
        """A browser at `address` wants a code."""
        reply.give(self.sittings.begin(self.now_s(), address) if self.armed else None)

    def phase(self, sitting_id: str, reply: Reply[Phase]) -> None:
        """Where does it stand?"""
        reply.give(self.sittings.phase(sitting_id, self.now_s()))

    def leave(self, sitting_id: str, reply: Reply[None]) -> None:
        """It ends now."""
        grant = self.sittings.leave(sitting_id)
        if grant is not None:
            self._give_back(grant)
        reply.give(None)

    def held(self, sitting_id: str, reply: Reply[Held]) -> None:
        """What is held of whoever sits there?"""
        now_s = self.now_s()
        sitting = self.sittings.sits(sitting_id, now_s)
        if sitting is None:
            reply.refuse(Ended(_OVER))
        elif len(self._asked) < MOST_QUESTIONS and self.rooms.send(Room.VAULT, wire.AskHeld(sitting.grant)):
            self._asked.append(_Question(sitting.grant, sitting.ends_s, reply, now_s + timeouts.RECORD_S))
        else:
            reply.refuse(Unavailable(_AWAY))

    def act(self, sitting_id: str, asker: Asker, order: wire.Act) -> bool:
        """Begin `order` for whoever sits there; False if nobody does."""
        sitting = self.sittings.sits(sitting_id, self.now_s())
        if sitting is None:
            return False
        self.desk.act_for(asker, sitting.grant, order)
        return True

    # ---- from vault

    def told(self, msg: wire.Held | wire.SittingOver) -> None:
        """Vault's word. Raises NotPermitted for what nobody had asked for."""
        if isinstance(msg, wire.SittingOver):
            self.over(msg.grant)
            return
        question = next((asked for asked in self._asked if asked.grant == msg.grant), None)
        if question is None:
            raise NotPermitted("vault told what is held, which nobody had asked for")
        self._asked.remove(question)
        if question.reply:
            question.reply.give(_held(msg, question.sitting_ends_s))

    def over(self, grant: bytes) -> None:
        """Vault does nothing any more for this grant."""
        self.sittings.over(grant)
        for question in [asked for asked in self._asked if asked.grant == grant]:
            self._asked.remove(question)
            if question.reply:
                question.reply.refuse(Ended(_OVER))

    def end(self, grant: bytes) -> None:
        """Nothing is asked any more for this grant: vault did not answer, and may yet answer to the wrong question."""
        self.sittings.over(grant)
        self._give_back(grant)

    def vault_came(self) -> None:
        """Vault hears of what ended meanwhile; if it was started anew, it does not know of it any more."""
        while self._owed:
            self.rooms.send(Room.VAULT, wire.SittingOver(self._owed.popleft()))

    def vault_left(self) -> None:
        """Vault owes nothing any more."""
        asked, self._asked = self._asked, []
        for question in asked:
            if question.reply:
                question.reply.refuse(Unavailable(_AWAY))

    # ---- time

    def deadline(self) -> float | None:
        """When `tick` is due."""
        ends = [question.ends_s for question in self._asked if question.reply]
        if self._serves and not self.always:
            ends.append(self._armed_until_s)
        if self.always and not self._serves:
            ends.append(self.now_s())
        return min(ends, default=None)

    def tick(self) -> None:
        """Serve or not, and tell whoever has waited too long."""
        now_s = self.now_s()
        self.sittings.forget(now_s)
        self._serve()
        for question in self._asked:
            if question.reply and now_s >= question.ends_s:
                question.reply.refuse(Unavailable(_AWAY))
                question.reply = None

    def stop(self) -> None:
        """The desk ends."""
        self.armed = False
        if self._serves:
            self.served.close()
        self.crossing.close()

    def _serve(self) -> None:
        self.armed = self.always or self.now_s() < self._armed_until_s
        if self.armed == self._serves or self.counter is None:
            return
        self._serves = self.armed
        try:
            if self.armed:
                self.served.open(self.counter)
            else:
                self.served.close()
        except (Fault, Refusal, OSError) as cause:
            log(f"desk: the residents' page: {cause}")

    def _give_back(self, grant: bytes) -> None:
        if not self.rooms.send(Room.VAULT, wire.SittingOver(grant)):
            self._owed.append(grant)
        self.desk.withdraw(grant)  # last: it hangs up on vault, which reads what was said before


def _held(msg: wire.Held, ends_s: float) -> Held:
    return Held(
        Face[msg.face.name],
        msg.enrolled,
        msg.pictures,
        under_14=msg.under_14,
        place_ends_unix=msg.ends_unix,
        terms=msg.terms,
        ends_s=ends_s,
        covered=msg.covered,
        sittings=msg.sittings,
    )
