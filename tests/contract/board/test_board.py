"""What every board keeps, run against the simulated one, gpiozero's over mock pins and gpiod's over stand-in chips."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from device.errors import BoltFault
from device.lock.board_sim import SimBoard
from device.lock.bolt import Wiring
from device.lock.state import DoorMoved, Event, ExitRequested, FaceButton, Signal, TamperMoved
from device.wire import Hint
from tests.contract.board.bench import Bench, Cable, readable


def test_the_first_thing_told_is_where_the_door_stands(bench: Bench) -> None:
    first = bench.events()
    assert DoorMoved(open=False) in first
    assert set(first) <= {DoorMoved(open=False), TamperMoved(on=False)}, "no button was pressed by starting up"


def test_a_board_that_nobody_touches_is_silent(quiet: Bench) -> None:
    assert quiet.events() == []
    assert not readable(quiet.board)
    assert quiet.board.deadline() is None


@pytest.mark.parametrize(("what", "event"), [("face", FaceButton()), ("rex", ExitRequested())])
def test_a_press_is_told_once_however_long_it_lasts(quiet: Bench, what: str, event: Event) -> None:
    quiet.touch(f"{what} down")
    assert quiet.events() == [event]
    quiet.now_s += 5
    assert quiet.events() == []
    quiet.touch(f"{what} up")
    assert quiet.events() == []
    quiet.touch(f"{what} down")
    assert quiet.events() == [event]


@pytest.mark.parametrize(
    ("touches", "events"),
    [
        (("door open", "door closed"), (DoorMoved(open=True), DoorMoved(open=False))),
        (("tamper on", "tamper off"), (TamperMoved(on=True), TamperMoved(on=False))),
    ],
)
def test_a_contact_is_told_at_every_change(quiet: Bench, touches: tuple[str, str], events: tuple[Event, Event]) -> None:
    for _ in range(2):
        for touch, event in zip(touches, events, strict=True):
            quiet.touch(touch)
            assert quiet.events() == [event]


def test_the_lamp_follows(quiet: Bench) -> None:
    assert not quiet.lamp()
    quiet.board.lamp(on=True)
    assert quiet.lamp()
    quiet.board.lamp(on=True)
    quiet.board.lamp(on=False)
    assert not quiet.lamp()


def test_a_board_decides_nothing(quiet: Bench) -> None:
    for touch in ("face down", "face up", "rex down", "rex up", "door open", "door closed", "tamper on", "tamper off"):
        quiet.touch(touch)
        quiet.events()
        assert not quiet.released()


def test_a_tone_for_every_signal_and_hint_changes_neither_lamp_nor_bolt(quiet: Bench) -> None:
    for signal in Signal:
        for hint in (None, *Hint):
            quiet.board.show(signal, hint)
    assert not quiet.lamp()
    assert not quiet.released()


def test_close_secures_and_darkens_and_gives_every_line_back(quiet: Bench) -> None:
    quiet.board.bolt.release(60_000)
    quiet.board.lamp(on=True)
    assert quiet.released()
    quiet.board.close()
    assert not quiet.released()
    assert not quiet.lamp()
    again = quiet.claim_again()
    assert not quiet.released()
    again.close()


def test_close_may_come_twice_and_closes_nobody_elses_files(quiet: Bench) -> None:
    quiet.board.close()
    reader, writer = os.pipe()  # takes the numbers that close gave back
    quiet.board.close()
    os.write(writer, b"x")
    assert os.read(reader, 1) == b"x"
    os.close(reader)
    os.close(writer)


def test_a_board_has_one_owner(quiet: Bench) -> None:
    with pytest.raises(BoltFault):
        quiet.claim_again()
    quiet.touch("face down")
    assert quiet.events() == [FaceButton()], "the first one works on"


# ---- the simulated board alone


def test_a_cut_cable_is_a_fault(tmp_path: Path) -> None:
    cable = Cable(tmp_path / "c.sock")
    board = cable.claim()
    assert board.events(0.0) == [DoorMoved(open=False)]
    cable.close()
    for act in (lambda: board.events(0.0), lambda: board.lamp(on=True), board.bolt.secure):
        with pytest.raises(BoltFault):
            act()
    board.close()


def test_a_board_that_is_not_there_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(BoltFault, match="doorsim up starts it"):
        SimBoard(tmp_path / "c.sock", Wiring.FAIL_SECURE)
