"""The levels of a board's lines at the start and at the end, and who is driven when."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Thread

import pytest
from gpiozero.pins.mock import MockFactory

from device.errors import BoltFault
from device.lock.board import SETTLE_S, Board, Settled
from device.lock.board_gpiod import GpiodBoard
from device.lock.board_gpiozero import GpiozeroBoard
from device.lock.board_sim import MAX_WORDS, SimBoard
from device.lock.bolt import Wiring
from device.lock.feedback import Feedback
from device.lock.gpiod_lines import output
from device.lock.state import DoorMoved, Event, ExitRequested, Signal, TamperMoved
from tests.contract.board.bench import TABLE
from tests.contract.board.fake_gpiod import FakeChips

WIRED = replace(TABLE, buzzer_pin="GPIO5", status_led_pin="GPIO6")
OUTPUTS = (WIRED.lamp_pin, WIRED.buzzer_pin, WIRED.status_led_pin)


# ---- at the start


def test_lamp_buzzer_and_light_are_off_from_the_first_moment_on() -> None:
    factory = MockFactory()
    board = GpiozeroBoard(WIRED, factory)
    for pin in OUTPUTS:
        assert not any(change.state for change in factory.pin(pin).states), pin
    board.close()
    chips = FakeChips()
    other = GpiodBoard(WIRED, chips.port)
    assert [chips.pad(pin).driven for pin in OUTPUTS] == [[False]] * 3
    other.close()


def held_down_gpiozero() -> tuple[Board, Callable[[bool], None]]:
    """A board whose button to the way out is held down while it starts."""
    factory = MockFactory()
    pin = factory.pin(TABLE.rex_pin)
    pin._set_pull = lambda _value: setattr(pin, "_pull", "up")  # the finger is stronger than the pull-up
    pin._state = False
    return GpiozeroBoard(TABLE, factory), lambda down: (pin.drive_low if down else pin.drive_high)()


def held_down_gpiod() -> tuple[Board, Callable[[bool], None]]:
    """As `held_down_gpiozero`."""
    chips = FakeChips()
    pad = chips.pad(TABLE.rex_pin)
    pad.name = "held rex"
    board = GpiodBoard(replace(TABLE, rex_pin="line:held rex"), chips.port)
    return board, lambda down: pad.touch(not down)


@pytest.mark.parametrize("held_down", [held_down_gpiozero, held_down_gpiod])
def test_a_way_out_that_is_held_down_at_the_start_was_not_asked_for(
    held_down: Callable[[], tuple[Board, Callable[[bool], None]]],
) -> None:
    """Else whoever restarts a door with a wedged button gets in, and nobody is told of a forced door."""
    board, press = held_down()
    assert ExitRequested() not in looked(board, 1.0)
    press(False)
    assert looked(board, 2.0) == []
    press(True)
    assert looked(board, 3.0) == [ExitRequested()]
    board.close()


def looked(board: Board, now_s: float) -> list[Event]:
    """What a board tells now, and after every contact has settled."""
    return board.events(now_s) + board.events(now_s + 2 * SETTLE_S)


def test_where_door_and_housing_stand_is_told_at_the_start_either_way() -> None:
    chips = FakeChips()
    for pin in (TABLE.door_switch_pin, TABLE.tamper_pin):
        chips.pad(pin).name = f"held {pin}"
    table = replace(
        TABLE, door_switch_pin=f"line:held {TABLE.door_switch_pin}", tamper_pin=f"line:held {TABLE.tamper_pin}"
    )
    board = GpiodBoard(table, chips.port)
    assert looked(board, 1.0) == [DoorMoved(open=False), TamperMoved(on=False)]
    board.close()


def test_a_contact_has_settled_at_the_moment_at_which_it_asked_to_be_looked_at() -> None:
    """Else the loop would turn in circles until the clock moves on."""
    contact = Settled(level=False)
    contact.seen(True, 0.0)
    assert contact.due_s == SETTLE_S
    assert contact.settle(contact.due_s) is True


# ---- at the end


def test_the_lamp_is_put_out_before_its_line_is_given_back() -> None:
    """A line that nobody drives may float; the last thing it is told is dark."""
    chips = FakeChips()
    board = GpiodBoard(TABLE, chips.port)
    board.lamp(on=True)
    board.close()
    assert chips.pad(TABLE.lamp_pin).driven == [False, True, False]


def test_the_lamp_stays_dark_if_another_line_is_missing() -> None:
    chips = FakeChips()
    taken = output(chips.port, TABLE.tamper_pin, on=False)
    with pytest.raises(BoltFault):
        GpiodBoard(TABLE, chips.port)
    assert True not in chips.pad(TABLE.lamp_pin).driven
    taken.give_back()


@contextmanager
def simulated(folder: Path) -> Iterator[tuple[SimBoard, socket.socket]]:
    """The simulated board, and doorsim's end of its cable."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind(str(folder / "cable"))
        listener.listen()
        far: list[socket.socket] = []

        def owner() -> None:
            far.append(listener.accept()[0])
            far[0].send(b"yours")

        thread = Thread(target=owner)
        thread.start()
        board = SimBoard(folder / "cable", Wiring.FAIL_SECURE)
        thread.join()
        with far[0]:
            yield board, far[0]
        board.close()


def words_to(end: socket.socket) -> list[str]:
    """Everything that lock has said so far."""
    end.setblocking(False)
    heard: list[str] = []
    try:
        while words := end.recv(MAX_WORDS).decode():
            heard.append(words)
    except BlockingIOError:
        pass
    return heard


def test_the_simulated_lamp_and_lights_are_put_out_at_the_end_and_the_bolt_is_secured_before(tmp_path: Path) -> None:
    with simulated(tmp_path) as (board, end):
        board.lamp(on=True)
        board.lights(2, 1)
        board.close()
        assert words_to(end)[-5:] == ["lamp 1", "lights 2 1", "coil 0", "lamp 0", "lights 0 0"]


@pytest.mark.timeout(20)
def test_a_simulated_board_that_ended_well_is_gone_all_the_same(tmp_path: Path) -> None:
    """Its last word was read, and then there is nothing: not an endless silence, but a fault."""
    with simulated(tmp_path) as (board, end):
        end.send(b"door closed")
        words_to(end)
        end.shutdown(socket.SHUT_WR)
        with pytest.raises(BoltFault, match="is gone"):
            board.events(0.0)


# ---- the buzzer and the light, each alone


@pytest.mark.parametrize("wired", ["buzzer", "light"])
def test_one_of_them_alone_is_played_from_its_first_beat_and_driven_only_at_changes(wired: str) -> None:
    driven: list[bool] = []
    drives = {"buzzer": None, "light": None, wired: driven.append}
    feedback = Feedback(drives["buzzer"], drives["light"], 4000)
    feedback.show(Signal.REFUSED, None)
    now_s = 1.0
    feedback.refresh(now_s)
    assert driven == [True], "the first beat, although nothing was played before"
    while (due := feedback.due_s()) is not None:
        now_s = max(due, now_s)
        feedback.refresh(now_s)
        feedback.refresh(now_s)
    assert driven == [True, False] * (len(driven) // 2)
    feedback.close()
    assert driven[-1] is False


def test_none_of_them_asks_for_nothing() -> None:
    feedback = Feedback(None, None, 4000)
    feedback.show(Signal.REFUSED, None)
    assert feedback.due_s() is None
    feedback.refresh(1.0)
    feedback.close()
