"""Labels, and the certificates that follow from them: the part of `SqlStore` that lets a door join.

Rules kept here:
- Every function works in the transaction of its caller, who holds the row of the door it is about.
- A label is used once; of two that are open at one door the database itself refuses the second.
- Who brings a label's secret learns why it is refused, and nobody else does.
- The certificate that a door goes by is the one that it joined with, or was given at its own question since. One that
  was made by hand is noted beside it: it can be revoked, and no question is answered for its key.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from provisioning import store_rows
from provisioning.errors import FleetRefused
from provisioning.store import SECRET_HASH_BYTES, Certificate, DoorState, Label, LabelState
from provisioning.store_tables import CertificateRow, DoorRow, LabelRow


def add_label(session: Session, row: DoorRow, verifier: str, times: tuple[int, int]) -> Label:
    """Give a door a label, made and expiring at `times`; one that is open is revoked."""
    revoke_open(session, row.id)
    made, expires = times
    label = LabelRow(
        door_id=row.id, verifier=verifier, made_unix=made, expires_unix=expires, state=LabelState.OPEN.value
    )
    session.add(label)
    return store_rows.label(label)


def claim(session: Session, door_id: str, secret_hash: bytes, now_unix: int) -> DoorRow:
    """Use the open label that the secret fits; whose it is. Raises FleetRefused."""
    row = session.scalar(sa.select(DoorRow).where(DoorRow.id == door_id).with_for_update())
    brought = secret_hash.hex() if len(secret_hash) == SECRET_HASH_BYTES else ""
    label = session.scalar(sa.select(LabelRow).where(LabelRow.door_id == door_id, LabelRow.verifier == brought))
    if row is None or label is None:
        msg = "this is no label of this door in this fleet"
        raise FleetRefused(msg)
    _refuse_unusable(store_rows.label(label), now_unix)
    label.state = LabelState.USED.value
    row.state = DoorState.CLAIMED.value
    row.document_key = ""  # of the board before, if there was one: whoever is approved brings their own
    row.manager_key = row.succession = None  # labels that name an older key are revoked
    return row


def revoke_open(session: Session, door_id: str) -> LabelRow | None:
    """Revoke the open label of a door; which, None if it has none."""
    asked = sa.select(LabelRow).where(LabelRow.door_id == door_id, LabelRow.state == LabelState.OPEN.value)
    row = session.scalar(asked)
    if row is not None:
        row.state = LabelState.REVOKED.value
        session.flush()  # before another one is written: the database allows one that is open
    return row


def note(session: Session, row: DoorRow, certificate: Certificate) -> None:
    """Note a certificate of a door, so that it can be revoked. Raises FleetRefused if its serial is taken."""
    if certificate.door_id != row.id:
        msg = f'this certificate is that of the door {certificate.door_id}, and "{row.name}" has the id {row.id}'
        raise FleetRefused(msg)
    if session.get(CertificateRow, certificate.serial) is not None:
        msg = f"there is a certificate with the serial {certificate.serial} already"
        raise FleetRefused(msg)
    made = CertificateRow(
        serial=certificate.serial,
        door_id=row.id,
        not_before_unix=certificate.not_before_unix,
        not_after_unix=certificate.not_after_unix,
        fingerprint=certificate.fingerprint,
    )
    store_rows.certificate(made)
    session.add(made)


def go_by(session: Session, row: DoorRow, certificate: Certificate) -> None:
    """As `note`, and from now on it is the one that the door goes by."""
    note(session, row, certificate)
    row.certificate_serial, row.not_after_unix = certificate.serial, certificate.not_after_unix


def _refuse_unusable(label: Label, now_unix: int) -> None:
    if label.state is LabelState.REVOKED:
        msg = "this label was revoked; ask the manager for a new one"
        raise FleetRefused(msg)
    if label.state is LabelState.USED:
        msg = (
            "this label was used already, and a label is good once; if that was not you, tell the manager, who gives "
            "you a new one"
        )
        raise FleetRefused(msg)
    if label.expires_unix <= now_unix:
        msg = "this label has expired; ask the manager for a new one"
        raise FleetRefused(msg)
