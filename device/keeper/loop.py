"""keeper's process: messages in, attempts through the line, cards through their exchange, answers out.

Rules kept here:
- Every question of lock gets exactly one answer, in order, and every refusal is the same answer. One says more: to
  whoever shows what was right before, that it was: the invitation that a PIN was set with, or, to open, the PIN that a
  newer offer cancelled. Nobody else has a use for those digits.
- Whoever has to wait is refused like anybody else, by the same work. That there was somebody, never who, lock hears up
  to a minute later, at a moment that has nothing to do with theirs.
- lock hears whether so many places are taken that a number of the day names nobody, and whether any is.
- When the door ends nothing is destroyed here: the folder is marked, and the process that finds the mark does it.
- A duress PIN is answered as the PIN is, but for the one value that says so to lock.
- A PIN is checked whether vault, desk or eye are there or not. A grant needs vault; one to enrol, to renew or for the
  page needs desk as well, which shows the notice.
- lock gone means its questions are gone: nothing is opened, granted or set for a lock that is not there to hear it.
- A nonce is used once. Whoever uses one again is no lock of ours.
- What changes who has a working PIN goes through `tenancies`, which tells vault.
"""

from __future__ import annotations

import contextlib
import os
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from device import wire
from device.edges import Room
from device.errors import CredentialRefused, Fault, NotPermitted, StoreFault
from device.journal import log
from device.keeper import offers
from device.keeper.any_cards import MakeCards, NoCards
from device.keeper.attempt import Attempt, Guard, Settling
from device.keeper.changes import Proven, changed, refuse_unfit
from device.keeper.line import Executor, Line
from device.keeper.match import By, Fresh, Shown
from device.keeper.record import Kind
from device.keeper.tenancies import Tenancies
from device.link import Link
from device.wire import Outcome, Result

GRANT_NS = 60_000_000_000
SITTING_NS = 600_000_000_000  # long enough to read a notice and to enrol twice
_NEEDS_DESK = frozenset({wire.Purpose.ENROL, wire.Purpose.RENEW, wire.Purpose.PAGE})  # which shows the notice
BESIDE_S = 60.0  # a grid of moments at which lock hears what must not be seen beside an answer
MANY = 20  # places taken: from so many on a noisy number of a day's openings names nobody (ADR 0017)
STUCK_S = 20.0  # an Argon2 of 64 MiB takes well under a second on any board; after this the watchdog may have us
REMEMBERED_NONCES = 1024  # as many as the line could hold many times over; a nonce is 16 random bytes


class Switchboard(Protocol):
    """The part of `service.Service` that answers go through."""

    def send(self, peer: Room, msg: wire.Message) -> bool:
        """Send to `peer` if it is there; False if not."""

    def link(self, peer: Room) -> Link | None:
        """The live connection to `peer`."""


@dataclass(slots=True)
class _Nonces:
    """The nonces seen last."""

    _order: deque[bytes] = field(default_factory=deque)
    _seen: set[bytes] = field(default_factory=set)

    def use(self, nonce: bytes) -> None:
        """Take `nonce`. Raises NotPermitted if it was taken before."""
        if nonce in self._seen:
            msg = "a nonce was used twice"
            raise NotPermitted(msg)
        self._order.append(nonce)
        self._seen.add(nonce)
        if len(self._order) > REMEMBERED_NONCES:
            self._seen.discard(self._order.popleft())


def no_end() -> None:
    """What a keeper without a folder does when its door ends. Raises StoreFault."""
    msg = "this keeper has no folder to give up"
    raise StoreFault(msg)


class Keeper:
    """The Work of keeper. `retire` marks its folder and ends the process; what is there the next start destroys."""

    def __init__(
        self,
        switchboard: Switchboard,
        guard: Guard,
        executor: Executor,
        draw: Callable[[int], bytes] = os.urandom,
        cards: MakeCards = NoCards,
        retire: Callable[[], None] = no_end,
    ) -> None:
        self._out = switchboard
        self._guard = guard
        self._executor = executor
        self._line = Line(executor, guard.clock.now_s)
        self._draw = draw
        self._nonces = _Nonces()
        self._alarm_owed = False
        self._tell_lockout_s: float | None = None
        self._occupied: wire.Occupied | None = None  # what lock was told last
        self._retire = retire
        self._tenancies = Tenancies(guard, lambda msg: switchboard.send(Room.VAULT, msg))
        self._cards = cards(guard, self._tenancies, self._line, lambda msg: switchboard.send(Room.LOCK, msg))

    # ---- Work

    def connected(self, link: Link) -> None:
        """A peer is there."""
        if link.peer is Room.LOCK and self._alarm_owed:
            self._alarm_owed = not self._out.send(Room.LOCK, wire.Breach())
        if link.peer is Room.LOCK:
            self._occupied = None
            self._tell_occupied()

    def disconnected(self, link: Link) -> None:
        """A peer is gone; with lock go its questions."""
        if link.peer is Room.LOCK:
            self._cards.void()
            self._line.void()
        elif link.peer is Room.VAULT:
            self._tenancies.forget()

    def received(self, link: Link, msg: wire.Message) -> None:
        """One message. Raises NotPermitted for a nonce that was used before."""
        match msg:
            case wire.CardShown(nonce):
                self._nonces.use(nonce)
                self._cards.shown(nonce)
            case wire.CardAnswer(nonce, apdu):
                self._cards.answered(nonce, apdu)
            case wire.CardGone(nonce):
                self._cards.gone(nonce)
            case _:
                self._asked(msg)

    def _asked(self, msg: wire.Message) -> None:
        match msg:
            case wire.CheckPin():
                self._nonces.use(msg.nonce)
                self._check(msg)
            case wire.ProvePin():
                self._nonces.use(msg.nonce)
                self._prove(msg)
            case wire.SetPin():
                self._nonces.use(msg.nonce)
                self._set(msg)
            case wire.ChangeCards():
                self._nonces.use(msg.nonce)
                self._change_cards(msg)
            case wire.ProveResident():
                self._nonces.use(msg.nonce)
                self._prove_resident(msg)
            case wire.SlotOffer():
                self._offer(msg)
            case wire.Retire():
                self._end()
            case wire.HasCredential():
                self._tenancies.asked(msg.slot)
            case _:
                text = f"keeper has no use for a {type(msg).__name__}"
                raise NotPermitted(text)

    def breached(self, room: Room) -> None:
        """Somebody broke the table; if lock cannot be told now, it is told when it comes back."""
        self._alarm_owed = not self._out.send(Room.LOCK, wire.Breach())

    def deadline(self) -> float | None:
        """When to look whether a tenancy has ended, or to tell lock of a lockout; else keeper waits for messages."""
        ends = (self._tenancies.deadline(), self._tell_lockout_s)
        return min((end for end in ends if end is not None), default=None)

    def tick(self) -> None:
        """Look, and tell."""
        if self._tell_lockout_s is not None and self._guard.clock.now_s() >= self._tell_lockout_s:
            self._tell_lockout_s = None
            self._out.send(Room.LOCK, wire.LockedOut())
        self._tenancies.look()
        self._tell_occupied()

    def healthy(self) -> bool:
        """Whether checks get done."""
        return self._line.busy_s() < STUCK_S

    def stop(self) -> None:
        """Nobody's question is answered any more; what right entries gave back is saved with the counts."""
        self._cards.void()
        self._line.void()
        if self._executor.stop():
            with contextlib.suppress(Fault):
                self._guard.file.save(self._guard.throttle.counts())
            self._guard.file.close()
            self._cards.close()

    # ---- lock's questions

    def _check(self, msg: wire.CheckPin) -> None:
        def ended(proven: Proven | None) -> None:
            slot = msg.claim if proven else wire.NOBODY
            stamped_ns = self._guard.clock.monotonic_ns()
            self._out.send(Room.LOCK, wire.Verdict(msg.nonce, stamped_ns, _outcome(proven), slot))

        def used() -> None:
            stamped_ns = self._guard.clock.monotonic_ns()
            self._out.send(Room.LOCK, wire.Verdict(msg.nonce, stamped_ns, Outcome.USED, wire.NOBODY))

        self._submit(Shown(msg.claim, Kind.PIN, msg.digits, day=msg.day), ended, used)

    def _prove(self, msg: wire.ProvePin) -> None:
        def ended(proven: Proven | None) -> None:
            self._answer(msg.nonce, proven if proven and self._grant(msg) else None)

        self._submit(Shown(msg.claim, Kind.PIN, msg.digits), ended)

    def _prove_resident(self, msg: wire.ProveResident) -> None:
        self._submit(Shown(msg.claim, Kind.PIN, msg.digits), lambda proven: self._answer(msg.nonce, proven))

    def _change_cards(self, msg: wire.ChangeCards) -> None:
        def ended(proven: Proven | None) -> None:
            change = self._cards.expect if msg.change is wire.CardChange.ADD else self._cards.drop
            self._answer(msg.nonce, proven if proven and change(msg.claim) else None)

        self._submit(Shown(msg.claim, Kind.PIN, msg.digits), ended)

    def _set(self, msg: wire.SetPin) -> None:
        fresh = Fresh(msg.secret, msg.new)

        def ended(proven: Proven | None) -> None:
            self._answer(msg.nonce, proven if proven and self._keep(msg.claim, fresh, proven) else None)

        def used() -> None:
            self._out.send(Room.LOCK, wire.Answer(msg.nonce, Outcome.USED))

        try:
            refuse_unfit(msg.proof, fresh, msg.shown)
        except CredentialRefused:
            self._answer(msg.nonce, None)
            return
        kind = Kind.INVITATION if msg.proof is wire.Proof.INVITATION else Kind.PIN
        self._submit(Shown(msg.claim, kind, msg.shown, fresh), ended, used if kind is Kind.INVITATION else None)

    def _submit(
        self, shown: Shown, ended: Callable[[Proven | None], None], used: Callable[[], None] | None = None
    ) -> None:
        """Put the attempt in the line; `used` is told instead of a refusal of what was right here before."""

        def told(proven: Proven | None) -> None:
            if attempt.used and used:
                used()
            else:
                ended(proven)
            if attempt.turned_away and self._tell_lockout_s is None:
                self._tell_lockout_s = (self._guard.clock.now_s() // BESIDE_S + 1) * BESIDE_S
            self._line.submit(Settling(self._guard))

        attempt = Attempt(self._guard, shown, told)
        if not self._line.submit(attempt):
            ended(None)

    def _answer(self, nonce: bytes, proven: Proven | None) -> None:
        self._out.send(Room.LOCK, wire.Answer(nonce, _outcome(proven)))

    # ---- what follows from them

    def _grant(self, msg: wire.ProvePin) -> bool:
        desk, purpose = self._out.link(Room.DESK), msg.purpose
        if not self._out.link(Room.VAULT) or (purpose in _NEEDS_DESK and not desk):
            return False
        nonce = self._draw(wire.NONCE_BYTES)
        life_ns = SITTING_NS if purpose is wire.Purpose.PAGE else GRANT_NS
        expires_ns = self._guard.clock.monotonic_ns() + life_ns
        # vault first: a grant whose ticket got lost can be named by nobody and ends by itself.
        granted = self._out.send(Room.VAULT, wire.Grant(nonce, purpose, expires_ns, msg.claim))
        told = granted and self._out.send(Room.DESK, wire.GrantTicket(nonce, purpose, expires_ns, msg.page_code))
        return granted and (told or purpose not in _NEEDS_DESK)

    def _keep(self, slot: int, fresh: Fresh, proven: Proven) -> bool:
        following = changed(slot, fresh, proven, self._guard.verifiers)
        kept = following is not None and self._tenancies.keep(slot, following)
        self._tell_occupied()
        return kept

    def _offer(self, msg: wire.SlotOffer) -> None:
        now_unix = int(self._guard.clock.unix_s())
        result, fresh = offers.weigh(msg, self._guard.book.held(msg.slot), self._guard.verifiers, now_unix)
        if fresh and not self._tenancies.keep(msg.slot, fresh):
            result = Result.FAULT
        self._out.send(Room.LOCK, wire.OfferKept(msg.slot, msg.serial, result))
        self._tell_occupied()

    def _end(self) -> None:
        self._cards.void()
        self._line.void()
        try:
            self._retire()
        except Fault as fault:
            log(f"keeper: what is kept for this door's residents could not be given up yet: {fault}")

    def _tell_occupied(self) -> None:
        taken = self._tenancies.taken()
        occupied = wire.Occupied(many=taken >= MANY, some=taken > 0)
        if occupied != self._occupied and self._out.send(Room.LOCK, occupied):
            self._occupied = occupied


def _outcome(proven: Proven | None) -> Outcome:
    if proven is None:
        return Outcome.REFUSED
    return Outcome.DURESS if proven.by is By.DURESS else Outcome.ACCEPTED
