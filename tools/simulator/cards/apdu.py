"""Command APDUs as the card and its reader take them apart (ISO/IEC 7816-4; native wrapping: CLA 90, P1 = P2 = 00).

Rules kept here:
- A length that does not fit is refused, not guessed at. Extended lengths are none of these cards'.
"""

from __future__ import annotations

from dataclasses import dataclass

from tools.simulator.cards.status import Iso

NATIVE = 0x90
ISO = 0x00
READER = 0xFF  # pseudo-APDUs, which the reader answers itself (PC/SC part 3)
_HEADER_BYTES = 4
GET_UID = bytes.fromhex("FFCA0000")


@dataclass(frozen=True, slots=True)
class Command:
    """One command: class, instruction, parameters, data; `le` None if it asks for no answer."""

    cla: int
    ins: int
    p1: int
    p2: int
    data: bytes
    le: int | None


def parse(apdu: bytes) -> Command | None:
    """Take a short APDU apart; None if its lengths disagree."""
    if len(apdu) < _HEADER_BYTES:
        return None
    (cla, ins, p1, p2), body = apdu[:_HEADER_BYTES], apdu[_HEADER_BYTES:]
    if not body:
        return Command(cla, ins, p1, p2, b"", None)
    if len(body) == 1:
        return Command(cla, ins, p1, p2, b"", body[0])
    length, rest = body[0], body[1:]
    if not length or len(rest) not in {length, length + 1}:
        return None
    return Command(cla, ins, p1, p2, rest[:length], rest[length] if len(rest) > length else None)


def word(status: Iso, data: bytes = b"") -> bytes:
    """An ISO answer."""
    return data + status.to_bytes(2, "big")


def reader_answer(command: Command, uid: bytes) -> bytes:
    """What the reader says to a pseudo-APDU: the card's number, or that it knows no such function."""
    if bytes([command.cla, command.ins, command.p1, command.p2]) != GET_UID or command.data:
        return word(Iso.NOT_SUPPORTED)
    if command.le in {0, len(uid)}:
        return word(Iso.OK, uid)
    return bytes([0x6C, len(uid)])  # PC/SC part 3: wrong length, and which is right
