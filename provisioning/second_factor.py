"""The second factor of the console's users: six digits of an authenticator app (TOTP, RFC 6238).

Rules kept here:
- A code is taken once. What decides is the half minute it belongs to, which is on disk before anybody is let in.
- Codes of the half minute before and after are taken too: clocks of telephones differ that much, hardly more.
- The secret is shown once, when it is made. In the store it lies sealed to a key in the fleet's folder (`console.key`),
  bound to its user's name: who reads the database alone makes no codes, and nobody's secret serves for somebody else.
"""

from __future__ import annotations

import hmac
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import nacl.utils
import pyotp
from nacl.exceptions import CryptoError
from nacl.secret import Aead

from device import reading
from provisioning import files
from provisioning.errors import FleetFault, FleetRefused

KEY_FILE = "console.key"
STEP_S = 30
_WINDOW = 1
_DIGITS = 6


@dataclass(frozen=True, slots=True)
class Shown:
    """A new secret, to be shown once: for typing (`secret`, base32) and as what a QR code holds (`uri`)."""

    secret: str = field(repr=False)
    uri: str = field(repr=False)


def key_of(folder: Path) -> bytes:
    """The key to which secrets are sealed in the store; the first use makes it. Raises FleetFault."""
    path = folder / KEY_FILE
    with suppress(FleetRefused):  # there is one
        files.create(path, nacl.utils.random(Aead.KEY_SIZE))
    try:
        key = reading.content(path, Aead.KEY_SIZE + 1)
    except OSError as cause:
        msg = f"{path} cannot be read: {cause.strerror}"
        raise FleetFault(msg) from cause
    if len(key) != Aead.KEY_SIZE:
        msg = f"{path} is damaged; restore it from your copy, or take it away and give every user a new second factor"
        raise FleetFault(msg)
    return key


def new(user_name: str) -> Shown:
    """A new secret of 160 bits (RFC 4226, section 4, R6)."""
    secret = pyotp.random_base32()
    return Shown(secret, pyotp.TOTP(secret).provisioning_uri(name=user_name, issuer_name="Doorward"))


def sealed(shown: Shown, user_name: str, key: bytes) -> bytes:
    """What the store keeps of a secret."""
    return bytes(Aead(key).encrypt(shown.secret.encode("ascii"), aad=user_name.encode()))


def step_of(kept: bytes, user_name: str, key: bytes, typed: str, now_unix: float) -> int | None:
    """The half minute (since 1970) whose code was typed, None if it is none of now. Raises FleetFault."""
    try:
        secret = Aead(key).decrypt(kept, aad=user_name.encode()).decode("ascii")
    except (CryptoError, ValueError) as cause:
        msg = (
            f'the second factor of "{user_name}" does not open with {KEY_FILE} of this folder: it was made on another '
            f"computer, whose {KEY_FILE} is needed here, or `doorward user reset` makes a new one"
        )
        raise FleetFault(msg) from cause
    code = "".join(typed.split())
    if len(code) != _DIGITS or not (code.isascii() and code.isdigit()):
        return None
    totp, now = pyotp.TOTP(secret), int(now_unix) // STEP_S
    found = None
    for step in range(now - _WINDOW, now + _WINDOW + 1):
        if hmac.compare_digest(totp.generate_otp(step), code):
            found = step
    return found
