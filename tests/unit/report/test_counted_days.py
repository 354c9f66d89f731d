"""Days in a house that counts: the real lock, the real report and a broker in memory, from the opening to the number.

A day cannot pass in a real process, so both work on clocks in the test's hand; keeper and desk are the test.
"""

from __future__ import annotations

import itertools
import json
import random
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from device import document, service, wire
from device.document import Telling
from device.edges import EDGES, Room
from device.link import Link
from device.lock import daily_count, loop
from device.lock.daily_count import DAY_S
from device.report.envelope import SIZE
from device.report.loop import Report
from device.report.memory import MemoryBroker, MemoryPublisher
from device.report.outbox import Outbox
from device.report.teller import Identity, Teller
from device.wire import Profile, Result
from tests.unit.lock.house import DOCUMENT_KEY, DOOR, MANAGER, Clock, End, House

CADENCE_S = 900.0
A_DAY = round(DAY_S / CADENCE_S)
MIDNIGHT = 22_000 * DAY_S
COUNTED = Telling(epsilon_milli=500)
SEED = 4
TOPIC = f"doorward/{DOOR.hex()}/report"
EDGE = next(edge for edge in EDGES if (edge.listener, edge.connector) == (Room.REPORT, Room.LOCK))


class ToLock:
    """What report uses of its frame; what it says to lock goes there."""

    def __init__(self, days: Days) -> None:
        self._days = days

    def watch(self, _fileno: int, callback: Any) -> None:
        self._days.on_news = callback

    def unwatch(self, _fileno: int) -> None:
        self._days.on_news = None

    def send(self, peer: Room, msg: wire.Message) -> bool:
        assert peer is Room.LOCK
        self._days.line.say(msg)
        return True


class Days:
    """A door that begins at eight in the morning, with enough places taken; `passes` lets both rooms live."""

    def __init__(self, house: House, folder: Path) -> None:
        self.house, self.folder = house, folder
        self.unix = MIDNIGHT + 8 * 3600.0
        self.on_news: Any = None
        self.report: Report
        self.broker = MemoryBroker()
        self.version = 1
        house.work._policy.hours.wall = lambda: self.unix
        house.work._policy.reporting.count.below = random.Random(SEED).randrange
        self.keeper, self.desk = house.join(Room.KEEPER), house.join(Room.DESK)
        house.join(Room.EYE, served=False)
        self.report_starts(0)
        self.keeper.say(wire.Occupied(many=True, some=True))
        self.settles()

    def report_starts(self, run: int) -> None:
        if run:
            self.report.stop()
            self.house.service.peers.drop(self.house.service.peers.links[Room.REPORT])
        self.line: End = self.house.join(Room.REPORT)
        self.publisher = MemoryPublisher(DOOR.hex(), self.broker)
        self.teller = Teller(Identity(DOOR.hex(), f"{run:08x}", "0.1.0"), CADENCE_S, self.house.clock.monotonic())
        self.report = Report(
            ToLock(self),
            self.teller,
            Outbox(self.folder / "outbox.sqlite", 100),
            self.publisher,
            self.house.clock.monotonic,
        )
        self.link = Link(Room.LOCK, EDGE, None, Room.REPORT)  # type: ignore[arg-type]  # report sends by its frame
        self.report.connected(self.link)
        self.settles()

    def settles(self) -> None:
        """Let both hear each other out."""
        for _ in range(4):
            self.house.turn()
            for msg in self.line.heard():
                self.report.received(self.link, msg)
            due_s = self.report.deadline()
            if due_s is not None and due_s <= self.house.clock.monotonic():
                self.report.tick()
            self.publisher.turn()
            if self.on_news:
                self.on_news()

    def chooses(self, telling: Telling) -> None:
        self.version += 1
        signed = document.sign(telling, door_id=DOOR, version=self.version, issued_unix=1_900_000_000, key=MANAGER)
        self.desk.say(wire.Document(document.seal(signed, door_id=DOOR, document_key=DOCUMENT_KEY.public)))
        self.settles()
        (ack,) = self.desk.heard()
        assert isinstance(ack, wire.Ack)
        assert ack.result is Result.DONE

    def lets_in(self, times: int) -> None:
        for _ in range(times):
            self.house.keys("12#482913#")
            self.keeper.say(self.house.accepted(self.keeper.heard()[-1]))
            self.settles()
            assert self.house.board.bolt.released_ms
            self.passes(30)

    def passes(self, seconds: float) -> None:
        """Both clocks go on; each room wakes when it asked to."""
        end_ns = self.house.clock.now_ns + round(seconds * 1e9)
        while True:
            dues = (self.house.work.deadline(), self.report.deadline())
            due_ns = min(round(due_s * 1e9) for due_s in dues if due_s is not None)
            if due_ns > end_ns:
                break
            self._on(max(0, due_ns - self.house.clock.now_ns))
            self.house.work.tick()
            self.settles()
        self._on(end_ns - self.house.clock.now_ns)
        self.settles()

    def to_midnight(self) -> None:
        self.passes(DAY_S - self.unix % DAY_S + 2)

    def _on(self, nanoseconds: int) -> None:
        self.house.clock.now_ns += nanoseconds
        self.unix += nanoseconds / 1e9

    def counts(self) -> list[int | None]:
        """What the reports said of the day before, one after the other."""
        return [json.loads(each)["count"] for each in self.broker.payloads(TOPIC)]


@pytest.fixture
def days(monkeypatch: pytest.MonkeyPatch) -> Iterator[Days]:
    clock = Clock()
    monkeypatch.setattr(loop, "time", clock)
    monkeypatch.setattr(service, "time", clock)
    # In memory where there is such a folder: hundreds of reports are synced, and no power goes here.
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder:
        house = House(Path(folder), clock)
        house.turn()
        days = Days(house, Path(folder))
        yield days
        days.report.stop()
        house.close()


def whole_days(days: Days, openings: tuple[int, ...]) -> list[int | None]:
    """The rest of the day on which it is signed, then whole days with so many openings; what each report said."""
    days.chooses(COUNTED)
    days.to_midnight()
    for each in openings:
        days.passes(7 * 3600)
        days.lets_in(each)
        days.to_midnight()
    days.passes(CADENCE_S)
    return days.counts()


def expected(openings: tuple[int, ...]) -> list[int]:
    below = random.Random(SEED).randrange
    return [daily_count.noisy(each, COUNTED.epsilon_milli, below) for each in openings]


OPENINGS = (21, 4)


@pytest.mark.slow
def test_every_report_of_a_day_says_the_one_noisy_number_of_the_day_before(days: Days) -> None:
    said = whole_days(days, OPENINGS)
    stretches = [(count, len(list(reports))) for count, reports in itertools.groupby(said)]
    assert [count for count, _ in stretches] == [None, *expected(OPENINGS)]
    assert [many for _, many in stretches[1:-1]] == [A_DAY], "from the first report of a day to its last"
    assert expected(OPENINGS) != list(OPENINGS), "this seed draws noise that shows"


@pytest.mark.slow
def test_a_day_with_people_and_one_without_are_told_in_the_same_number_of_messages_of_one_size(days: Days) -> None:
    days.chooses(COUNTED)
    days.to_midnight()
    many = []
    for openings in (0, 20):
        before = len(days.broker.received)
        days.passes(7 * 3600)
        days.lets_in(openings)
        days.to_midnight()
        many.append(len(days.broker.received) - before)
    assert many == [A_DAY, A_DAY]
    assert {len(payload) for _, payload in days.broker.received if payload not in (b"online", b"offline")} == {SIZE}


@pytest.mark.slow
def test_a_report_that_is_started_again_and_again_hears_the_same_number_every_time(days: Days) -> None:
    """Whoever could average draws would get rid of the noise."""
    whole_days(days, OPENINGS[:1])
    for run in range(1, 6):
        days.report_starts(run)
        days.passes(CADENCE_S)
    assert set(days.counts()[-5:]) == set(expected(OPENINGS[:1]))


@pytest.mark.slow
def test_a_choice_that_is_taken_back_ends_the_number_with_the_next_report(days: Days) -> None:
    whole_days(days, OPENINGS[:1])
    days.chooses(Telling(Profile.BUILDING))
    days.passes(CADENCE_S)
    assert days.counts()[-1] is None
    days.lets_in(3)
    days.to_midnight()
    days.passes(CADENCE_S)
    assert days.counts()[-1] is None


@pytest.mark.slow
def test_seeded_fault_a_number_without_noise_is_caught(days: Days, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(daily_count, "noisy", lambda openings, _epsilon_milli, _below: openings)
    said = whole_days(days, OPENINGS)
    assert set(said) - {None} == set(OPENINGS), "the count itself came through, so the first test would see it"


@pytest.mark.slow
def test_seeded_fault_a_number_at_every_opening_is_caught(days: Days, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lock tells what it counted as soon as somebody was let in: the reports of one day differ."""

    def opened(count: daily_count.DailyCount) -> None:
        count._openings += 1
        count.told = count._openings

    monkeypatch.setattr(daily_count.DailyCount, "opened", opened)
    with pytest.raises(AssertionError):
        test_every_report_of_a_day_says_the_one_noisy_number_of_the_day_before(days)
