"""What the command can do, as values: a new secret, one-time codes, a code for some days.

Rules kept here:
- A secret is drawn by the operating system; nothing here keeps one.
- What cannot be is refused in one sentence that says what can.
"""

from __future__ import annotations

import datetime as dt
import re
import secrets
from dataclasses import dataclass

from device import codes
from device.errors import CredentialRefused

HIGHEST_FLAT = 9999  # as on the door's list
_GROUP = 4


@dataclass(frozen=True, slots=True)
class Made:
    """One code: what to type at the door is `keys`."""

    flat: int
    digits: str
    number: int | None = None
    first: dt.date | None = None
    last: dt.date | None = None

    @property
    def keys(self) -> str:
        """The row of keys that opens."""
        return f"{self.flat} # {grouped(self.digits)} #"


def new_secret() -> str:
    """16 digits that nobody has drawn before."""
    return codes.secret(f"{secrets.randbelow(10**codes.RANDOM_DIGITS):0{codes.RANDOM_DIGITS}d}")


def grouped(digits: str) -> str:
    """In groups of four, for reading and typing."""
    return " ".join(digits[at : at + _GROUP] for at in range(0, len(digits), _GROUP))


def read_secret(text: str) -> str:
    """The secret somebody typed, with or without blanks. Raises CredentialRefused."""
    digits = re.sub(r"[ \t-]", "", text)
    if not codes.is_secret(digits):
        msg = f"the secret has {codes.SECRET_DIGITS} digits, and something in this one is mistyped"
        raise CredentialRefused(msg)
    return digits


def once(secret: str, flat: int, first_number: int, count: int) -> list[Made]:
    """`count` one-time codes from number `first_number` on. Raises CredentialRefused."""
    if first_number + count > codes.NUMBERS:
        msg = (
            f"one-time codes have the numbers 0 to {codes.NUMBERS - 1}, and {count} from number {first_number} on are "
            "too many; make a new secret when they are used up"
        )
        raise CredentialRefused(msg)
    key = codes.key(secret, flat)
    numbers = range(first_number, first_number + count)
    return [Made(flat, codes.write(key, codes.Once(number)), number=number) for number in numbers]


def window(secret: str, flat: int, first: dt.date, last: dt.date) -> Made:
    """A code for the days from `first` to `last`, both included. Raises CredentialRefused."""
    days = (last - first).days + 1
    if days < 1:
        msg = f"the last day {last} comes before the first day {first}"
        raise CredentialRefused(msg)
    if days > codes.MOST_DAYS:
        msg = (
            f"one code holds for at most {codes.MOST_DAYS} days, and these are {days}; make a second code for the rest"
        )
        raise CredentialRefused(msg)
    try:
        digits = codes.write(codes.key(secret, flat), codes.Window(codes.day_of(first), days))
    except ValueError as cause:
        msg = f"a code can begin between {codes.FIRST_DATE} and {codes.LAST_START_DATE}, not on {first}"
        raise CredentialRefused(msg) from cause
    return Made(flat, digits, first=first, last=last)
