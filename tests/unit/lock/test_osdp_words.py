"""What goes to an OSDP reader, field by field, as osdp_LED and osdp_BUZ of the standard have it (IEC 60839-11-5)."""

from __future__ import annotations

import osdp
import pytest

from device.lock.osdp_commands import ASK_STATUS, DARK, able, command_of
from device.lock.osdp_rhythm import Beats, Colour, Light, Tone

THREE = Beats(count=3, on=1, off=4)
BLACK = osdp.CommandLEDColor.Black
BEGIN, CANCEL, SET = 2, 1, 1  # control codes: of a temporary setting the first two, of the permanent one the third
OWN_TONE = 2
COLOURS = {
    Colour.GREEN: osdp.CommandLEDColor.Green,
    Colour.RED: osdp.CommandLEDColor.Red,
    Colour.AMBER: osdp.CommandLEDColor.Amber,
}


@pytest.mark.parametrize("colour", Colour)
def test_a_light_begins_on_the_first_light_of_the_first_reader_and_ends_dark(colour: Colour) -> None:
    assert command_of(Light(THREE, colour)) == {
        "command": osdp.Command.LED,
        "reader": 0,
        "led_number": 0,
        "temporary": True,
        "control_code": BEGIN,
        "on_count": 1,
        "off_count": 4,
        "on_color": COLOURS[colour],
        "off_color": BLACK,
        "timer_count": 3 * 5 - 4,  # until the last beat ends
    }


def test_a_light_that_is_cut_off_is_cancelled_and_not_begun() -> None:
    told = command_of(Light(None))
    assert (told["reader"], told["led_number"], told["control_code"]) == (0, 0, CANCEL)
    assert (told["on_count"], told["off_count"], told["timer_count"]) == (0, 0, 0)
    assert told["temporary"]


def test_a_tone_is_the_readers_own_on_the_first_reader() -> None:
    assert command_of(Tone(THREE)) == {
        "command": osdp.Command.Buzzer,
        "reader": 0,
        "control_code": OWN_TONE,
        "on_count": 1,
        "off_count": 4,
        "rep_count": 3,
    }


def test_while_nobody_is_there_the_permanent_light_is_black() -> None:
    assert DARK == {
        "command": osdp.Command.LED,
        "reader": 0,
        "led_number": 0,
        "temporary": False,
        "control_code": SET,
        "on_count": 1,
        "off_count": 0,
        "on_color": BLACK,
        "off_color": BLACK,
    }


@pytest.mark.parametrize("command", [osdp.Command.LED, osdp.Command.Buzzer])
@pytest.mark.parametrize(("grade", "may"), [(0, False), (1, False), (2, True), (3, True)])
def test_a_light_or_a_tone_goes_only_to_a_reader_that_ends_it_by_itself(command: int, grade: int, may: bool) -> None:
    assert able(command, lambda _capability: grade) is may
    assert able(int(ASK_STATUS["command"]), lambda _capability: 0), "everybody tells how they are"
