"""Answers from a file, for whoever sets up many doors alike: the same draft, the same checks, nobody asked.

Rules kept here:
- The file holds what door.toml holds, and a table [setup] of three: `label`, a file to join with, `replace`, without
  which a door.toml that stands there with other values is left alone, and `watchdog`, false to leave the board's off.
- A camera that is named anew is pinned anew: a pin that stands is about the one before.
- What the file does not name keeps its value, or its default on a new door.
- The first thing that is wrong ends it, and nothing was written.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, replace
from pathlib import Path

from device import reading
from device.desk.setup.camera import pin_camera
from device.desk.setup.draft import Draft
from device.errors import ConfigRefused
from device.settings import named, read_table

_LONGEST = 65536


@dataclass(frozen=True, slots=True)
class SetupTable:
    """What a file of answers says beside the settings."""

    label: str = ""
    replace: bool = False
    watchdog: bool = True


def read(path: Path, draft: Draft) -> tuple[Draft, bool]:
    """`draft` after the answers in the file `path`, and whether another door.toml may be replaced.

    Raises ConfigRefused.
    """
    content = reading.within(path, _LONGEST, ConfigRefused, f"{path} is too long for a file of answers")
    try:
        tables = tomllib.loads(content.decode("utf-8"))
    except (ValueError, RecursionError) as cause:
        msg = f"{path} is no TOML: {cause}" if isinstance(cause, tomllib.TOMLDecodeError) else f"{path} is no TOML"
        raise ConfigRefused(msg) from cause
    before = draft
    asked = read_table(SetupTable, tables.pop("setup", {}), "setup")
    for table, values in tables.items():
        if not isinstance(values, dict):
            msg = f"{named(table)} stands outside of any table in {path}"
            raise ConfigRefused(msg)
        draft = draft.put(named(table), **values)
    draft = pin_camera(before, draft)
    return replace(draft, label=asked.label, watchdog=asked.watchdog), asked.replace
