"""gpiozero's board alone: bouncing contacts, missing lines, drivers that raise."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from gpiozero.pins.mock import MockFactory, MockPin

from device.errors import BoltFault
from device.lock.board import SETTLE_S
from device.lock.board_gpiozero import GpiozeroBoard
from device.lock.state import Event, FaceButton, TamperMoved
from tests.contract.board.bench import TABLE, Bench, open_files, readable


def test_a_bouncing_button_is_pressed_once(pins: tuple[Bench, MockFactory]) -> None:
    bench, factory = pins
    pin = factory.pin(TABLE.face_button_pin)
    told: list[Event] = []
    for _ in range(8):
        pin.drive_low()
        told += bench.board.events(bench.now_s)
        bench.now_s += SETTLE_S / 4
        pin.drive_high()
        told += bench.board.events(bench.now_s)
        bench.now_s += SETTLE_S / 4
    assert told == [], "it never stood still"
    pin.drive_low()
    assert bench.events() == [FaceButton()]


def test_a_spike_shorter_than_the_settling_time_is_nothing(pins: tuple[Bench, MockFactory]) -> None:
    bench, factory = pins
    factory.pin(TABLE.door_switch_pin).drive_high()
    assert bench.board.events(bench.now_s) == []
    factory.pin(TABLE.door_switch_pin).drive_low()
    assert bench.board.events(bench.now_s + SETTLE_S / 2) == []
    assert bench.board.deadline() is None
    assert bench.board.events(bench.now_s + 10) == []


def test_an_edge_that_the_driver_dropped_is_seen_at_the_next_look(pins: tuple[Bench, MockFactory]) -> None:
    bench, factory = pins
    pin = factory.pin(TABLE.face_button_pin)
    pin.when_changed = None
    pin.drive_low()
    assert not readable(bench.board)
    bench.touch("tamper on")
    assert set(bench.events()) == {FaceButton(), TamperMoved(on=True)}


def test_a_button_held_down_at_the_start_was_not_pressed() -> None:
    factory = MockFactory()
    pin = factory.pin(TABLE.face_button_pin)
    pin._set_pull = lambda _value: setattr(pin, "_pull", "up")  # the finger is stronger than the pull-up
    pin._state = False
    board = GpiozeroBoard(TABLE, factory)
    told = board.events(1.0) + board.events(2.0)
    assert FaceButton() not in told
    pin.drive_high()
    board.events(3.0)
    assert board.events(4.0) == []
    pin.drive_low()
    board.events(5.0)
    assert board.events(6.0) == [FaceButton()]
    board.close()


@pytest.mark.parametrize(
    "name", ["lamp_pin", "face_button_pin", "rex_pin", "door_switch_pin", "tamper_pin", "bolt_pin"]
)
def test_a_line_that_is_taken_refuses_the_board_and_gives_the_others_back(name: str) -> None:
    factory = MockFactory()
    before = open_files()
    taken = getattr(TABLE, name)
    holder = object.__new__(_Holder)
    factory.reserve_pins(holder, factory.pin(taken).info.name)
    with pytest.raises(BoltFault, match="cannot be claimed"):
        GpiozeroBoard(TABLE, factory)
    assert open_files() == before
    factory.release_pins(holder, factory.pin(taken).info.name)
    board = GpiozeroBoard(TABLE, factory)
    board.close()


class _Holder:
    """Somebody who holds a pin."""


class Unkind(Exception):
    """What a driver may raise: as lgpio.error, it derives from Exception and nothing else."""


def test_whatever_a_driver_raises_is_a_fault_of_the_board(
    pins: tuple[Bench, MockFactory], monkeypatch: pytest.MonkeyPatch
) -> None:
    bench, _ = pins

    def broken(*_args: object) -> None:
        raise Unkind

    acts: list[Callable[[], object]] = [
        lambda: bench.board.bolt.release(1000),
        bench.board.bolt.secure,
        lambda: bench.board.lamp(on=True),
    ]
    with monkeypatch.context() as patch:
        patch.setattr(MockPin, "_set_state", broken)
        for act in acts:
            with pytest.raises(BoltFault, match="cannot be driven"):
                act()
    with monkeypatch.context() as patch:
        patch.setattr(MockPin, "_get_state", broken)
        with pytest.raises(BoltFault, match="cannot be read"):
            bench.board.events(bench.now_s)


def test_a_bolt_that_cannot_be_secured_on_the_way_out_still_gives_the_lines_back(
    pins: tuple[Bench, MockFactory], monkeypatch: pytest.MonkeyPatch
) -> None:
    bench, factory = pins

    def broken(*_args: object) -> None:
        raise Unkind

    with monkeypatch.context() as patch:
        patch.setattr(MockPin, "_set_state", broken)
        with pytest.raises(Exception, match=r".*"):
            bench.board.close()
    again = GpiozeroBoard(TABLE, factory)
    again.close()


def test_a_fault_at_the_end_of_a_release_kills_no_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """The loop secures at the same moment and raises the alarm; a traceback from a timer would help nobody."""
    ends: list[Callable[[], None]] = []

    class Timer:
        def __init__(self, call: Callable[[], None]) -> None:
            ends.append(call)

        def start(self) -> None:
            """Goes off by hand."""

        def cancel(self) -> None:
            """Never mind."""

    factory = MockFactory()
    board = GpiozeroBoard(TABLE, factory, lambda _seconds, call: Timer(call))
    board.bolt.release(1000)

    def broken(*_args: object) -> None:
        raise Unkind

    with monkeypatch.context() as patch:
        patch.setattr(MockPin, "_set_state", broken)
        ends[0]()
    board.close()
