"""What one packet is: from where to where, and what it carries.

Rules kept here:
- Every packet becomes something: one that is cut short, or of a kind not known here, is named as that, never dropped.
- Whatever stands behind the end of an IP packet (an Ethernet trailer) is kept: data can leave there too.
- Only addresses, ports and the bounds of the payload are read; nothing is done with what is inside.

Sources: Ethernet types and IP protocol numbers, IANA; IPv4, RFC 791; IPv6 and its extension headers, RFC 8200;
TCP, RFC 9293; UDP, RFC 768.
"""

from __future__ import annotations

import ipaddress
import struct
from dataclasses import dataclass, field
from typing import Final

IPV4: Final = 0x0800
ARP: Final = 0x0806
IPV6: Final = 0x86DD
UNREADABLE: Final = "unreadable"

SYN: Final = 0x02
ACK: Final = 0x10

_PROTOCOLS = {1: "icmp", 2: "igmp", 6: "tcp", 17: "udp", 58: "icmpv6"}
_EXTENSIONS = frozenset({0, 43, 60, 135, 139, 140})  # hop-by-hop, routing, destination, mobility, HIP, shim6
_FRAGMENT = 44
_VERSION_4, _VERSION_6 = 4, 6
_IPV4_HEADER = _TCP_HEADER = 20  # bytes, without options
_IPV6_HEADER = 40
_UDP_HEADER = 8


@dataclass(frozen=True, slots=True)
class Packet:
    """One packet as it passed `interface`; ports are 0 where the protocol has none.

    `content` is the whole packet from its network header on, `payload` what TCP, UDP or ICMP carry in it, `trailer`
    what follows behind its end. `kind` is the ICMP type, or 0.
    """

    at_ns: int
    interface: str
    outgoing: bool
    protocol: str
    source: str
    source_port: int
    target: str
    target_port: int
    content: bytes = field(repr=False)
    payload: bytes = field(default=b"", repr=False)
    trailer: bytes = field(default=b"", repr=False)
    sequence: int = 0
    flags: int = 0
    kind: int = 0


@dataclass(frozen=True, slots=True)
class _Inside:
    """What lies in an IP packet."""

    protocol: int
    fragment: bool
    payload: bytes


def read(content: bytes, ethertype: int, at_ns: int, interface: str, *, outgoing: bool) -> Packet:
    """The packet in `content`, which begins with the network header that `ethertype` names."""
    try:
        if ethertype == IPV4:
            source, target, inside, end = _ipv4(content)
        elif ethertype == IPV6:
            source, target, inside, end = _ipv6(content)
        else:
            name = "arp" if ethertype == ARP else f"ethernet-{ethertype:04x}"
            return Packet(at_ns, interface, outgoing, name, "", 0, "", 0, content, content)
        protocol, ports, payload, rest = _transport(inside)
    except (struct.error, ValueError, IndexError):
        return Packet(at_ns, interface, outgoing, UNREADABLE, "", 0, "", 0, content, content)
    return Packet(
        at_ns,
        interface,
        outgoing,
        protocol,
        source,
        ports[0],
        target,
        ports[1],
        content,
        payload,
        content[end:],
        *rest,
    )


def _ipv4(content: bytes) -> tuple[str, str, _Inside, int]:
    first, total, fragment, protocol = struct.unpack_from("!BxHxxHxB", content)
    begins = (first & 0x0F) * 4
    if first >> 4 != _VERSION_4 or begins < _IPV4_HEADER or not begins <= total <= len(content):
        raise ValueError(UNREADABLE)
    source, target = (str(ipaddress.IPv4Address(content[at : at + 4])) for at in (12, 16))
    inside = _Inside(protocol, bool(fragment & 0x3FFF), content[begins:total])
    return source, target, inside, total


def _ipv6(content: bytes) -> tuple[str, str, _Inside, int]:
    first, length, following = struct.unpack_from("!IHB", content)
    end = _IPV6_HEADER + length
    if first >> 28 != _VERSION_6 or end > len(content):
        raise ValueError(UNREADABLE)
    source, target = (str(ipaddress.IPv6Address(content[at : at + 16])) for at in (8, 24))
    at, fragment = _IPV6_HEADER, False
    while following in _EXTENSIONS or following == _FRAGMENT:
        length_of = 8 if following == _FRAGMENT else 8 + content[at + 1] * 8
        fragment = fragment or following == _FRAGMENT
        following, at = content[at], at + length_of
        if at > end:
            raise ValueError(UNREADABLE)
    return source, target, _Inside(following, fragment, content[at:end]), end


def _transport(inside: _Inside) -> tuple[str, tuple[int, int], bytes, tuple[int, int, int]]:
    """Protocol, ports, payload, and (sequence, flags, kind)."""
    name = _PROTOCOLS.get(inside.protocol, f"ip-{inside.protocol}")
    data = inside.payload
    if inside.fragment:
        # Its ports stand in the first piece alone; a door has no use for pieces, so they are a kind of their own.
        return f"{name}-fragment", (0, 0), data, (0, 0, 0)
    if name == "tcp":
        source, target, sequence, offset, flags = struct.unpack_from("!HHI4xBB", data)
        begins = (offset >> 4) * 4
        if not _TCP_HEADER <= begins <= len(data):
            raise ValueError(UNREADABLE)
        return name, (source, target), data[begins:], (sequence, flags, 0)
    if name == "udp":
        source, target, length = struct.unpack_from("!HHH", data)
        if not _UDP_HEADER <= length <= len(data):
            raise ValueError(UNREADABLE)
        return name, (source, target), data[_UDP_HEADER:], (0, 0, 0)
    kind = data[0] if name in ("icmp", "icmpv6", "igmp") and data else 0
    return name, (0, 0), data, (0, 0, kind)
