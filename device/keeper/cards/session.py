"""What both generations of secure messaging have in common.

Rules kept here:
- Every answer within a session is checked for status, length and MAC, in this order, before any of it is used.
- A session ends with the first thing that is wrong; nothing is tried twice in it.
- Random numbers and MACs are compared in constant time.
"""

from __future__ import annotations

import hmac
from enum import IntEnum, unique
from typing import Protocol

from device.keeper.cards.steps import MORE, OK, Answer, CardRefused, Reason, Steps, native, transmit

FACTORY_KEY = bytes(16)
KEY_VERSION = 1  # of every key this door sets; a factory key has version 0
MAC_BYTES = 8
RANDOM_BYTES = 16
CHANGE_KEY = 0xC4


@unique
class Mode(IntEnum):
    """How data travels; the values are those of a file's communication settings."""

    MAC = 1
    FULL = 3


class Session(Protocol):
    """What mutual authentication leaves behind."""

    strongest: Mode
    """The best protection that this session has for the contents of a file."""

    def command(self, instruction: int, header: bytes, data: bytes, mode: Mode) -> bytes:
        """The APDU of a command; in Mode.FULL `data` is enciphered, `header` never."""

    def answer(self, answer: Answer, size: int, mode: Mode) -> bytes:
        """The `size` bytes of data in `answer`. Raises CardRefused."""

    def change_key(self, new: bytes) -> bytes:
        """The APDU that gives key 0, with which this session began, the value `new`; the session ends with it."""


def ask(
    session: Session, instruction: int, header: bytes = b"", data: bytes = b"", *, mode: Mode = Mode.MAC, size: int = 0
) -> Steps[bytes]:
    """One command within `session`, and the `size` bytes of its answer. Raises CardRefused."""
    answer = yield from transmit(session.command(instruction, header, data, mode))
    return session.answer(answer, size, mode)


def rekey(session: Session, new: bytes) -> Steps[None]:
    """Give key 0 the value `new`. The answer carries no MAC; only authenticating again shows that it was done."""
    answer = yield from transmit(session.change_key(new))
    answer.expect(0)


def challenge(instruction: int, data: bytes) -> Steps[bytes]:
    """The 16 bytes with which a card begins to authenticate. Raises CardRefused."""
    answer = yield from transmit(native(instruction, data))
    if answer.status != MORE:
        raise CardRefused(Reason.UNKNOWN_KEY, answer.status)
    return answer.expect(RANDOM_BYTES, MORE)


def response(data: bytes, size: int) -> Steps[bytes]:
    """The `size` bytes with which a card ends authenticating. Raises CardRefused."""
    answer = yield from transmit(native(0xAF, data))
    if answer.status != OK:
        raise CardRefused(Reason.UNKNOWN_KEY, answer.status)
    return answer.expect(size)


def turned(random: bytes) -> bytes:
    """`random` with its first byte at the end: what proves that somebody deciphered it."""
    return random[1:] + random[:1]


def same(one: bytes, other: bytes) -> bool:
    """Whether both are equal, in constant time."""
    return hmac.compare_digest(one, other)
