"""Guest codes: digits that a resident makes at home and the door checks by itself. docs/codes.md is the format.

Rules kept here:
- A code follows from a secret of the resident's, the flat and what the code says, and from nothing else: whoever makes
  it needs neither the door nor a network, and whoever is handed one can make no other.
- There is one way to write each code. Digits that say something impossible are no code, whatever tag they carry.
- Tags are compared whole and in constant time.
- Pure, and known to nobody but keeper and the resident's own computer. Whether a code was used, and which day it is,
  is keeper's business.

The arithmetic: a tag is a number below 2^128 modulo 10^11 or 10^8, so that no tag is likelier than another by more than
one part in 10^27. A guess at a one-time code is right once in 10^11, at a window's once in 10^8, against once in 10^6
for six digits of a PIN. Who holds a code can try secrets at home: 10^14 of them at the price of a PIN's Argon2id each.

Sources: check digits, ISO/IEC 7064 MOD 97-10; Argon2id, RFC 9106; BLAKE2b with key and personalisation, RFC 7693 and
libsodium.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

from nacl import bindings

RANDOM_DIGITS: Final = 14
SECRET_DIGITS: Final = 16
NUMBERS: Final = 64  # one-time codes of one secret
FIRST_DATE: Final = dt.date(2024, 1, 1)  # the earliest first day of a window
LATEST_START: Final = 9999  # days after FIRST_DATE: the 18th of May 2051
MOST_DAYS: Final = 99
KEY_BYTES: Final = 32
PASSES: Final = 2  # the cost of a PIN
MEMORY_BYTES: Final = 64 * 1024 * 1024

_SALT_BYTES: Final = 16
_TAG_BYTES: Final = 16
_FOR_THE_SALT: Final = b"doorward guests"
_FOR_A_TAG: Final = b"doorward guest 1"
_EPOCH: Final = dt.date(1970, 1, 1)
_FIRST_DAY: Final = (FIRST_DATE - _EPOCH).days


@dataclass(frozen=True, slots=True)
class Once:
    """Opens one time, whenever that is. `number`: 0 to 63, each once for a secret."""

    number: int


@dataclass(frozen=True, slots=True)
class Window:
    """Opens as often as one likes on `days` days from `first_day` on, counted since 1970-01-01 as at the door."""

    first_day: int
    days: int

    def holds(self, day: int) -> bool:
        """Whether `day` is one of them."""
        return self.first_day <= day < self.first_day + self.days


Code = Once | Window


@dataclass(frozen=True, slots=True)
class _Form:
    """How one kind of code is written: so many digits that say what it is, then so many of a tag."""

    kind: bytes
    says: int
    tag: int


_ONCE = _Form(b"1", 2, 11)
_WINDOW = _Form(b"2", 6, 8)
_BY_LENGTH = {form.says + form.tag: form for form in (_ONCE, _WINDOW)}
ONCE_DIGITS: Final = _ONCE.says + _ONCE.tag
WINDOW_DIGITS: Final = _WINDOW.says + _WINDOW.tag


# ---- the secret


def secret(random_digits: str) -> str:
    """The secret of 14 digits drawn at random: they, and two check digits. Raises ValueError for anything else."""
    if len(random_digits) != RANDOM_DIGITS or not _plain(random_digits):
        msg = f"a secret is made of {RANDOM_DIGITS} digits"
        raise ValueError(msg)
    return f"{random_digits}{98 - int(random_digits) * 100 % 97:02d}"


def is_secret(digits: str) -> bool:
    """Whether these are 16 digits with the right check digits: one digit mistyped, or two exchanged, is noticed."""
    return len(digits) == SECRET_DIGITS and _plain(digits) and secret(digits[:RANDOM_DIGITS]) == digits


def salt(flat: int) -> bytes:
    """The salt for the secret of `flat`: 16 bytes."""
    return bytes(
        bindings.crypto_generichash_blake2b_salt_personal(flat.to_bytes(4, "little"), _SALT_BYTES, person=_FOR_THE_SALT)
    )


def key(secret_digits: str, flat: int) -> bytes:
    """From which all codes of `flat` follow: Argon2id of the secret, 32 bytes. Takes 64 MiB and a moment."""
    return bytes(
        bindings.crypto_pwhash_alg(
            KEY_BYTES,
            secret_digits.encode("ascii"),
            salt(flat),
            PASSES,
            MEMORY_BYTES,
            bindings.crypto_pwhash_ALG_ARGON2ID13,
        )
    )


# ---- the codes


def write(code_key: bytes, code: Code) -> str:
    """The digits of `code` under a key of 32 bytes. Raises ValueError for a code that cannot be written."""
    if isinstance(code, Once):
        if not 0 <= code.number < NUMBERS:
            msg = f"one-time codes have the numbers 0 to {NUMBERS - 1}"
            raise ValueError(msg)
        return _tagged(code_key, _ONCE, f"{code.number:02d}")
    start = code.first_day - _FIRST_DAY
    if not (0 <= start <= LATEST_START and 1 <= code.days <= MOST_DAYS):
        msg = f"a window has 1 to {MOST_DAYS} days and begins between {FIRST_DATE} and {LAST_START_DATE}"
        raise ValueError(msg)
    return _tagged(code_key, _WINDOW, f"{start:04d}{code.days:02d}")


def read(code_key: bytes, digits: str) -> Code | None:
    """What `digits` say if they are a code under this key, None for all others."""
    form = _BY_LENGTH.get(len(digits))
    if form is None or not _plain(digits):
        return None
    says = digits[: form.says]
    same = bindings.sodium_memcmp(_tagged(code_key, form, says).encode("ascii"), digits.encode("ascii"))
    return _meaning(form, says) if same else None


def day_of(date: dt.date) -> int:
    """Days since 1970-01-01."""
    return (date - _EPOCH).days


def date_of(day: int) -> dt.date:
    """The date that many days after 1970-01-01."""
    return _EPOCH + dt.timedelta(days=day)


LAST_START_DATE: Final = date_of(_FIRST_DAY + LATEST_START)


def _tagged(code_key: bytes, form: _Form, says: str) -> str:
    data = form.kind + says.encode("ascii")
    drawn = bindings.crypto_generichash_blake2b_salt_personal(data, _TAG_BYTES, key=code_key, person=_FOR_A_TAG)
    return f"{says}{int.from_bytes(drawn, 'little') % 10**form.tag:0{form.tag}d}"


def _meaning(form: _Form, says: str) -> Code | None:
    if form is _ONCE:
        return Once(int(says)) if int(says) < NUMBERS else None
    days = int(says[4:])
    return Window(_FIRST_DAY + int(says[:4]), days) if days else None


def _plain(digits: str) -> bool:
    return digits.isascii() and digits.isdigit()
