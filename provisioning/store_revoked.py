"""Certificates that are believed no more, and those of managers' computers: the part of `SqlStore` about them.

Rules kept here:
- Every function works in the transaction of its caller, who holds the row of the door it is about.
- What was revoked stays in the list for as long as its row does, with the moment it was revoked at first.
- What no program of ours could have written is damage (ValueError), as in `store_rows`.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from provisioning import store_rows
from provisioning.errors import FleetRefused
from provisioning.store import Certificate, Login, Revoked
from provisioning.store_tables import CertificateRow, DoorRow, ManagerRow


def door(session: Session, row: DoorRow, now_unix: int) -> tuple[Certificate, ...]:
    """Revoke all certificates of a door that stand; which."""
    standing = sa.select(CertificateRow).where(CertificateRow.door_id == row.id, CertificateRow.revoked_unix.is_(None))
    found = list(session.scalars(standing.order_by(CertificateRow.not_before_unix, CertificateRow.serial)))
    for each in found:
        each.revoked_unix = now_unix
    row.certificate_serial = row.not_after_unix = None
    return tuple(store_rows.certificate(each) for each in found)


def add_login(session: Session, login: Login) -> None:
    """Note the certificate of a manager's computer. Raises FleetRefused if its serial is taken."""
    if session.get(ManagerRow, login.serial) is not None:
        msg = f"there is a certificate with the serial {login.serial} already"
        raise FleetRefused(msg)
    times = {"not_before_unix": login.not_before_unix, "not_after_unix": login.not_after_unix}
    made = ManagerRow(serial=login.serial, name=login.name, **times)
    store_rows.login(made)
    session.add(made)


def logins(session: Session) -> tuple[Login, ...]:
    """All certificates of managers' computers, by name (code points) and beginning."""
    found = [store_rows.login(row) for row in session.scalars(sa.select(ManagerRow))]
    return tuple(sorted(found, key=lambda each: (each.name, each.not_before_unix, each.serial)))


def revoke_logins(session: Session, name: str, now_unix: int) -> tuple[Login, ...]:
    """Revoke all certificates of the manager `name` that stand; which. Raises FleetRefused if there is none."""
    of_name = sa.select(ManagerRow).where(ManagerRow.name == name, ManagerRow.revoked_unix.is_(None))
    found = list(session.scalars(of_name.order_by(ManagerRow.serial).with_for_update()))
    if not found:
        msg = f'there is no certificate of a manager "{name}" that could be revoked; `doorward manager list` shows all'
        raise FleetRefused(msg)
    for each in found:
        each.revoked_unix = now_unix
    return tuple(store_rows.login(each) for each in found)


def everything(session: Session) -> tuple[Revoked, ...]:
    """All that were revoked, of doors and managers, by serial."""
    rows = [
        *session.scalars(sa.select(CertificateRow).where(CertificateRow.revoked_unix.is_not(None))),
        *session.scalars(sa.select(ManagerRow).where(ManagerRow.revoked_unix.is_not(None))),
    ]
    read = [store_rows.certificate(row) if isinstance(row, CertificateRow) else store_rows.login(row) for row in rows]
    found = (Revoked(each.serial, each.revoked_unix or 0, each.not_after_unix) for each in read)
    return tuple(sorted(found, key=lambda each: each.serial))
