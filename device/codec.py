"""How annotated dataclass fields become fixed-size bytes.

Rules kept here:
- Every field has exactly one byte form of constant length, little-endian; there are no optional or variable fields.
- What does not fit is refused when packing, and every invalid byte is refused when unpacking: `struct` alone would cut
  long byte strings, pad short ones and turn any non-zero byte into True.
- No knowledge of particular messages or documents: `device.wire` and `device.document` bring those.
"""

from __future__ import annotations

import dataclasses
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated, Any, Protocol, get_args, get_origin, get_type_hints

from device.errors import MessageRefused


class Field(Protocol):
    """One field's byte form: a struct code and the two directions."""

    @property
    def code(self) -> str:
        """The struct format, without byte order."""

    def put(self, value: Any) -> tuple[Any, ...]:
        """The values to hand to struct. Raises MessageRefused."""

    def take(self, values: Iterator[Any]) -> Any:
        """The field from struct's values. Raises MessageRefused."""


@dataclass(frozen=True, slots=True)
class Number:
    """A plain integer of struct format `code`; struct checks the range."""

    code: str

    def put(self, value: int) -> tuple[int]:
        return (value,)

    def take(self, values: Iterator[Any]) -> int:
        return int(next(values))


@dataclass(frozen=True, slots=True)
class Exactly:
    """Exactly `size` bytes."""

    size: int

    @property
    def code(self) -> str:
        return f"{self.size}s"

    def put(self, value: bytes) -> tuple[bytes]:
        if len(value) != self.size:
            msg = f"needs exactly {self.size} bytes, not {len(value)}"
            raise MessageRefused(msg)
        return (value,)

    def take(self, values: Iterator[Any]) -> bytes:
        return bytes(next(values))


@dataclass(frozen=True, slots=True)
class DigitText:
    """At most `size` ASCII digits, padded with NUL."""

    size: int

    @property
    def code(self) -> str:
        return f"{self.size}s"

    def put(self, value: str) -> tuple[bytes]:
        if len(value) > self.size or (value and not (value.isascii() and value.isdigit())):
            msg = f"holds at most {self.size} of the digits 0-9"
            raise MessageRefused(msg)
        return (value.encode("ascii"),)

    def take(self, values: Iterator[Any]) -> str:
        text = bytes(next(values)).rstrip(b"\0")
        if text and not text.isdigit():
            msg = "holds something else than digits"
            raise MessageRefused(msg)
        return text.decode("ascii")


@dataclass(frozen=True, slots=True)
class Blob:
    """Up to `size` bytes behind a 16-bit length; what is not used is NUL."""

    size: int

    @property
    def code(self) -> str:
        return f"H{self.size}s"

    def put(self, value: bytes) -> tuple[int, bytes]:
        if len(value) > self.size:
            msg = f"holds at most {self.size} bytes, not {len(value)}"
            raise MessageRefused(msg)
        return len(value), value

    def take(self, values: Iterator[Any]) -> bytes:
        length, data = int(next(values)), bytes(next(values))
        if length > len(data) or any(data[length:]):
            msg = "its length and its padding disagree"
            raise MessageRefused(msg)
        return data[:length]


@dataclass(frozen=True, slots=True)
class Member:
    """A member of an IntEnum in one byte."""

    enum: type[IntEnum]
    code: str = "B"

    def put(self, value: IntEnum) -> tuple[int]:
        return (int(self.enum(value)),)

    def take(self, values: Iterator[Any]) -> IntEnum:
        try:
            return self.enum(next(values))
        except ValueError as cause:
            msg = f"is no {self.enum.__name__}"
            raise MessageRefused(msg) from cause


@dataclass(frozen=True, slots=True)
class YesNo:
    """A boolean in one byte, 0 or 1 and nothing else."""

    code: str = "B"

    def put(self, value: bool) -> tuple[int]:  # noqa: FBT001 - the value itself
        return (int(bool(value)),)

    def take(self, values: Iterator[Any]) -> bool:
        value = next(values)
        if value not in (0, 1):
            msg = "is neither yes nor no"
            raise MessageRefused(msg)
        return bool(value)


class Schema:
    """The byte form of one dataclass: `size` bytes, made from its annotations."""

    def __init__(self, cls: type) -> None:
        hints = get_type_hints(cls, include_extras=True)
        self._cls = cls
        self._fields = tuple((f.name, _field_of(hints[f.name])) for f in dataclasses.fields(cls))
        self._struct = struct.Struct("<" + "".join(field.code for _, field in self._fields))
        self.size = self._struct.size

    def pack(self, value: object) -> bytes:
        """The bytes of `value`. Raises MessageRefused if a field does not fit."""
        parts: list[Any] = []
        for name, field in self._fields:
            try:
                parts += field.put(getattr(value, name))
            except ValueError as cause:
                msg = f"{self._cls.__name__}.{name} {cause}"
                raise MessageRefused(msg) from cause
        try:
            return self._struct.pack(*parts)
        except struct.error as cause:
            msg = f"a number in {self._cls.__name__} is out of range"
            raise MessageRefused(msg) from cause

    def unpack(self, data: bytes) -> Any:
        """An instance from exactly `size` bytes. Raises MessageRefused."""
        if len(data) != self.size:
            msg = f"{self._cls.__name__} holds {self.size} bytes, not {len(data)}"
            raise MessageRefused(msg)
        values = iter(self._struct.unpack(data))
        fields: dict[str, Any] = {}
        for name, field in self._fields:
            try:
                fields[name] = field.take(values)
            except MessageRefused as cause:
                msg = f"{self._cls.__name__}.{name} {cause}"
                raise MessageRefused(msg) from cause
        return self._cls(**fields)


def _field_of(hint: Any) -> Field:
    if get_origin(hint) is Annotated:
        field: Field = get_args(hint)[1]
        return field
    if isinstance(hint, type) and issubclass(hint, IntEnum):
        return Member(hint)
    if hint is bool:
        return YesNo()
    msg = f"a field of type {hint!r} has no byte form"
    raise TypeError(msg)
