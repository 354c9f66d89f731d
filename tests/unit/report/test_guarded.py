"""Whatever a broker sends, paho's thread goes on or ends the connection, and nothing long is read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.report import guarded
from device.report.guarded import LONGEST_PACKET, GuardedClient
from tests.support.mqtt_bytes import Bytes, too_long


def client_with(data: bytes) -> tuple[GuardedClient, Bytes]:
    client, sock = GuardedClient("00112233445566ff"), Bytes(data)
    client._sock = sock
    return client, sock


def packets() -> st.SearchStrategy[bytes]:
    """One packet: a first byte, its length, a body in which the small numbers of headers and properties are common."""
    common = st.sampled_from((0, 1, 2, 3, 4, 17, 18, 31, 33, 38, 39))
    bodies = st.lists(common | st.integers(0, 255), max_size=100).map(bytes)
    return st.tuples(st.integers(0, 255), bodies).map(lambda packet: bytes((packet[0], len(packet[1]))) + packet[1])


@given(packets())
def test_no_packet_raises_into_the_thread(data: bytes) -> None:
    client, _ = client_with(data)
    for _ in range(3):
        client.loop_read()


@pytest.fixture
def announced() -> bytes:
    """A PUBLISH that is longer than the door takes."""
    return too_long(LONGEST_PACKET)


def test_of_a_packet_that_is_too_long_nothing_is_read(announced: bytes) -> None:
    client, sock = client_with(announced)
    client.loop_read()
    assert client._in_packet["packet"] == b""
    assert "5121 bytes" in client.trouble
    assert client.socket() is None
    assert sock.data == b""


def test_the_test_sees_a_client_without_the_limit(announced: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guarded, "LONGEST_PACKET", 1 << 28)
    client, _ = client_with(announced)
    client.loop_read()
    assert len(client._in_packet["packet"]) == 100
