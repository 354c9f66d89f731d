"""Lock's side of a PC/SC reader, to the moment: the worker beside it does as it is told.

Over a thread, and over the real pcscd: tests/contract/cards.
"""

from __future__ import annotations

import os
import select
from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest

from device.lock import reader_pcsc
from device.lock.pcsc_calls import Pcsc, System
from device.lock.pcsc_worker import Came, Down, Left, Replied, Report, Up
from device.lock.reader_pcsc import AGAIN_S, START_S, PcscReader
from device.lock.state import CardCame, CardLeft, CardReplied

BEGAN_S = 1024.0
DUE_S = 64.0  # when the worker should have got on, after the beginning
WHO = b"\xff\xca\x00\x00\x00"


@dataclass(eq=False)
class FakeWorker:
    """`Worker` as far as the reader sees it."""

    name: str
    system: System
    tell: Callable[[Report], None]
    due_s: float = BEGAN_S + DUE_S
    orders: list[tuple[int, bytes | None]] = field(default_factory=list)

    def order(self, number: int, command: bytes | None) -> None:
        self.orders.append((number, command))

    def stop(self) -> None:
        """It ends at once."""


@pytest.fixture
def reader(monkeypatch: pytest.MonkeyPatch) -> PcscReader:
    monkeypatch.setattr(reader_pcsc, "Worker", FakeWorker)
    monkeypatch.setattr(reader_pcsc, "time", SimpleNamespace(monotonic=lambda: BEGAN_S))
    return PcscReader("Made Up", Pcsc())


def worker(reader: PcscReader) -> FakeWorker:
    found: object = reader._worker
    assert isinstance(found, FakeWorker)
    return found


def came(reader: PcscReader, number: int = 1) -> FakeWorker:
    """A card is there."""
    worker(reader).tell(Up())
    worker(reader).tell(Came(number))
    assert reader.events(BEGAN_S) == [CardCame()]
    return worker(reader)


# ---- when it wants to be looked at, and what it says of itself


def test_nothing_is_held_against_it_until_its_start_is_over(reader: PcscReader) -> None:
    assert reader.deadline() == BEGAN_S + START_S
    reader.events(BEGAN_S + START_S - 0.001)
    assert reader.well
    reader.events(BEGAN_S + START_S)
    assert not reader.well
    assert reader.deadline() == BEGAN_S + DUE_S, "and not at once, again and again"


def test_a_hanging_start_is_looked_at_when_the_call_is_due(reader: PcscReader) -> None:
    worker(reader).due_s = BEGAN_S + START_S / 2
    assert reader.deadline() == BEGAN_S + START_S / 2


def test_a_reader_in_use_wants_to_be_looked_at_when_the_worker_should_have_got_on(reader: PcscReader) -> None:
    came(reader)
    assert reader.deadline() == BEGAN_S + DUE_S


def test_a_call_that_is_due_hangs_from_that_moment_on(reader: PcscReader, capsys: pytest.CaptureFixture[str]) -> None:
    orders = came(reader).orders
    assert reader.events(BEGAN_S + DUE_S - 0.001) == []
    assert reader.well
    assert reader.events(BEGAN_S + DUE_S) == [CardLeft()]
    assert not reader.well
    assert orders == [(1, None)], "the card is let go when the call ends"
    assert capsys.readouterr().err.endswith("pcscd hangs, and with it the card reader\n")


def test_a_hanging_call_is_looked_at_again_and_costs_no_time(reader: PcscReader) -> None:
    came(reader)
    for seconds in (DUE_S, DUE_S + AGAIN_S, DUE_S + 2 * AGAIN_S):
        reader.events(BEGAN_S + seconds)
        assert reader.deadline() == BEGAN_S + seconds + AGAIN_S
    worker(reader).due_s = BEGAN_S + 2 * DUE_S
    assert reader.events(BEGAN_S + DUE_S + 3 * AGAIN_S) == []
    assert reader.well
    assert reader.deadline() == BEGAN_S + 2 * DUE_S


def test_a_reader_that_is_gone_is_not_well_at_once_and_well_again_when_it_is_back(
    reader: PcscReader, capsys: pytest.CaptureFixture[str]
) -> None:
    for report, well in ((Up(), True), (Down("the reader is gone"), False), (Up(), True)):
        worker(reader).tell(report)
        assert reader.events(BEGAN_S) == []
        assert reader.well is well
    there = "the card reader is there"
    assert capsys.readouterr().err.splitlines() == [there, "the reader is gone", there]


def test_whatever_the_worker_tells_wakes_the_loop_once(reader: PcscReader) -> None:
    bell = reader.fileno()
    assert bell is not None
    for report in (Up(), Came(1), Replied(1, b"\x90\x00"), Left(1), Down("the reader is gone")):
        assert not select.select([bell], [], [], 0)[0]
        worker(reader).tell(report)
        assert select.select([bell], [], [], 0)[0]
        reader.events(BEGAN_S)


# ---- what is said, and to whom


def test_what_is_said_to_nobody_goes_nowhere(reader: PcscReader) -> None:
    reader.card(WHO)
    reader.card(None)
    came(reader).tell(Left(1))
    assert reader.events(BEGAN_S) == [CardLeft()]
    reader.card(WHO)
    reader.card(None)
    assert worker(reader).orders == []


def test_a_card_is_asked_one_thing_at_a_time_and_the_next_one_is_asked_afresh(reader: PcscReader) -> None:
    orders = came(reader).orders
    reader.card(WHO)
    reader.card(b"too soon")
    worker(reader).tell(Replied(1, b"\x90\x00"))
    assert reader.events(BEGAN_S) == [CardReplied(b"\x90\x00")]
    reader.card(b"now")
    came(reader, 2)
    reader.card(b"another card")
    assert orders == [(1, WHO), (1, b"now"), (2, b"another card")]


def test_what_an_exchange_that_is_over_reports_is_nothing(reader: PcscReader) -> None:
    came(reader, 2)
    for report in (Replied(1, b"late\x90\x00"), Left(1)):
        worker(reader).tell(report)
        assert reader.events(BEGAN_S) == []
    reader.card(None)
    for late in (Replied(2, b"late\x90\x00"), Left(2)):
        worker(reader).tell(late)
        assert reader.events(BEGAN_S) == []


# ---- given back


def test_a_reader_that_was_given_back_leaves_the_file_alone_that_has_its_number_now(reader: PcscReader) -> None:
    number = reader.fileno()
    assert number is not None
    reader.close()
    assert reader.fileno() is None
    assert reader.deadline() is None
    stranger = os.eventfd(7, os.EFD_NONBLOCK)
    if stranger != number:
        os.dup2(stranger, number)
        os.close(stranger)
    try:
        worker(reader).tell(Came(1))
        assert reader.events(BEGAN_S) == []
        reader.close()
        assert os.eventfd_read(number) == 7
    finally:
        os.close(number)
