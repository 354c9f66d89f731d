"""docs/codes.md, made anew from the page alone: hashlib and pynacl's plain Argon2id instead of the door's code."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from pathlib import Path

import pytest
from nacl.pwhash import argon2id

from device import codes

PAGE = (Path(__file__).parents[3] / "docs" / "codes.md").read_text(encoding="utf-8")
START = dt.date(2024, 1, 1)


def vector(page: str = PAGE) -> dict[str, str]:
    """The rows below "Vector"."""
    rows = re.findall(r"^\| ([^|]+?) \| ([^|]+?) \|$", page.split("## Vector")[1], re.MULTILINE)
    return {what: is_ for what, is_ in rows if set(what) != {"-"}}


def tagged(key: bytes, kind: str, says: str, digits: int) -> str:
    t = hashlib.blake2b((kind + says).encode(), digest_size=16, key=key, person=b"doorward guest 1").digest()
    return says + str(int.from_bytes(t, "little") % 10**digits).zfill(digits)


def once(key: bytes, number: int) -> str:
    return tagged(key, "1", f"{number:02d}", 11)


def window(key: bytes, first: dt.date, days: int) -> str:
    return tagged(key, "2", f"{(first - START).days:04d}{days:02d}", 8)


def made_anew(secret: str, flat: int) -> dict[str, str]:
    """The vector by the words of the page."""
    salt = hashlib.blake2b(flat.to_bytes(4, "little"), digest_size=16, person=b"doorward guests\0").digest()
    key = argon2id.kdf(32, secret.encode(), salt, opslimit=2, memlimit=64 << 20)
    return {
        "what": "is",
        "secret": secret[:14] + f"{98 - 100 * int(secret[:14]) % 97:02d}",
        "flat": str(flat),
        "salt": salt.hex(),
        "key": key.hex(),
        **{f"number {number}": once(key, number) for number in (0, 7, 63)},
        "2027-03-01 to 2027-03-08": window(key, dt.date(2027, 3, 1), 8),
        "2024-01-01, that day alone": window(key, START, 1),
        "2051-05-18, 99 days": window(key, dt.date(2051, 5, 18), 99),
    }


def test_the_page_says_enough_to_make_its_codes() -> None:
    said = vector()
    assert made_anew(said["secret"], int(said["flat"])) == said
    assert int(said["secret"]) % 97 == 1
    assert f"12 # {said['number 7']} #" in PAGE


def test_the_door_reads_the_codes_of_the_page() -> None:
    said = vector()
    key = bytes.fromhex(said["key"])
    assert codes.key(said["secret"], 12) == key
    assert codes.salt(12).hex() == said["salt"]
    read = {what: codes.read(key, digits) for what, digits in said.items()}
    first = codes.day_of(START)
    assert {what: code for what, code in read.items() if code} == {
        "number 0": codes.Once(0),
        "number 7": codes.Once(7),
        "number 63": codes.Once(63),
        "2027-03-01 to 2027-03-08": codes.Window(codes.day_of(dt.date(2027, 3, 1)), 8),
        "2024-01-01, that day alone": codes.Window(first, 1),
        "2051-05-18, 99 days": codes.Window(first + 9999, 99),
    }


@pytest.mark.exhaustive(2)
@pytest.mark.parametrize("what", ["salt", "key", "number 7", "2051-05-18, 99 days"])
def test_a_page_that_drifted_is_noticed(what: str) -> None:
    row = f"| {what} | {vector()[what]} |"
    last = "0" if row[-3] != "0" else "1"
    said = vector(PAGE.replace(row, row[:-3] + last + row[-2:]))
    assert made_anew(said["secret"], 12) != said


def test_the_tables_of_the_page_are_those_of_the_code() -> None:
    text = " ".join(PAGE.split())
    assert f"| one-time | {codes.ONCE_DIGITS} | number, 00 to {codes.NUMBERS - 1} (2 digits) | 11 digits |" in text
    assert f"| window | {codes.WINDOW_DIGITS} |" in text
    assert f"01 to {codes.MOST_DAYS} (2 digits) | 8 digits |" in text
    assert f"from {codes.FIRST_DATE}, which is 0000, to {codes.LAST_START_DATE}, which is {codes.LATEST_START}" in text
    assert f"{codes.SECRET_DIGITS} digits: {codes.RANDOM_DIGITS} that are drawn" in text
