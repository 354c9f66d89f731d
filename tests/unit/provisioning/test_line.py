"""A broker may send what it likes: the manager's computer reads no more than it said it would take."""

import ssl
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.reasoncodes import ReasonCode

from provisioning import line
from provisioning.errors import FleetFault, FleetRefused
from provisioning.line import LONGEST_PACKET, Heard, Line
from tests.support.mqtt_bytes import Bytes, too_long


def client_with(data: bytes) -> line._Client:
    client = line._Client(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
    client._sock = Bytes(data)
    return client


@pytest.fixture
def announced() -> bytes:
    """A PUBLISH that is longer than the manager takes."""
    return too_long(LONGEST_PACKET)


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


GRANTED, REFUSED = (ReasonCode(PacketTypes.SUBACK, identifier=code) for code in (0x01, 0x87))
TOPICS = ("doorward/+/report", "doorward/+/alarm")


@pytest.fixture
def listener(monkeypatch: pytest.MonkeyPatch) -> Iterator[Line]:
    """A manager's line before it is opened; what the broker answers, the test says in paho's place."""
    monkeypatch.setattr(line, "_context", lambda _folder: ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
    made = Line("broker.example", 8883, Path(), TOPICS)
    yield made
    made.close()


def test_a_refused_subscription_is_said_in_one_sentence_and_ends_the_line(listener: Line) -> None:
    listener._on_subscribe(listener._client, None, 1, [GRANTED, REFUSED], None)
    with pytest.raises(FleetFault, match=r"broker\.example:8883 does not let this manager hear doorward/\+/alarm"):
        listener.next(0)


def test_that_the_broker_hangs_up_afterwards_is_no_other_reason(listener: Line) -> None:
    listener._on_subscribe(listener._client, None, 1, [REFUSED, REFUSED], None)
    listener._lost("it hung up")
    assert "hear doorward/+/report: not authorized" in str(listener._unreached())
    with pytest.raises(FleetFault, match="not authorized"):
        listener.next(0)
    assert listener.next(0) is None


def test_a_granted_subscription_is_the_connection(listener: Line) -> None:
    listener._on_subscribe(listener._client, None, 1, [GRANTED, GRANTED], None)
    assert listener.next(0) == Heard()


def test_seeded_fault_a_line_that_reads_no_answer_hears_nothing_and_calls_it_quiet(
    listener: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ReasonCode, "is_failure", property(lambda _code: False))
    listener._on_subscribe(listener._client, None, 1, [REFUSED, REFUSED], None)
    assert listener.next(0) == Heard()


def test_a_folder_stands_in_the_sentence_as_it_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FleetRefused, match=r"^there is no certificate of a manager in office "):
        Line("broker.example", 8883, Path("office"))
