"""docs/wiring.md against the code: its lines, its settings, its rhythms, and that a relay at rest is a locked door."""

from __future__ import annotations

import dataclasses
import math
import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from device import config
from device.challenge import FULL, REST, Lights
from device.config.tables import EyeTable, LockTable
from device.lock.bolt import Wiring, coil_energised
from device.lock.patterns import pattern_of
from device.lock.state import Signal
from device.wire import Hint

DOCS = Path(__file__).parents[3] / "docs"
PAGE = (DOCS / "wiring.md").read_text(encoding="utf-8")
PICTURE = (DOCS / "wiring.svg").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
DOOR = '[door]\nid = "00112233445566ff"\n'
# Raspberry Pi documentation, the 40-pin header.
HEADER = {
    "GPIO12": 32,
    "GPIO13": 33,
    "GPIO16": 36,
    "GPIO17": 11,
    "GPIO19": 35,
    "GPIO20": 38,
    "GPIO21": 40,
    "GPIO22": 15,
    "GPIO23": 16,
    "GPIO24": 18,
    "GPIO25": 22,
    "GPIO27": 13,
}
LINES = re.findall(r"^\| [^|]+ \| (\d+) \| `(\w+)` \| ([^|]+) \|", PAGE, re.MULTILINE)
RHYTHMS = {name: rhythm for rhythm, name in re.findall(r"^\| ([^|]+) \| ([A-Z_]+) \|", PAGE, re.MULTILINE)}


def rhythm_of(signal: Signal, hint: Hint | None = None) -> str:
    beats = pattern_of(signal, hint, LockTable().unlock_ms).tone_ms[::2]
    if len(beats) == 1:
        return "click" if beats[0] < 100 else "one very long beat"
    return "`" + "".join("-" if beat > 200 else "." for beat in beats) + "`"


def test_every_line_of_a_door_stands_in_the_table_with_its_pin_and_its_setting() -> None:
    defaults = {field.name: field.default for field in dataclasses.fields(LockTable) if field.name.endswith("_pin")}
    assert {key for _, key, _ in LINES} == set(defaults)
    for pin, key, told in LINES:
        name = re.findall(r"GPIO\d+", told)[0]
        assert HEADER[name] == int(pin)
        assert told.startswith('`""`' if defaults[key] == "" else f"`{defaults[key]}`")
        if key != "keypad":
            assert f"{name}  ·  {pin}" in PICTURE or f"{pin}  ·  {name}" in PICTURE, "the picture says the same"


def test_every_rhythm_on_the_page_is_the_one_that_is_played() -> None:
    played = {signal.name: rhythm_of(signal) for signal in Signal}
    played |= {hint.name: rhythm_of(Signal.LOOK, hint) for hint in Hint}
    assert played == RHYTHMS


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_is_one_that_a_door_starts_with(example: str) -> None:
    config.parse(DOOR + example)


def test_both_wirings_on_the_page_are_locked_while_nobody_drives_the_line() -> None:
    wired = [config.parse(DOOR + example).lock for example in EXAMPLES if "wiring" in example]
    assert {table.wiring for table in wired} == set(Wiring)
    for table in wired:
        low = {
            released: coil_energised(Wiring(table.wiring), released=released) != table.bolt_active_high
            for released in (False, True)
        }
        assert low == {False: True, True: False}, "a line at rest is low, and only a line driven high opens"


def test_outputs_keep_to_the_pins_that_are_low_while_the_computer_starts() -> None:
    for _, key, told in LINES:
        if key in ("bolt_pin", "lamp_pin", "buzzer_pin", "status_led_pin") or "_light_" in key:
            assert int(re.findall(r"GPIO(\d+)", told)[0]) >= 9


def test_the_page_reckons_with_the_lights_as_they_are_driven() -> None:
    """8 cd for one step of one light: at rest, at their brightest, and how bright a diffuser then is."""
    section = PAGE.split("## The two lights")[1].split("\n## ")[0]
    ohm = float(re.findall(r"resistor of (\d+) Ω", section)[0])
    currents_ma = [round((5 - volt) / ohm * 1000) for volt in (3.1, 2.9, 3.3)]
    assert [f"{current_ma} mA" in section for current_ma in currents_ma[:1]] == [True]
    assert f"{currents_ma[1]} to {currents_ma[2]} mA" in section
    assert f"draw {6 * currents_ma[0] / 1000:.2f} A" in section
    candela = round(25 / math.pi)
    assert f"= {candela} cd" in section
    metres = 0.5
    for lights in (REST, Lights(FULL, FULL)):
        assert f"{candela * (lights.left + lights.right) / metres**2:.0f} lx" in section
    diffuser_m2 = math.pi * (0.060 / 2) ** 2
    assert f"{candela * FULL} cd leave {diffuser_m2 * 1e4:.0f} cm²" in section
    assert f"{candela * FULL / diffuser_m2:,.0f}"[:3] == "8,4"
    offset_mm = EyeTable().light_offset_mm
    assert f"{offset_mm:.0f} mm from" in section
    degrees = {far_m: math.degrees(math.atan(offset_mm / 1000 / far_m)) for far_m in (0.3, 0.5, 0.7)}
    assert [f"{degrees[0.5]:.0f}°" in section, f"{degrees[0.3]:.0f}°" in section] == [True, True]
    assert f"{degrees[0.7]:.1f}°" in section
    lit = [example for example in EXAMPLES if "light_offset_mm" in example]
    assert [config.parse(DOOR + example).lock.lights for example in lit] == [True]


def test_the_page_says_what_was_never_tried_and_shows_its_picture() -> None:
    assert "Nothing on this page has been tried on hardware" in PAGE
    assert "Never tried on hardware" in PICTURE
    assert "](wiring.svg)" in PAGE
    tree = ET.fromstring(PICTURE)  # noqa: S314 - a file of this repository
    assert tree.find("{http://www.w3.org/2000/svg}desc") is not None
