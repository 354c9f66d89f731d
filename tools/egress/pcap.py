"""Recordings of others: the files of tcpdump and Wireshark, so that a router's capture can be searched as well.

Rules kept here:
- A file that is cut short, or of another kind, is refused with one sentence and not read by halves.
- Which way a packet went is not in such a file: every packet counts as one that went out, until `going_out` knows the
  places that only answer.

Sources: the libpcap file format (pcap-savefile(5)) and its link types 1 (Ethernet), 101 (raw IP), 113 (Linux cooked).
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from device.desk.network import packets
from device.desk.network.destinations import source_of
from device.desk.network.packets import IPV4, IPV6, Packet
from device.desk.network.permitted import Permitted
from device.errors import Refusal

_HEADER, _RECORD = 24, 16
_MAGIC = {0xA1B2C3D4: 1000, 0xA1B23C4D: 1}  # nanoseconds in the smaller unit of time
_ETHERNET, _RAW, _COOKED = 1, 101, 113
_VLANS = frozenset({0x8100, 0x88A8})
_LONGEST = 1 << 18


class RecordingRefused(Refusal, ValueError):
    """A file is no recording that can be read."""


def read(path: Path) -> list[Packet]:
    """Every packet in the file `path`. Raises RecordingRefused."""
    try:
        data = path.read_bytes()
    except OSError as cause:
        msg = f"{path} cannot be read: {cause.strerror}"
        raise RecordingRefused(msg) from cause
    for order in "<>":
        if len(data) >= _HEADER and (unit_ns := _MAGIC.get(struct.unpack_from(f"{order}I", data)[0])):
            return _packets(path, data, order, unit_ns)
    msg = f"{path} is no recording of tcpdump's own kind; `tcpdump -w` and `editcap -F pcap` make one"
    raise RecordingRefused(msg)


def going_out(recorded: Iterable[Packet], allowed: Permitted) -> list[Packet]:
    """The same packets; one that comes from a permitted place is an answer, and did not go out."""
    return [replace(packet, outgoing=allowed.use(source_of(packet)) is None) for packet in recorded]


def _packets(path: Path, data: bytes, order: str, unit_ns: int) -> list[Packet]:
    (link,) = struct.unpack_from(f"{order}20xI", data)
    if link & 0xFFFF not in (_ETHERNET, _RAW, _COOKED):
        msg = f"{path} was recorded on a kind of network (link type {link}) that is not read here"
        raise RecordingRefused(msg)
    found, at = [], _HEADER
    while at < len(data):
        if at + _RECORD > len(data):
            raise _cut(path)
        seconds, part, kept, length = struct.unpack_from(f"{order}IIII", data, at)
        at += _RECORD
        if kept < length or kept > _LONGEST or at + kept > len(data):
            raise _cut(path)
        content, ethertype = _network(data[at : at + kept], link & 0xFFFF)
        at_ns = seconds * 1_000_000_000 + part * unit_ns
        found.append(packets.read(content, ethertype, at_ns, path.name, outgoing=True))
        at += kept
    return found


def _network(frame: bytes, link: int) -> tuple[bytes, int]:
    """The packet from its network header on, and which that is."""
    if link == _RAW:
        return frame, IPV6 if frame[:1] >= b"\x60" else IPV4
    begins = 14 if link == _ETHERNET else 16
    ethertype = int.from_bytes(frame[begins - 2 : begins], "big")
    while ethertype in _VLANS:
        ethertype = int.from_bytes(frame[begins + 2 : begins + 4], "big")
        begins += 4
    return frame[begins:], ethertype


def _cut(path: Path) -> RecordingRefused:
    return RecordingRefused(f"{path} holds packets that were cut short, so it shows nothing; record with `-s 0`")
