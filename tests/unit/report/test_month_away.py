"""A broker that is away for thirty days: the outbox keeps the newest reports, counts the others, and delivers."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from device.report.memory import MemoryBroker, MemoryPublisher
from device.report.outbox import Outbox
from device.report.publisher import What
from device.report.teller import Identity, Teller

DOOR = "00112233445566ff"
CADENCE_S = 900.0
MONTH_S = 30 * 86400
REPORTS = int(MONTH_S / CADENCE_S)
ROWS = 1000  # door.toml's default


class Month:
    """Teller, outbox and publisher, with the clock in the test's hand."""

    def __init__(self, path: Path, rows: int = ROWS) -> None:
        self.now_s = 0.0
        self.broker = MemoryBroker(up=False)
        self.publisher = MemoryPublisher(DOOR, self.broker)
        self.publisher.start()
        self.outbox = Outbox(path, rows)
        assert self.outbox._db is not None
        self.outbox._db.execute("PRAGMA synchronous = OFF")  # a month of syncs takes minutes; nobody cuts the power
        self.teller = Teller(Identity(DOOR, "0a0b0c0d", "0.1.0"), CADENCE_S, self.now_s)

    def close(self) -> None:
        """Let go of sockets and files."""
        self.publisher.stop()
        self.outbox.close()

    def passes(self, until_s: float) -> None:
        """Every report of the grid until then."""
        while self.teller.due_s <= until_s:
            self.now_s = self.teller.due_s
            due = self.teller.report(self.now_s, self.outbox.dropped)
            assert due is not None
            self.outbox.add(due.topic, due.payload)
            self.publisher.turn()

    def delivers(self) -> list[dict[str, object]]:
        """What arrives once the broker is back."""
        self.broker.up = True
        while (row := self.outbox.head()) is not None:
            self.publisher.publish(row.row, row.topic, row.payload)
            self.publisher.turn()
            for event in self.publisher.events():
                if event.what is What.ACCEPTED:
                    self.outbox.remove(event.row)
        return [json.loads(each) for each in self.broker.payloads(f"doorward/{DOOR}/report")]


@pytest.fixture
def month(tmp_path: Path) -> Iterator[Month]:
    with closing(Month(tmp_path / "outbox.sqlite")) as made:
        yield made


@pytest.mark.slow
def test_the_newest_reports_are_kept_in_order_and_the_dropped_ones_counted(month: Month, tmp_path: Path) -> None:
    month.passes(MONTH_S)
    assert (len(month.outbox), month.outbox.dropped) == (ROWS, REPORTS - ROWS)
    size = sum(path.stat().st_size for path in tmp_path.iterdir())
    month.passes(MONTH_S + ROWS * CADENCE_S)
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= size + 4096, "the file grows without bound"
    arrived = month.delivers()
    assert [each["seq"] for each in arrived] == list(range(REPORTS + 1, REPORTS + ROWS + 1))
    month.passes(MONTH_S + (ROWS + 1) * CADENCE_S)
    assert month.delivers()[-1]["dropped"] == REPORTS


def test_a_disk_that_fills_up_in_the_middle_costs_no_report_that_had_room(
    month: Month, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    month.outbox._rows = 400
    month.passes(200 * CADENCE_S)

    def full(_self: Outbox, _db: sqlite3.Connection, _row: object) -> None:
        trouble = sqlite3.OperationalError("database or disk is full")
        trouble.sqlite_errorcode = sqlite3.SQLITE_FULL
        raise trouble

    with monkeypatch.context() as disk:
        disk.setattr(Outbox, "_store", full)
        month.passes(500 * CADENCE_S)
        assert (len(month.outbox), month.outbox.dropped) == (400, 100)
    month.passes(550 * CADENCE_S)
    assert (len(month.outbox), month.outbox.dropped) == (400, 150)
    assert [each["seq"] for each in month.delivers()] == list(range(151, 551))
    told = capsys.readouterr().err
    assert (told.count("disk is full"), told.count("can be used again")) == (1, 1)


def test_the_test_sees_an_outbox_without_a_bound(month: Month, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Outbox, "_drop_oldest", lambda _self: None)
    month.passes(1200 * CADENCE_S)
    assert len(month.outbox) == 1200
