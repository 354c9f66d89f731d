"""Which PINs nobody may choose: the commonest, the patterned, the ones shown before; and how few those are."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.errors import CredentialRefused
from device.keeper.choice import refuse_weak


def refusal_of(pin: str, shown: str = "") -> str:
    """The sentence with which `pin` is refused, empty if it is taken."""
    try:
        refuse_weak(pin, shown)
    except CredentialRefused as refusal:
        return str(refusal)
    return ""


def weak(pin: str, shown: str = "") -> bool:
    return bool(refusal_of(pin, shown))


@pytest.mark.parametrize(
    "pin",
    ["000000", "111111", "112233", "121212", "123123", "123456", "159753", "654321", "666666", "789456"],
)
def test_the_ten_commonest_pins_are_refused(pin: str) -> None:
    assert weak(pin)


@pytest.mark.parametrize(
    "pin",
    [
        "",
        "12345",
        "48291",
        "4829130571649",
        "48291a",
        "\uff14\uff18\uff12\uff19\uff11\uff13",
        "890123",
        "987654",
        "246802",
        "123321",
        "443322",
        "1212121",
        "147258",
        "48294829",
        "333333333333",
    ],
)
def test_short_long_foreign_and_patterned_pins_are_refused(pin: str) -> None:
    assert weak(pin)


@pytest.mark.parametrize("pin", ["482913", "905217", "271828", "0048213957", "482913057164"])
def test_ordinary_pins_are_taken(pin: str) -> None:
    assert not weak(pin)


def test_what_was_shown_cannot_become_the_pin() -> None:
    assert weak("482913057164", shown="482913057164")


@given(st.text(alphabet="0123456789", max_size=16), st.text(alphabet="0123456789", max_size=16))
def test_a_refusal_is_one_sentence_without_the_digits(pin: str, shown: str) -> None:
    sentence = refusal_of(pin, shown)
    assert len(pin) < 3 or pin not in sentence
    assert "\n" not in sentence


def test_fewer_than_one_in_a_hundred_pins_is_refused() -> None:
    """The rules must not themselves make guessing easier."""
    dice = random.Random(4)
    assert sum(weak(f"{dice.randrange(10**6):06d}") for _ in range(20_000)) < 200
