"""The buzzer and the status light on a board's lines: they play, and nothing of theirs can stop a door."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import pytest
from gpiozero.pins.mock import MockFactory

from device.errors import BoltFault
from device.lock.board_gpiozero import GpiozeroBoard
from device.lock.patterns import pattern_of
from device.lock.state import Signal
from tests.contract.board.bench import TABLE, Bench, gpiod_wired, gpiozero_wired

WIRED = replace(TABLE, buzzer_pin="GPIO5", status_led_pin="GPIO6")


@dataclass
class Wired:
    """A board with a buzzer and a light, and their levels."""

    bench: Bench
    level: Callable[[str], bool]
    breaks: Callable[[str], None]

    @property
    def levels(self) -> tuple[bool, bool]:
        return self.level(WIRED.buzzer_pin), self.level(WIRED.status_led_pin)

    def play(self, until_s: float) -> list[tuple[float, tuple[bool, bool]]]:
        """Every change until `until_s`, as the loop would make it happen."""
        changes: list[tuple[float, tuple[bool, bool]]] = []
        while (due := self.bench.board.deadline()) is not None and due <= until_s:
            self.bench.now_s = max(self.bench.now_s, due)
            self.bench.board.events(self.bench.now_s)
            if not changes or changes[-1][1] != self.levels:
                changes.append((self.bench.now_s, self.levels))
        return changes


@pytest.fixture(params=["gpiozero", "gpiod"])
def wired(request: pytest.FixtureRequest) -> Iterator[Wired]:
    make = gpiozero_wired if request.param == "gpiozero" else gpiod_wired
    bench, level, breaks = make(WIRED)
    bench.touch("door closed")
    bench.touch("tamper off")
    bench.events()
    yield Wired(bench, level, breaks)
    bench.board.close()


def test_a_signal_is_played_on_both_lines_and_ends(wired: Wired) -> None:
    began = wired.bench.now_s
    for signal in Signal:
        wired.bench.board.show(signal, None)
        changes = wired.play(wired.bench.now_s + 5)
        assert changes[0][1] == (True, True), "at once"
        assert changes[-1][1] == (False, False)
        length_s = changes[-1][0] - changes[0][0]
        assert length_s == pytest.approx(pattern_of(signal, None, WIRED.unlock_ms).length_ms / 1000)
        assert wired.bench.board.deadline() is None, "no wake-up while all is silent and dark"
        wired.bench.now_s += 1
    assert not wired.bench.released()
    assert not wired.bench.lamp()
    assert wired.bench.now_s > began


def test_closing_in_the_middle_of_a_beat_ends_it(wired: Wired) -> None:
    wired.bench.board.show(Signal.OPENED, None)
    wired.bench.board.events(wired.bench.now_s)
    assert wired.levels == (True, True)
    wired.bench.board.close()
    assert wired.levels == (False, False)


def test_a_broken_buzzer_is_left_alone_and_the_door_goes_on(wired: Wired, capfd: pytest.CaptureFixture[str]) -> None:
    wired.breaks(WIRED.buzzer_pin)
    for _ in range(3):
        wired.bench.board.show(Signal.KEY, None)
        wired.play(wired.bench.now_s + 5)
        wired.bench.now_s += 1
    assert "".join(capfd.readouterr()).count("the buzzer cannot be driven") == 1
    wired.bench.board.bolt.release(1000)
    assert wired.bench.released()
    wired.bench.board.show(Signal.OPENED, None)
    wired.bench.board.events(wired.bench.now_s)
    assert wired.level(WIRED.status_led_pin), "the light goes on without it"
    wired.bench.board.bolt.secure()


def test_a_feedback_line_that_is_taken_refuses_the_board() -> None:
    factory = MockFactory()
    first = GpiozeroBoard(WIRED, factory)
    with pytest.raises(BoltFault, match="cannot be claimed"):
        GpiozeroBoard(replace(TABLE, bolt_pin=WIRED.buzzer_pin), factory)
    first.close()


def test_a_board_without_them_is_silent(quiet: Bench) -> None:
    for signal in Signal:
        quiet.board.show(signal, None)
        assert quiet.board.deadline() is None
