"""The console's users in the database: who they are, who is signed in, and which browsers are known.

Rules kept here:
- Of what a browser holds only the SHA-256 is kept: who reads the database cannot go in as somebody who is signed in.
- A code of the second factor is used up and the session begun in one step: of two who bring the same code one comes in.
- There is always an owner: the last one is neither removed nor given another role, whoever asks at the same moment.
- A new password, a new second factor and a removal end what was begun with the old ones, in the same step.
"""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session as Work

from provisioning.errors import FleetRefused
from provisioning.store_sql import SqlStore
from provisioning.store_tables import DeviceRow, FleetRow, SessionRow, UserRow
from provisioning.users import DEVICE_S, IDLE_S, LONGEST_S, MOST_DEVICES, Role, Session, User

_SEEN_S = 60  # so often a session's last use is written down, and no oftener


@dataclass(frozen=True, slots=True)
class SqlUsers:
    """The users of the fleet in `store`. Raises FleetRefused and FleetFault as `FleetStore` does."""

    store: SqlStore

    def users(self) -> tuple[User, ...]:
        """All users, by name."""
        with self.store.reading() as work:
            return tuple(_user(row) for row in work.scalars(sa.select(UserRow).order_by(UserRow.name)))

    def user(self, name: str) -> User | None:
        """The user called `name`, None if there is none."""
        with self.store.reading() as work:
            row = work.get(UserRow, name)
            return None if row is None else _user(row)

    def add(self, user: User) -> None:
        """Remember a new user. Refused if the name is taken."""
        with self.store.writing() as work:
            _alone(work)
            if work.get(UserRow, user.name) is not None:
                msg = f'there is a user named "{user.name}" already'
                raise FleetRefused(msg)
            work.add(
                UserRow(
                    name=user.name,
                    role=user.role.value,
                    password=user.password,
                    second_factor=user.second_factor,
                    last_step=user.last_step,
                    created_unix=user.created_unix,
                )
            )
            self.store.note(work, "user add", about=user.name)

    def set_role(self, name: str, role: Role) -> None:
        """Give a user another role."""
        with self.store.writing() as work:
            row = _named(work, name)
            if role is not Role.OWNER:
                _refuse_last(work, row)
            row.role = role.value
            self.store.note(work, "user role", about=name)

    def remove(self, name: str) -> None:
        """Forget a user; their acts stay."""
        with self.store.writing() as work:
            row = _named(work, name)
            _refuse_last(work, row)
            _end(work, name)
            work.delete(row)
            self.store.note(work, "user remove", about=name)

    def reset(self, name: str, password: str, second_factor: bytes) -> None:
        """Give a user a new password and a new second factor."""
        with self.store.writing() as work:
            row = _named(work, name)
            row.password, row.second_factor, row.last_step = password, second_factor, 0
            _end(work, name)
            self.store.note(work, "user reset", about=name)

    def set_password(self, name: str, password: str, staying: str) -> None:
        """Give a user a new password; only the session `staying` goes on."""
        with self.store.writing() as work:
            _named(work, name).password = password
            others = SessionRow.user_name == name, SessionRow.token_hash != staying
            work.execute(sa.delete(SessionRow).where(*others))
            self.store.note(work, "user password", about=name)

    def begin(self, name: str, step: int, token_hash: str, device_hash: str, now_unix: int) -> bool:
        """Use up the code of the half minute `step`, and begin a session; False if it, or a later one, was used."""
        with self.store.writing() as work:
            later = UserRow.name == name, UserRow.last_step < step
            if not _rows(work, sa.update(UserRow).where(*later).values(last_step=step)):
                return False
            over = SessionRow.created_unix <= now_unix - LONGEST_S, SessionRow.seen_unix <= now_unix - IDLE_S
            work.execute(sa.delete(SessionRow).where(sa.or_(*over)))
            work.add(SessionRow(token_hash=token_hash, user_name=name, created_unix=now_unix, seen_unix=now_unix))
            if work.get(DeviceRow, device_hash) is None:
                work.add(DeviceRow(token_hash=device_hash, user_name=name, created_unix=now_unix))
                work.flush()
                newest = sa.select(DeviceRow.token_hash).where(DeviceRow.user_name == name)
                kept = list(work.scalars(newest.order_by(DeviceRow.created_unix.desc()).limit(MOST_DEVICES)))
                work.execute(sa.delete(DeviceRow).where(DeviceRow.user_name == name, DeviceRow.token_hash.not_in(kept)))
            self.store.note(work, "sign in")
            return True

    def session(self, token_hash: str, now_unix: int) -> Session | None:
        """Who is signed in with this; None if nobody is, or the session is over."""
        with self.store.reading() as work:
            row = work.get(SessionRow, token_hash)
            user = work.get(UserRow, row.user_name) if row is not None else None
            if row is None or user is None:
                return None
            if not 0 <= now_unix - row.created_unix < LONGEST_S or now_unix - row.seen_unix >= IDLE_S:
                return None
            return Session(_user(user), row.token_hash, row.created_unix, row.seen_unix)

    def seen(self, session: Session, now_unix: int) -> None:
        """Note that a session was used, once a minute at most."""
        if now_unix - session.seen_unix < _SEEN_S:
            return
        with self.store.writing() as work:
            mine = sa.update(SessionRow).where(SessionRow.token_hash == session.token_hash)
            work.execute(mine.values(seen_unix=now_unix))

    def end(self, token_hash: str) -> None:
        """End a session."""
        with self.store.writing() as work:
            work.execute(sa.delete(SessionRow).where(SessionRow.token_hash == token_hash))

    def knows(self, device_hash: str, name: str, now_unix: int) -> bool:
        """Whether this user has signed in with this browser before."""
        with self.store.reading() as work:
            row = work.get(DeviceRow, device_hash)
            return row is not None and row.user_name == name and now_unix - row.created_unix < DEVICE_S


def _user(row: UserRow) -> User:
    return User(row.name, Role(row.role), row.password, bytes(row.second_factor), row.last_step, row.created_unix)


def _alone(work: Work) -> None:
    """Hold the fleet's row: who changes which users there are does it one after the other."""
    work.scalars(sa.select(FleetRow).with_for_update()).one()


def _named(work: Work, name: str) -> UserRow:
    _alone(work)
    row = work.get(UserRow, name)
    if row is None:
        msg = f'there is no user named "{name}"'
        raise FleetRefused(msg)
    return row


def _refuse_last(work: Work, row: UserRow) -> None:
    others = sa.select(sa.func.count()).where(UserRow.role == Role.OWNER.value, UserRow.name != row.name)
    if row.role == Role.OWNER.value and not work.scalar(others):
        msg = f'"{row.name}" is the last owner; make somebody else an owner first'
        raise FleetRefused(msg)


def _end(work: Work, name: str) -> None:
    """End everything that was begun as this user."""
    work.execute(sa.delete(SessionRow).where(SessionRow.user_name == name))
    work.execute(sa.delete(DeviceRow).where(DeviceRow.user_name == name))


def _rows(work: Work, statement: sa.Update) -> int:
    found: int = work.connection().execute(statement).rowcount
    return found
