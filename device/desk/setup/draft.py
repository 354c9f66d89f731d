"""The settings as they are being chosen, and door.toml as it will be.

Rules kept here:
- A value is checked when it is given, by the bounds beside its field in `device.config.tables` and nowhere else.
- What is written can be read again, and is then the same: `config.parse(render(c))` is `c`.
- Every choice that set-up asks about is written down, default or not, so that the file tells what was chosen. Of all
  other settings those that differ from their defaults are.

Pure: no file is read or written here.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from device import config as door_config
from device.config.tables import Config, DoorTable
from device.errors import ConfigRefused
from device.settings import read_table

NEW = Config(DoorTable(""))  # a door that has not joined, with every default
HEAD = "# The settings of this door, written by `doorctl setup`; docs/setup.md tells what they mean.\n"
_CHOSEN = {
    "camera": ("backend",),
    "vault": ("key_store", "root_key_sealed_with", "false_opens_per_year", "strangers_per_day"),
    "keeper": ("key_store", "root_key_sealed_with"),
    "lock": (
        *("board", "wiring", "bolt_pin", "bolt_active_high", "lamp_pin", "face_button_pin", "rex_pin", "rex_wired"),
        *("door_switch_pin", "tamper_pin", "buzzer_pin", "status_led_pin", "keypad", "card_reader", "osdp"),
        *("tier", "unlock_ms"),
    ),
    "sign": ("contact",),
    "page": ("port",),
}


@dataclass(frozen=True, slots=True)
class Draft:
    """What was chosen so far.

    `label`: the path of a label to join with, or empty. `label_due`: whether one is asked for. `own_lines`: whether
    each line is asked for. `watchdog`: whether the board's is switched on, where there is one.
    """

    config: Config = NEW
    label: str = ""
    label_due: bool = True
    own_lines: bool = False
    watchdog: bool = True

    def put(self, table: str, **values: object) -> Draft:
        """The same with other `values` in `table`. Raises ConfigRefused if one is out of its bounds."""
        stands = getattr(self.config, table, None)
        if stands is None or table == "door":
            msg = f"[{table}] is not a table that set-up asks about"
            raise ConfigRefused(msg)
        raw = {field.name: getattr(stands, field.name) for field in dataclasses.fields(stands)}
        read: Any = read_table(type(stands), raw | values, table)
        return dataclasses.replace(self, config=dataclasses.replace(self.config, **{table: read}))

    def checked(self, joined: str = "") -> Draft:
        """Itself, if a door would start with it. Raises ConfigRefused for what contradicts itself."""
        door_config.parse(render(self.config), joined, without_id=True)
        return self


def render(config: Config) -> str:
    """door.toml for `config`."""
    tables = [_table(name, config) for name in (field.name for field in dataclasses.fields(config))]
    return HEAD + "".join(f"\n{table}" for table in tables if table)


def differences(old: Config, new: Config) -> tuple[str, ...]:
    """A sentence for each setting that `new` has otherwise than `old`."""
    before, after = dict(_settings(old)), dict(_settings(new))
    return tuple(
        f"[{table}] {key} was {_toml(before[table, key])} and becomes {_toml(value)}."
        for (table, key), value in after.items()
        if before[table, key] != value
    )


def _settings(config: Config) -> Iterator[tuple[tuple[str, str], object]]:
    for table in dataclasses.fields(config):
        stands = getattr(config, table.name)
        for field in dataclasses.fields(stands):
            yield (table.name, field.name), getattr(stands, field.name)


def _table(name: str, config: Config) -> str:
    defaults = dict(_settings(NEW))
    lines = [
        f"{key} = {_toml(value)}\n"
        for (table, key), value in _settings(config)
        if table == name and (key in _CHOSEN.get(name, ()) or value != defaults[name, key])
    ]
    return f"[{name}]\n{''.join(lines)}" if lines else ""


def _toml(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            # A JSON string is a TOML basic string, but for one character that TOML wants escaped and JSON does not.
            return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
        case _:
            return repr(value)
