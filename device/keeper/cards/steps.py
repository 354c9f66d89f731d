"""What an exchange with a card is made of: steps out, answers in, a reason at the end.

Rules kept here:
- An exchange is a generator. It yields `Transmit` and is sent what the card answered; it yields `Keep` and is sent None
  when that is durable, or is thrown a StoreFault. It has no loops, so its length is bounded (`exchange.MOST_STEPS`).
- `CardRefused` never leaves an exchange: `exchange` turns it into the reason at its end.
- A reason is a sentence for the journal. It holds no number of a card, no counter and no key.

APDU form of a DESFire command: 90 | instruction | 00 00 | length | data | 00, without length and data if there is no
data; answers end in 91 and the native status. Sources: NXP AN12343 (DESFire Light) and AN12196 (NTAG 424 DNA), which
print commands and answers; ISO/IEC 7816-4.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from enum import Enum, unique
from typing import TypeAlias, TypeVar

from device.errors import Refusal

_T = TypeVar("_T")
MOST_ANSWER_BYTES = 258  # 256 and the status: what a short APDU can bring back (ISO/IEC 7816-4)
_STATUS_BYTES = 2

OK = 0x9100
MORE = 0x91AF
NO_APPLICATION = 0x91A0
NO_FILE = 0x91F0

Draw: TypeAlias = Callable[[int], bytes]
"""So many fresh random bytes, from the operating system."""


@dataclass(frozen=True, slots=True)
class Transmit:
    """Hand these bytes to the card, and send its answer with SW1 and SW2."""

    apdu: bytes


@dataclass(frozen=True, slots=True)
class Keep:
    """Make this the counter of the card at hand; send None when it is durable, or throw a StoreFault."""

    counter: int
    pending: bool


Steps: TypeAlias = Generator[Transmit | Keep, bytes | None, _T]


@unique
class Reason(Enum):
    """Why a card opened nothing, or was not added."""

    GARBLED = "what the card answered makes no sense"
    REFUSED = "the card refused a command"
    NOBODYS = "no slot has this card now, so nothing was asked of it"
    UNKNOWN_KEY = "the card does not know the key that a card of this door knows"
    UNKNOWN_KIND = "this door does not use cards of this kind"
    CHANGING_NUMBER = "the card shows another number each time, so it cannot be found again"
    NOT_BLANK = "the card is in use for something else"
    BEHIND = "the card's counter is older than the door's: an old copy, or a card that was rolled back"
    AHEAD = "the card's counter is newer than the door's: a copy was used, or the door's files are older"
    DAMAGED = "the counter on the card cannot be read; the card must be added again"
    NO_COUNTER = "the door has lost this card's counter; the card must be added again"
    NOT_KEPT = "the counter was not saved, so the card was not believed"
    SPENT = "the card was used more often than can be counted; it needs to be replaced"


class CardRefused(Refusal, ValueError):
    """A card does not do what a card of this door does. `status` is its own word for it, 0 if it gave none."""

    def __init__(self, reason: Reason, status: int = 0) -> None:
        super().__init__(reason.value)
        self.reason = reason
        self.status = status


@dataclass(frozen=True, slots=True)
class Answer:
    """What a card said: its data, and the two status bytes as one number."""

    data: bytes
    status: int

    def expect(self, size: int, status: int = OK) -> bytes:
        """The data, if the status is `status` and there are `size` bytes of it. Raises CardRefused."""
        if self.status != status:
            raise CardRefused(Reason.REFUSED, self.status)
        if len(self.data) != size:
            raise CardRefused(Reason.GARBLED)
        return self.data


def transmit(apdu: bytes) -> Steps[Answer]:
    """One command, one answer. Raises CardRefused if that is too short or too long to be one."""
    answer = yield Transmit(apdu)
    if answer is None or not _STATUS_BYTES <= len(answer) <= MOST_ANSWER_BYTES:
        raise CardRefused(Reason.GARBLED)
    return Answer(bytes(answer[:-_STATUS_BYTES]), int.from_bytes(answer[-_STATUS_BYTES:], "big"))


def native(instruction: int, data: bytes = b"") -> bytes:
    """A DESFire command as an APDU; `data` of at most 255 bytes."""
    return bytes((0x90, instruction, 0, 0, *((len(data),) if data else ()))) + data + b"\0"
