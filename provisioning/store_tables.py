"""The tables of a fleet, as SQLAlchemy maps them.

Rules kept here:
- What the database may hold is said twice: here for the program, and in `migrations` for a fleet that lives through
  many releases. A test compares the two on both databases.
- A door has one open label at most, and a place of a door one row: the database itself refuses a second.
- Nothing but doors, places on them, labels, certificates (of doors and of managers' computers), the manager's own acts
  and the console's users has a table.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from provisioning.store import HIGHEST, DoorState

# All steps of `migrations`, oldest first. A database that stands at the last is one that this program reads.
REVISIONS = ("0001", "0002", "0003", "0004", "0005")
VERSION_TABLE = "doorward_revision"  # not alembic's own name, which another program's tables may use already
LONGEST_ACT = 64


class Row(DeclarativeBase):
    """The base of all tables; gives constraints names that a later step can call them by."""

    metadata = sa.MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class FleetRow(Row):
    """The fleet itself: one row. Whoever adds a door holds it, so that names are given once."""

    __tablename__ = "fleet"
    __table_args__ = (sa.CheckConstraint("number = 1", "only_one"),)

    number: Mapped[int] = mapped_column(sa.Integer, primary_key=True, autoincrement=False)
    public_key: Mapped[str] = mapped_column(sa.String(64))


class SlotRow(Row):
    """A place on a door's list."""

    __tablename__ = "slots"

    door_id: Mapped[str] = mapped_column(sa.ForeignKey("doors.id"), primary_key=True)
    number: Mapped[int] = mapped_column(sa.Integer, primary_key=True, autoincrement=False)
    serial: Mapped[int] = mapped_column(sa.BigInteger)
    expires_unix: Mapped[int] = mapped_column(sa.BigInteger)
    ends_unix: Mapped[int] = mapped_column(sa.BigInteger)
    timetable: Mapped[int] = mapped_column(sa.Integer)


class DoorRow(Row):
    """A door. Whoever changes anything about it holds its row until the change is on disk."""

    __tablename__ = "doors"
    __table_args__ = (
        sa.CheckConstraint(f"version BETWEEN 0 AND {HIGHEST}", "version"),
        sa.Index(None, "building", "name"),
        sa.Index(None, "state", "name"),
    )

    id: Mapped[str] = mapped_column(sa.String(16), primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(64), unique=True)
    version: Mapped[int] = mapped_column(sa.BigInteger)
    policy: Mapped[bytes] = mapped_column(sa.LargeBinary)
    reporting: Mapped[bytes] = mapped_column(sa.LargeBinary)
    document_key: Mapped[str] = mapped_column(sa.String(64))
    state: Mapped[str] = mapped_column(sa.String(16), server_default=DoorState.ADDED.value)
    created_unix: Mapped[int] = mapped_column(sa.BigInteger, server_default="0")
    joined_unix: Mapped[int | None] = mapped_column(sa.BigInteger)
    certificate_serial: Mapped[str | None] = mapped_column(sa.String(40))
    not_after_unix: Mapped[int | None] = mapped_column(sa.BigInteger, index=True)
    manager_key: Mapped[str | None] = mapped_column(sa.String(64))
    succession: Mapped[int | None] = mapped_column(sa.BigInteger)
    building: Mapped[str] = mapped_column(sa.String(64), server_default=sa.text("''"))
    floor: Mapped[str] = mapped_column(sa.String(16), server_default=sa.text("''"))
    slots: Mapped[list[SlotRow]] = relationship(order_by=SlotRow.number, lazy="selectin")


class LabelRow(Row):
    """A label of a door."""

    __tablename__ = "labels"
    __table_args__ = (
        sa.UniqueConstraint("door_id", "verifier"),
        sa.Index(
            "ix_labels_one_open",
            "door_id",
            unique=True,
            sqlite_where=sa.text("state = 'open'"),
            postgresql_where=sa.text("state = 'open'"),
        ),
    )

    number: Mapped[int] = mapped_column(sa.Integer, primary_key=True)
    door_id: Mapped[str] = mapped_column(sa.ForeignKey("doors.id"))
    verifier: Mapped[str] = mapped_column(sa.String(64))
    made_unix: Mapped[int] = mapped_column(sa.BigInteger)
    expires_unix: Mapped[int] = mapped_column(sa.BigInteger)
    state: Mapped[str] = mapped_column(sa.String(16))


class CertificateRow(Row):
    """A certificate of a door."""

    __tablename__ = "certificates"

    serial: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    door_id: Mapped[str] = mapped_column(sa.ForeignKey("doors.id"), index=True)
    not_before_unix: Mapped[int] = mapped_column(sa.BigInteger)
    not_after_unix: Mapped[int] = mapped_column(sa.BigInteger)
    fingerprint: Mapped[str] = mapped_column(sa.String(64))
    revoked_unix: Mapped[int | None] = mapped_column(sa.BigInteger)


class ManagerRow(Row):
    """A certificate of a manager's computer."""

    __tablename__ = "managers"

    serial: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(64), index=True)
    not_before_unix: Mapped[int] = mapped_column(sa.BigInteger)
    not_after_unix: Mapped[int] = mapped_column(sa.BigInteger)
    revoked_unix: Mapped[int | None] = mapped_column(sa.BigInteger)


class ActRow(Row):
    """Something a manager did."""

    __tablename__ = "acts"

    number: Mapped[int] = mapped_column(sa.Integer, primary_key=True)
    at_unix: Mapped[int] = mapped_column(sa.BigInteger)
    who: Mapped[str] = mapped_column(sa.String(LONGEST_ACT))
    command: Mapped[str] = mapped_column(sa.String(LONGEST_ACT))
    door_id: Mapped[str] = mapped_column(sa.String(16))
    about: Mapped[str] = mapped_column(sa.String(LONGEST_ACT), server_default=sa.text("''"))
    chain: Mapped[str | None] = mapped_column(sa.String(64))


class UserRow(Row):
    """Somebody who signs in at the console."""

    __tablename__ = "users"

    name: Mapped[str] = mapped_column(sa.String(32), primary_key=True)
    role: Mapped[str] = mapped_column(sa.String(16))
    password: Mapped[str] = mapped_column(sa.String(128))
    second_factor: Mapped[bytes] = mapped_column(sa.LargeBinary)
    last_step: Mapped[int] = mapped_column(sa.BigInteger)
    created_unix: Mapped[int] = mapped_column(sa.BigInteger)


class SessionRow(Row):
    """Somebody who is signed in."""

    __tablename__ = "sessions"

    token_hash: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    user_name: Mapped[str] = mapped_column(sa.ForeignKey("users.name"), index=True)
    created_unix: Mapped[int] = mapped_column(sa.BigInteger)
    seen_unix: Mapped[int] = mapped_column(sa.BigInteger)


class DeviceRow(Row):
    """A browser in which somebody has signed in before."""

    __tablename__ = "devices"

    token_hash: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    user_name: Mapped[str] = mapped_column(sa.ForeignKey("users.name"), index=True)
    created_unix: Mapped[int] = mapped_column(sa.BigInteger)
