"""An NTAG 424 DNA as a card of one door.

Rules kept here:
- The chip has one application, so it belongs to one door: the one that changes its key 0 first. A chip whose key 0 is
  not the factory's, or whose NDEF file says something, is somebody else's and stays as it is.
- The counter stands in file 3, which only key 0 reads and writes afterwards, enciphered. It is written in turn to two
  places, and the newer one that is whole counts: the file has no transactions, and a card may be pulled away.
- The mark stands behind an empty NDEF message in file 2, which everybody may read and only key 0 may write afterwards.
  A telephone shows nothing.
- The files are given to key 0 before the mark is written and key 0 changed, each time a card is added: what rights
  somebody gave them before does not matter.

Sources: NXP NT4H2421Gx data sheet (files, and their settings from the factory) and AN12196 (commands as they are sent).
"""

from __future__ import annotations

from device.keeper.cards.content import (
    COUNTER_BYTES,
    MARK_BYTES,
    PLACE_BYTES,
    pack_counter,
    pack_place,
    span,
    unpack_counter,
)
from device.keeper.cards.diversify import NTAG_AID
from device.keeper.cards.ev2 import authenticate
from device.keeper.cards.session import Mode, Session, ask
from device.keeper.cards.steps import CardRefused, Draw, Reason, Steps, native, transmit

_READ, _WRITE, _CHANGE_FILE = 0xAD, 0x8D, 0x5F
_ISO_OK = 0x9000
_ISO_SELECT = bytes.fromhex("00a4040c") + bytes((len(NTAG_AID),)) + NTAG_AID + b"\0"
_NDEF_FILE, _COUNTER_FILE = 2, 3
_NO_MESSAGE = bytes(2)  # the length of the NDEF message: NFC Forum Type 4 Tag
# Two bytes, lowest first: reading and writing, and changing these | reading alone, and writing alone. E is everybody.
_COUNTER_SETTINGS = bytes((Mode.FULL,)) + bytes.fromhex("0000")
_NDEF_SETTINGS = bytes((Mode.MAC,)) + bytes.fromhex("00e0")
_NDEF_SPAN = span(_NDEF_FILE, 0, len(_NO_MESSAGE) + MARK_BYTES)
_PLACES = 2


class Ntag424:
    """The chip's one application. Every method raises CardRefused."""

    def authenticate(self, key: bytes, draw: Draw) -> Steps[Session]:
        """A session with key 0."""
        return (yield from authenticate(key, draw))

    def enter(self) -> Steps[bool]:
        """Select the application, which every such chip has; a session that there was ends."""
        answer = yield from transmit(_ISO_SELECT)
        answer.expect(0, _ISO_OK)
        return True

    def make(self) -> Steps[None]:
        """Nothing: the application is always there."""
        yield from ()

    def mark(self) -> Steps[bytes | None]:
        """What stands where the mark belongs, if the chip says nothing to telephones."""
        answer = yield from transmit(native(_READ, _NDEF_SPAN))
        data = answer.expect(len(_NO_MESSAGE) + MARK_BYTES)
        if not data.startswith(_NO_MESSAGE):
            raise CardRefused(Reason.NOT_BLANK)
        return data[len(_NO_MESSAGE) :]

    def brand(self, session: Session, place: int, serial: int, mark: bytes | None) -> Steps[None]:
        """Give both files to key 0; name `serial` in the place `place` of the mark, and leave the other."""
        for file, settings in ((_COUNTER_FILE, _COUNTER_SETTINGS), (_NDEF_FILE, _NDEF_SETTINGS)):
            yield from ask(session, _CHANGE_FILE, bytes((file,)), settings, mode=Mode.FULL)
        where = span(_NDEF_FILE, len(_NO_MESSAGE) + place * PLACE_BYTES, PLACE_BYTES)
        yield from ask(session, _WRITE, where, pack_place(serial))

    def prepare(self, session: Session, key: bytes, serial: int, draw: Draw) -> Steps[Session]:
        """Nothing: the file for the counter is always there."""
        yield from ()
        return session

    def read(self, session: Session, serial: int) -> Steps[int | None]:
        """The counter, or None if neither place is whole."""
        size = _PLACES * COUNTER_BYTES
        data = yield from ask(session, _READ, span(_COUNTER_FILE, 0, size), mode=Mode.FULL, size=size)
        places = (data[at : at + COUNTER_BYTES] for at in range(0, size, COUNTER_BYTES))
        return max((told for place in places if (told := unpack_counter(place, serial)) is not None), default=None)

    def write(self, session: Session, serial: int, counter: int) -> Steps[None]:
        """Make `counter` the card's; the one before it stays in the other place."""
        where = span(_COUNTER_FILE, counter % _PLACES * COUNTER_BYTES, COUNTER_BYTES)
        yield from ask(session, _WRITE, where, pack_counter(serial, counter), mode=Mode.FULL)
