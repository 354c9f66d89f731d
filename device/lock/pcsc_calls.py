"""The calls of PC/SC that a card reader at a door needs, as a small port over pyscard's thin functions.

Rules kept here:
- A card is taken for this process alone (SCARD_SHARE_EXCLUSIVE): nobody else on the machine talks to it meanwhile. It
  is given back without power, so that no session with it stays.
- Contactless cards speak T=1 (PC/SC part 3, 3.1.3.2.3, their ATR), so nothing else is asked for: T=0 would change what
  the card answers.
- A code of PC/SC becomes one of two errors: the card's (`CardFault`), or the reader's and pcscd's (`ReaderFault`). One
  that is not known to be the card's is the reader's.
- Each call may take as long as pcscd likes: they belong into a thread of their own (`pcsc_worker`).

pyscard has no wheel for Linux; a door has Debian's python3-pyscard. It is imported with the first call, so that a door
without it still opens by PIN, and says what is missing. Names and meanings: pcsc-lite's API, winscard.h.
"""

from __future__ import annotations

import importlib
from typing import Any, Protocol

from device.errors import Fault

UNAWARE = 0  # the state of a reader nobody has looked at
_PRESENT = 0x0020
_CHANGED = 0x0002
_NOT_THERE = 0x0004 | 0x0008  # SCARD_STATE_UNKNOWN, SCARD_STATE_UNAVAILABLE
_CARDS_FAULTS = (
    "SCARD_W_REMOVED_CARD",
    "SCARD_W_RESET_CARD",
    "SCARD_W_UNPOWERED_CARD",
    "SCARD_W_UNRESPONSIVE_CARD",
    "SCARD_W_UNSUPPORTED_CARD",
    "SCARD_E_CARD_UNSUPPORTED",
    "SCARD_E_INSUFFICIENT_BUFFER",
    "SCARD_E_INVALID_ATR",
    "SCARD_E_NOT_TRANSACTED",
    "SCARD_E_NO_SMARTCARD",
    "SCARD_E_PROTO_MISMATCH",
    "SCARD_E_TIMEOUT",
    "SCARD_F_COMM_ERROR",
)


class CardFault(Fault, OSError):
    """The card left, answers nothing, or speaks no protocol of ours."""


class ReaderFault(Fault, OSError):
    """The reader or pcscd is gone or unfit; the sentence says which."""


class System(Protocol):
    """One connection to pcscd, with one card at most. Every call raises ReaderFault, those to a card also CardFault."""

    def open(self) -> None:
        """Reach pcscd."""

    def readers(self) -> list[str]:
        """The names of the readers that are there."""

    def look(self, reader: str, known: int, for_ms: int) -> int:
        """The state of `reader` as soon as it is not `known` any more, `known` itself after `for_ms`."""

    def connect(self, reader: str) -> None:
        """Take the card on `reader`."""

    def transmit(self, command: bytes) -> bytes:
        """The card's answer to `command`."""

    def disconnect(self) -> None:
        """Let the card go, without power."""

    def close(self) -> None:
        """Leave pcscd. Raises nothing, and may be called at any time."""


def has_card(state: int) -> bool:
    """Whether a card is there, in a state that `System.look` returned."""
    return bool(state & _PRESENT)


def visit(state: int) -> int:
    """How often cards came and left so far: pcsc-lite counts it in the upper half of the state."""
    return state >> 16


class Pcsc:
    """`System` over pyscard and the pcscd of this machine."""

    def __init__(self) -> None:
        self._scard: Any = None
        self._context: Any = None
        self._card: Any = None

    def open(self) -> None:
        """See `System`."""
        try:
            self._scard = importlib.import_module("smartcard.scard")
        except ImportError as cause:
            raise ReaderFault("the package python3-pyscard is not installed; no card can be read") from cause
        code, context = self._scard.SCardEstablishContext(self._scard.SCARD_SCOPE_SYSTEM)
        self._check(code, "pcscd does not answer")
        self._context = context

    def readers(self) -> list[str]:
        """See `System`."""
        code, names = self._scard.SCardListReaders(self._context, [])
        if _same(code, self._scard.SCARD_E_NO_READERS_AVAILABLE):
            return []
        self._check(code, "the readers cannot be listed")
        return list(names)

    def look(self, reader: str, known: int, for_ms: int) -> int:
        """See `System`."""
        code, states = self._scard.SCardGetStatusChange(self._context, for_ms, [(reader, known)])
        if _same(code, self._scard.SCARD_E_TIMEOUT):
            return known
        self._check(code, "the reader cannot be watched")
        state = int(states[0][1])
        if state & _NOT_THERE:
            raise ReaderFault("the reader is gone")
        return state & ~_CHANGED

    def connect(self, reader: str) -> None:
        """See `System`."""
        code, card, _ = self._scard.SCardConnect(
            self._context, reader, self._scard.SCARD_SHARE_EXCLUSIVE, self._scard.SCARD_PROTOCOL_T1
        )
        if _same(code, self._scard.SCARD_E_SHARING_VIOLATION):
            raise ReaderFault("another program talks to the card")
        self._check(code, "the card cannot be had")
        self._card = card

    def transmit(self, command: bytes) -> bytes:
        """See `System`."""
        code, answer = self._scard.SCardTransmit(self._card, self._scard.SCARD_PCI_T1, list(command))
        self._check(code, "the card does not answer")
        return bytes(answer)

    def disconnect(self) -> None:
        """See `System`."""
        card, self._card = self._card, None
        if card is not None:
            self._check(self._scard.SCardDisconnect(card, self._scard.SCARD_UNPOWER_CARD), "the card cannot be let go")

    def close(self) -> None:
        """See `System`."""
        context, self._context, self._card = self._context, None, None
        if context is not None:
            self._scard.SCardReleaseContext(context)

    def _check(self, code: int, what: str) -> None:
        if _same(code, self._scard.SCARD_S_SUCCESS):
            return
        sentence = f"{what}: {self._scard.SCardGetErrorMessage(code)}"
        if any(_same(code, getattr(self._scard, name)) for name in _CARDS_FAULTS):
            raise CardFault(sentence)
        raise ReaderFault(sentence)


def _same(code: int, other: int) -> bool:
    """Codes are 32 bits wide, and signed in one place and not in another."""
    return (code ^ other) & 0xFFFF_FFFF == 0
