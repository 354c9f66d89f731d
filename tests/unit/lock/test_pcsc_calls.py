"""What the codes of PC/SC mean to a door: a made-up scard module, with the figures that pcsc-lite gives them."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest

from device.lock.pcsc_calls import UNAWARE, CardFault, Pcsc, ReaderFault, has_card, visit

# pcsclite.h. What is not among the card's is the reader's or pcscd's.
SUCCESS = 0
CARDS = {
    "SCARD_E_INSUFFICIENT_BUFFER": 0x80100008,
    "SCARD_E_TIMEOUT": 0x8010000A,
    "SCARD_E_NO_SMARTCARD": 0x8010000C,
    "SCARD_E_PROTO_MISMATCH": 0x8010000F,
    "SCARD_F_COMM_ERROR": 0x80100013,
    "SCARD_E_INVALID_ATR": 0x80100015,
    "SCARD_E_NOT_TRANSACTED": 0x80100016,
    "SCARD_E_CARD_UNSUPPORTED": 0x8010001C,
    "SCARD_W_UNSUPPORTED_CARD": 0x80100065,
    "SCARD_W_UNRESPONSIVE_CARD": 0x80100066,
    "SCARD_W_UNPOWERED_CARD": 0x80100067,
    "SCARD_W_RESET_CARD": 0x80100068,
    "SCARD_W_REMOVED_CARD": 0x80100069,
}
READERS = {
    "SCARD_F_INTERNAL_ERROR": 0x80100001,
    "SCARD_E_INVALID_HANDLE": 0x80100003,
    "SCARD_E_NO_MEMORY": 0x80100006,
    "SCARD_E_UNKNOWN_READER": 0x80100009,
    "SCARD_E_SHARING_VIOLATION": 0x8010000B,
    "SCARD_E_SYSTEM_CANCELLED": 0x80100012,
    "SCARD_F_UNKNOWN_ERROR": 0x80100014,
    "SCARD_E_READER_UNAVAILABLE": 0x80100017,
    "SCARD_E_NO_SERVICE": 0x8010001D,
    "SCARD_E_SERVICE_STOPPED": 0x8010001E,
    "SCARD_E_NO_READERS_AVAILABLE": 0x8010002E,
}
NO_READERS = READERS["SCARD_E_NO_READERS_AVAILABLE"]
SHARING = READERS["SCARD_E_SHARING_VIOLATION"]
TIMEOUT = CARDS["SCARD_E_TIMEOUT"]
CHANGED, UNKNOWN, UNAVAILABLE, EMPTY, PRESENT, ALL = 0x0002, 0x0004, 0x0008, 0x0010, 0x0020, 0x7_0FFF
SEVENTH = 7 << 16
FIGURES = {
    "SCARD_S_SUCCESS": SUCCESS,
    "SCARD_SCOPE_SYSTEM": 2,
    "SCARD_SHARE_EXCLUSIVE": 1,
    "SCARD_PROTOCOL_T1": 2,
    "SCARD_PCI_T1": 2,
    "SCARD_UNPOWER_CARD": 2,
}


def signed(code: int) -> int:
    """A code as a binding with 32-bit integers has it."""
    return code - (1 << 32) if code >> 31 else code


@dataclass
class Scard:
    """smartcard.scard, as far as `Pcsc` sees it: every call but the first returns `code`."""

    code: int = SUCCESS
    state: int = SEVENTH | EMPTY
    names: list[str] = field(default_factory=list)

    def module(self) -> SimpleNamespace:
        calls = {
            "SCardEstablishContext": lambda _scope: (SUCCESS, 1),
            "SCardListReaders": lambda _context, _groups: (self.code, self.names),
            "SCardGetStatusChange": lambda _context, _ms, asked: (self.code, [(asked[0][0], self.state, [])]),
            "SCardConnect": lambda *_: (self.code, 9, 2),
            "SCardTransmit": lambda *_: (self.code, [0x90, 0x00]),
            "SCardDisconnect": lambda *_: self.code,
            "SCardGetErrorMessage": lambda code: f"code {code & 0xFFFF_FFFF:08x}",
        }
        return SimpleNamespace(**FIGURES, **CARDS, **READERS, **calls)


@pytest.fixture
def scard() -> Scard:
    return Scard()


@pytest.fixture
def pcsc(scard: Scard, monkeypatch: pytest.MonkeyPatch) -> Pcsc:
    monkeypatch.setitem(sys.modules, "smartcard.scard", scard.module())
    made = Pcsc()
    made.open()
    return made


def test_no_reader_at_all_is_an_empty_list(pcsc: Pcsc, scard: Scard) -> None:
    scard.code = NO_READERS
    assert pcsc.readers() == []


def test_readers_that_cannot_be_listed_are_pcscds_fault(pcsc: Pcsc, scard: Scard) -> None:
    scard.code = READERS["SCARD_E_NO_SERVICE"]
    with pytest.raises(ReaderFault, match=r"^the readers cannot be listed: code 8010001d$"):
        pcsc.readers()


def test_a_state_is_told_without_the_mark_that_it_is_new(pcsc: Pcsc, scard: Scard) -> None:
    """Handed in again with the mark, pcscd would say at once that nothing is as it was."""
    scard.state = SEVENTH | PRESENT | CHANGED
    assert pcsc.look("reader", UNAWARE, 0) == SEVENTH | PRESENT
    assert visit(SEVENTH | PRESENT) == 7
    scard.state = ALL & ~UNKNOWN & ~UNAVAILABLE
    assert pcsc.look("reader", UNAWARE, 0) == scard.state & ~CHANGED


def test_a_card_is_there_where_pcscd_says_that_one_is() -> None:
    assert UNAWARE == 0, "pcscd's word for a reader that nobody has looked at"
    assert has_card(SEVENTH | PRESENT)
    assert not has_card(ALL & ~PRESENT)


def test_a_look_that_saw_nothing_new_says_what_was_known(pcsc: Pcsc, scard: Scard) -> None:
    scard.code, scard.state = TIMEOUT, SEVENTH | PRESENT
    assert pcsc.look("reader", SEVENTH | EMPTY, 1000) == SEVENTH | EMPTY


@pytest.mark.parametrize("gone", [UNKNOWN, UNAVAILABLE, UNKNOWN | UNAVAILABLE])
def test_a_reader_that_was_pulled_out_is_gone_and_not_empty(pcsc: Pcsc, scard: Scard, gone: int) -> None:
    scard.state = gone | CHANGED
    with pytest.raises(ReaderFault, match=r"^the reader is gone$"):
        pcsc.look("reader", SEVENTH | EMPTY, 1000)


@pytest.mark.parametrize("name", sorted(CARDS))
@pytest.mark.parametrize("as_read", [int, signed])
def test_what_is_the_cards_fault_is_no_alarm(pcsc: Pcsc, scard: Scard, name: str, as_read: type[int]) -> None:
    scard.code = as_read(CARDS[name])
    with pytest.raises(CardFault, match=rf"^the card cannot be had: code {CARDS[name]:08x}$"):
        pcsc.connect("reader")
    with pytest.raises(CardFault):
        pcsc.transmit(b"\x90\x5a\x00\x00")


@pytest.mark.parametrize("name", sorted(READERS))
@pytest.mark.parametrize("as_read", [int, signed])
def test_what_is_the_readers_fault_is_not_the_cards(pcsc: Pcsc, scard: Scard, name: str, as_read: type[int]) -> None:
    scard.code = as_read(READERS[name])
    with pytest.raises(ReaderFault, match="another program" if READERS[name] == SHARING else "cannot be had"):
        pcsc.connect("reader")
    with pytest.raises(ReaderFault):
        pcsc.transmit(b"\x90\x5a\x00\x00")


def test_every_code_is_told_apart_from_its_neighbour(pcsc: Pcsc, scard: Scard) -> None:
    """A look that ran out of time is no reader in use elsewhere, and one in use elsewhere has not run out of time."""
    scard.code = SHARING
    with pytest.raises(ReaderFault, match=r"^the reader cannot be watched"):
        pcsc.look("reader", SEVENTH | EMPTY, 1000)
    scard.code = SUCCESS + 1
    with pytest.raises(ReaderFault):
        pcsc.readers()
