"""The passwords of the console's users.

Rules kept here:
- What is kept is Argon2id (RFC 9106) with a salt of its own. A wrong password and an unknown name cost the same time.
- Length is all that is asked for (NIST SP 800-63B, 5.1.1.2: no composition rules), and that it is not the name itself.
- Two are checked at once, never more: each takes 64 MiB, and who asks a thousand times waits instead of filling memory.
"""

from __future__ import annotations

import secrets
import threading
import unicodedata
from functools import cache

from nacl.exceptions import InvalidkeyError
from nacl.pwhash import argon2id

from provisioning.errors import FleetRefused

SHORTEST, LONGEST = 12, 256
# libsodium's INTERACTIVE: 64 MiB, two passes; asked at each sign-in.
OPERATIONS, MEMORY_BYTES = argon2id.OPSLIMIT_INTERACTIVE, argon2id.MEMLIMIT_INTERACTIVE
_AT_ONCE = threading.BoundedSemaphore(2)
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # none that is taken for another when it is read out
_GROUPS, _GROUP = 4, 5
_DIFFERENT = 5


def hashed(password: str, user_name: str) -> str:
    """What is kept of a new password. Raises FleetRefused."""
    clean = _normal(password)
    if not SHORTEST <= len(clean) <= LONGEST:
        msg = f"a password has {SHORTEST} to {LONGEST} characters; several words are easier to keep than signs"
        raise FleetRefused(msg)
    if len(set(clean)) < _DIFFERENT or clean.casefold().strip("0123456789 .-_!") == user_name:
        msg = "this password is too easy: it is the name, or a few characters again and again"
        raise FleetRefused(msg)
    with _AT_ONCE:
        return argon2id.str(clean.encode(), OPERATIONS, MEMORY_BYTES).decode("ascii")


def fits(kept: str | None, password: str) -> bool:
    """Whether `password` is the one of which `kept` is kept. None (nobody of that name) takes as long."""
    clean = _normal(password[: 2 * LONGEST])
    with _AT_ONCE:
        try:
            return argon2id.verify((kept or _nobodys()).encode("ascii"), clean.encode()) and kept is not None
        except (InvalidkeyError, ValueError):
            return False


def drawn() -> str:
    """A password for somebody who will choose another: 20 letters, of which nobody knows any (99 bits)."""
    groups = ("".join(secrets.choice(_LETTERS) for _ in range(_GROUP)) for _ in range(_GROUPS))
    return "-".join(groups)


@cache
def _nobodys() -> str:
    return argon2id.str(secrets.token_bytes(16), OPERATIONS, MEMORY_BYTES).decode("ascii")


def _normal(password: str) -> str:
    """One form of letters that keyboards write in two ways (RFC 8265, 4.2)."""
    return unicodedata.normalize("NFC", password)
