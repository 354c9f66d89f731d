"""A broker played by the test, byte by byte, that takes a row and dies before it acknowledges it.

Packets: MQTT 5.0 (OASIS, 2019), chapter 3. Everything report sends is shorter than 16384 bytes.
"""

import select
import socket
import time
from collections.abc import Iterator
from contextlib import closing

import pytest

from device.report.broker import Broker
from device.report.envelope import availability_topic
from device.report.mqtt import MqttPublisher
from device.report.publisher import What

DOOR = "00112233445566ff"
TOPIC = f"doorward/{DOOR}/report"
PATIENCE_S = 20.0
CONNECT, PUBLISH, DISCONNECT = 0x10, 0x30, 0xE0
CONNACK = bytes((0x20, 3, 0, 0, 0))


class Session:
    """One connection of the door, seen from the broker."""

    def __init__(self, listener: socket.socket, *, answered: bool = True) -> None:
        self.sock, _ = listener.accept()
        self.sock.settimeout(PATIENCE_S)
        kind, self.connect = self.packet()
        assert kind == CONNECT
        if answered:
            self.sock.sendall(CONNACK)

    def packet(self) -> tuple[int, bytes]:
        """The next packet: its type bits and its body."""
        first = self._exactly(1)[0]
        size = self._exactly(1)[0]
        if size & 0x80:
            size = (size & 0x7F) | self._exactly(1)[0] << 7
        return first & 0xF0, self._exactly(size)

    def published(self) -> tuple[str, bytes]:
        """The next PUBLISH: its topic and its packet identifier."""
        kind, body = self.packet()
        assert kind == PUBLISH
        end = 2 + int.from_bytes(body[:2], "big")
        return body[2:end].decode(), body[end : end + 2]

    def acknowledge(self, identifier: bytes) -> None:
        """PUBACK, reason "success"."""
        self.sock.sendall(bytes((0x40, 2)) + identifier)

    def welcome(self) -> None:
        """Take the word "online"."""
        topic, identifier = self.published()
        assert topic == availability_topic(DOOR)
        self.acknowledge(identifier)

    def is_quiet(self) -> bool:
        """Whether the door says nothing for a while."""
        return not select.select([self.sock], [], [], 0.3)[0]

    def _exactly(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            more = self.sock.recv(size - len(data))
            assert more, "the door hung up"
            data += more
        return data


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with closing(socket.create_server(("127.0.0.1", 0))) as sock:
        sock.settimeout(PATIENCE_S)
        yield sock


@pytest.fixture
def publisher(listener: socket.socket) -> Iterator[MqttPublisher]:
    publisher = MqttPublisher(DOOR, Broker("127.0.0.1", listener.getsockname()[1]), chance=lambda: 0.0)
    publisher.start()
    yield publisher
    publisher.stop()


def until(publisher: MqttPublisher, what: What) -> list[What]:
    """What happened, up to and including `what`."""
    happened: list[What] = []
    ends = time.monotonic() + PATIENCE_S
    while what not in happened and time.monotonic() < ends:
        select.select([publisher], [], [], PATIENCE_S)
        happened += [event.what for event in publisher.events()]
    assert what in happened
    return happened


def test_a_row_the_connection_lost_is_sent_again_by_the_outbox_alone(
    listener: socket.socket, publisher: MqttPublisher
) -> None:
    first = Session(listener)
    first.welcome()
    until(publisher, What.CONNECTED)
    assert publisher.publish(1, TOPIC, b"x")
    assert first.published()[0] == TOPIC
    first.sock.close()
    assert What.ACCEPTED not in until(publisher, What.LOST)

    second = Session(listener)
    second.welcome()
    until(publisher, What.CONNECTED)
    assert second.is_quiet(), "paho sent the row on its own account"
    assert publisher.publish(1, TOPIC, b"x")
    topic, identifier = second.published()
    second.acknowledge(identifier)
    assert topic == TOPIC
    until(publisher, What.ACCEPTED)
    second.sock.close()


def test_a_door_is_not_connected_before_the_broker_took_the_word_online(
    listener: socket.socket, publisher: MqttPublisher
) -> None:
    session = Session(listener)
    _, identifier = session.published()
    assert session.is_quiet()
    assert publisher.events() == []
    assert not publisher.publish(1, TOPIC, b"x")
    session.acknowledge(identifier)
    until(publisher, What.CONNECTED)
    session.sock.close()


def test_a_goodbye_that_paho_missed_while_connecting_is_said_once_connected(
    listener: socket.socket, publisher: MqttPublisher
) -> None:
    session = Session(listener, answered=False)
    publisher._stopping = True  # as stop() leaves it when paho overhears its disconnect()
    session.sock.sendall(CONNACK)
    kind, body = session.packet()
    assert (kind, body[:1]) == (DISCONNECT, b"\x04")  # 0x04: publish the will
    session.sock.close()


@pytest.mark.usefixtures("publisher")
def test_connect_names_the_door_and_nothing_else(listener: socket.socket) -> None:
    """Protocol 5, clean start, a retained will of QoS 1, no user name; then client id, will topic, will."""
    session = Session(listener)
    body = session.connect
    will = availability_topic(DOOR).encode()
    assert body[:8] == b"\0\x04MQTT\x05\x2e"
    assert body[10:] == b"\0" + b"\0\x10" + DOOR.encode() + b"\0" + bytes((0, len(will))) + will + b"\0\x07offline"
    session.sock.close()
