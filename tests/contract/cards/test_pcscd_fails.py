"""The real pcscd crashing, hanging, coming back, or being kept busy by a slow card; the reader has to live with all."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from device.lock import pcsc_worker, reader_pcsc
from device.lock.pcsc_calls import UNAWARE, Pcsc, ReaderFault
from device.lock.reader_pcsc import PcscReader
from device.lock.state import CardCame, CardLeft, CardReplied
from tests.contract.cards.bench import ILL, WELL, Bench, bench_of, ready
from tests.support.pcscd import READER, Daemon, Field

WHO = bytes.fromhex("FFCA000000")
SLOW_S = 2.0
AT_ONCE_S = 1.0  # far below SLOW_S, far above what a busy machine adds


class Overtaken(Pcsc):
    """Whose first look was before the card came, and whose next one was after another program had taken it."""

    def __init__(self) -> None:
        super().__init__()
        self._first = True

    def look(self, reader: str, known: int, for_ms: int) -> int:
        if self._first:
            self._first = False
            return UNAWARE
        return super().look(reader, known, for_ms)


def echo(command: bytes) -> bytes:
    return command[:8] + b"\x90\x00"


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    made = threading.Event()
    yield made
    made.set()


def test_pcscd_killed_in_the_middle_ends_the_exchange_and_is_found_again(
    real: Bench, daemon: Daemon, antenna: Field
) -> None:
    real.put_card(echo)
    assert real.next_event() == CardCame()
    assert real.answer_to(WHO) == CardReplied(echo(WHO))
    daemon.kill()
    assert {real.next_event(), real.next_event()} == {ILL, CardLeft()}
    assert real.next_event(0.5) is None, "told once"
    antenna.take()
    daemon.start()
    assert real.next_event() == WELL
    real.put_card(echo)
    assert real.next_event() == CardCame()
    assert real.answer_to(WHO) == CardReplied(echo(WHO))


def test_pcscd_that_is_not_there_keeps_nobody_and_costs_no_time(real: Bench, daemon: Daemon) -> None:
    real.put_card(echo)
    assert real.next_event() == CardCame()
    daemon.kill()
    real.next_event(), real.next_event()
    before = time.process_time()
    assert real.next_event(1.0) is None
    assert time.process_time() - before < 0.3, "neither the loop nor the thread spins"
    assert real.slowest_s < AT_ONCE_S


def test_a_hanging_pcscd_is_an_alarm_and_well_again_when_it_goes_on(
    real: Bench, daemon: Daemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    real.put_card(echo)
    assert real.next_event() == CardCame()
    monkeypatch.setattr(pcsc_worker, "CALL_S", 1.0)
    daemon.freeze()
    real.say(WHO)
    assert {real.next_event(), real.next_event()} == {ILL, CardLeft()}
    daemon.thaw()
    assert real.next_event() == WELL
    real.take_card()
    assert real.next_event(real.silence_s) is None, "its late answer was said to nobody"
    real.put_card(echo)
    assert real.next_event() == CardCame()
    assert real.slowest_s < AT_ONCE_S


def test_close_returns_at_once_while_pcscd_hangs(antenna: Field, daemon: Daemon) -> None:
    reader = PcscReader(READER, Pcsc())
    bench = ready(bench_of(reader, put=antenna.put, take=antenna.take), reader)
    bench.put_card(echo)
    assert bench.next_event() == CardCame()
    daemon.freeze()
    bench.say(WHO)
    before = time.monotonic()
    bench.board.close()
    assert time.monotonic() - before < pcsc_worker.STOP_S + AT_ONCE_S
    daemon.thaw()


def test_a_slow_card_never_keeps_the_loop(real: Bench) -> None:
    def slow(command: bytes) -> bytes:
        threading.Event().wait(SLOW_S)
        return echo(command)

    real.put_card(slow)
    assert real.next_event() == CardCame()
    before = time.monotonic()
    assert real.answer_to(WHO) == CardReplied(echo(WHO))
    assert time.monotonic() - before >= SLOW_S
    assert real.slowest_s < AT_ONCE_S


def test_a_reader_that_asks_the_card_in_the_loops_thread_is_caught(antenna: Field) -> None:
    """Seeded fault: no thread between the loop and the card."""
    system = Pcsc()

    class Direct(PcscReader):
        def card(self, command: bytes | None) -> None:
            if command:
                system.transmit(command)

    def slow(command: bytes) -> bytes:
        threading.Event().wait(SLOW_S)
        return echo(command)

    reader = Direct(READER, system)
    bench = ready(bench_of(reader, put=antenna.put, take=antenna.take), reader)
    bench.put_card(slow)
    assert bench.next_event() == CardCame()
    bench.say(WHO)
    assert bench.slowest_s > AT_ONCE_S
    bench.board.close()


def test_a_card_pulled_during_a_command_is_told(real: Bench, gate: threading.Event) -> None:
    asked = threading.Event()

    def stuck(_: bytes) -> bytes:
        asked.set()
        gate.wait(SLOW_S)
        raise ConnectionResetError

    real.put_card(stuck)
    assert real.next_event() == CardCame()
    real.say(WHO)
    assert asked.wait(5)
    gate.set()
    real.take_card()
    assert real.next_event() == CardLeft()


def test_the_card_is_ours_alone_and_left_without_power(real: Bench, antenna: Field) -> None:
    real.put_card(echo)
    assert real.next_event() == CardCame()
    other = Pcsc()
    other.open()
    with pytest.raises(ReaderFault, match="another program"):
        other.connect(READER)
    assert not antenna.unpowered.is_set()
    real.say(None)
    assert antenna.unpowered.wait(5), "no session stays"
    other.close()


def test_a_card_that_another_program_holds_is_an_alarm_until_it_lets_go(
    antenna: Field, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader_pcsc, "START_S", 0.2)
    other = Pcsc()
    other.open()
    empty = other.look(READER, UNAWARE, 0)
    antenna.put(echo)
    other.look(READER, empty, 5000)
    other.connect(READER)
    bench = bench_of(PcscReader(READER, Overtaken()), put=antenna.put, take=antenna.take)
    assert bench.next_event() == ILL
    other.disconnect()
    other.close()
    assert bench.next_event() == WELL
    antenna.take()
    assert bench.next_event(0.9) is None
    antenna.put(echo)
    assert bench.next_event() == CardCame()
    bench.board.close()


def test_a_reader_of_another_name_is_an_alarm_that_says_what_is_there(
    antenna: Field, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(reader_pcsc, "START_S", 0.3)
    bench = bench_of(PcscReader("Another Make", Pcsc()), put=antenna.put, take=antenna.take)
    assert bench.next_event() == ILL
    said = capfd.readouterr().err
    assert said.count("no card reader is called 'Another Make'; there are: 'Virtual PCD 00 00'") == 1
    assert bench.next_event(0.5) is None
    assert capfd.readouterr().err == "", "said once"
    bench.board.close()
