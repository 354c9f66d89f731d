"""The number that lets a resident take an offered slot.

Rules kept here:
- It is random, shown once, and kept nowhere on this side: what travels is an Argon2id verifier with a salt of its own.
- Its 12 digits are chosen evenly. (A document in foreign hands allows guessing at the price of the verifier, so an
  invitation is short-lived and the door counts wrong attempts; keeper keeps that rule.)

The verifier is what `device.wire.SlotOffer` defines: Argon2id (RFC 9106) over the ASCII digits.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

import nacl.utils
from nacl.pwhash import argon2id

DIGITS = 12
OPERATIONS = 2
MEMORY_BYTES = 64 * 1024 * 1024
VERIFIER_BYTES = 32
_GROUP = 4


@dataclass(frozen=True, slots=True)
class Invitation:
    """12 digits for the resident, `salt` (16 bytes) and `verifier` (32 bytes) for the door."""

    digits: str = field(repr=False)
    salt: bytes
    verifier: bytes

    @property
    def grouped(self) -> str:
        """The digits in groups of four, for reading and typing."""
        return " ".join(self.digits[at : at + _GROUP] for at in range(0, DIGITS, _GROUP))


def new_invitation() -> Invitation:
    """A random invitation."""
    digits = f"{secrets.randbelow(10**DIGITS):0{DIGITS}d}"
    salt = nacl.utils.random(argon2id.SALTBYTES)
    return Invitation(digits, salt, verifier(digits, salt))


def verifier(digits: str, salt: bytes) -> bytes:
    """The 32 bytes by which a door recognises `digits`."""
    return argon2id.kdf(VERIFIER_BYTES, digits.encode("ascii"), salt, opslimit=OPERATIONS, memlimit=MEMORY_BYTES)
