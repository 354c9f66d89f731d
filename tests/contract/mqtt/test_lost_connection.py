"""A broker played by the test, byte by byte: it dies at bad moments, and sends what no broker should.

Packets: MQTT 5.0 (OASIS, 2019), chapter 3. Everything report sends is shorter than 16384 bytes.
"""

import select
import socket
import time
from collections.abc import Iterator
from contextlib import closing

import pytest

from device.report import arrivals, guarded
from device.report.broker import Broker
from device.report.envelope import availability_topic
from device.report.mqtt import MqttPublisher
from device.report.publisher import Event, What

DOOR = "00112233445566ff"
TOPIC = f"doorward/{DOOR}/report"
PATIENCE_S = 20.0
DOCUMENTS = arrivals.topic(DOOR)
CONNECT, PUBLISH, PUBACK, SUBSCRIBE, DISCONNECT = 0x10, 0x30, 0x40, 0x80, 0xE0
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

    def subscribed(self) -> bytes:
        """Take the subscription: what it says after its packet identifier."""
        kind, body = self.packet()
        assert kind == SUBSCRIBE
        self.sock.sendall(bytes((0x90, 4)) + body[:2] + b"\0\x01")
        return body[2:]

    def send(self, payload: bytes, packet: int = 1, *, qos: int = 1, retain: bool = False, topic: str = "") -> None:
        """PUBLISH to the door."""
        name = (topic or DOCUMENTS).encode()
        number = packet.to_bytes(2, "big") if qos else b""
        body = len(name).to_bytes(2, "big") + name + number + b"\0" + payload
        self.sock.sendall(bytes((PUBLISH | qos << 1 | retain,)) + length(len(body)) + body)

    def acknowledged(self) -> int:
        """The packet identifier of the next PUBACK."""
        kind, body = self.packet()
        assert kind == PUBACK
        return int.from_bytes(body[:2], "big")

    def hung_up(self) -> bool:
        """Whether the door ended the connection."""
        try:
            return self.sock.recv(1) == b""
        except ConnectionError:
            return True

    def welcome(self) -> None:
        """Take the subscription and the word "online"."""
        self.subscribed()
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


def length(size: int) -> bytes:
    """MQTT's variable byte integer (1.5.5)."""
    coded = bytearray()
    while True:
        size, low = divmod(size, 128)
        coded.append(low | (0x80 if size else 0))
        if not size:
            return bytes(coded)


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


def test_a_row_whose_number_was_that_of_the_word_online_is_told_of_all_the_same(
    listener: socket.socket, publisher: MqttPublisher
) -> None:
    """Packet numbers come again after 65,535 of them (MQTT 5.0, 2.2.1)."""
    session = Session(listener)
    session.welcome()
    until(publisher, What.CONNECTED)
    publisher._client._last_mid = 65_535  # the next one is 1, and so on
    for row in (1, 2, 3, 4):
        assert publisher.publish(row, TOPIC, b"x")
        session.acknowledge(session.published()[1])
        assert until(publisher, What.ACCEPTED) == [What.ACCEPTED]
    session.sock.close()


def test_a_door_is_not_connected_before_the_broker_took_the_word_online(
    listener: socket.socket, publisher: MqttPublisher
) -> None:
    session = Session(listener)
    session.subscribed()
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
    """Protocol 5, no clean start, a retained will of QoS 1, no user name.

    Then a session of 30 days, eight packets ahead with 5120 bytes each; client id, will topic, will.
    """
    session = Session(listener)
    body = session.connect
    will = availability_topic(DOOR).encode()
    limits = b"\x11" + (30 * 86400).to_bytes(4, "big") + b"\x21\0\x08" + b"\x27" + (5120).to_bytes(4, "big")
    assert body[:8] == b"\0\x04MQTT\x05\x2c"
    assert body[10:] == bytes((len(limits),)) + limits + (
        b"\0\x10" + DOOR.encode() + b"\0" + bytes((0, len(will))) + will + b"\0\x07offline"
    )
    session.sock.close()


@pytest.mark.usefixtures("publisher")
def test_it_asks_for_documents_and_certificate_alone_with_qos_1_and_none_retained(listener: socket.socket) -> None:
    session = Session(listener)
    options = 0x20 | 0x08 | 0x01  # retain handling 2, retain as published, QoS 1 (MQTT 5.0, 3.8.3.1)
    asked = b"".join(
        bytes((0, len(topic))) + topic.encode() + bytes((options,))
        for topic in (DOCUMENTS, arrivals.certificate_topic(DOOR))
    )
    assert session.subscribed() == b"\0" + asked
    session.sock.close()


def test_a_document_is_acknowledged_when_it_is_settled_and_not_before(
    listener: socket.socket, publisher: MqttPublisher
) -> None:
    session = Session(listener)
    session.welcome()
    until(publisher, What.CONNECTED)
    session.send(b"sealed", 9)
    event = news(publisher, What.DOCUMENT)
    assert event.content == b"sealed"
    assert session.is_quiet()
    publisher.settle(event.row)
    assert session.acknowledged() == 9
    session.sock.close()


def test_a_document_that_comes_again_after_a_lost_connection_is_told_once(
    listener: socket.socket, publisher: MqttPublisher
) -> None:
    first = Session(listener)
    first.welcome()
    first.send(b"sealed", 3)
    event = news(publisher, What.DOCUMENT)
    first.sock.close()
    until(publisher, What.LOST)
    second = Session(listener)
    second.welcome()
    second.send(b"sealed", 4)
    second.send(b"another", 5)
    assert news(publisher, What.DOCUMENT).content == b"another"
    publisher.settle(event.row)
    assert second.acknowledged() == 4
    second.sock.close()


@pytest.mark.parametrize(
    ("payload", "retain", "topic"),
    [(b"sealed", True, ""), (b"", False, ""), (b"x" * 4097, False, ""), (b"sealed", False, "doorward/other/document")],
    ids=["retained", "empty", "too-long", "foreign"],
)
def test_what_is_no_document_is_refused_acknowledged_and_told_once(
    listener: socket.socket,
    publisher: MqttPublisher,
    capsys: pytest.CaptureFixture[str],
    payload: bytes,
    retain: bool,
    topic: str,
) -> None:
    session = Session(listener)
    session.welcome()
    for packet in (1, 2):
        session.send(payload, packet, retain=retain, topic=topic)
    assert [session.acknowledged(), session.acknowledged()] == [1, 2]
    session.send(b"good", 3)
    assert news(publisher, What.DOCUMENT).content == b"good"
    assert capsys.readouterr().err.count("a message from the broker was refused") == 1
    session.sock.close()


def test_a_flood_of_documents_fills_no_memory(listener: socket.socket, publisher: MqttPublisher) -> None:
    session = Session(listener)
    session.welcome()
    until(publisher, What.CONNECTED)
    for packet in range(1, 301):
        session.send(b"%d" % packet, packet)
    session.send(b"", 500)  # what comes behind the flood has been seen when this one is refused
    assert session.acknowledged() == 500
    told = [event.content for event in publisher.events() if event.what is What.DOCUMENT]
    assert told == [b"%d" % number for number in range(1, arrivals.HELD + 1)]
    session.sock.close()


def test_a_packet_longer_than_agreed_ends_the_connection_unread(
    listener: socket.socket, publisher: MqttPublisher
) -> None:
    session = Session(listener)
    session.welcome()
    until(publisher, What.CONNECTED)
    session.sock.sendall(bytes((PUBLISH | 2,)) + length(268_435_455))
    assert "a packet of 268435455 bytes" in news(publisher, What.LOST).why
    assert session.hung_up()
    session.sock.close()


def test_a_message_of_qos_2_ends_the_connection(listener: socket.socket, publisher: MqttPublisher) -> None:
    session = Session(listener)
    session.welcome()
    session.send(b"sealed", qos=2)
    assert "did not ask for" in news(publisher, What.LOST).why
    assert publisher._client._in_messages == {}
    assert session.hung_up()
    session.sock.close()


def test_paho_alone_would_take_both(monkeypatch: pytest.MonkeyPatch, listener: socket.socket) -> None:
    """The seeded fault: without our guard a packet of any length is read, and one of QoS 2 kept."""
    monkeypatch.setattr(guarded, "LONGEST_PACKET", 1 << 28)
    monkeypatch.setattr(guarded, "_PUBLISH_QOS_2", -1)
    publisher = MqttPublisher(DOOR, Broker("127.0.0.1", listener.getsockname()[1]), chance=lambda: 0.0)
    publisher.start()
    session = Session(listener)
    session.welcome()
    until(publisher, What.CONNECTED)
    session.send(b"x" * 60_000, qos=2)
    kind, _ = session.packet()
    assert kind == 0x50  # PUBREC
    assert len(publisher._client._in_messages) == 1
    publisher.stop()
    session.sock.close()


def news(publisher: MqttPublisher, what: What) -> Event:
    """The next event of this kind."""
    ends = time.monotonic() + PATIENCE_S
    while time.monotonic() < ends:
        select.select([publisher], [], [], PATIENCE_S)
        for event in publisher.events():
            if event.what is what:
                return event
    message = f"no {what}"
    raise AssertionError(message)
