"""The format of guest codes: one way to write each, nothing else is read, and no tag is likelier than another."""

from __future__ import annotations

import collections
import datetime as dt
import hashlib
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nacl import bindings

from device import codes
from device.keeper.pin import PRODUCTION, SALT_BYTES, VERIFIER_BYTES, stretcher

KEY = bytes(range(32))
OTHER_KEY = bytes(range(1, 33))
FOREIGN_DIGITS = "".join(chr(0xFF10 + int(digit)) for digit in "1234567890123428")  # full width, right check digits
FIRST_DAY = codes.day_of(codes.FIRST_DATE)
ANY = st.one_of(
    st.builds(codes.Once, st.integers(0, 63)),
    st.builds(codes.Window, st.integers(FIRST_DAY, FIRST_DAY + 9999), st.integers(1, 99)),
)


@given(ANY)
def test_every_code_comes_back_and_is_nothing_under_another_key(code: codes.Code) -> None:
    digits = codes.write(KEY, code)
    assert len(digits) == (13 if isinstance(code, codes.Once) else 14)
    assert codes.read(KEY, digits) == code
    assert codes.read(OTHER_KEY, digits) is None


@given(ANY, st.data())
def test_no_digit_may_be_another(code: codes.Code, data: st.DataObject) -> None:
    digits = codes.write(KEY, code)
    place = data.draw(st.integers(0, len(digits) - 1))
    other = str((int(digits[place]) + data.draw(st.integers(1, 9))) % 10)
    assert codes.read(KEY, digits[:place] + other + digits[place + 1 :]) is None


@given(
    st.one_of(st.text("0123456789", max_size=16), st.text(max_size=16), st.text("0123456789", min_size=13, max_size=14))
)
def test_whatever_else_is_typed_is_no_code(digits: str) -> None:
    assert codes.read(KEY, digits) is None


def tagged(kind: bytes, says: str, tag_digits: int) -> str:
    """What anybody with the key could write, possible or not. With hashlib instead of libsodium."""
    drawn = hashlib.blake2b(kind + says.encode(), digest_size=16, key=KEY, person=b"doorward guest 1").digest()
    return f"{says}{int.from_bytes(drawn, 'little') % 10**tag_digits:0{tag_digits}d}"


def test_what_says_something_impossible_is_no_code_even_with_the_right_tag() -> None:
    assert codes.read(KEY, tagged(b"1", "63", 11)) == codes.Once(63)
    assert [codes.read(KEY, tagged(b"1", f"{number:02d}", 11)) for number in range(64, 100)] == [None] * 36
    assert codes.read(KEY, tagged(b"2", "115508", 8)) == codes.Window(FIRST_DAY + 1155, 8)
    assert codes.read(KEY, tagged(b"2", "115500", 8)) is None
    assert codes.read(KEY, tagged(b"2", "07", 11)) is None, "the tag of a window is none of a one-time code"


def compared_on_a_prefix(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bindings, "sodium_memcmp", lambda one, other: one[:-1] == other[:-1])


def test_a_tag_compared_on_a_prefix_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    digits = codes.write(KEY, codes.Once(7))
    last = [digits[:-1] + digit for digit in "0123456789"]
    assert [codes.read(KEY, each) for each in last].count(codes.Once(7)) == 1
    compared_on_a_prefix(monkeypatch)
    assert [codes.read(KEY, each) for each in last].count(codes.Once(7)) == 10


def test_tags_are_even() -> None:
    """Leading digits of 6400 tags: chi-square with 9 degrees of freedom, far beyond what chance gives in 10^6 runs."""
    dice = random.Random(5)
    drawn = [codes.write(dice.randbytes(32), codes.Once(number))[2] for number in range(64) for _ in range(100)]
    counts = collections.Counter(drawn)
    assert sum((counts[digit] - 640) ** 2 / 640 for digit in "0123456789") < 45


@pytest.mark.parametrize(
    "code",
    [
        codes.Once(-1),
        codes.Once(64),
        codes.Window(FIRST_DAY - 1, 1),
        codes.Window(FIRST_DAY + 10_000, 1),
        codes.Window(FIRST_DAY, 0),
        codes.Window(FIRST_DAY, 100),
    ],
)
def test_what_cannot_be_written_is_refused(code: codes.Code) -> None:
    with pytest.raises(ValueError, match=r"one-time|window"):
        codes.write(KEY, code)


def test_a_window_holds_its_days_and_no_others() -> None:
    days = codes.Window(100, 3)
    assert [day for day in range(95, 110) if days.holds(day)] == [100, 101, 102]


def test_days_are_counted_from_1970_and_windows_from_2024() -> None:
    assert codes.day_of(dt.date(1970, 1, 1)) == 0
    assert codes.date_of(19_723) == codes.FIRST_DATE == dt.date(2024, 1, 1)
    assert codes.date_of(FIRST_DAY + codes.LATEST_START) == dt.date(2051, 5, 18)


# ---- the secret


def test_check_digits_are_those_of_iso_7064() -> None:
    """Known by heart from bank accounts (ISO 13616): the whole number leaves 1 when it is divided by 97."""
    assert codes.secret("00000000000794") == "0000000000079444"
    dice = random.Random(6)
    for _ in range(500):
        made = codes.secret(f"{dice.randrange(10**14):014d}")
        assert int(made) % 97 == 1
        assert 2 <= int(made[-2:]) <= 98
        assert codes.is_secret(made)


@given(st.integers(0, 10**14 - 1), st.data())
def test_one_digit_mistyped_or_two_neighbours_exchanged_is_noticed(number: int, data: st.DataObject) -> None:
    made = codes.secret(f"{number:014d}")
    place = data.draw(st.integers(0, 15))
    other = str((int(made[place]) + data.draw(st.integers(1, 9))) % 10)
    assert not codes.is_secret(made[:place] + other + made[place + 1 :])
    at = data.draw(st.integers(0, 14))
    exchanged = made[:at] + made[at + 1] + made[at] + made[at + 2 :]
    assert exchanged == made or not codes.is_secret(exchanged)


@pytest.mark.parametrize("digits", ["", "1", "0" * 16, "1234567890123427", "12345678901234 8", FOREIGN_DIGITS])
def test_what_is_no_secret_is_none(digits: str) -> None:
    assert not codes.is_secret(digits)


@pytest.mark.parametrize("digits", ["", "1234567890123", "123456789012345", "1234567890123x"])
def test_a_secret_is_made_of_14_digits(digits: str) -> None:
    with pytest.raises(ValueError, match="14 digits"):
        codes.secret(digits)


# ---- the key


def test_the_key_costs_what_a_pin_costs_and_is_made_alike_at_home_and_at_the_door() -> None:
    assert (PRODUCTION.passes, PRODUCTION.memory_bytes) == (codes.PASSES, codes.MEMORY_BYTES)
    assert (codes.KEY_BYTES, len(codes.salt(12))) == (VERIFIER_BYTES, SALT_BYTES)
    secret = codes.secret("12345678901234")
    assert codes.key(secret, 12) == stretcher()(secret, codes.salt(12))


def test_each_flat_has_a_salt_of_its_own() -> None:
    salts = {codes.salt(flat) for flat in range(1, 1000)}
    assert len(salts) == 999
    anew = hashlib.blake2b((12).to_bytes(4, "little"), digest_size=16, person=b"doorward guests".ljust(16, b"\0"))
    assert (
        codes.salt(12)
        == anew.digest()
        == bindings.crypto_generichash_blake2b_salt_personal((12).to_bytes(4, "little"), 16, person=b"doorward guests")
    )
