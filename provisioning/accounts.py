"""What is done with the console's accounts: make one, sign in, start anew.

Rules kept here:
- Whoever signs in shows three things at once, name, password and code, and is told no more than that something of it is
  wrong.
- An owner, or somebody at this computer (`doorward user`), gives a new password and a new second factor to who lost
  theirs. There is no other way back: no question about a pet, no mail.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, field, replace

from provisioning import passwords, second_factor
from provisioning.fleet import Fleet
from provisioning.second_factor import Shown
from provisioning.store_sql import SqlStore
from provisioning.store_users import SqlUsers
from provisioning.users import Role, User, user_name

TOKEN_BYTES = 32


@dataclass(frozen=True, slots=True)
class Accounts:
    """The accounts of a fleet; `key` opens second factors (`second_factor.key_of`)."""

    users: SqlUsers
    key: bytes = field(repr=False)

    @classmethod
    def of(cls, fleet: Fleet) -> Accounts:
        """Those of the fleet in hand. Raises FleetFault."""
        store = fleet.store
        if not isinstance(store, SqlStore):
            msg = "users are kept in a database"
            raise TypeError(msg)
        return cls(SqlUsers(store), second_factor.key_of(fleet.folder))

    def acting(self, who: str) -> Accounts:
        """The same, with acts noted under another name."""
        return replace(self, users=SqlUsers(replace(self.users.store, who=who)))

    def add(self, typed: str, role: Role, password: str, now_unix: int) -> Shown:
        """A new user; the second factor is shown once. Raises FleetRefused or FleetFault."""
        name = user_name(typed)
        kept, shown = passwords.hashed(password, name), second_factor.new(name)
        self.users.add(User(name, role, kept, second_factor.sealed(shown, name, self.key), 0, now_unix))
        return shown

    def reset(self, name: str, password: str) -> Shown:
        """A new password and a new second factor for a user; every session ends. Raises FleetRefused or FleetFault."""
        kept, shown = passwords.hashed(password, name), second_factor.new(name)
        self.users.reset(name, kept, second_factor.sealed(shown, name, self.key))
        return shown

    def step(self, typed: str, password: str, code: str, now_unix: float) -> tuple[User, int] | None:
        """Who shows name, password and code, and which half minute the code is of; None if something is wrong.

        Whether the code was used already, `SqlUsers.begin` decides. Raises FleetFault.
        """
        user = self.users.user(typed.strip().lower())
        if not passwords.fits(user.password if user is not None else None, password) or user is None:
            return None
        step = second_factor.step_of(user.second_factor, user.name, self.key, code, now_unix)
        return None if step is None else (user, step)


def new_token() -> str:
    """What a browser is given to be recognised by: 256 bits, URL-safe."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def hash_of(token: str) -> str:
    """What is kept of it."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
