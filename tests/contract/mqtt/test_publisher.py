"""One suite for every publisher: the broker in memory, and the real Mosquitto through paho."""

import select
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from device.report.arrivals import MOST, Arrivals, topic
from device.report.broker import parse
from device.report.envelope import SIZE, availability_topic
from device.report.memory import MemoryBroker, MemoryPublisher
from device.report.mqtt import EXPIRY_S, MqttPublisher
from device.report.publisher import Event, Nowhere, Publisher, What
from tests.support.mosquitto import Mosquitto, Subscriber, running_broker

DOOR = "00112233445566ff"
TOPIC = f"doorward/{DOOR}/report"
DOCUMENTS = topic(DOOR)
PATIENCE_S = 20.0


@dataclass
class Wire:
    """A publisher, its broker's switch, and what a subscriber sees."""

    publisher: Publisher
    turn: Callable[[], None]
    broker_up: Callable[[bool], None]
    seen: Callable[[str, int], list[bytes]]  # topic, how many to wait for
    retained: Callable[[], bytes | None]  # the door's availability
    send: Callable[[str, bytes, bool], None]  # somebody publishes: topic, content, retain
    again: Callable[[], Publisher]  # the same door after a restart of the process

    def __post_init__(self) -> None:
        self._kept: list[Event] = []
        self._documents: list[Event] = []

    def until(self, what: What) -> Event:
        """The next event of this kind; documents wait until asked for. Raises AssertionError if it does not come."""
        ends = time.monotonic() + PATIENCE_S
        while time.monotonic() < ends:
            if what is What.DOCUMENT and self._documents:
                return self._documents.pop(0)
            while self._kept:
                if (event := self._kept.pop(0)).what is what:
                    return event
                if event.what is What.DOCUMENT:  # some come before the door is known to be online
                    self._documents.append(event)
            self.turn()
            if select.select([self.publisher], [], [], 0.05)[0]:
                self._kept += self.publisher.events()
        message = f"no {what} within {PATIENCE_S} s"
        raise AssertionError(message)


@pytest.fixture(params=["memory", "mosquitto"])
def wire(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Wire]:
    if request.param == "memory":
        yield from memory_wire()
    else:
        yield from mosquitto_wire(tmp_path)


def memory_wire() -> Iterator[Wire]:
    broker = MemoryBroker()
    publishers = [MemoryPublisher(DOOR, broker)]

    def turn() -> None:
        publishers[-1].turn()

    def again() -> Publisher:
        publishers.append(MemoryPublisher(DOOR, broker))
        return publishers[-1]

    def broker_up(up: bool) -> None:
        broker.up = up

    yield Wire(
        publishers[0],
        turn,
        broker_up,
        lambda topic, _count: broker.payloads(topic),
        lambda: broker.retained.get(availability_topic(DOOR)),
        lambda at, content, retain: broker.send(at, content, retain=retain),
        again,
    )
    publishers[-1].stop()


def mosquitto_wire(tmp_path: Path) -> Iterator[Wire]:
    with running_broker(tmp_path) as broker, Subscriber(broker) as witness:
        where = parse(broker.url)
        assert where is not None
        publishers = [MqttPublisher(DOOR, where, chance=lambda: 0.0)]

        def again() -> Publisher:
            publishers.append(MqttPublisher(DOOR, where, chance=lambda: 0.0))
            return publishers[-1]

        def send(at: str, content: bytes, retain: bool) -> None:
            witness._client.publish(at, content, qos=1, retain=retain).wait_for_publish(PATIENCE_S)

        def seen(topic: str, count: int) -> list[bytes]:
            all_seen = witness.wait_for(lambda seen: sum(each.topic == topic for each in seen) >= count)
            return [each.payload for each in all_seen if each.topic == topic]

        yield Wire(
            publishers[0],
            lambda: None,
            lambda up: broker.start() if up else broker.stop(),
            seen,
            lambda: latecomer(broker),
            send,
            again,
        )
        publishers[-1].stop()


def latecomer(broker: Mosquitto) -> bytes | None:
    """What the broker keeps as the door's availability, asked by somebody who was not there before."""
    topic = availability_topic(DOOR)
    with Subscriber(broker, topic, "latecomer") as late:
        return late.wait_for(lambda seen: any(each.retain for each in seen))[-1].payload


def test_the_broker_knows_the_door_to_be_online_when_connected_is_told(wire: Wire) -> None:
    wire.publisher.start()
    wire.until(What.CONNECTED)
    assert wire.retained() == b"online"


def test_a_row_is_accepted_once_the_broker_has_it(wire: Wire) -> None:
    wire.publisher.start()
    wire.until(What.CONNECTED)
    assert wire.publisher.publish(7, TOPIC, b"x" * SIZE)
    assert wire.until(What.ACCEPTED).row == 7
    assert wire.seen(TOPIC, 1) == [b"x" * SIZE]


def test_nothing_is_taken_without_a_connection(wire: Wire) -> None:
    assert not wire.publisher.publish(1, TOPIC, b"x")
    wire.publisher.start()
    wire.until(What.CONNECTED)
    wire.broker_up(False)
    wire.until(What.LOST)
    assert not wire.publisher.publish(1, TOPIC, b"x")


def test_a_second_row_is_refused_while_one_is_under_way(wire: Wire) -> None:
    wire.publisher.start()
    wire.until(What.CONNECTED)
    taken = [wire.publisher.publish(row, TOPIC, b"%d" % row) for row in (1, 2)]
    accepted = [wire.until(What.ACCEPTED).row for _ in range(sum(taken))]
    assert taken[0]
    assert len(wire.seen(TOPIC, sum(taken))) == sum(taken)
    assert accepted == [1, 2][: sum(taken)]


def test_it_comes_back_after_the_broker_did(wire: Wire) -> None:
    wire.publisher.start()
    wire.until(What.CONNECTED)
    wire.broker_up(False)
    wire.until(What.LOST)
    wire.broker_up(True)
    wire.until(What.CONNECTED)
    assert wire.publisher.publish(1, TOPIC, b"again")
    assert wire.until(What.ACCEPTED).row == 1


def test_a_broker_that_is_not_there_yet_makes_it_no_less_alive(wire: Wire) -> None:
    wire.broker_up(False)
    wire.publisher.start()
    assert wire.publisher.alive()
    wire.broker_up(True)
    wire.until(What.CONNECTED)
    assert wire.publisher.alive()


def test_a_goodbye_leaves_the_door_offline(wire: Wire) -> None:
    wire.publisher.start()
    wire.until(What.CONNECTED)
    wire.publisher.stop()
    assert wire.retained() == b"offline"


def documents(wire: Wire, count: int) -> list[Event]:
    """The next documents, each settled."""
    events = []
    for _ in range(count):
        events.append(wire.until(What.DOCUMENT))
        wire.publisher.settle(events[-1].row)
    return events


def test_a_document_sent_to_the_door_is_told_with_its_content(wire: Wire) -> None:
    wire.publisher.start()
    wire.until(What.CONNECTED)
    wire.send(DOCUMENTS, b"sealed", False)
    assert [event.content for event in documents(wire, 1)] == [b"sealed"]


def test_documents_sent_while_the_door_was_away_come_once_and_in_order(wire: Wire) -> None:
    wire.publisher.start()
    wire.until(What.CONNECTED)
    wire.publisher.stop()
    many = [b"sealed %d" % number for number in range(3 * MOST)]
    for content in many:
        wire.send(DOCUMENTS, content, False)
    wire.publisher = wire.again()
    wire.publisher.start()
    wire.until(What.CONNECTED)
    assert [event.content for event in documents(wire, len(many))] == many
    wire.send(DOCUMENTS, b"last", False)
    assert [event.content for event in documents(wire, 1)] == [b"last"]


def test_a_document_not_settled_comes_again_to_the_next_process_and_a_settled_one_does_not(wire: Wire) -> None:
    wire.publisher.start()
    wire.until(What.CONNECTED)
    for content in (b"settled", b"not settled"):
        wire.send(DOCUMENTS, content, False)
    documents(wire, 1)
    wire.until(What.DOCUMENT)
    wire.publisher.stop()
    wire.publisher = wire.again()
    wire.publisher.start()
    wire.until(What.CONNECTED)
    wire.send(DOCUMENTS, b"later", False)
    assert [event.content for event in documents(wire, 2)] == [b"not settled", b"later"]


def test_a_broker_holds_back_what_the_door_cannot_take_yet(wire: Wire) -> None:
    wire.publisher.start()
    wire.until(What.CONNECTED)
    for number in range(MOST + 2):
        wire.send(DOCUMENTS, b"%d" % number, False)
    waiting = [wire.until(What.DOCUMENT) for _ in range(MOST)]
    for event in waiting:
        wire.publisher.settle(event.row)
    assert [event.content for event in documents(wire, 2)] == [b"%d" % number for number in (MOST, MOST + 1)]


def test_a_retained_document_is_refused_live_and_from_the_broker_s_memory(
    wire: Wire, capsys: pytest.CaptureFixture[str]
) -> None:
    wire.publisher.start()
    wire.until(What.CONNECTED)
    wire.send(DOCUMENTS, b"retained", True)
    wire.send(DOCUMENTS, b"sealed", False)
    assert [event.content for event in documents(wire, 1)] == [b"sealed"]
    assert "a retained message is no document" in capsys.readouterr().err
    wire.publisher.stop()
    wire.publisher = wire.again()
    wire.publisher.start()
    wire.until(What.CONNECTED)
    wire.send(DOCUMENTS, b"after", False)
    assert [event.content for event in documents(wire, 1)] == [b"after"]


@pytest.mark.parametrize("content", [b"", b"x" * 4097], ids=["empty", "too-long"])
def test_an_empty_or_oversized_document_is_refused_and_the_next_one_comes(
    wire: Wire, capsys: pytest.CaptureFixture[str], content: bytes
) -> None:
    wire.publisher.start()
    wire.until(What.CONNECTED)
    wire.send(DOCUMENTS, content, False)
    wire.send(DOCUMENTS, b"sealed", False)
    assert [event.content for event in documents(wire, 1)] == [b"sealed"]
    assert "a document holds 1 to 4096 bytes" in capsys.readouterr().err


def test_a_document_of_the_greatest_length_comes_whole(wire: Wire) -> None:
    wire.publisher.start()
    wire.until(What.CONNECTED)
    wire.send(DOCUMENTS, b"x" * 4096, False)
    assert [event.content for event in documents(wire, 1)] == [b"x" * 4096]


def test_the_test_sees_a_door_that_takes_retained_ones(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    take = Arrivals.take

    def careless(self: Arrivals, at: str, content: bytes, packet: int, **_retained: bool) -> Event | None:
        return take(self, at, content, packet, retained=False)

    monkeypatch.setattr(Arrivals, "take", careless)
    wire.publisher.start()
    wire.until(What.CONNECTED)
    wire.send(DOCUMENTS, b"retained", True)
    assert [event.content for event in documents(wire, 1)] == [b"retained"]


def test_nowhere_sends_nothing() -> None:
    nowhere = Nowhere()
    nowhere.start()
    assert not nowhere.publish(1, TOPIC, b"x")
    assert nowhere.events() == []
    nowhere.stop()


def bare(publisher: MqttPublisher) -> Wire:
    """A wire for a broker that only the publisher talks to."""
    nothing = lambda *_: None  # noqa: E731 - the switches nobody uses here
    return Wire(publisher, nothing, nothing, lambda _topic, _count: [], nothing, nothing, lambda: publisher)


def test_reports_travel_with_qos_1_unretained_and_expire(tmp_path: Path) -> None:
    for wire in mosquitto_wire(tmp_path):
        wire.publisher.start()
        wire.until(What.CONNECTED)
        broker_url = wire.publisher._where  # type: ignore[attr-defined]  # the real publisher's own
        with Subscriber(Mosquitto(tmp_path / "broker", broker_url.port), TOPIC, "second") as second:
            assert wire.publisher.publish(1, TOPIC, b"x" * SIZE)
            seen = second.wait_for(lambda seen: len(seen) == 1)[0]
        assert (seen.qos, seen.retain, len(seen.payload)) == (1, False, SIZE)
        assert seen.expiry_s is not None
        assert EXPIRY_S - 5 <= seen.expiry_s <= EXPIRY_S


def test_a_broker_that_refuses_the_door_is_told_as_lost_with_its_reason(tmp_path: Path) -> None:
    extra = "allow_anonymous false\n"
    with running_broker(tmp_path, extra=extra) as broker:
        where = parse(broker.url)
        assert where is not None
        publisher = MqttPublisher(DOOR, where, chance=lambda: 0.0)
        wire = bare(publisher)
        publisher.start()
        assert "authori" in wire.until(What.LOST).why.lower()
        assert not publisher.publish(1, TOPIC, b"x")
        publisher.stop()


def test_rows_a_broker_may_not_take_are_declined(tmp_path: Path) -> None:
    rights = tmp_path / "rights"
    rights.write_text(f"topic write {availability_topic(DOOR)}\n")
    with running_broker(tmp_path, extra=f"acl_file {rights}\n") as broker:
        where = parse(broker.url)
        assert where is not None
        publisher = MqttPublisher(DOOR, where, chance=lambda: 0.0)
        wire = bare(publisher)
        publisher.start()
        wire.until(What.CONNECTED)
        assert publisher.publish(5, TOPIC, b"x")
        assert wire.until(What.DECLINED).row == 5
        publisher.stop()
