"""joined.toml and its copy: what a door learned when it joined, kept twice beside door.toml.

Rules kept here:
- Root alone writes the two, by `doorctl join`; every room reads both. The copy lies in no room's state folder: whoever
  could write it there could name another manager. What takes the whole folder takes door.toml as well.
- joined.toml counts while it is whole, so that a person who writes another key into it is obeyed. It gives way to the
  copy only when it is gone, cannot be read, is no TOML, names no door or no key, or is a torn beginning of the copy.
- A copy that is not whole counts for nothing: a door without either has not joined.
- Reading mends nothing (`installing.mend` does), so that a room needs no right to write here.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path

from device import reading
from device.errors import ConfigRefused

JOINED = "joined.toml"
COPY = "joined-copy.toml"
LARGEST_TEXT = 1 << 20  # far more than settings and their remarks take


class Kept(Enum):
    """How the two stand to each other."""

    NOTHING = auto()  # neither is there: the door has not joined, or has its id in door.toml
    ALIKE = auto()
    COPY_COUNTS = auto()  # joined.toml is gone or damaged
    COPY_LACKS = auto()  # the copy is gone, damaged or older


@dataclass(frozen=True, slots=True)
class Learned:
    """What counts (`text` of joined.toml, empty if there is none), and how the two files stand."""

    text: str
    kept: Kept


def read(config: Path) -> Learned:
    """What the door with the door.toml `config` learned. Raises ConfigRefused if nothing of it can be read."""
    fault: ConfigRefused | None = None
    text: str | None = None
    try:
        text = text_of(config.with_name(JOINED))
    except ConfigRefused as cause:
        fault = cause
    copy = _copy(config)
    if copy is not None and (text is None or text != copy) and not _counts_beside(text, copy):
        return Learned(copy, Kept.COPY_COUNTS)
    if fault is not None:
        raise fault
    if text is None:
        return Learned("", Kept.NOTHING)
    return Learned(text, Kept.ALIKE if text == copy else Kept.COPY_LACKS)


def joined(config: Path) -> bool:
    """Whether the door has joined, as far as these two files say; a damaged joined.toml says so as well."""
    return config.with_name(JOINED).exists() or _copy(config) is not None


def whole(text: str) -> bool:
    """Whether `text` names a door and its manager's key, as `doorctl join` writes it."""
    try:
        door = tomllib.loads(text).get("door")
    except (ValueError, RecursionError):
        return False
    return isinstance(door, dict) and {"id", "manager_key"} <= door.keys()


def text_of(path: Path) -> str | None:
    """The text of a configuration file, None if there is none. Raises ConfigRefused."""
    try:
        return reading.text(path, LARGEST_TEXT)
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as cause:
        msg = f"the configuration at {path} cannot be read: {cause}"
        raise ConfigRefused(msg) from cause


def _copy(config: Path) -> str | None:
    try:
        text = text_of(config.with_name(COPY))
    except ConfigRefused:
        return None
    return text if text is not None and whole(text) else None


def _counts_beside(text: str | None, copy: str) -> bool:
    """Whether joined.toml counts although it differs from a whole copy: somebody wrote something else there."""
    return text is not None and whole(text) and not copy.startswith(text)
