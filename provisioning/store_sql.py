"""A fleet in a database: `SqlStore`, the `FleetStore` of SQLite and PostgreSQL.

Rules kept here:
- Every operation is one transaction, which holds the row of the door it is about (SQLite: the whole file) before it
  reads it. So a version, a serial or a label is handed out once, by whichever of several managers came first.
- What a change notes of the manager's act is in the same transaction, and holds no argument of the command.
- What doors, labels and certificates mean stands in `store_doors`, `store_joining` and `store_revoked`, within a
  transaction of this module.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from device.errors import Refusal
from provisioning import store_acts, store_doors, store_joining, store_revoked, store_rows, store_schema
from provisioning.errors import FleetRefused
from provisioning.store import (
    Act,
    Certificate,
    Check,
    Door,
    DoorState,
    Label,
    LabelState,
    Login,
    Reserved,
    Revoked,
    Slot,
)
from provisioning.store_engine import READING, damaged, told
from provisioning.store_tables import (
    ActRow,
    CertificateRow,
    DoorRow,
    FleetRow,
    LabelRow,
)


@dataclass(frozen=True, slots=True)
class SqlStore:
    """A fleet behind `engine`. `place` is what errors call it, `who` whose acts are noted, `clock` gives seconds."""

    engine: sa.Engine
    place: str
    who: str
    clock: Callable[[], int]

    def public_key(self) -> str:
        with self.reading() as session:
            return store_rows.key(session.scalars(sa.select(FleetRow.public_key)).one())

    def doors(self) -> tuple[Door, ...]:
        with self.reading() as session:
            found = [store_rows.door(row) for row in session.scalars(sa.select(DoorRow))]
        return tuple(sorted(found, key=lambda door: door.name))  # by code point, whatever the server's language is

    def door(self, door_name: str) -> Door:
        with self.reading() as session:
            return store_rows.door(store_doors.named(session, door_name))

    def labels(self, door_name: str) -> tuple[Label, ...]:
        with self.reading() as session:
            of_door = sa.select(LabelRow).where(LabelRow.door_id == store_doors.named(session, door_name).id)
            return tuple(store_rows.label(row) for row in session.scalars(of_door.order_by(LabelRow.number)))

    def certificates(self, door_name: str) -> tuple[Certificate, ...]:
        with self.reading() as session:
            of_door = sa.select(CertificateRow).where(
                CertificateRow.door_id == store_doors.named(session, door_name).id
            )
            ordered = of_door.order_by(CertificateRow.not_before_unix, CertificateRow.serial)
            return tuple(store_rows.certificate(row) for row in session.scalars(ordered))

    def acts(self, newest: int) -> tuple[Act, ...]:
        with self.reading() as session:
            last = session.scalars(sa.select(ActRow).order_by(ActRow.number.desc()).limit(newest))
            return tuple(reversed([store_rows.act(row) for row in last]))

    def record(self, command: str, door_id: str = "", about: str = "") -> None:
        with self.writing() as session:
            self.note(session, command, door_id, about)

    def add_door(self, door: Door) -> None:
        self.add_doors((door,))

    def add_doors(self, doors: Sequence[Door]) -> None:
        with self.writing() as session:
            session.scalars(sa.select(FleetRow).with_for_update()).one()  # names are given one after the other
            for door in doors:
                store_doors.add(session, door)
                self.note(session, "door add", door.id)

    def place_door(self, door_name: str, building: str, floor: str) -> Door:
        with self._changing(door_name, _nothing, "door place") as (_session, row):
            row.building, row.floor = building, floor
            return store_rows.door(row)

    def identify(self, door_name: str, document_key: str, check: Check) -> Door:
        with self._changing(door_name, check, "door identify") as (_session, row):
            row.document_key = document_key
            return store_rows.door(row)

    def reserve_offer(self, door_name: str, offered: Slot, check: Check) -> Reserved:
        with self._changing(door_name, check, "slot offer") as (_session, row):
            return store_doors.next_offer(row, offered)

    def reserve_withdrawal(self, door_name: str, number: int, now_unix: int, check: Check) -> Reserved:
        with self._changing(door_name, check, "slot revoke") as (_session, row):
            return store_doors.next_offer(row, Slot(number, 0, 0, now_unix))

    def reserve_policy(self, door_name: str, policy: bytes, check: Check) -> Door:
        with self._changing(door_name, check, "policy set") as (_session, row):
            row.policy = policy
            store_doors.take_version(row)
            return store_rows.door(row)

    def reserve_reporting(self, door_name: str, body: bytes, check: Check) -> Door:
        with self._changing(door_name, check, "reporting set") as (_session, row):
            row.reporting = body
            store_doors.take_version(row)
            return store_rows.door(row)

    def reserve_retirement(self, door_name: str, check: Check) -> Door:
        with self._changing(door_name, check, "door retire") as (_session, row):
            store_doors.take_version(row)
            return store_rows.door(row)

    def rotate(self, old: str, new: str) -> None:
        with self.writing() as session:
            fleet = session.scalars(sa.select(FleetRow).with_for_update()).one()
            if fleet.public_key != old:
                msg = "the fleet has another key already; nothing was changed"
                raise FleetRefused(msg)
            fleet.public_key = store_rows.key(new)
            believing = DoorRow.manager_key.is_(None), DoorRow.state != DoorState.RETIRED.value
            session.execute(sa.update(DoorRow).where(*believing).values(manager_key=old))
            still_open = LabelRow.state == LabelState.OPEN.value
            session.execute(sa.update(LabelRow).where(still_open).values(state=LabelState.REVOKED.value))
            self.note(session, "fleet rotate", "")

    def reserve_succession(self, door_name: str, check: Check) -> Door:
        with self._changing(door_name, check, "fleet rotate") as (_session, row):
            store_doors.refuse_knowing(row)
            if row.succession is None:
                store_doors.take_version(row)
                row.succession = row.version
            return store_rows.door(row)

    def acknowledge(self, door_name: str, check: Check) -> Door:
        with self._changing(door_name, check, "fleet rotate") as (_session, row):
            store_doors.refuse_knowing(row)
            row.manager_key = row.succession = None
            return store_rows.door(row)

    def add_label(self, door_name: str, verifier: str, times: tuple[int, int], check: Check) -> Label:
        with self._changing(door_name, check, "label make") as (session, row):
            return store_joining.add_label(session, row, verifier, times)

    def revoke_label(self, door_name: str) -> Label:
        with self._changing(door_name, _nothing, "label revoke") as (session, row):
            revoked = store_joining.revoke_open(session, row.id)
            if revoked is None:
                msg = f'"{door_name}" has no label that could be revoked'
                raise FleetRefused(msg)
            return store_rows.label(revoked)

    def claim(self, door_id: str, secret_hash: bytes, now_unix: int) -> Door:
        with self.writing() as session:
            row = store_joining.claim(session, door_id, secret_hash, now_unix)
            self.note(session, "door claim", row.id)
            return store_rows.door(row)

    def join(self, door_name: str, document_key: str, certificate: Certificate, now_unix: int, check: Check) -> Door:
        with self._changing(door_name, check, "door join") as (session, row):
            if row.state != DoorState.CLAIMED.value:
                msg = f'"{door_name}" has used no label since it was added or joined; give it one, and let it join'
                raise FleetRefused(msg)
            row.state, row.joined_unix, row.document_key = DoorState.JOINED.value, now_unix, document_key
            store_joining.go_by(session, row, certificate)
            return store_rows.door(row)

    def add_certificate(self, door_name: str, certificate: Certificate, check: Check) -> Door:
        with self._changing(door_name, check, "certificate add") as (session, row):
            store_joining.go_by(session, row, certificate)
            return store_rows.door(row)

    def note_certificate(self, door_name: str, certificate: Certificate, check: Check) -> Door:
        with self._changing(door_name, check, "ca door") as (session, row):
            store_joining.note(session, row, certificate)
            return store_rows.door(row)

    def revoke_certificate(self, serial: str, now_unix: int) -> Certificate:
        with self.writing() as session:
            found = session.get(CertificateRow, serial)
            if found is None:
                msg = f"there is no certificate with the serial {serial} in this fleet"
                raise FleetRefused(msg)
            row = session.scalars(sa.select(DoorRow).where(DoorRow.id == found.door_id).with_for_update()).one()
            session.refresh(found)  # as it is now that nobody else changes this door
            if found.revoked_unix is not None:
                msg = f"the certificate with the serial {serial} is revoked already"
                raise FleetRefused(msg)
            found.revoked_unix = now_unix
            if row.certificate_serial == serial:
                row.certificate_serial = row.not_after_unix = None
            self.note(session, "certificate revoke", row.id)
            return store_rows.certificate(found)

    def retire(self, door_name: str, now_unix: int, check: Check) -> Door:
        with self._changing(door_name, check, "door retire") as (session, row):
            store_joining.revoke_open(session, row.id)
            store_revoked.door(session, row, now_unix)
            row.state = DoorState.RETIRED.value
            return store_rows.door(row)

    def revoke_door(self, door_name: str, now_unix: int) -> tuple[Certificate, ...]:
        with self._changing(door_name, _nothing, "door revoke") as (session, row):
            label, revoked = store_joining.revoke_open(session, row.id), store_revoked.door(session, row, now_unix)
            if label is None and not revoked:
                msg = f'"{door_name}" has neither a certificate nor a label that could be revoked'
                raise FleetRefused(msg)
            return revoked

    def add_login(self, login: Login) -> None:
        with self.writing() as session:
            store_revoked.add_login(session, login)
            self.note(session, "ca manager", "")

    def logins(self) -> tuple[Login, ...]:
        with self.reading() as session:
            return store_revoked.logins(session)

    def revoke_logins(self, name: str, now_unix: int) -> tuple[Login, ...]:
        with self.writing() as session:
            self.note(session, "manager revoke", "")
            return store_revoked.revoke_logins(session, name, now_unix)

    def revoked(self) -> tuple[Revoked, ...]:
        with self.reading() as session:
            return store_revoked.everything(session)

    @contextmanager
    def _changing(self, door_name: str, check: Check, command: str) -> Iterator[tuple[Session, DoorRow]]:
        """One step on one door that is not retired, and passes `check`."""
        with self.writing() as session:
            row = store_doors.named(session, door_name)
            door = store_rows.door(row)
            if door.state is DoorState.RETIRED:
                msg = f'"{door_name}" is retired, and nothing is made for it any more'
                raise FleetRefused(msg)
            check(door)
            self.note(session, command, row.id)
            yield session, row

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A transaction that is alone with what it changes."""
        with self._session(self.engine) as session:
            yield session

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A transaction that changes nothing."""
        with self._session(self.engine.execution_options(**{READING: True})) as session:
            yield session

    @contextmanager
    def _session(self, engine: sa.Engine) -> Iterator[Session]:
        try:
            with told(self.place), Session(engine) as session, session.begin():
                store_schema.refuse_other(session.connection(), self.place)
                yield session
        except Refusal:
            raise  # many a refusal of ours is a ValueError too
        except (ValueError, TypeError) as cause:
            raise damaged(self.place) from cause

    def note(self, session: Session, command: str, door_id: str = "", about: str = "") -> None:
        """Write down an act, in the transaction of whoever does it."""
        store_acts.note(session, Act(self.clock(), self.who, command, door_id, about))


def _nothing(_door: Door) -> None:
    """No reason to refuse."""
