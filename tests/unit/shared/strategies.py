"""Messages out of their own annotations: Hypothesis strategies, examples, and where each field lies in the body."""

from __future__ import annotations

import dataclasses
import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from hypothesis import strategies as st

from device import wire
from device.codec import Blob, DigitText, Exactly, Field, Member, Number, YesNo
from device.wire import Message

RANGES = {"B": (0, 2**8 - 1), "H": (0, 2**16 - 1), "I": (0, 2**32 - 1), "q": (-(2**63), 2**63 - 1)}
TYPES = sorted(wire.message_types().values(), key=lambda cls: cls.code)


@dataclass(frozen=True)
class Place:
    """One field of a message: its byte form, and where it lies in the body."""

    name: str
    field: Field
    offset: int
    size: int


def byte_form(hint: Any) -> Field:
    """The byte form of an annotation, read independently of `device.codec.Schema`."""
    if get_origin(hint) is Annotated:
        form: Field = get_args(hint)[1]
        return form
    if isinstance(hint, type) and issubclass(hint, IntEnum):
        return Member(hint)
    assert hint is bool, hint
    return YesNo()


def places(cls: type) -> tuple[Place, ...]:
    """The fields of `cls` in order."""
    hints = get_type_hints(cls, include_extras=True)
    found: list[Place] = []
    offset = 0
    for field in dataclasses.fields(cls):
        form = byte_form(hints[field.name])
        size = struct.calcsize("<" + form.code)
        found.append(Place(field.name, form, offset, size))
        offset += size
    return tuple(found)


def values(form: Field) -> st.SearchStrategy[Any]:
    """Everything that fits a byte form."""
    match form:
        case Number(code):
            return st.integers(*RANGES[code])
        case Exactly(size):
            return st.binary(min_size=size, max_size=size)
        case DigitText(size):
            return st.text("0123456789", max_size=size)
        case Blob(size):
            return st.binary(max_size=size)
        case Member(enum):
            return st.sampled_from(list(enum))
        case YesNo():
            return st.booleans()
    raise AssertionError(form)


def instances(cls: type[Message]) -> st.SearchStrategy[Message]:
    """Messages of one type."""
    return st.builds(cls, **{place.name: values(place.field) for place in places(cls)})


messages = st.sampled_from(TYPES).flatmap(instances)


def example(cls: type[Message]) -> Message:
    """One plain message of a type; the same every time."""
    plain: dict[str, Any] = {}
    for place in places(cls):
        match place.field:
            case Number():
                plain[place.name] = 7
            case Exactly(size):
                plain[place.name] = bytes(index % 251 for index in range(size))
            case DigitText():
                plain[place.name] = "482913"
            case Blob():
                plain[place.name] = b"signed"
            case Member(enum):
                plain[place.name] = max(enum)
            case YesNo():
                plain[place.name] = True
    return cls(**plain)
