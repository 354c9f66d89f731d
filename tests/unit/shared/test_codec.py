"""The byte forms by themselves: what a schema cannot express, it refuses to be made."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.codec import Blob, DigitText, Exactly, Member, Number, Schema, YesNo
from device.errors import MessageRefused


class Colour(IntEnum):
    RED = 1
    BLUE = 200


@dataclass(frozen=True, slots=True)
class Everything:
    small: Annotated[int, Number("B")]
    large: Annotated[int, Number("q")]
    fixed: Annotated[bytes, Exactly(3)]
    digits: Annotated[str, DigitText(4)]
    blob: Annotated[bytes, Blob(5)]
    colour: Colour
    yes: bool


PLAIN = Everything(1, -2, b"abc", "12", b"xyz", Colour.BLUE, yes=True)
SCHEMA = Schema(Everything)


def test_fields_follow_each_other_without_gaps_in_little_endian() -> None:
    assert SCHEMA.pack(PLAIN).hex(" ") == ("01 fe ff ff ff ff ff ff ff 61 62 63 31 32 00 00 03 00 78 79 7a 00 00 c8 01")
    assert SCHEMA.size == 25
    assert SCHEMA.unpack(SCHEMA.pack(PLAIN)) == PLAIN


@given(st.binary(max_size=60))
def test_only_what_packing_makes_is_unpacked(data: bytes) -> None:
    try:
        value = SCHEMA.unpack(data)
    except MessageRefused:
        return
    assert SCHEMA.pack(value) == data


@given(st.binary(min_size=25, max_size=25))
def test_random_bytes_of_the_right_size_are_canonical_or_refused(data: bytes) -> None:
    try:
        value = SCHEMA.unpack(data)
    except MessageRefused:
        return
    assert SCHEMA.pack(value) == data


@pytest.mark.parametrize("hint", [int, str, bytes, float, dict[str, int], tuple[int, ...], list[int], int | None])
def test_a_field_without_one_byte_form_is_refused_when_the_class_is_made(hint: object) -> None:
    bare: type = dataclass(type("Bare", (), {"__annotations__": {"field": hint}}))
    with pytest.raises(TypeError, match="has no byte form"):
        Schema(bare)


@pytest.mark.parametrize(
    ("form", "bad"),
    [
        (Exactly(3), b"ab"),
        (Exactly(3), b"abcd"),
        (DigitText(4), "12345"),
        (DigitText(4), "12x"),
        (Blob(5), b"123456"),
        (Member(Colour), 2),
    ],
)
def test_what_does_not_fit_is_refused_and_not_made_to_fit(
    form: Exactly | DigitText | Blob | Member, bad: object
) -> None:
    with pytest.raises(ValueError, match=r".+"):
        form.put(bad)  # type: ignore[arg-type]  # on purpose


def test_a_boolean_has_two_byte_forms_and_no_third() -> None:
    form = YesNo()
    assert [form.put(False), form.put(True)] == [0, 1]
    with pytest.raises(MessageRefused):
        form.take(2)
