"""Packets as they stand on a wire, made by hand."""

import struct

from device.desk.network.packets import IPV4, IPV6, Packet, read

HERE, BROKER, STRANGER = "192.0.2.2", "192.0.2.1", "203.0.113.9"
SYN, ACK = 0x02, 0x10


def address(text: str) -> bytes:
    return bytes(int(part) for part in text.split("."))


def ipv4(source: str, target: str, protocol: int, inside: bytes, *, fragment: int = 0) -> bytes:
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(inside), 1, fragment, 64, protocol, 0)
    return head + address(source) + address(target) + inside


def ipv6(following: int, inside: bytes) -> bytes:
    return struct.pack("!IHBB", 6 << 28, len(inside), following, 64) + bytes(15) + b"\1" + bytes(15) + b"\2" + inside


def tcp(source: int, target: int, payload: bytes = b"", *, sequence: int = 0, flags: int = ACK) -> bytes:
    return struct.pack("!HHIIBBHHH", source, target, sequence, 0, 5 << 4, flags, 1000, 0, 0) + payload


def udp(source: int, target: int, payload: bytes = b"") -> bytes:
    return struct.pack("!HHHH", source, target, 8 + len(payload), 0) + payload


def sent(content: bytes, *, interface: str = "eth0", outgoing: bool = True, ethertype: int = IPV4) -> Packet:
    return read(content, ethertype, 1, interface, outgoing=outgoing)


def over_tcp(
    payload: bytes = b"",
    *,
    to: tuple[str, int] = (BROKER, 8883),
    by: tuple[str, int] = (HERE, 40000),
    sequence: int = 0,
    flags: int = ACK,
    outgoing: bool = True,
    interface: str = "eth0",
) -> Packet:
    inside = tcp(by[1], to[1], payload, sequence=sequence, flags=flags)
    return sent(ipv4(by[0], to[0], 6, inside), outgoing=outgoing, interface=interface)


def over_udp(
    payload: bytes, *, to: tuple[str, int], by: tuple[str, int] = (HERE, 40001), outgoing: bool = True
) -> Packet:
    return sent(ipv4(by[0], to[0], 17, udp(by[1], to[1], payload)), outgoing=outgoing)


def named(name: str) -> bytes:
    return b"".join(bytes([len(each)]) + each.encode() for each in name.split(".")) + b"\0"


def question(name: str) -> bytes:
    return struct.pack("!HHHHHH", 7, 0x0100, 1, 0, 0, 0) + named(name) + struct.pack("!HH", 1, 1)


def answer(name: str, found: str) -> bytes:
    head = struct.pack("!HHHHHH", 7, 0x8180, 1, 1, 0, 0) + named(name) + struct.pack("!HH", 1, 1)
    return head + b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 60, 4) + address(found)


__all__ = ["IPV4", "IPV6"]
