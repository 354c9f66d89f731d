"""The reader's own rules, over a made-up PC/SC: what would take real parts too long, or cannot be asked of them."""

from __future__ import annotations

import itertools
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from device.lock import pcsc_worker, reader_pcsc
from device.lock.parts import PartsBoard
from device.lock.pcsc_calls import Pcsc
from device.lock.pcsc_worker import Replied, Report
from device.lock.reader_pcsc import PcscReader
from device.lock.state import CardCame, CardLeft, CardReplied, Event
from tests.contract.board.bench import open_files
from tests.contract.cards.bench import ILL, PATIENCE_S, WELL, Bench, bench_of, ready
from tests.contract.cards.imagined import NAME, Imagined, echo

WHO = bytes.fromhex("FFCA000000")
Make = Callable[..., Bench]


def bench_with(system: Imagined, reader: type[PcscReader] = PcscReader) -> Bench:
    def put(process: Callable[[bytes], bytes]) -> None:
        system.process = process
        system.move(there=True)

    part = reader(NAME[:-6], system)
    bench = bench_of(part, put=put, take=lambda: system.move(there=False))
    return ready(bench, part) if NAME in system.names else bench


@pytest.fixture
def make(request: pytest.FixtureRequest) -> Iterator[Make]:
    request.getfixturevalue("hasty")
    made: list[Bench] = []

    def build(system: Imagined, reader: type[PcscReader] = PcscReader) -> Bench:
        made.append(bench_with(system, reader))
        return made[-1]

    yield build
    for bench in made:
        bench.board.close()


def came(bench: Bench, process: Callable[[bytes], bytes] = echo) -> None:
    bench.put_card(process)
    assert bench.next_event() == CardCame()


def test_a_reader_pulled_out_is_an_alarm_and_well_again_when_it_is_back(make: Make) -> None:
    system = Imagined()
    bench = make(system)
    came(bench)
    system.unplug()
    assert {bench.next_event(), bench.next_event()} == {ILL, CardLeft()}
    system.names = ["Another Reader 00 00"]
    assert bench.next_event(0.5) is None, "one of another name is not it"
    system.names = ["Another Reader 00 00", NAME.replace("00 00", "01 00")]
    assert bench.next_event() == WELL
    came(bench)


def test_a_card_that_lies_there_when_the_reader_comes_back_has_to_leave_first(make: Make) -> None:
    system = Imagined()
    system.move(there=True)
    bench = make(system)
    assert bench.next_event(0.4) is None
    system.move(there=False)
    came(bench)


def test_no_alarm_while_pcscd_starts_and_one_if_it_never_does(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader_pcsc, "START_S", 2.0)
    slow, never = Imagined(names=[]), Imagined(names=[])
    first, second = make(slow), make(never)
    assert first.next_event(0.2) is None
    slow.names = [NAME]
    assert first.next_event(2.0) is None
    assert second.next_event() == ILL


@pytest.mark.parametrize("cause", [RuntimeError("what"), OSError(5, "what"), MemoryError()])
def test_what_a_binding_raises_is_an_alarm_and_no_dead_thread(make: Make, cause: Exception) -> None:
    system = Imagined()
    bench = make(system)
    system.raises = cause
    system.unplug()
    assert bench.next_event() == ILL
    system.raises, system.names = None, [NAME]
    assert bench.next_event() == WELL


def test_a_missing_package_is_an_alarm_that_says_so(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(reader_pcsc, "START_S", 0.1)
    monkeypatch.setitem(sys.modules, "smartcard.scard", None)
    bench = bench_of(PcscReader(NAME, Pcsc()), put=lambda _: None, take=lambda: None)
    assert bench.next_event() == ILL
    assert "the package python3-pyscard is not installed" in capfd.readouterr().err
    bench.board.close()


def test_a_card_that_comes_and_goes_all_the_time_is_talked_to_once_in_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pcsc_worker, "REST_S", 0.3)
    monkeypatch.setattr(pcsc_worker, "GLANCE_S", 0.05)
    monkeypatch.setattr(pcsc_worker, "WAIT_MS", 5)
    system = Imagined()
    bench = bench_with(system)
    system.flicker = True
    before, heard = time.monotonic(), 0
    while time.monotonic() - before < 1.5:
        if bench.next_event(0.2) == CardCame():
            heard += 1
            bench.say(None)
    bench.board.close()
    assert 1 <= heard <= 6, "one in REST_S"
    assert system.visits > heard, "it came more often than that"


def test_a_card_that_does_not_wake_is_tried_a_few_times_and_then_left_alone(make: Make) -> None:
    system = Imagined(mute=True)
    bench = make(system)
    system.move(there=True)
    assert bench.next_event(1.5) is None
    assert system.connects == pcsc_worker.TRIES
    system.mute = False
    system.move(there=False)
    came(bench)


def test_a_card_that_nobody_talks_to_is_let_go(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pcsc_worker, "IDLE_S", 0.3)
    bench = make(Imagined())
    came(bench)
    assert bench.next_event() == CardLeft()


def test_a_second_command_before_the_answer_is_not_sent(make: Make) -> None:
    gate, said = threading.Event(), []

    def slow(command: bytes) -> bytes:
        said.append(command)
        gate.wait(5)
        return echo(command)

    bench = make(Imagined())
    came(bench, slow)
    bench.say(WHO)
    bench.say(b"\x90\x5a\x00\x00")
    gate.set()
    assert bench.next_event() == CardReplied(echo(WHO))
    assert bench.next_event(0.3) is None
    assert said == [WHO]


def late_answer(make: Make, monkeypatch: pytest.MonkeyPatch, reader: type[PcscReader]) -> list[Event | None]:
    """A card's answer that comes only when the loop has given it up."""
    monkeypatch.setattr(pcsc_worker, "CALL_S", 0.7)
    gate = threading.Event()

    def stuck(_: bytes) -> bytes:
        gate.wait(30)
        return b"late\x90\x00"

    bench = make(Imagined(), reader)
    came(bench, stuck)
    heard = [bench.answer_to(WHO), bench.next_event()]
    gate.set()
    return [*heard, bench.next_event(), bench.next_event(0.5)]


def test_what_a_card_says_too_late_is_said_to_nobody(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    assert late_answer(make, monkeypatch, PcscReader) == [ILL, CardLeft(), WELL, None]


def test_a_reader_that_hands_on_late_answers_is_caught(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """Seeded fault: the number of the exchange is not compared, by the reader or by the board."""

    class Careless(PcscReader):
        def _meaning(self, report: Report) -> list[Event]:
            return [CardReplied(report.apdu)] if isinstance(report, Replied) else super()._meaning(report)

    heard = PartsBoard._heard
    monkeypatch.setattr(PartsBoard, "_heard", lambda board, source, event: heard(board, source, event) or [event])
    assert CardReplied(b"late\x90\x00") in late_answer(make, monkeypatch, Careless)


def test_a_reader_that_forgets_whom_it_met_is_caught(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """Seeded fault: every look counts as another visit."""
    bench = make(Imagined())
    came(bench)
    visits = itertools.count()
    monkeypatch.setattr(pcsc_worker, "visit", lambda _: next(visits))
    bench.say(None)
    assert bench.next_event(1.0) == CardCame()


def test_a_reader_without_a_limit_to_answers_is_caught(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """Seeded fault: nobody measures."""
    monkeypatch.setattr(pcsc_worker, "MAX_APDU", 10**6)
    bench = make(Imagined())
    came(bench, lambda _: bytes(300))
    assert bench.answer_to(WHO) == CardReplied(bytes(300))


@pytest.mark.usefixtures("hasty")
def test_closing_ends_the_thread_and_leaves_no_file_open() -> None:
    before, threads = open_files(), set(threading.enumerate())  # some of another test may end meanwhile
    system = Imagined()
    bench = bench_with(system)
    (own,) = set(threading.enumerate()) - threads
    came(bench)
    bench.board.close()
    bench.board.close()
    own.join(PATIENCE_S)  # a busy machine may take longer than `close` waits for
    assert not own.is_alive()
    assert open_files() <= before


@pytest.mark.usefixtures("hasty")
def test_a_thread_that_comes_back_after_closing_writes_into_nobodys_file() -> None:
    gate, out = threading.Event(), threading.Event()

    def stuck(command: bytes) -> bytes:
        gate.wait(5)
        out.set()
        return echo(command)

    bench = bench_with(Imagined())
    came(bench, stuck)
    bench.say(WHO)
    bench.board.close()
    taken = [os.eventfd(0, os.EFD_NONBLOCK) for _ in range(8)]  # among them the number that close gave back
    gate.set()
    assert out.wait(5)
    ended = [thread for thread in threading.enumerate() if thread.name == "pcsc"]
    for thread in ended:
        thread.join(5)
    for number in taken:
        with pytest.raises(BlockingIOError):
            os.eventfd_read(number)
        os.close(number)


def test_no_line_in_the_log_holds_what_a_card_said(make: Make, capfd: pytest.CaptureFixture[str]) -> None:
    bench = make(Imagined())
    came(bench, lambda _: bytes.fromhex("04A1B2C3D4E5F69000"))
    assert isinstance(bench.answer_to(WHO), CardReplied)
    bench.take_card()
    assert bench.next_event() == CardLeft()
    said = capfd.readouterr().err.lower()
    assert "the card reader is there" in said
    assert "a1b2c3" not in said
