"""The two things a door does with a card: open by it, and add it.

Rules kept here:
- Nothing opens unless, in this order: card and door have shown each other the key in a fresh session; the counter that
  the card gave in that session is the one keeper holds (or the one before, if the last write is not known to have
  arrived); the next one is durable in keeper; the card has confirmed under MAC that it wrote it.
- So of a card and its copy, whichever is used second is refused, and so is a card that was rolled back. What a reader
  heard and plays again meets another random number.
- Adding never opens. It writes to a card only what is this door's, and only after the card accepted a key that this
  door knows: one of the two serials that the card names, or the factory's.
- Whatever key a card comes with, adding gives it the key of a fresh serial, and with it a counter that begins anew. So
  nobody who knew a key of the card before, and no copy of it from before, opens as the card that was added.
- A key is changed only after the card has confirmed under MAC that its mark names the new one, beside the one that it
  has; so a card that was left at any moment can be added again, as often as it takes.
- At most three keys are tried, one for each place of the mark and the factory's. A card that only this door has written
  to fails at most one authentication in an adding, any other at most three. An NTAG 424 DNA slows down after 50 in a
  row and gives up a key after 1000 (NT4H2421Gx); changing the key sets both counts back (AN12196).
- An exchange ends by a value, whatever the card answers: MOST_STEPS bounds it.

Keeper's part: `Kept` from `counters`, the serial of a new card from `Counters.fresh_serial`. A card that was pulled
away while being added is simply added again, with another fresh serial. That holds for a card that opened before, too:
keeper still has it under the serial before, whose key it may no longer have, and it opens once adding has ended well.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from device.errors import KeyFault, StoreFault
from device.keeper.cards.content import MOST_COUNTER, PLACES, unpack_mark
from device.keeper.cards.counters import Kept
from device.keeper.cards.desfire import Desfire
from device.keeper.cards.diversify import CardKeys
from device.keeper.cards.ntag424 import Ntag424
from device.keeper.cards.registered import UID_SIZES, CardKind, Registered
from device.keeper.cards.session import FACTORY_KEY, Session, rekey
from device.keeper.cards.steps import CardRefused, Draw, Keep, Reason, Steps, transmit
from device.keeper.cards.version import kind_of

MOST_STEPS = 32
FIRST_COUNTER = 1
_GET_UID = bytes.fromhex("ffca000000")  # PC/SC part 3, Get Data: the reader answers, not the card
_ISO_OK = 0x9000


@dataclass(frozen=True, slots=True)
class Opening:
    """How it ended: `reason` is None and `settle` is to be kept, if and only if the door opens.

    Keeping `settle` may wait until after the door has opened; until then the card is believed at both counters.
    """

    opens: bool
    reason: Reason | None = None
    settle: Keep | None = None


@dataclass(frozen=True, slots=True)
class Added:
    """A card that is ready; keeper makes both durable, the counter first."""

    card: Registered
    kept: Kept


class Chip(Protocol):
    """What differs between cards; the methods are explained in `desfire`. All raise CardRefused."""

    def authenticate(self, key: bytes, draw: Draw) -> Steps[Session]: ...
    def enter(self) -> Steps[bool]: ...
    def make(self) -> Steps[None]: ...
    def mark(self) -> Steps[bytes | None]: ...
    def brand(self, session: Session, place: int, serial: int, mark: bytes | None) -> Steps[None]: ...
    def prepare(self, session: Session, key: bytes, serial: int, draw: Draw) -> Steps[Session]: ...
    def read(self, session: Session, serial: int) -> Steps[int | None]: ...
    def write(self, session: Session, serial: int, counter: int) -> Steps[None]: ...


def uid_of() -> Steps[bytes | None]:
    """The number of the card in the field as the reader gives it (4, 7 or 10 bytes), or None if it gives none."""
    try:
        answer = yield from transmit(_GET_UID)
    except CardRefused:
        return None
    return answer.data if answer.status == _ISO_OK and len(answer.data) in UID_SIZES else None


def opening(card: Registered, keys: CardKeys, kept: Kept | None, draw: Draw) -> Steps[Opening]:
    """Whether the card in the field is `card`, whose counter is `kept` (None: lost). Never raises for what it answers.

    `draw` gives fresh random bytes of the operating system, anew for each exchange.
    """
    try:
        return (yield from _open(card, keys, kept, draw))
    except CardRefused as refused:
        return Opening(opens=False, reason=refused.reason)
    except KeyFault:  # a UID of a length that cards of this kind do not have
        return Opening(opens=False, reason=Reason.UNKNOWN_KIND)


def adding(uid: bytes, keys: CardKeys, serial: int, draw: Draw) -> Steps[Added | Reason]:
    """Make the card in the field, which the reader calls `uid`, a card of this door, under a fresh `serial`.

    A card that names this very serial already is not tried with its key.
    """
    try:
        return (yield from _add(uid, keys, serial, draw))
    except CardRefused as refused:
        return refused.reason
    except KeyFault:
        return Reason.UNKNOWN_KIND


def _open(card: Registered, keys: CardKeys, kept: Kept | None, draw: Draw) -> Steps[Opening]:
    if kept is None:
        raise CardRefused(Reason.NO_COUNTER)
    chip = _chip(card.kind, keys)
    if not (yield from chip.enter()):
        raise CardRefused(Reason.UNKNOWN_KEY)
    session = yield from chip.authenticate(keys.key(card.kind, card.uid, card.serial), draw)
    told = yield from chip.read(session, card.serial)
    following = _next(_believed(told, kept))
    yield from _keep(Keep(following, pending=True))
    yield from chip.write(session, card.serial, following)
    return Opening(opens=True, settle=Keep(following, pending=False))


def _believed(told: int | None, kept: Kept) -> int:
    if told is None:
        raise CardRefused(Reason.DAMAGED)
    if told > kept.counter:
        raise CardRefused(Reason.AHEAD)
    # While a write is not known to have arrived, the card may still be at the counter before it.
    if told < kept.counter - kept.pending:
        raise CardRefused(Reason.BEHIND)
    return told


def _next(counter: int) -> int:
    if counter == MOST_COUNTER:
        raise CardRefused(Reason.SPENT)
    return counter + 1


def _keep(what: Keep) -> Steps[None]:
    try:
        yield what
    except StoreFault as cause:
        raise CardRefused(Reason.NOT_KEPT) from cause


def _add(uid: bytes, keys: CardKeys, serial: int, draw: Draw) -> Steps[Added]:
    kind = yield from kind_of(uid)
    chip = _chip(kind, keys)
    mark = None
    if (yield from chip.enter()):
        mark = yield from chip.mark()
    else:
        yield from chip.make()
    session, place = yield from _known(chip, mark, Registered(kind, uid, serial), keys, draw)
    yield from chip.brand(session, place, serial, mark)
    key = keys.key(kind, uid, serial)
    yield from rekey(session, key)
    session = yield from chip.authenticate(key, draw)
    session = yield from chip.prepare(session, key, serial, draw)
    yield from chip.write(session, serial, FIRST_COUNTER)
    return Added(Registered(kind, uid, serial), Kept(FIRST_COUNTER, pending=False))


def _known(chip: Chip, mark: bytes | None, card: Registered, keys: CardKeys, draw: Draw) -> Steps[tuple[Session, int]]:
    """A session with the key that the card has now, and the place of its mark that does not name this key."""
    tried = {card.serial}  # what the card has to leave is not what it gets
    for place, named in enumerate(unpack_mark(mark or b"")):
        if named is None or named in tried:
            continue
        tried.add(named)
        session = yield from _try(chip, keys.key(card.kind, card.uid, named), draw)
        if session is not None:
            return session, (place + 1) % PLACES
    return (yield from chip.authenticate(FACTORY_KEY, draw)), 0


def _try(chip: Chip, key: bytes, draw: Draw) -> Steps[Session | None]:
    try:
        return (yield from chip.authenticate(key, draw))
    except CardRefused as refused:
        if refused.reason is not Reason.UNKNOWN_KEY:
            raise
        return None


def _chip(kind: CardKind, keys: CardKeys) -> Chip:
    return Ntag424() if kind is CardKind.NTAG_424 else Desfire(kind, keys.aid)
