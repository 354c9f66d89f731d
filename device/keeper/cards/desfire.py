"""Our application on a DESFire card (EV1, EV2, EV3).

Rules kept here:
- A door makes an application of its own and touches nothing else on the card: no Format, no DeleteApplication, not the
  card's master key. What it finds under its AID with a key it does not know stays as it is.
- Without key 0 nothing of the application can be listed, read, changed or deleted, but for the mark (file 2).
- The counter (file 1) is a backup data file: a write counts only with CommitTransaction, so that a card that is pulled
  away holds the old counter or the new one.
- Finished in any order of accidents: application there, mark there or not, key changed or not, file 1 there or not.
- Files that are there already are used as they are: whoever made the application before gave them their rights. They
  can spoil or set back the counter then, and still need the key to open.

Sources: the commands' codes and parameters are those of the first DESFire (NXP data sheet M075031), which its followers
keep; libraries that are tried on real cards use the same (proxmark3, libfreefare).
"""

from __future__ import annotations

from collections.abc import Callable

from device.keeper.cards import ev1, ev2
from device.keeper.cards.content import (
    COUNTER_BYTES,
    MARK_BYTES,
    PLACE_BYTES,
    pack_counter,
    pack_place,
    span,
    unpack_counter,
)
from device.keeper.cards.registered import CardKind
from device.keeper.cards.session import Mode, Session, ask
from device.keeper.cards.steps import (
    NO_APPLICATION,
    NO_FILE,
    OK,
    CardRefused,
    Draw,
    Steps,
    native,
    transmit,
)

_SELECT, _CREATE, _READ, _WRITE, _COMMIT = 0x5A, 0xCA, 0xBD, 0x3D, 0xC7
_CREATE_STANDARD, _CREATE_BACKUP = 0xCD, 0xCB
_CARD_ITSELF = bytes(3)
# Key 0 may be changed, and so may these settings; everything needs key 0, listing and making files too.
_KEY_SETTINGS = 0x09
_ONE_AES_KEY = 0x81
_COUNTER_FILE, _MARK_FILE = 1, 2
# Two bytes, lowest first: reading and writing, and changing these | reading alone, and writing alone. E is everybody.
_KEY_0_ALONE = bytes.fromhex("0000")
_ALL_MAY_READ = bytes.fromhex("00e0")
_COUNTER_SPAN = span(_COUNTER_FILE, 0, COUNTER_BYTES)
_MARK_SPAN = span(_MARK_FILE, 0, MARK_BYTES)


class Desfire:
    """The application `aid` (3 bytes) on a card of `kind`. Every method raises CardRefused."""

    def __init__(self, kind: CardKind, aid: bytes) -> None:
        self._aid = aid
        self._authenticate: Callable[[bytes, Draw], Steps[Session]] = (
            ev1.authenticate if kind is CardKind.DESFIRE_EV1 else ev2.authenticate
        )

    def authenticate(self, key: bytes, draw: Draw) -> Steps[Session]:
        """A session with key 0."""
        return (yield from self._authenticate(key, draw))

    def enter(self) -> Steps[bool]:
        """Select the application; whether it is there."""
        answer = yield from transmit(native(_SELECT, self._aid))
        if answer.status == NO_APPLICATION:
            return False
        answer.expect(0)
        return True

    def make(self) -> Steps[None]:
        """Make the application, with the factory key, and select it."""
        for apdu in (
            native(_SELECT, _CARD_ITSELF),
            native(_CREATE, self._aid + bytes((_KEY_SETTINGS, _ONE_AES_KEY))),
            native(_SELECT, self._aid),
        ):
            (yield from transmit(apdu)).expect(0)

    def mark(self) -> Steps[bytes | None]:
        """The mark, read without a key; None if there is no file for it."""
        answer = yield from transmit(native(_READ, _MARK_SPAN))
        if answer.status != OK:
            return None
        return answer.expect(MARK_BYTES)

    def brand(self, session: Session, place: int, serial: int, mark: bytes | None) -> Steps[None]:
        """Name `serial` in the place `place` of the mark, and leave the other; `mark` is what `mark` read."""
        if mark is None:
            settings = bytes((_MARK_FILE, Mode.MAC)) + _ALL_MAY_READ + MARK_BYTES.to_bytes(3, "little")
            yield from ask(session, _CREATE_STANDARD, settings)
        yield from ask(session, _WRITE, span(_MARK_FILE, place * PLACE_BYTES, PLACE_BYTES), pack_place(serial))

    def prepare(self, session: Session, key: bytes, serial: int, draw: Draw) -> Steps[Session]:
        """See that there is a file for the counter; the session to go on with."""
        try:
            yield from self.read(session, serial)
        except CardRefused as refused:
            if refused.status != NO_FILE:
                raise
        else:
            return session
        session = yield from self.authenticate(key, draw)  # an error has ended the session before
        size = COUNTER_BYTES.to_bytes(3, "little")
        yield from ask(session, _CREATE_BACKUP, bytes((_COUNTER_FILE, session.strongest)) + _KEY_0_ALONE + size)
        return session

    def read(self, session: Session, serial: int) -> Steps[int | None]:
        """The counter, or None if it is not whole."""
        data = yield from ask(session, _READ, _COUNTER_SPAN, mode=session.strongest, size=COUNTER_BYTES)
        return unpack_counter(data, serial)

    def write(self, session: Session, serial: int, counter: int) -> Steps[None]:
        """Make `counter` the card's."""
        yield from ask(session, _WRITE, _COUNTER_SPAN, pack_counter(serial, counter), mode=session.strongest)
        yield from ask(session, _COMMIT)
