"""The work of report with a broker in memory and a clock in the test's hand."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from device import wire
from device.edges import EDGES, Room
from device.errors import NotPermitted
from device.report.envelope import SIZE
from device.report.loop import DECLINED_RETRY_S, Report
from device.report.memory import MemoryBroker, MemoryPublisher
from device.report.outbox import Outbox
from device.report.publisher import Nowhere, Publisher
from device.report.teller import Identity, Teller
from device.service import Link
from device.wire import OccurrenceKind as Kind

DOOR = "00112233445566ff"
CADENCE_S = 900.0


@dataclass
class Loop:
    """What the service's selector would do, without one."""

    watched: dict[int, Callable[[], None]] = field(default_factory=dict)

    def watch(self, fileno: int, callback: Callable[[], None]) -> None:
        self.watched[fileno] = callback

    def unwatch(self, fileno: int) -> None:
        del self.watched[fileno]


class Door:
    """A whole report process in the test's hand."""

    def __init__(self, path: Path, broker: MemoryBroker | None, rows: int = 100) -> None:
        self.now_s = 1000.0
        self.loop = Loop()
        self.broker = broker or MemoryBroker()
        self.publisher: Publisher = MemoryPublisher(DOOR, broker) if broker else Nowhere()
        self.teller = Teller(Identity(DOOR, "0a0b0c0d", "0.1.0"), CADENCE_S, self.now_s)
        self.outbox = Outbox(path, rows)
        self.work = Report(self.loop, self.teller, self.outbox, self.publisher, lambda: self.now_s)
        edge = next(edge for edge in EDGES if (edge.listener, edge.connector) == (Room.REPORT, Room.LOCK))
        self.link = Link(Room.LOCK, edge, None, Room.REPORT)  # type: ignore[arg-type]  # report never sends to lock
        self.turn()

    def turn(self, rounds: int = 10) -> None:
        """Let deadlines and the network come round a few times."""
        for _ in range(rounds):
            due = self.work.deadline()
            if due is not None and self.now_s >= due:
                self.work.tick()
            if isinstance(self.publisher, MemoryPublisher):
                self.publisher.turn()
            for callback in list(self.loop.watched.values()):
                callback()

    def cadences(self, count: int) -> None:
        """Let `count` reports come due."""
        for _ in range(count):
            self.now_s = self.teller.due_s
            self.turn()

    def hear(self, kind: Kind) -> None:
        """Lock says `kind`."""
        self.work.received(self.link, wire.Occurrence(kind))
        self.turn()

    def sequences(self, topic: str = "report") -> list[int]:
        """What arrived at the broker."""
        return [json.loads(each)["seq"] for each in self.broker.payloads(f"doorward/{DOOR}/{topic}")]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "outbox.sqlite"


@pytest.fixture
def door(path: Path) -> Iterator[Door]:
    door = Door(path, MemoryBroker())
    yield door
    door.work.stop()


def test_each_cadence_brings_one_report_to_the_broker(door: Door) -> None:
    door.cadences(5)
    assert door.sequences() == [1, 2, 3, 4, 5]
    assert len(door.outbox) == 0


def test_lock_appears_in_the_report_while_it_is_connected(door: Door) -> None:
    door.cadences(1)
    door.work.connected(door.link)
    door.cadences(1)
    door.work.disconnected(door.link)
    door.cadences(1)
    reports = door.broker.payloads(f"doorward/{DOOR}/report")
    assert [json.loads(each)["lock"] for each in reports] == [False, True, False]


def test_a_change_waits_for_the_cadence_and_an_alarm_does_not(door: Door) -> None:
    before = len(door.broker.received)
    for kind in (Kind.STARTED, Kind.CAMERA_FAULT, Kind.VAULT_GONE, Kind.KEEPER_GONE, Kind.CAMERA_WELL):
        door.hear(kind)
    assert len(door.broker.received) == before
    door.hear(Kind.FORCED_OPEN)
    assert door.sequences("alarm") == [1]


def test_an_acknowledgement_nobody_asked_for_is_not_permitted(door: Door) -> None:
    with pytest.raises(NotPermitted, match="although no document was passed on"):
        door.work.received(door.link, wire.Ack(7, wire.Result.DONE))


def test_a_broken_table_is_an_alarm(door: Door) -> None:
    door.work.breached(Room.LOCK)
    door.turn()
    assert door.sequences("alarm") == [1]


def test_what_is_said_while_the_broker_is_away_arrives_in_order_later(door: Door) -> None:
    door.cadences(1)
    door.broker.up = False
    door.cadences(5)
    door.hear(Kind.TAMPER)
    assert door.sequences() == [1]
    door.broker.up = True
    door.turn(30)
    assert [json.loads(each)["seq"] for at, each in door.broker.received if "availability" not in at] == list(
        range(1, 8)
    )
    assert len(door.outbox) == 0


def test_a_row_under_way_when_the_broker_goes_is_sent_again(door: Door) -> None:
    door.now_s = door.teller.due_s
    door.work.tick()  # handed to the publisher, not delivered
    door.broker.up = False
    door.turn()
    assert len(door.outbox) == 1
    door.broker.up = True
    door.turn()
    assert door.sequences() == [1]


def test_a_long_absence_costs_the_oldest_and_the_report_says_how_many(path: Path) -> None:
    door = Door(path, MemoryBroker(up=False), rows=10)
    door.cadences(25)
    assert (len(door.outbox), door.outbox.dropped) == (10, 15)
    door.broker.up = True
    door.turn(50)
    assert door.sequences() == list(range(16, 26))
    door.cadences(1)
    assert json.loads(door.broker.received[-1][1])["dropped"] == 15
    door.work.stop()


def test_a_broker_that_declines_is_asked_again_later_and_loses_nothing(
    door: Door, capfd: pytest.CaptureFixture[str]
) -> None:
    door.broker.willing = False
    door.cadences(2)
    assert len(door.outbox) == 2
    door.broker.willing = True
    door.turn()
    assert door.sequences() == []
    door.now_s += DECLINED_RETRY_S
    door.turn()
    assert door.sequences() == [1, 2]
    assert "declines" in capfd.readouterr().err


def test_without_a_broker_nothing_leaves_and_the_ring_is_kept(path: Path) -> None:
    door = Door(path, None, rows=4)
    door.cadences(9)
    assert (len(door.outbox), door.outbox.dropped) == (4, 5)
    assert door.work.healthy()
    door.work.stop()


def test_everything_that_left_has_one_size(door: Door) -> None:
    for kind in Kind:
        door.hear(kind)
        door.cadences(1)
    sizes = {len(each) for at, each in door.broker.received if "availability" not in at}
    assert sizes == {SIZE}


def test_a_clean_stop_leaves_the_door_offline_and_the_outbox_kept(path: Path) -> None:
    door = Door(path, MemoryBroker())
    door.broker.up = False
    door.cadences(3)
    door.work.stop()
    assert door.broker.retained == {f"doorward/{DOOR}/availability": b"offline"}
    assert len(Outbox(path, 100)) == 3
