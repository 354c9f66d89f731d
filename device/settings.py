"""Reading a TOML table into a frozen dataclass, bounds and all.

Rules kept here:
- The bounds stand beside the field they bound, in its annotation; units stand in its name.
- An unknown key, a missing required key, a wrong type or a value out of bounds stops the start with one sentence that
  names the key and what it may hold. Nothing is clamped, guessed or ignored.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Protocol, TypeVar, cast, get_args, get_origin, get_type_hints

from device.errors import ConfigRefused

T = TypeVar("T")


class Rule(Protocol):
    """What a setting may hold."""

    def check(self, value: object) -> str | None:
        """None if `value` is acceptable, else the end of the sentence "… must be "."""


@dataclass(frozen=True, slots=True)
class Between:
    """A number from `low` to `high`, both included."""

    low: float
    high: float

    def check(self, value: object) -> str | None:
        numeric = isinstance(value, int | float) and not isinstance(value, bool)
        return None if numeric and self.low <= cast("float", value) <= self.high else f"from {self.low} to {self.high}"


@dataclass(frozen=True, slots=True)
class OneOf:
    """One of a few words."""

    words: tuple[str, ...]

    def check(self, value: object) -> str | None:
        return None if value in self.words else "one of " + ", ".join(f'"{word}"' for word in self.words)


@dataclass(frozen=True, slots=True)
class OneOfNumbers:
    """One of a few whole numbers."""

    numbers: tuple[int, ...]

    def check(self, value: object) -> str | None:
        return None if value in self.numbers else "one of " + ", ".join(str(number) for number in self.numbers)


@dataclass(frozen=True, slots=True)
class Matching:
    """A text of the form `pattern`, described for people as `meaning`."""

    pattern: str
    meaning: str

    def check(self, value: object) -> str | None:
        return None if isinstance(value, str) and re.fullmatch(self.pattern, value) else self.meaning


def read_table(cls: type[T], table: object, name: str) -> T:
    """An instance of the dataclass `cls` from the TOML table `name`. Raises ConfigRefused."""
    if not isinstance(table, Mapping):
        msg = f"[{name}] must be a table of settings"
        raise ConfigRefused(msg)
    hints = get_type_hints(cls, include_extras=True)
    fields = {field.name: field for field in dataclasses.fields(cast("Any", cls))}
    for key in table:
        if key not in fields:
            msg = f"[{name}] {named(key)} is not a setting of this version; it knows {', '.join(fields)}"
            raise ConfigRefused(msg)
    values: dict[str, Any] = {}
    for key, field in fields.items():
        if key in table:
            values[key] = _value(hints[key], table[key], f"[{name}] {key}")
        elif field.default is dataclasses.MISSING:
            msg = f"[{name}] {key} is missing and has no default"
            raise ConfigRefused(msg)
    return cls(**values)


def _value(hint: Any, value: object, where: str) -> object:
    base, rules = (get_args(hint)[0], get_args(hint)[1:]) if get_origin(hint) is Annotated else (hint, ())
    if not isinstance(value, int | float if base is float else base) or (base is not bool and isinstance(value, bool)):
        kind = {int: "a whole number", float: "a number", str: "a text", bool: "true or false"}[base]
        msg = f"{where} must be {kind}"
        raise ConfigRefused(msg)
    for rule in rules:
        wanted = cast("Rule", rule).check(value)
        if wanted:
            msg = f"{where} must be {wanted}, not {_shown(value)}"
            raise ConfigRefused(msg)
    try:
        return float(cast("float", value)) if base is float else value
    except OverflowError as cause:  # a whole number that no bound caught
        msg = f"{where} must be a number, not {_shown(value)}"
        raise ConfigRefused(msg) from cause


def named(key: str) -> str:
    """A key as one line, whatever somebody wrote between the quotes of a quoted one."""
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else repr(key)


def _shown(value: object) -> str:
    # Python refuses to print whole numbers of more than 4300 digits; nobody would read them either.
    return "a number that long" if isinstance(value, int) and value.bit_length() > 64 else repr(value)  # noqa: PLR2004 - what TOML promises to keep
