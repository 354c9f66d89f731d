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
from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated, Any, Protocol, get_args, get_origin, get_type_hints

from device.errors import MessageRefused

_LENGTH_BYTES = 2


class Field(Protocol):
    """One field's byte form: a struct code of one value, and the two directions."""

    @property
    def code(self) -> str:
        """The struct format, without byte order."""

    def put(self, value: Any) -> Any:
        """What to hand to struct. Raises MessageRefused, or ValueError for what is no member at all."""

    def take(self, value: Any) -> Any:
        """The field from what struct gave. Raises MessageRefused."""


@dataclass(frozen=True, slots=True)
class Number:
    """A plain integer of struct format `code`; struct checks the range."""

    code: str

    def put(self, value: int) -> int:
        return value

    def take(self, value: int) -> int:
        return value


@dataclass(frozen=True, slots=True)
class Exactly:
    """Exactly `size` bytes."""

    size: int

    @property
    def code(self) -> str:
        return f"{self.size}s"

    def put(self, value: bytes) -> bytes:
        if len(value) != self.size:
            msg = f"needs exactly {self.size} bytes, not {len(value)}"
            raise MessageRefused(msg)
        return value

    def take(self, value: bytes) -> bytes:
        return value


@dataclass(frozen=True, slots=True)
class DigitText:
    """At most `size` ASCII digits, padded with NUL."""

    size: int

    @property
    def code(self) -> str:
        return f"{self.size}s"

    def put(self, value: str) -> bytes:
        if len(value) > self.size or (value and not (value.isascii() and value.isdigit())):
            msg = f"holds at most {self.size} of the digits 0-9"
            raise MessageRefused(msg)
        return value.encode("ascii")

    def take(self, value: bytes) -> str:
        text = value.rstrip(b"\0")
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
        return f"{_LENGTH_BYTES + self.size}s"

    def put(self, value: bytes) -> bytes:
        if len(value) > self.size:
            msg = f"holds at most {self.size} bytes, not {len(value)}"
            raise MessageRefused(msg)
        return len(value).to_bytes(_LENGTH_BYTES, "little") + value

    def take(self, value: bytes) -> bytes:
        end = _LENGTH_BYTES + int.from_bytes(value[:_LENGTH_BYTES], "little")
        if end > len(value) or any(value[end:]):
            msg = "its length and its padding disagree"
            raise MessageRefused(msg)
        return value[_LENGTH_BYTES:end]


@dataclass(frozen=True, slots=True)
class Member:
    """A member of an IntEnum in one byte."""

    enum: type[IntEnum]
    code: str = "B"
    members: dict[int, IntEnum] = dataclasses.field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "members", {int(member): member for member in self.enum})

    def put(self, value: IntEnum) -> int:
        # Nearly always a member already: making one of it costs more than all else of a short message.
        return value if type(value) is self.enum else int(self.enum(value))

    def take(self, value: int) -> IntEnum:
        member = self.members.get(value)
        if member is None:
            msg = f"is no {self.enum.__name__}"
            raise MessageRefused(msg)
        return member


@dataclass(frozen=True, slots=True)
class YesNo:
    """A boolean in one byte, 0 or 1 and nothing else."""

    code: str = "B"

    def put(self, value: bool) -> int:  # noqa: FBT001 - the value itself
        return int(bool(value))

    def take(self, value: int) -> bool:
        if value not in (0, 1):
            msg = "is neither yes nor no"
            raise MessageRefused(msg)
        return bool(value)


class Schema:
    """The byte form of one dataclass: `size` bytes behind `head`, made from its annotations."""

    def __init__(self, cls: type, head: bytes = b"") -> None:
        hints = get_type_hints(cls, include_extras=True)
        self._cls = cls
        self._head = head
        self._names = tuple(f.name for f in dataclasses.fields(cls))
        forms = tuple(_field_of(hints[name]) for name in self._names)
        # A number is struct's own, and so are so many bytes on the way in: what needs no look gets none, for every
        # message on the way to the bolt is looked at here.
        self._puts = tuple((at, form.put) for at, form in enumerate(forms) if not isinstance(form, Number))
        self._takes = tuple((at, form.take) for at, form in enumerate(forms) if not isinstance(form, Number | Exactly))
        self._struct = struct.Struct("<" + "".join(form.code for form in forms))
        self.size = self._struct.size

    def pack(self, value: object) -> bytes:
        """The bytes of `value`. Raises MessageRefused if a field does not fit."""
        parts = [getattr(value, name) for name in self._names]
        at = 0
        try:
            for at, put in self._puts:
                parts[at] = put(parts[at])
        except ValueError as cause:
            msg = f"{self._cls.__name__}.{self._names[at]} {cause}"
            raise MessageRefused(msg) from cause
        try:
            return self._head + self._struct.pack(*parts)
        except struct.error as cause:
            msg = f"a number in {self._cls.__name__} is out of range"
            raise MessageRefused(msg) from cause

    def unpack(self, data: bytes) -> Any:
        """An instance from `head`, which is not looked at, and exactly `size` bytes. Raises MessageRefused."""
        before = len(self._head)
        if len(data) - before != self.size:
            msg = f"{self._cls.__name__} holds {self.size} bytes, not {len(data) - before}"
            raise MessageRefused(msg)
        parts = list(self._struct.unpack_from(data, before))
        at = 0
        try:
            for at, take in self._takes:
                parts[at] = take(parts[at])
        except MessageRefused as cause:
            msg = f"{self._cls.__name__}.{self._names[at]} {cause}"
            raise MessageRefused(msg) from cause
        return self._cls(*parts)


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
