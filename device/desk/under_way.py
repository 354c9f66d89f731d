"""The one act under way: who asked for it, under which grant vault does it, and how it ends.

Rules kept here:
- A personal act needs a ticket; the first act of that purpose uses it up. Without one nothing is sent to vault.
- One act at a time; whoever asks meanwhile is told so at once and loses no ticket. A rekey is an act that needs no
  ticket: it changes nothing for anybody, and only the command line of the door can ask for it.
- Whoever goes away in the middle leaves the desk free again. If they were enrolling, the enrolment ends with them: the
  desk hangs up on vault, which keeps nothing unfinished. Otherwise the next face at the door could be taken for the
  face of whoever left.
- What the door signs about an act goes to whoever asked for that act, once, and is not kept here. It is looked at
  first: anything but the signed paper that belongs to such an act goes nowhere.
- An act that takes too long ends with FAULT; vault's late answer to it is told to nobody.
"""

from __future__ import annotations

import secrets
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from device import wire
from device.desk import timeouts
from device.desk.errands import BUSY, ActErrand, Asker, Rooms, order
from device.desk.tickets import Tickets
from device.desk.trying.carrying import Trying
from device.edges import Room
from device.errors import NotPermitted
from device.link import Link
from device.wire import Purpose, Result

NO_CONSENT = bytes(32)
_WITH_CONSENT = frozenset({Purpose.ENROL, Purpose.RENEW})


@dataclass(slots=True)
class ActUnderWay:
    """`trying`: while faces are tried out nobody enrols. Times are CLOCK_MONOTONIC seconds."""

    rooms: Rooms
    trying: Trying
    now_s: Callable[[], float]
    _tickets: Tickets = field(default_factory=Tickets)
    _act: ActErrand | None = None
    _vault: Link | None = None
    # Grants whose act took too long: vault may still answer them, to nobody.
    _overdue: deque[bytes] = field(default_factory=lambda: deque(maxlen=16))

    @property
    def enrols(self) -> bool:
        """Whether it is an enrolment."""
        return self._act is not None and self._act.purpose is Purpose.ENROL

    @property
    def ends_s(self) -> float | None:
        """When whoever asked for it has waited long enough; None without an act."""
        return self._act.ends_s if self._act else None

    # ---- how it begins

    def keep(self, ticket: wire.GrantTicket) -> None:
        """Keeper's word that somebody may act."""
        # The PIN that confirms the enrolment under way is no ticket: vault takes it, and no act can name it.
        if not (self.enrols and ticket.purpose is Purpose.ENROL):
            self._tickets.add(ticket, self._now_ns())

    def begin(self, asker: Asker, asked: wire.Act) -> None:
        """A command line asks for an act. Raises NotPermitted for one without its form."""
        purpose = asked.purpose
        if purpose is Purpose.PAGE:
            text = "a sitting at the page is opened at the keypad, and is no act"
            raise NotPermitted(text)
        if (purpose in _WITH_CONSENT) is (asked.consent == NO_CONSENT):
            text = "a consent belongs to an enrolment or its renewal, and to nothing else"
            raise NotPermitted(text)
        if (asked.under_14 or asked.covered or asked.again) and purpose is not Purpose.ENROL:
            text = "what is declared of a face belongs to its enrolment, and to nothing else"
            raise NotPermitted(text)
        if self._busy(purpose):
            asker.send(wire.Ended(BUSY))
            return
        grant = self._tickets.take(purpose, self._now_ns())
        if grant is None:
            asker.send(wire.Ended(Result.NO_GRANT))
            return
        self._ask_vault(asker, grant, asked)

    def begin_for(self, asker: Asker, grant: bytes, asked: wire.Act) -> None:
        """An act in the name of a sitting at the page; its form was looked at by `page.clerk`."""
        if self._busy(asked.purpose):
            asker.send(wire.Ended(BUSY))
            return
        self._ask_vault(asker, grant, asked)

    def begin_rekey(self, asker: Asker) -> None:
        """A command line asks for new keys."""
        if self._act:
            asker.send(wire.Ended(BUSY))
            return
        act = ActErrand(asker, self.now_s() + timeouts.REKEY_S, None, secrets.token_bytes(wire.NONCE_BYTES))
        self._begin(act, order(act))

    def _busy(self, purpose: Purpose) -> bool:
        return self._act is not None or (purpose is Purpose.ENROL and self.trying.under_way)

    def _ask_vault(self, asker: Asker, grant: bytes, asked: wire.Act) -> None:
        act = ActErrand(asker, self.now_s() + timeouts.act_s(asked.purpose), asked.purpose, grant)
        self._begin(act, order(act, asked))

    def _begin(self, act: ActErrand, to_vault: wire.Message) -> None:
        self._act = act
        if not self.rooms.send(Room.VAULT, to_vault):
            self._finish(Result.FAULT)

    # ---- what vault says of it

    def guide(self, guidance: wire.EnrolHint) -> None:
        """A hint for whoever enrols."""
        # Outside an enrolment a hint is for whoever presses the button, and lock shows it; here it has no reader.
        if self._act and self.enrols:
            self._act.tell(guidance)

    def hand_on(self, grant: bytes, content: bytes) -> None:
        """What the door signed about it. Raises NotPermitted if that is not its paper."""
        if self._act and self._act.grant == grant and self._act.attested_by(content):
            self._act.tell(wire.AttestationCopy(content))
        elif grant not in self._overdue:
            text = "vault sent what is not the paper that belongs to the act under way"
            raise NotPermitted(text)

    def end(self, grant: bytes, result: Result) -> bool:
        """Vault is done with `grant`; whether anybody still waited. Raises NotPermitted for an act nobody began."""
        if self._act and self._act.grant == grant:
            self._finish(result)
            return True
        if grant not in self._overdue:
            text = "vault ended an act that nobody began"
            raise NotPermitted(text)
        self._overdue.remove(grant)
        return False

    # ---- who goes away, and time

    def vault_came(self, link: Link) -> None:
        """Vault is there, at `link`."""
        self._vault = link

    def vault_left(self) -> None:
        """Vault owes nothing any more."""
        self._vault = None
        self._overdue.clear()
        self._finish(Result.FAULT)

    def asker_left(self, asker: Asker) -> None:
        """Nobody waits at `asker` any more."""
        if self._act and self._act.asker is asker:
            self._act.asker = None
            self._withdraw(self._act)

    def withdraw(self, grant: bytes) -> None:
        """The sitting with this grant is over: an enrolment in its name ends with it, and whoever waits is told."""
        if self._act and self._act.grant == grant:
            self._withdraw(self._act)

    def tick(self) -> bytes | None:
        """Free the desk of an act that took too long; its grant, None if there is none."""
        late = self._act
        if late is None or self.now_s() < late.ends_s:
            return None
        self._overdue.append(late.grant)
        self._withdraw(late)
        self._finish(Result.FAULT)
        return late.grant

    def _withdraw(self, act: ActErrand) -> None:
        if act.purpose is Purpose.ENROL and self._vault:
            # The loop sees the end of this connection, tells `disconnected`, and connects anew.
            self._vault.hang_up()

    def _finish(self, result: Result) -> None:
        act, self._act = self._act, None
        if act:
            act.tell(wire.Ended(result))

    def _now_ns(self) -> int:
        return int(self.now_s() * 1e9)
