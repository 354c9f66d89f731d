"""Which names a packet asks for, and which addresses an answer gives.

Rules kept here:
- A question that cannot be read is a name of its own, which nobody permits.
- Pointers in a name go backwards only, so that a forged packet ends.

Sources: RFC 1035 (form), RFC 6762 (multicast, port 5353), RFC 4795 (link-local, port 5355), RFC 7858 (TLS, port 853).
"""

from __future__ import annotations

import ipaddress
import struct
from dataclasses import dataclass
from typing import Final

from device.desk.network.packets import Packet

PORT: Final = 53
UNREADABLE: Final = "(unreadable)"
ASKING_PORTS: Final = frozenset({PORT, 5353, 5355})
_A, _AAAA = 1, 28
_POINTER = 0xC0
_RESPONSE = 0x8000
_MOST = 64  # questions or answers that are looked at; a packet has few


@dataclass(frozen=True, slots=True)
class Spoken:
    """The names a packet asks for, and, in an answer, addresses by name."""

    asked: tuple[str, ...] = ()
    answered: tuple[tuple[str, str], ...] = ()


NOTHING = Spoken()


def spoken(packet: Packet) -> Spoken:
    """What `packet` says about names; nothing if it is no packet of a name service."""
    if not ({packet.source_port, packet.target_port} & ASKING_PORTS) or not packet.payload:
        return NOTHING
    message = packet.payload[2:] if packet.protocol == "tcp" else packet.payload
    try:
        return _read(message)
    except (IndexError, ValueError, struct.error):
        return Spoken(asked=(UNREADABLE,))


def _read(message: bytes) -> Spoken:
    flags, questions, answers = struct.unpack_from("!2xHHH", message)
    at, asked, answered = 12, [], []
    for _ in range(min(questions, _MOST)):
        name, at = _name(message, at)
        asked.append(name)
        at += 4
        if at > len(message):
            raise ValueError(UNREADABLE)
    if not flags & _RESPONSE:
        return Spoken(tuple(asked))
    for _ in range(min(answers, _MOST)):
        name, at = _name(message, at)
        kind, length = struct.unpack_from("!H2x4xH", message, at)
        at += 10
        if kind in (_A, _AAAA):
            # By the name that was asked for: an alias in between is the name server's business.
            answered.append((asked[0] if asked else name, str(ipaddress.ip_address(message[at : at + length]))))
        at += length
    return Spoken((), tuple(answered))


def _name(message: bytes, at: int) -> tuple[str, int]:
    """The name at `at`, in lower case without a dot at its end, and where what follows begins."""
    labels: list[str] = []
    after = -1
    while length := message[at]:
        if length & _POINTER == _POINTER:
            to = struct.unpack_from("!H", message, at)[0] & 0x3FFF
            after = at + 2 if after < 0 else after
            if to >= at:
                raise ValueError(UNREADABLE)
            at = to
            continue
        if length & _POINTER or at + 1 + length > len(message):
            raise ValueError(UNREADABLE)
        labels.append(message[at + 1 : at + 1 + length].decode("ascii", "backslashreplace").lower())
        at += 1 + length
    return ".".join(labels), (at + 1 if after < 0 else after)
