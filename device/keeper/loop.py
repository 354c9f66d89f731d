"""keeper's process: messages in, attempts through the line, answers out.

Rules kept here:
- Every question of lock gets exactly one answer, in order, and every refusal is the same answer.
- A PIN is checked whether vault, desk or eye are there or not. A grant needs vault; one to enrol or renew needs desk as
  well, which shows the notice.
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
from device.errors import CredentialRefused, Fault, NotPermitted
from device.keeper import choice, offers
from device.keeper.attempt import Attempt, Guard, Proven, Settling, Shown
from device.keeper.line import Executor, Line
from device.keeper.record import Kind
from device.keeper.tenancies import Tenancies
from device.service import Link
from device.wire import Outcome, Result

GRANT_NS = 60_000_000_000
_NEEDS_A_NOTICE = frozenset({wire.Purpose.ENROL, wire.Purpose.RENEW})  # which only desk can show
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


class Keeper:
    """The Work of keeper."""

    def __init__(
        self, switchboard: Switchboard, guard: Guard, executor: Executor, draw: Callable[[int], bytes] = os.urandom
    ) -> None:
        self._out = switchboard
        self._guard = guard
        self._executor = executor
        self._line = Line(executor, guard.clock.now_s)
        self._draw = draw
        self._nonces = _Nonces()
        self._alarm_owed = False
        self._tenancies = Tenancies(guard, lambda msg: switchboard.send(Room.VAULT, msg))

    # ---- Work

    def connected(self, link: Link) -> None:
        """A peer is there."""
        if link.peer is Room.LOCK and self._alarm_owed:
            self._alarm_owed = not self._out.send(Room.LOCK, wire.Breach())

    def disconnected(self, link: Link) -> None:
        """A peer is gone; with lock go its questions."""
        if link.peer is Room.LOCK:
            self._line.void()
        elif link.peer is Room.VAULT:
            self._tenancies.forget()

    def received(self, link: Link, msg: wire.Message) -> None:
        """One message. Raises NotPermitted for a nonce that was used before."""
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
            case wire.SlotOffer():
                self._offer(msg)
            case wire.HasCredential():
                self._tenancies.asked(msg.slot)
            case _:
                text = f"keeper has no use for a {type(msg).__name__}"
                raise NotPermitted(text)

    def breached(self, room: Room) -> None:
        """Somebody broke the table; if lock cannot be told now, it is told when it comes back."""
        self._alarm_owed = not self._out.send(Room.LOCK, wire.Breach())

    def deadline(self) -> float | None:
        """When to look whether a tenancy has ended; otherwise keeper waits for nothing but messages."""
        return self._tenancies.deadline()

    def tick(self) -> None:
        """Look."""
        self._tenancies.look()

    def healthy(self) -> bool:
        """Whether checks get done."""
        return self._line.busy_s() < STUCK_S

    def stop(self) -> None:
        """Nobody's question is answered any more; what right entries gave back is saved with the counts."""
        self._line.void()
        if self._executor.stop():
            with contextlib.suppress(Fault):
                self._guard.file.save(self._guard.throttle.counts())
            self._guard.file.close()

    # ---- lock's questions

    def _check(self, msg: wire.CheckPin) -> None:
        def ended(proven: Proven | None) -> None:
            outcome = Outcome.ACCEPTED if proven else Outcome.REFUSED
            slot = msg.claim if proven else wire.NOBODY
            self._out.send(Room.LOCK, wire.Verdict(msg.nonce, self._guard.clock.monotonic_ns(), outcome, slot))

        self._submit(Shown(msg.claim, Kind.PIN, msg.digits), ended)

    def _prove(self, msg: wire.ProvePin) -> None:
        def ended(proven: Proven | None) -> None:
            granted = proven is not None and self._grant(msg.purpose, msg.claim)
            self._answer(msg.nonce, accepted=granted)

        self._submit(Shown(msg.claim, Kind.PIN, msg.digits), ended)

    def _set(self, msg: wire.SetPin) -> None:
        def ended(proven: Proven | None) -> None:
            self._answer(msg.nonce, accepted=proven is not None and self._keep_pin(msg.claim, proven))

        try:
            # Judged by itself, before anything is charged: it says nothing about what the door holds.
            choice.refuse_weak(msg.new, msg.shown)
        except CredentialRefused:
            self._answer(msg.nonce, accepted=False)
            return
        kind = Kind.INVITATION if msg.proof is wire.Proof.INVITATION else Kind.PIN
        self._submit(Shown(msg.claim, kind, msg.shown, msg.new), ended)

    def _submit(self, shown: Shown, ended: Callable[[Proven | None], None]) -> None:
        def told(proven: Proven | None) -> None:
            ended(proven)
            self._line.submit(Settling(self._guard))

        if not self._line.submit(Attempt(self._guard, shown, told)):
            ended(None)

    def _answer(self, nonce: bytes, *, accepted: bool) -> None:
        self._out.send(Room.LOCK, wire.Answer(nonce, Outcome.ACCEPTED if accepted else Outcome.REFUSED))

    # ---- what follows from them

    def _grant(self, purpose: wire.Purpose, slot: int) -> bool:
        desk = self._out.link(Room.DESK)
        if not self._out.link(Room.VAULT) or (purpose in _NEEDS_A_NOTICE and not desk):
            return False
        nonce = self._draw(wire.NONCE_BYTES)
        expires_ns = self._guard.clock.monotonic_ns() + GRANT_NS
        # vault first: a grant whose ticket got lost can be named by nobody and ends after a minute.
        granted = self._out.send(Room.VAULT, wire.Grant(nonce, purpose, expires_ns, slot))
        told = granted and self._out.send(Room.DESK, wire.GrantTicket(nonce, purpose, expires_ns))
        return granted and (told or purpose not in _NEEDS_A_NOTICE)

    def _keep_pin(self, slot: int, proven: Proven) -> bool:
        verifier = self._guard.verifiers.verifier(slot, proven.new_stretched)
        return self._tenancies.keep(slot, proven.held.with_pin(proven.new_salt, verifier))

    def _offer(self, msg: wire.SlotOffer) -> None:
        now_unix = int(self._guard.clock.unix_s())
        result, fresh = offers.weigh(msg, self._guard.book.held(msg.slot), self._guard.verifiers, now_unix)
        if fresh and not self._tenancies.keep(msg.slot, fresh):
            result = Result.FAULT
        self._out.send(Room.LOCK, wire.OfferKept(msg.slot, msg.serial, result))
