"""Who uses the console: names, roles, and what each role may do.

Rules kept here:
- A viewer sees, a manager changes doors, an owner also says who uses the console. Nobody's role reaches what no role
  has: there is no way to a face, a PIN, a card, or to who came home when.
- A user is somebody who looks after doors. Residents have no account here and need none.
- Of a password and of a second factor nothing is shown, logged or put into a message.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum, unique

from provisioning.errors import FleetRefused

IDLE_S = 3600
"""A session ends after an hour in which nothing was asked."""
LONGEST_S = 12 * 3600
"""And after a working day, whatever is asked."""
DEVICE_S = 400 * 86_400
"""How long a browser in which somebody signed in is known."""
MOST_DEVICES = 10
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,31}")


@unique
class Role(Enum):
    """What a user may do; each may do what the one before it may."""

    VIEWER = "viewer"
    MANAGER = "manager"
    OWNER = "owner"

    def may(self, needed: Role) -> bool:
        """Whether this role may do what needs the role `needed`."""
        order = list(Role)
        return order.index(self) >= order.index(needed)


@dataclass(frozen=True, slots=True)
class User:
    """A user. `password`: Argon2id as libsodium writes it; `second_factor`: sealed (`second_factor`).

    `last_step` is the half minute (since 1970) of the last code that was taken.
    """

    name: str
    role: Role
    password: str = field(repr=False)
    second_factor: bytes = field(repr=False)
    last_step: int = 0
    created_unix: int = 0


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody who is signed in. `token_hash`: SHA-256 of what their browser holds, 64 hexadecimal digits."""

    user: User
    token_hash: str
    created_unix: int
    seen_unix: int


def user_name(typed: str) -> str:
    """The name of a new user. Raises FleetRefused."""
    name = typed.strip().lower()
    if not _NAME.fullmatch(name):
        msg = "a user's name is 1 to 32 of a-z, 0-9, dot, hyphen and underscore, and begins with a letter or a digit"
        raise FleetRefused(msg)
    return name


def role(word: str) -> Role:
    """The role called `word`. Raises FleetRefused."""
    try:
        return Role(word)
    except ValueError as cause:
        msg = "a role is viewer, manager or owner"
        raise FleetRefused(msg) from cause
