"""What an OSDP reader is told, in the words of libosdp's dictionaries. Pure.

Rules kept here:
- A light or a tone goes only to a reader that said it ends them by itself: one that cannot would stay lit.
- While nobody is there it shows nothing, whatever its maker thought of.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import osdp

from device.lock.osdp_rhythm import Colour, Light, Tone

Command = Mapping[str, int]

_TIMED = 2  # osdp_PDCAP, compliance level of a light or a tone that ends by itself
_NEEDS: Final = {
    osdp.Command.LED: osdp.Capability.LEDControl,
    osdp.Command.Buzzer: osdp.Capability.AudibleControl,
}
_COLOURS: Final = {
    Colour.GREEN: osdp.CommandLEDColor.Green,
    Colour.RED: osdp.CommandLEDColor.Red,
    Colour.AMBER: osdp.CommandLEDColor.Amber,
}
_CANCEL, _BEGIN = 1, 2  # osdp_LED, the temporary setting
_SET = 1  # osdp_LED, the permanent one
_READERS_OWN_TONE = 2  # osdp_BUZ

ASK_STATUS: Command = {"command": osdp.Command.Status, "type": osdp.StatusReportType.Local}
DARK: Command = {
    "command": osdp.Command.LED,
    "reader": 0,
    "led_number": 0,
    "temporary": False,
    "control_code": _SET,
    "on_count": 1,
    "off_count": 0,
    "on_color": osdp.CommandLEDColor.Black,
    "off_color": osdp.CommandLEDColor.Black,
}


def able(command: int, grade: Callable[[int], int]) -> bool:
    """Whether a reader whose compliance level for a capability is `grade` can do `command`."""
    return command not in _NEEDS or grade(_NEEDS[command]) >= _TIMED


def command_of(told: Tone | Light) -> Command:
    """The command that plays it."""
    if isinstance(told, Tone):
        return {
            "command": osdp.Command.Buzzer,
            "reader": 0,
            "control_code": _READERS_OWN_TONE,
            "on_count": told.beats.on,
            "off_count": told.beats.off,
            "rep_count": told.beats.count,
        }
    beats = told.beats
    return {
        "command": osdp.Command.LED,
        "reader": 0,
        "led_number": 0,
        "temporary": True,
        "control_code": _BEGIN if beats else _CANCEL,
        "on_count": beats.on if beats else 0,
        "off_count": beats.off if beats else 0,
        "on_color": _COLOURS[told.colour],
        "off_color": osdp.CommandLEDColor.Black,
        "timer_count": beats.count * (beats.on + beats.off) - beats.off if beats else 0,
    }
