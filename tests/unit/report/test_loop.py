"""The work of report with a broker in memory and a clock in the test's hand."""

import base64
import json
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from nacl.public import PrivateKey, SealedBox

from device import wire
from device.edges import EDGES, Room
from device.errors import NotPermitted
from device.link import Link
from device.report.alarm_tests import MEAN_S
from device.report.deliveries import RETRY_S
from device.report.envelope import SIZE
from device.report.loop import DECLINED_RETRY_S, Report
from device.report.memory import MemoryBroker, MemoryPublisher
from device.report.outbox import Outbox
from device.report.publisher import Nowhere, Publisher
from device.report.teller import Identity, Message, Teller
from device.report.told_home import ToldHome
from device.wire import OccurrenceKind as Kind

DOOR = "00112233445566ff"
CADENCE_S = 900.0


@dataclass
class Loop:
    """What the service's selector would do, without one."""

    watched: dict[int, Callable[[], None]] = field(default_factory=dict)
    lock: bool = False
    sent: list[wire.Message] = field(default_factory=list)

    def send(self, peer: Room, msg: wire.Message) -> bool:
        assert peer is Room.LOCK
        self.sent += [msg] if self.lock else []
        return self.lock

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
        self.room, self.certificate = True, True
        self.teller = Teller(Identity(DOOR, "0a0b0c0d", "0.1.0"), CADENCE_S, self.now_s)
        self.outbox = Outbox(path, rows)
        self.work = Report(
            self.loop,
            self.teller,
            self.outbox,
            self.publisher,
            lambda: self.now_s,
            storage=lambda: self.room,
            certificate=lambda: self.certificate,
        )
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

    def says(self, *msgs: wire.Message) -> None:
        """Lock says something that is no occurrence."""
        for msg in msgs:
            self.work.received(self.link, msg)
            self.turn()

    def lock_comes(self) -> None:
        """Lock connects."""
        self.loop.lock = True
        self.work.connected(self.link)

    def lock_goes(self) -> None:
        """Lock is gone."""
        self.loop.lock = False
        self.work.disconnected(self.link)

    def passed_on(self) -> list[bytes]:
        """The documents that lock was handed, oldest first."""
        return [msg.content for msg in self.loop.sent if isinstance(msg, wire.Document)]

    def last_report(self) -> dict[str, object]:
        """What the broker heard last."""
        said: dict[str, object] = json.loads(self.broker.payloads(f"doorward/{DOOR}/report")[-1])
        return said

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
    with pytest.raises(NotPermitted, match="no document was passed on"):
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


def test_an_alarm_before_the_news_of_the_last_row_sends_neither_twice(door: Door) -> None:
    door.work.received(door.link, wire.Occurrence(Kind.FORCED_OPEN))
    assert isinstance(door.publisher, MemoryPublisher)
    door.publisher.turn()  # the broker has it; the loop has not heard so
    door.work.received(door.link, wire.Occurrence(Kind.TAMPER))
    door.turn()
    assert door.sequences("alarm") == [1, 2]


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


# ---- what lock lets be told


BUILDING, HOME = (wire.Reporting(profile, bytes(32)) for profile in wire.Profile)
STATE = f"doorward/{DOOR}/state"
CONFIG = f"homeassistant/device/doorward_{DOOR}/config"


def test_what_the_door_is_goes_into_the_next_report_and_moves_nothing(door: Door) -> None:
    door.lock_comes()
    before = len(door.broker.received)
    door.says(BUILDING, wire.DoorKeys(7, bytes(32)), wire.DailyCount(-3))
    assert len(door.broker.received) == before
    door.room, door.certificate = False, False
    door.cadences(1)
    said = door.last_report()
    assert [said[key] for key in ("docs", "count", "storage", "cert")] == [7, -3, False, False]


def test_a_live_state_is_retained_and_goes_at_once_under_home_alone(door: Door) -> None:
    door.lock_comes()
    door.says(HOME, wire.DoorState(granted=True, open=False))
    assert json.loads(door.broker.retained[STATE]) == {"locked": False, "door": "closed"}
    assert len(door.outbox) == 0, "it is no diary"
    door.says(BUILDING)
    assert door.broker.retained[STATE] == b""


@pytest.mark.parametrize(
    ("choice", "msg"),
    [
        (None, wire.DoorState(granted=True, open=False)),
        (BUILDING, wire.DoorState(granted=True, open=False)),
        (HOME, wire.DailyCount(40)),
        (BUILDING, wire.Document(b"signed")),
    ],
    ids=["a state before a choice", "a state of a building", "a count of a home", "a document of lock's"],
)
def test_what_the_choice_does_not_hold_is_not_permitted_and_does_not_leave(
    door: Door, choice: wire.Reporting | None, msg: wire.Message
) -> None:
    door.lock_comes()
    if choice:
        door.says(choice)
    with pytest.raises(NotPermitted, match=type(msg).__name__):
        door.says(msg)
    door.cadences(1)
    assert STATE not in door.broker.retained
    assert door.last_report()["count"] is None


def test_a_broker_that_takes_no_state_gets_its_reports(door: Door) -> None:
    door.lock_comes()
    door.broker.willing = False
    door.says(HOME, wire.DoorState(granted=True, open=False))
    door.broker.willing = True
    door.cadences(1)
    assert door.sequences() == [1]


@pytest.mark.parametrize("broker_away", [False, True])
def test_what_a_home_told_is_taken_back_by_a_later_start_of_report_too(path: Path, *, broker_away: bool) -> None:
    broker = MemoryBroker()
    before = Door(path, broker)
    before.lock_comes()
    before.says(HOME, wire.DoorState(granted=True, open=False))
    assert all(broker.retained[at] for at in (STATE, CONFIG))
    broker.up = not broker_away
    before.turn()
    before.work.stop()
    door = Door(path, broker)
    door.turn()
    broker.up = True
    door.turn()
    assert all(broker.retained[at] for at in (STATE, CONFIG)), "lock has not spoken: the choice may stand"
    door.lock_comes()
    door.says(BUILDING)
    assert [broker.retained[at] for at in (STATE, CONFIG)] == [b"", b""]
    door.work.stop()
    sent = len(broker.payloads(STATE))
    third = Door(path, broker)
    third.lock_comes()
    third.says(BUILDING)
    assert len(broker.payloads(STATE)) == sent, "once is enough"
    third.work.stop()


def test_without_its_mark_what_a_home_told_would_stay(path: Path) -> None:
    """The seeded fault: nothing on disk says that there is something to take back."""
    broker = MemoryBroker()
    before = Door(path, broker)
    before.lock_comes()
    before.says(HOME, wire.DoorState(granted=True, open=False))
    before.work.stop()
    (path.parent / "told-home").unlink()
    door = Door(path, broker)
    door.lock_comes()
    door.says(BUILDING)
    assert broker.retained[STATE]
    door.work.stop()


def test_a_building_leaves_no_mark_and_takes_nothing_back(door: Door, path: Path) -> None:
    door.lock_comes()
    door.says(BUILDING)
    assert not (path.parent / "told-home").exists()
    assert not door.broker.payloads(STATE) + door.broker.payloads(CONFIG)


def test_a_mark_that_cannot_be_made_costs_the_door_nothing(path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    mark = ToldHome(path / "no folder")
    path.write_bytes(b"")
    mark.set()
    mark.clear()
    assert not mark.stands()
    assert "cannot be noted" in capfd.readouterr().err


def test_a_contact_that_never_rests_keeps_no_alarm_waiting(door: Door) -> None:
    door.lock_comes()
    door.says(HOME, wire.DoorState(granted=False, open=False))
    door.work.received(door.link, wire.Occurrence(Kind.TAMPER))
    for number in range(8):
        door.work.received(door.link, wire.DoorState(granted=False, open=number % 2 == 0))
        door.turn(1)
    assert door.sequences("alarm") == [1]


def test_the_reason_of_an_alarm_is_sealed_to_the_key_that_lock_names(door: Door) -> None:
    installer = PrivateKey(bytes(range(32)))
    door.lock_comes()
    door.says(wire.Reporting(wire.Profile.BUILDING, bytes(installer.public_key)))
    door.hear(Kind.HELD_OPEN)
    (payload,) = door.broker.payloads(f"doorward/{DOOR}/alarm")
    assert SealedBox(installer).decrypt(base64.b64decode(json.loads(payload)["reason"]))[0] == Kind.HELD_OPEN


# ---- documents


def test_a_document_reaches_lock_and_is_settled_with_the_report_after_its_answer(door: Door) -> None:
    door.broker.send(f"doorward/{DOOR}/document", b"signed")
    door.turn()
    assert door.passed_on() == [], "lock is not there"
    door.lock_comes()
    assert door.passed_on() == [b"signed"]
    assert list(door.broker.sent[f"doorward/{DOOR}/document"]) == [(b"signed", False)]
    door.says(wire.Ack(7, wire.Result.DONE))
    assert list(door.broker.sent[f"doorward/{DOOR}/document"]) == [(b"signed", False)]
    door.cadences(1)
    assert not door.broker.sent[f"doorward/{DOOR}/document"]


def settled_s(path: Path, *answers: wire.Result, after_s: float) -> list[float]:
    """When the broker learns that the door is done with a document, if lock answers so, each time after `after_s`."""
    door, moments = Door(path, MemoryBroker()), list[float]()
    door.lock_comes()
    door.cadences(1)
    door.broker.send(f"doorward/{DOOR}/document", b"one")
    door.turn()
    due_s = door.teller.due_s
    for result in answers:
        door.now_s += after_s
        door.says(wire.Ack(1, result))
        moments += [] if door.broker.sent[f"doorward/{DOOR}/document"] else [door.now_s]
        door.now_s += RETRY_S
        door.turn()
    door.cadences(1)
    moments += [] if door.broker.sent[f"doorward/{DOOR}/document"] else [door.now_s]
    assert door.now_s == due_s
    door.work.stop()
    return moments


STORIES = [
    ((wire.Result.UNSIGNED,), 0.001),
    ((wire.Result.DONE,), 0.3),
    ((wire.Result.BUSY, wire.Result.FAULT, wire.Result.DONE), 4.0),
]


def test_when_a_document_is_settled_does_not_follow_from_what_lock_did_with_it(tmp_path: Path) -> None:
    moments = [settled_s(tmp_path / str(n), *results, after_s=wait) for n, (results, wait) in enumerate(STORIES)]
    assert moments[0] == moments[1] == moments[2]
    assert len(moments[0]) == 1


def test_a_document_that_is_settled_with_its_answer_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The seeded fault: it does not wait for the report."""
    answered = Report._answered

    def at_once(self: Report, ack: wire.Ack) -> None:
        answered(self, ack)
        self._settle()

    monkeypatch.setattr(Report, "_answered", at_once)
    moments = {settled_s(tmp_path / str(n), *story[0], after_s=story[1])[0] for n, story in enumerate(STORIES)}
    assert len(moments) == len(STORIES)


def test_the_next_document_waits_for_the_answer_to_the_one_before(door: Door) -> None:
    door.lock_comes()
    for content in (b"one", b"two"):
        door.broker.send(f"doorward/{DOOR}/document", content)
    door.turn()
    assert door.passed_on() == [b"one"]
    door.says(wire.Ack(1, wire.Result.STALE))
    assert door.passed_on() == [b"one", b"two"]
    with pytest.raises(NotPermitted, match="Ack"):
        door.says(wire.Ack(2, wire.Result.DONE), wire.Ack(2, wire.Result.DONE))


def test_a_document_that_met_a_busy_lock_comes_again(door: Door) -> None:
    door.lock_comes()
    door.broker.send(f"doorward/{DOOR}/document", b"one")
    door.turn()
    door.says(wire.Ack(0, wire.Result.BUSY))
    assert door.passed_on() == [b"one"]
    door.now_s += RETRY_S
    door.turn()
    assert door.passed_on() == [b"one", b"one"]


def test_a_lock_that_restarts_hears_the_document_again(door: Door) -> None:
    door.lock_comes()
    door.broker.send(f"doorward/{DOOR}/document", b"one")
    door.turn()
    door.lock_goes()
    door.lock_comes()
    assert door.passed_on() == [b"one", b"one"]


def test_no_answer_to_a_document_makes_a_message(door: Door) -> None:
    door.lock_comes()
    for number, result in enumerate(wire.Result):
        before = len(door.broker.received)
        door.broker.send(f"doorward/{DOOR}/document", b"%d" % number)
        door.turn()
        door.says(wire.Ack(number, result))
        door.work.disconnected(door.link)
        door.work.connected(door.link)
        assert len(door.broker.received) == before
        door.cadences(1)  # the broker sends no more before the door is done with these


# ---- test alarms


INSTALLER = PrivateKey(bytes(range(32)))
KEYED = wire.Reporting(wire.Profile.BUILDING, bytes(INSTALLER.public_key))
TESTS = int(86_400.0 / (MEAN_S * math.log(2)))  # one a median gap, in a day


def keyed(door: Door) -> Door:
    """Lock says that there is an alarm key; the gaps are the median one, about two reports long."""
    door.teller.tests.chance = lambda: 0.5
    door.lock_comes()
    door.says(KEYED)
    return door


def meanings(door: Door) -> list[int]:
    """What the alarms that arrived say to the holder of the key."""
    reasons = [json.loads(each)["reason"] for each in door.broker.payloads(f"doorward/{DOOR}/alarm")]
    return [SealedBox(INSTALLER).decrypt(base64.b64decode(each))[0] for each in reasons]


def passes(door: Door, until_s: float) -> None:
    """Time passes, with a turn of the loop at every deadline."""
    while (due := door.work.deadline()) is not None and due <= until_s:
        door.now_s = max(due, door.now_s)
        door.turn()
    door.now_s = until_s


def test_tests_go_between_the_reports_and_only_the_key_tells_them_from_alarms(door: Door) -> None:
    keyed(door)
    passes(door, door.now_s + 86_400.0)
    assert len(door.sequences()) == 96
    assert meanings(door) == [wire.TEST_ALARM] * TESTS
    assert sorted(door.sequences() + door.sequences("alarm")) == list(range(1, 96 + TESTS + 1))
    sizes = {len(each) for topic, each in door.broker.received if "availability" not in topic}
    assert sizes == {SIZE}


def test_a_real_alarm_goes_at_once_while_tests_go_and_moves_none(door: Door) -> None:
    keyed(door)
    passes(door, door.now_s + 20_000.0)
    due_s, before = door.teller.tests.due_s, meanings(door)
    door.hear(Kind.HELD_OPEN)
    door.hear(Kind.DURESS)
    assert meanings(door) == [*before, Kind.HELD_OPEN, Kind.DURESS]
    assert door.teller.tests.due_s == due_s
    assert before


@pytest.mark.parametrize("choice", [None, BUILDING, HOME, wire.Reporting(wire.Profile.HOME, KEYED.alarm_key)])
def test_no_test_goes_before_lock_has_named_a_key_nor_when_it_is_taken_back(
    door: Door, choice: wire.Reporting | None
) -> None:
    if choice is not None:
        keyed(door)
        door.says(choice)
    passes(door, door.now_s + 86_400.0)
    assert meanings(door) == []
    assert len(door.sequences()) == 96


def cut_off(door: Door, hours: float) -> list[int]:
    """What the alarms say that arrive when the network is back after so long, in which the door was once held open."""
    keyed(door)
    door.broker.up = False
    passes(door, door.now_s + hours * 1800.0)
    door.hear(Kind.HELD_OPEN)
    passes(door, door.now_s + hours * 1800.0)
    door.broker.up = True
    door.turn(1000)
    return meanings(door)


def test_whoever_cuts_a_door_off_finds_tests_among_what_waited(door: Door) -> None:
    told = cut_off(door, 12.0)
    assert told.count(Kind.HELD_OPEN) == 1
    assert told.count(wire.TEST_ALARM) == TESTS // 2


def test_tests_that_were_spared_while_something_waits_would_leave_the_alarm_alone(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The seeded fault: a test is for an empty outbox only."""
    told = Report._tell

    def sparing(self: Report, message: Message) -> None:
        if not (message.topic.endswith("/alarm") and len(self._outbox)) or self._teller.health.alarms:
            told(self, message)

    monkeypatch.setattr(Report, "_tell", sparing)
    assert cut_off(door, 12.0).count(wire.TEST_ALARM) < TESTS // 2
