"""The lines of a door as an installer sees them, and what set-up refuses about them. Pure.

Rules kept here:
- Header pins are those of a Raspberry Pi's 40-pin header (Raspberry Pi documentation, GPIO), as in docs/wiring.md.
- An output is not put on a pin that a Raspberry Pi pulls up while it starts (GPIO0 to GPIO8): a relay would answer.
- A line is never named by the number of its chip: the kernel numbers chips anew at each start.
- What a line at rest does to the door is said, for each lock and each level, from the one place that maps them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from device.config.tables import Config, LockTable
from device.desk.setup.machine import Chip
from device.errors import ConfigRefused

_HEADER = (27, 28, 3, 5, 7, 29, 31, 26, 24, 21, 19, 23, 32, 33, 8, 10, 36, 11, 12, 35, 38, 40, 15, 16, 18, 22, 37, 13)
_FIRST_QUIET = 9  # BCM2711 and RP1 data sheets: GPIO0 to GPIO8 start with a pull-up


@dataclass(frozen=True, slots=True)
class Wire:
    """One line: its setting in [lock], what hangs on it, how it is wired, and whether the door drives it.

    `one_by_one`: asked for only where each line is asked for; most doors do without.
    """

    key: str
    called: str
    wired: str
    output: bool = False
    optional: bool = False
    one_by_one: bool = False


def _of_a_light(key: str, called: str, leds: str) -> Wire:
    return Wire(key, called, f"transistor of {leds}, docs/wiring.md", output=True, optional=True, one_by_one=True)


WIRES = (
    Wire("bolt_pin", "relay of the bolt", "to the relay's input, and 10 kOhm to ground", output=True),
    Wire("lamp_pin", "lamp", "to the switch of lamp and camera", output=True),
    Wire("face_button_pin", "face button", "normally open, to ground"),
    Wire("rex_pin", "request to exit", "second contact of the exit button, normally open, to ground"),
    Wire("door_switch_pin", "door contact", "closed while the door is closed, to ground"),
    Wire("tamper_pin", "housing contact", "closed while the housing is closed, to ground"),
    Wire("buzzer_pin", "buzzer", "active buzzer through a transistor", output=True, optional=True),
    Wire("status_led_pin", "status light", "LED with 330 Ohm, to ground", output=True, optional=True),
    _of_a_light("left_light_weak_pin", "left white light, weak", "one LED"),
    _of_a_light("left_light_strong_pin", "left white light, strong", "two LEDs"),
    _of_a_light("right_light_weak_pin", "right white light, weak", "one LED"),
    _of_a_light("right_light_strong_pin", "right white light, strong", "two LEDs"),
)


def header_pin(pin: str) -> str:
    """Where "GPIO17" is on the header; empty for a line that is not on it."""
    number = pin.removeprefix("GPIO")
    return f"header pin {_HEADER[int(number)]}" if pin.startswith("GPIO") and int(number) < len(_HEADER) else ""


def table_of(lock: LockTable) -> str:
    """The wiring as lines, one a sentence: a table would be noise in a screen reader."""
    lines = []
    for wire in WIRES:
        pin = str(getattr(lock, wire.key))
        where = ", ".join(filter(None, (pin, header_pin(pin) if lock.board == "gpiozero" else "")))
        lines.append(f"  {wire.called}: {where}; {wire.wired}." if pin else f"  {wire.called}: not wired.")
    return "\n".join(lines)


def opens_at_rest(lock: LockTable) -> bool:
    """Whether a line that nobody drives, and that lies low, is an open door."""
    energised = not lock.bolt_active_high  # a low line is the active one where low is active
    return energised if lock.wiring == "fail-secure" else not energised


def refuse_lines(config: Config, chips: tuple[Chip, ...]) -> None:
    """Raise ConfigRefused for a line that set-up does not write down."""
    for wire in WIRES:
        pin = str(getattr(config.lock, wire.key))
        if re.match(r"gpiochip[0-9]", pin):
            labels = ", ".join(f"chip:{chip.label}:N" for chip in chips) or "chip:LABEL:N"
            msg = f"[lock] {wire.key}: the number of a chip changes between starts; name it by its label, {labels}"
            raise ConfigRefused(msg)
        low = re.fullmatch(r"GPIO([0-9]+)", pin)
        if wire.output and config.lock.board == "gpiozero" and low and int(low[1]) < _FIRST_QUIET:
            msg = f"[lock] {wire.key}: {pin} is pulled up while a Raspberry Pi starts; outputs go on GPIO9 and above"
            raise ConfigRefused(msg)
