"""A broker may send what it likes: the manager's computer reads no more than it said it would take."""

import ssl
from contextlib import suppress

import pytest

from provisioning import line
from provisioning.line import LONGEST_PACKET


class Bytes:
    """A socket that has received these bytes and no more."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def recv(self, buffer_size: int) -> bytes:
        if not self.data:
            raise BlockingIOError
        got, self.data = self.data[:buffer_size], self.data[buffer_size:]
        return got

    def send(self, buffer: bytes | bytearray) -> int:
        return len(buffer)

    def setblocking(self, flag: bool) -> None:
        pass

    def fileno(self) -> int:
        return -1

    def close(self) -> None:
        self.data = b""


def client_with(data: bytes) -> line._Client:
    client = line._Client(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
    client._sock = Bytes(data)
    return client


@pytest.fixture
def announced() -> bytes:
    """A PUBLISH that is one byte longer than the manager takes, and the first bytes of it."""
    size = LONGEST_PACKET + 1
    return bytes((0x32, size & 0x7F | 0x80, size >> 7)) + b"x" * 100


def test_of_a_packet_that_is_too_long_nothing_is_read(announced: bytes) -> None:
    client = client_with(announced)
    client.loop_read()
    assert client._in_packet["packet"] == b""
    assert client.socket() is None


def test_seeded_fault_paho_alone_would_gather_it(announced: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line, "LONGEST_PACKET", 1 << 28)
    client = client_with(announced)
    client.loop_read()
    assert len(client._in_packet["packet"]) == 100


QOS_2 = bytes((0x34, 7)) + b"\x00\x01a\x00\x07\x00x"


def test_a_message_of_a_kind_nobody_asked_for_ends_the_connection() -> None:
    client = client_with(QOS_2)
    client.loop_read()
    assert client.socket() is None
    assert not client._in_messages


def test_seeded_fault_paho_alone_would_keep_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line, "_PUBLISH_QOS_2", -1)
    client = client_with(QOS_2)
    client.on_socket_register_write = lambda *_: None
    with suppress(OSError, AttributeError):  # the answer has no socket to go to
        client.loop_read()
    assert client._in_messages
