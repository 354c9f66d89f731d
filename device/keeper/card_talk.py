"""keeper's side of an exchange with a card: who it belongs to, what is saved meanwhile, and what lock hears at the end.

Rules kept here:
- One exchange at a time; each ends with exactly one message to lock, unless lock is gone. Every refusal is the same.
- A card opens for the slot whose record holds it, if that tenancy stands at the beginning *and* at the end.
- What has to be durable before the next command (`Keep`) waits in the same line as attempts do; so a card never waits
  behind more than a few of them, and no two things write at once.
- A card is added for a slot whose PIN was shown at most `ADD_S` ago, by the one exchange that succeeds in it, and for
  the tenancy whose PIN it was: who is offered the flat meanwhile gets no card of the one before. A card of somebody
  else that is shown meanwhile opens for that somebody.
- Of a card that was added the counter is durable before the record, and the record before lock hears of it. Until then
  the record names the serial before, so a card that is pulled away while it is added again is added once more.
- Cards are not charged to anybody's guess budget, and no budget keeps them out: there is nothing to guess.
- The journal hears why a card was refused, and never which.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, field, replace
from typing import TypeGuard

from device import wire
from device.errors import Fault, StoreFault
from device.journal import log
from device.keeper.any_cards import Say
from device.keeper.attempt import Guard, Settling
from device.keeper.cards.counters import Counters, Kept
from device.keeper.cards.diversify import CardKeys
from device.keeper.cards.exchange import Added, Opening, adding, opening, uid_of
from device.keeper.cards.registered import MOST_CARDS, Registered, pack, unpack
from device.keeper.cards.steps import Keep, Reason, Steps, Transmit
from device.keeper.line import Line, Result, Work
from device.keeper.record import Credential, Kind
from device.keeper.tenancies import Tenancies
from device.wire import NOBODY, Outcome

ADD_S = 60.0  # as long as a grant
_FULL = "the slot has as many cards as a slot can have; cancel them first"

_Answer = bytes | None


@dataclass(frozen=True, slots=True)
class Holder:
    """Whose card it is: the slot, what it held when the exchange began, and the card."""

    slot: int = field(repr=False)
    held: Credential = field(repr=False)
    card: Registered = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Adding:
    """Somebody showed their PIN to add a card. `offer_id`: the tenancy it was the PIN of."""

    slot: int = field(repr=False)
    offer_id: bytes = field(repr=False)
    until_s: float


@dataclass(eq=False, slots=True)
class _Talk:
    """The exchange under way.

    `serial` names the counter that `Keep` means; `adds`: it ends with an Answer; `asked`: the card owes an answer.
    """

    nonce: bytes
    steps: Generator[Transmit | Keep, _Answer, None] = field(init=False)
    serial: int = 0
    adds: bool = False
    asked: bool = False


@dataclass(eq=False, slots=True)
class CardTalk:
    """All cards of one door. `say` sends to lock; `draw` gives random bytes of the operating system."""

    guard: Guard
    tenancies: Tenancies
    line: Line
    counters: Counters
    keys: CardKeys
    say: Say
    draw: Callable[[int], bytes]
    _talk: _Talk | None = field(default=None, init=False)
    _adding: _Adding | None = field(default=None, init=False)

    # ---- what lock says

    def shown(self, nonce: bytes) -> None:
        """A card is in front of the reader."""
        self.void()
        talk = self._talk = _Talk(nonce)
        talk.steps = self._exchange(talk)
        self._go_on(talk, None)

    def answered(self, nonce: bytes, apdu: bytes) -> None:
        """What the card answered; one to an exchange that is over is late, one that nobody asked for says nothing."""
        if self._talk and self._talk.nonce == nonce and self._talk.asked:
            self._go_on(self._talk, apdu)

    def gone(self, nonce: bytes) -> None:
        """The card left in the middle."""
        if self._talk and self._talk.nonce == nonce:
            self._talk.steps.close()
            self._refuse(self._talk)

    def void(self) -> None:
        """Nobody listens to the exchange any more."""
        if self._talk:
            self._talk.steps.close()
            self._talk = None

    # ---- what residents do with a PIN

    def expect(self, slot: int) -> bool:
        """The next card that is nobody else's becomes a card of `slot`."""
        held = self.guard.book.held(slot)
        if held is None:
            return False
        self._adding = _Adding(slot, held.offer_id, self.guard.clock.now_s() + ADD_S)
        return True

    def drop(self, slot: int) -> bool:
        """Cancel all cards of `slot`; whether that is durable."""
        held = self.guard.book.held(slot)
        if held is None or not self.tenancies.keep(slot, replace(held, cards=pack(()))):
            return False
        self.line.submit(_Forgetting(self))
        return True

    def serials(self) -> tuple[int, ...]:
        """The serials of all cards that slots have."""
        everything = self.guard.book.everything().values()
        return tuple(card.serial for held in everything for card in unpack(held.cards))

    def close(self) -> None:
        """Let go of the counters."""
        self.counters.close()

    # ---- the exchange

    def _exchange(self, talk: _Talk) -> Steps[None]:
        """Find out whose card it is, and open by it or add it."""
        uid = yield from uid_of()
        if uid is None:
            self._end(talk, Reason.GARBLED)
            return
        found, expected = self.guard.book.card(uid), self._expected()
        holder = self.holder(uid)
        if expected and (found is None or found[0] == expected[0]):
            yield from self._add(talk, *expected, uid)
        elif holder is None:
            self._end(talk, Reason.NOBODYS)
        else:
            yield from self._open(talk, holder)

    def _open(self, talk: _Talk, holder: Holder) -> Steps[None]:
        talk.serial = holder.card.serial
        kept = self.counters.get(talk.serial)
        end: Opening = yield from opening(holder.card, self.keys, kept, self.draw)
        if not end.opens:
            self._end(talk, end.reason)
            return
        if self.holder(holder.card.uid) != holder:  # it was cancelled, or the tenancy ended, meanwhile
            self._end(talk, Reason.REFUSED)
            return
        self._talk = None
        stamped_ns = self.guard.clock.monotonic_ns()
        self.say(wire.Verdict(talk.nonce, stamped_ns, Outcome.ACCEPTED, holder.slot))
        if end.settle:
            self.line.submit(_Keeping(self, None, talk.serial, end.settle))

    def _add(self, talk: _Talk, slot: int, held: Credential, uid: bytes) -> Steps[None]:
        talk.adds = True
        others = tuple(card for card in unpack(held.cards) if card.uid != uid)
        if len(others) >= MOST_CARDS:
            log(f"keeper: {_FULL}")
            self._adding = None
            self._refuse(talk)
            return
        added: Added | Reason = yield from adding(uid, self.keys, self.counters.fresh_serial(self.draw), self.draw)
        if isinstance(added, Reason):
            self._end(talk, added)
            return
        if added.card.serial in self._serials_but(uid):  # drawn a second time, its counter being lost
            self._end(talk, Reason.NOT_BLANK)
            return
        talk.serial = added.card.serial
        try:
            yield Keep(added.kept.counter, added.kept.pending)
        except StoreFault:
            self._end(talk, Reason.NOT_KEPT)
            return
        unchanged = self.guard.book.held(slot) == held and self._stands(held)
        if not unchanged or not self.tenancies.keep(slot, replace(held, cards=pack((*others, added.card)))):
            self._refuse(talk)
            return
        self._talk = self._adding = None
        self.say(wire.Answer(talk.nonce, Outcome.ACCEPTED))
        self.line.submit(_Forgetting(self))  # the one it took the place of, and those of tenancies that are over

    def _go_on(self, talk: _Talk, answer: _Answer, fault: Fault | None = None) -> None:
        talk.asked = False
        if fault:
            log(f"keeper: {fault}")
        try:
            step = talk.steps.throw(fault) if fault else talk.steps.send(answer)
        except StopIteration:
            return  # it ended with a word of its own
        if isinstance(step, Transmit):
            talk.asked = True
            self.say(wire.CardCommand(talk.nonce, step.apdu))
        elif not self.line.submit(_Keeping(self, talk, talk.serial, step)):
            self._go_on(talk, None, StoreFault("too many others wait to be checked"))

    def _end(self, talk: _Talk, reason: Reason | None) -> None:
        log(f"keeper: {(reason or Reason.REFUSED).value}")
        self._refuse(talk)

    def _refuse(self, talk: _Talk) -> None:
        if self._talk is not talk:
            return
        self._talk = None
        refused = wire.Verdict(talk.nonce, self.guard.clock.monotonic_ns(), Outcome.REFUSED, NOBODY)
        self.say(wire.Answer(talk.nonce, Outcome.REFUSED) if talk.adds else refused)

    # ---- whose card

    def holder(self, uid: bytes) -> Holder | None:
        """Whose card `uid` is, if that slot opens anything now."""
        found = self.guard.book.card(uid)
        if found is None:
            return None
        slot, card = found
        held = self.guard.book.held(slot)
        return Holder(slot, held, card) if self._stands(held) else None

    def _serials_but(self, uid: bytes) -> set[int]:
        everything = self.guard.book.everything().values()
        return {card.serial for held in everything for card in unpack(held.cards) if card.uid != uid}

    def _expected(self) -> tuple[int, Credential] | None:
        """The slot that a card is to be added for and what it holds, while the tenancy stands whose PIN was shown."""
        adding = self._adding
        if adding is None:
            return None
        held = self.guard.book.held(adding.slot)
        if self.guard.clock.now_s() >= adding.until_s or not self._stands(held) or held.offer_id != adding.offer_id:
            self._adding = None
            return None
        return adding.slot, held

    def _stands(self, held: Credential | None) -> TypeGuard[Credential]:
        """Whether what a slot holds is a PIN whose tenancy is not over."""
        return held is not None and held.kind is Kind.PIN and not self.guard.ends.over(held, self.guard.clock.read())

    def kept(self, talk: _Talk | None, result: Result) -> None:
        """A counter is durable, or is not; `talk` waits for it, if it is still the one under way."""
        if isinstance(result, Exception) and not isinstance(result, Fault):
            raise result
        if isinstance(result, Fault):
            self.line.submit(Settling(self.guard))  # whether the disk takes anything at all, the counts tell
        if talk is not None and talk is self._talk:
            self._go_on(talk, None, _store_fault(result) if isinstance(result, Fault) else None)


@dataclass(frozen=True, slots=True)
class _Keeping:
    """The `line.Task` that makes a counter durable; `talk`: who waits for it."""

    of: CardTalk
    talk: _Talk | None
    serial: int
    what: Keep

    def begin(self) -> Work:
        """In the worker: the one write."""
        counters, serial, kept = self.of.counters, self.serial, Kept(self.what.counter, self.what.pending)

        def work() -> tuple[bytes, ...]:
            counters.keep(serial, kept)
            return ()

        return work

    def finish(self, result: Result) -> None:
        """Go on, or end."""
        self.of.kept(self.talk, result)


@dataclass(frozen=True, slots=True)
class _Forgetting:
    """The `line.Task` that forgets the counters of cancelled cards; one that fails is made up for at the next start."""

    of: CardTalk

    def begin(self) -> Work:
        """In the worker, of the cards there are when its turn comes."""
        counters, serials = self.of.counters, self.of.serials()

        def work() -> tuple[bytes, ...]:
            counters.retain(serials)
            return ()

        return work

    def finish(self, result: Result) -> None:
        """Nobody waits for it."""
        self.of.kept(None, result)


def _store_fault(fault: Fault) -> StoreFault:
    return fault if isinstance(fault, StoreFault) else StoreFault(str(fault))
