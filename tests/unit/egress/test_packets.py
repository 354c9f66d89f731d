"""Packets, names and streams are read as they are, and nothing is dropped."""

import struct
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.desk.network import names
from device.desk.network.packets import ARP, IPV4, IPV6, UNREADABLE, read
from tests.unit.egress import wire
from tools.egress import streams
from tools.egress.streams import Published


def test_tcp_over_ipv4_is_read() -> None:
    packet = wire.over_tcp(b"hello", sequence=9)
    assert (packet.protocol, packet.source, packet.source_port) == ("tcp", wire.HERE, 40000)
    assert (packet.target, packet.target_port, packet.payload, packet.sequence) == (wire.BROKER, 8883, b"hello", 9)


def test_what_stands_behind_the_end_of_a_packet_is_kept() -> None:
    content = wire.ipv4(wire.HERE, wire.BROKER, 17, wire.udp(1, 2, b"ab"))
    assert wire.sent(content + b"leak").trailer == b"leak"


def test_ipv6_behind_an_extension_is_read() -> None:
    inside = bytes([17, 0]) + bytes(6) + wire.udp(5, 123, b"x")
    packet = wire.sent(wire.ipv6(0, inside), ethertype=IPV6)
    assert (packet.protocol, packet.target, packet.target_port, packet.payload) == ("udp", "::2", 123, b"x")


def test_a_piece_of_a_packet_has_no_port_and_a_kind_of_its_own() -> None:
    packet = wire.sent(wire.ipv4(wire.HERE, wire.BROKER, 17, wire.udp(1, 1883, b"x"), fragment=0x2000))
    assert (packet.protocol, packet.target_port) == ("udp-fragment", 0)


@pytest.mark.parametrize("length", [0, 1, 19, 25, 39])
def test_a_packet_that_is_cut_short_is_named_so_and_kept(length: int) -> None:
    content = wire.ipv4(wire.HERE, wire.BROKER, 6, wire.tcp(1, 2, b"hello"))[:length]
    packet = wire.sent(content)
    assert (packet.protocol, packet.content, packet.payload) == (UNREADABLE, content, content)


@given(st.binary(max_size=120), st.sampled_from([IPV4, IPV6, ARP, 0x88CC]))
def test_whatever_comes_becomes_a_packet(content: bytes, ethertype: int) -> None:
    packet = read(content, ethertype, 0, "eth0", outgoing=True)
    assert packet.content == content
    names.spoken(packet)


# ---- names


def test_a_question_is_read_over_udp_and_tcp() -> None:
    asked = wire.question("broker.Example")
    packets = (
        wire.over_udp(asked, to=("192.0.2.53", 53)),
        wire.over_tcp(struct.pack("!H", len(asked)) + asked, to=("192.0.2.53", 53)),
        wire.over_udp(asked, to=("224.0.0.251", 5353)),
    )
    assert [names.spoken(packet).asked for packet in packets] == [("broker.example",)] * 3


def test_an_answer_gives_addresses_and_asks_nothing() -> None:
    spoken = names.spoken(
        wire.over_udp(wire.answer("broker.example", "192.0.2.7"), to=(wire.HERE, 9), by=("192.0.2.53", 53))
    )
    assert spoken == names.Spoken((), (("broker.example", "192.0.2.7"),))


def test_a_name_that_points_at_itself_is_unreadable_and_ends() -> None:
    loop = wire.question("a")[:12] + b"\xc0\x0c" + bytes(4)
    assert names.spoken(wire.over_udp(loop, to=("192.0.2.53", 53))).asked == (names.UNREADABLE,)


@given(st.binary(min_size=1, max_size=80))
def test_whatever_goes_to_a_name_service_asks_for_something_or_is_an_answer(content: bytes) -> None:
    spoken = names.spoken(wire.over_udp(content, to=("192.0.2.53", 53)))
    answers = len(content) >= 12 and bool(content[2] & 0x80)
    none = len(content) >= 6 and content[4:6] == b"\0\0"
    assert spoken.asked or answers or none


# ---- streams


def publish(topic: str, payload: bytes, qos: int = 1) -> bytes:
    body = struct.pack("!H", len(topic)) + topic.encode() + (b"\0\1" if qos else b"") + b"\0" + payload
    length = bytes([len(body)]) if len(body) < 128 else bytes([len(body) & 0x7F | 0x80, len(body) >> 7])
    return bytes([0x30 | qos << 1]) + length + body


CONNECT = b"\x10\x0f\x00\x04MQTT\x05\x02\x00\x3c\x00\x00\x02id"


def test_segments_are_joined_in_their_order_and_once() -> None:
    data = CONNECT + publish("t", b"one" * 60) + publish("u", b"two", qos=0)
    first = wire.over_tcp(flags=wire.SYN, sequence=99)
    pieces = [wire.over_tcp(data[at : at + 20], sequence=100 + at) for at in range(0, len(data), 20)]
    shuffled = [first, *pieces[1::2], *pieces[::2], pieces[0], pieces[3]]
    (stream,) = streams.streams(shuffled)
    assert (stream.data, stream.gaps) == (data, 0)
    assert streams.published(stream.data) == [Published("t", b"one" * 60), Published("u", b"two")]


def test_a_stream_goes_on_where_its_numbers_wrap() -> None:
    pieces = [wire.over_tcp(b"ab", sequence=2**32 - 2), wire.over_tcp(b"cd", sequence=0)]
    assert [each.data for each in streams.streams(pieces)] == [b"abcd"]


def test_a_gap_is_told_and_what_follows_is_kept() -> None:
    (stream,) = streams.streams([wire.over_tcp(b"ab", sequence=5), wire.over_tcp(b"yz", sequence=50)])
    assert (stream.data, stream.gaps) == (b"abyz", 1)


def test_the_same_ports_again_are_another_connection() -> None:
    syn = wire.over_tcp(flags=wire.SYN, sequence=1)
    again = replace(syn, sequence=7000)
    packets = [syn, wire.over_tcp(b"ab", sequence=2), again, wire.over_tcp(b"cd", sequence=7001)]
    assert [each.data for each in streams.streams(packets)] == [b"ab", b"cd"]


@given(st.binary(max_size=200))
def test_any_stream_is_searched_for_messages_without_trouble(data: bytes) -> None:
    streams.published(data)
    streams.published(CONNECT + data)


def test_what_is_outside_of_tls_is_told() -> None:
    record = b"\x17\x03\x03\x00\x02ab"
    assert streams.outside_tls(record * 3) == b""
    assert streams.outside_tls(record[:6]) == b"", "the end of a recording may cut a record"
    assert streams.outside_tls(record + CONNECT) == CONNECT
