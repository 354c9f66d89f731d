"""TCP put together again, per direction, and the MQTT messages in it.

Rules kept here:
- A segment that came twice counts once; of two versions of the same byte the first is kept, and both stand in their
  packets, which are searched as well.
- A gap is bridged by nothing and told: what came after it stays, as a piece of its own.
- A stream that is no MQTT gives no messages and stays a stream.

Sources: RFC 9293 (sequence numbers); MQTT 5.0 (OASIS, 2019) 1.5.5, 2.1 and 3.3 (PUBLISH), also valid for 3.1.1 but for
the properties.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass, field

from device.desk.network.destinations import source_of, target_of
from device.desk.network.packets import SYN, Packet
from device.desk.network.permitted import Place

_WRAP = 1 << 32
_CONNECT, _PUBLISH, _HIGHEST = 1, 3, 15
_VERSION_5 = 5
_MOST_LENGTH_BYTES = 4
_RECORD_HEADER, _TLS, _LONGEST_RECORD = 5, 3, (1 << 14) + 256
_RECORDS = frozenset({20, 21, 22, 23})  # change of cipher, alert, handshake, data


@dataclass(frozen=True, slots=True)
class Stream:
    """What one end said to another over one connection; `gaps` counts where something is missing."""

    source: Place
    target: Place
    data: bytes = field(repr=False)
    gaps: int = 0


@dataclass(frozen=True, slots=True)
class Published:
    """One MQTT message."""

    topic: str
    payload: bytes = field(repr=False)


def streams(recorded: Iterable[Packet]) -> list[Stream]:
    """All TCP streams of a recording, in the order in which they began."""
    segments: dict[tuple[Place, Place, int], list[Packet]] = {}
    opened: dict[tuple[Place, Place], int] = {}
    for packet in recorded:
        if packet.protocol != "tcp":
            continue
        ends = (source_of(packet), target_of(packet))
        if packet.flags & SYN:
            # The same ports again are another connection.
            opened[ends] = opened.get(ends, 0) + 1
        segments.setdefault((*ends, opened.get(ends, 0)), []).append(packet)
    return [_joined(source, target, each) for (source, target, _), each in segments.items()]


def _joined(source: Place, target: Place, segments: list[Packet]) -> Stream:
    base = (segments[0].sequence + (1 if segments[0].flags & SYN else 0)) % _WRAP
    pieces = []
    for packet in segments:
        if packet.payload:
            # Within half the range of the first number either way: a stream of a test is far shorter.
            at = (packet.sequence - base + _WRAP // 2) % _WRAP - _WRAP // 2
            pieces.append((at, packet.payload))
    pieces.sort(key=lambda piece: piece[0])
    data, known, gaps = bytearray(), pieces[0][0] if pieces else 0, 0
    for at, payload in pieces:
        if at > known:
            gaps += 1
            known = at
        fresh = payload[known - at :]
        data += fresh
        known += len(fresh)
    return Stream(source, target, bytes(data), gaps)


def published(data: bytes) -> list[Published]:
    """The messages that a client's or broker's stream carries; none if it is no MQTT."""
    found: list[Published] = []
    at, version = 0, _VERSION_5
    try:
        while at < len(data):
            kind, flags = data[at] >> 4, data[at] & 0x0F
            length, body = _length(data, at + 1)
            content = data[body : body + length]
            if not 1 <= kind <= _HIGHEST or len(content) < length:
                break
            if kind == _CONNECT:
                version = content[6]
            if kind == _PUBLISH:
                found.append(_message(content, (flags >> 1) & 0x03, version))
            at = body + length
    except (IndexError, struct.error, ValueError):
        return found
    return found


def outside_tls(data: bytes) -> bytes:
    """What of a stream stands in no TLS record, from the first byte that begins none on (RFC 8446, 5.1)."""
    at = 0
    while at < len(data):
        header = data[at : at + _RECORD_HEADER]
        length = int.from_bytes(header[3:], "big")
        if len(header) < _RECORD_HEADER or header[0] not in _RECORDS or header[1] != _TLS or length > _LONGEST_RECORD:
            return data[at:]
        at += _RECORD_HEADER + length
    return b""


def _message(content: bytes, qos: int, version: int) -> Published:
    (named,) = struct.unpack_from("!H", content)
    topic, at = content[2 : 2 + named].decode("utf-8", "backslashreplace"), 2 + named
    at += 2 if qos else 0
    if version == _VERSION_5:
        properties, at = _length(content, at)
        at += properties
    return Published(topic, content[at:])


def _length(data: bytes, at: int) -> tuple[int, int]:
    """A variable byte integer, and where what follows begins."""
    value = 0
    for number in range(_MOST_LENGTH_BYTES):
        byte = data[at + number]
        value |= (byte & 0x7F) << (7 * number)
        if not byte & 0x80:
            return value, at + number + 1
    raise ValueError("a length of MQTT has four bytes at most")
