"""Approving a door: whose request it is, what two people compare, and the answer.

Rules kept here:
- A request is believed to be of a label, nothing more: the label may have been copied on its way. That it is the door
  somebody stands at, two people see by the fingerprint; nothing is changed before it was compared.
- Everything that can be refused is refused before the label is used up. Should the computer stop between the label and
  the certificate, the same request is approved again.
- A door that has joined is not approved a second time, but for the very keys it joined with, when its answer was lost.
  A label that was used counts for nothing once there is a newer one.
- Another board in a door's place comes with a new label, and ends the old board's certificates.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from device import certificates as formats
from device.errors import JoiningRefused
from device.joining import HOUR_S, Answer, Request, door_of
from provisioning import authority as authorities
from provisioning import certificates
from provisioning.certificates import Authority
from provisioning.errors import FleetRefused
from provisioning.fleet import Fleet, Hours
from provisioning.reporting import Choice, reporting, set_reporting
from provisioning.store import Certificate, Check, Door, DoorState, Label, LabelState

DAYS = 365
"""How long a door's certificate lasts; it asks for the next one after two thirds of that."""
_LARGEST = 8192


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that was made with a label of the door `door`; nobody has approved it yet."""

    door: Door
    label: Label
    request: Request

    @property
    def fingerprint(self) -> str:
        """What the door shows too, if the request is its own: five groups of four digits."""
        return self.request.fingerprint


@dataclass(frozen=True, slots=True)
class Approved:
    """A door that was approved. `ends_unix`: of its certificate, None without; `cut`: it ends with the authority."""

    door: Door
    answer: bytes
    ends_unix: int | None
    cut: bool


def look(fleet: Fleet, door_name: str, data: bytes, now_unix: int, *, again: bool = False) -> Asked:
    """Whose request this is. Raises FleetRefused or JoiningRefused, each with one sentence; changes nothing.

    `again`: the door has joined, and its answer was lost.
    """
    door = fleet.store.door(door_name)
    if len(data) > _LARGEST or door_of(data).hex() != door.id:
        said = "too long to be one" if len(data) > _LARGEST else f"of the door {door_of(data).hex()}"
        msg = f'this request is {said}, and "{door.name}" has the id {door.id}'
        raise FleetRefused(msg)
    given = fleet.store.labels(door_name)
    label, request = _made_with(given, data)
    asked = Asked(door, label, request)
    _refuse(asked, now_unix)
    if label.state is LabelState.USED:
        _refuse_used(asked, fleet.store.certificates(door_name), newest=label == given[-1], again=again)
    return asked


def approve(fleet: Fleet, asked: Asked, authority: Authority | None, now_unix: int) -> Approved:
    """Believe the door of a request whose fingerprint was compared. Raises FleetRefused or FleetFault.

    Without an `authority` the fleet has no broker, and the door joins without a certificate.
    """
    name, door = asked.door.name, asked.door
    if authority is None:
        return _identified(fleet, asked, now_unix)
    issued = authority.issue_door(pem_of(asked.request.csr), door.id, DAYS, now_unix)
    made = x509.load_pem_x509_certificate(issued.pem)
    noted = note_of(made, door.id)
    answer = Answer(asked.request.door_id, formats.to_der(made), certificates.der(authority.certificate)).pack()
    key = asked.request.document_key.hex()
    if door.state is DoorState.JOINED and asked.label.state is LabelState.USED:
        after = fleet.store.add_certificate(name, noted, _same(key))
        return Approved(after, answer, issued.ends_unix, issued.cut)
    _claim(fleet, asked, now_unix)
    standing = [each for each in fleet.store.certificates(name) if each.revoked_unix is None]
    after = fleet.store.join(name, key, noted, now_unix, _same_id(door.id))
    for each in standing:
        fleet.store.revoke_certificate(each.serial, now_unix)
    return Approved(after, answer, issued.ends_unix, issued.cut)


def believe(
    fleet: Fleet, asked: Asked, *, now_unix: int, passphrase: str, again: bool = False
) -> tuple[Approved, list[Choice | Hours]]:
    """Approve a door whose fingerprint was compared; and what was made anew for its key, hours and reporting.

    `again` as in `look`. A mistyped passphrase is found out before the label is used up. Raises FleetRefused or
    FleetFault.
    """
    fleet.unlock(passphrase)
    authority = authorities.opened(fleet.folder, passphrase) if needs_certificate(fleet.folder, asked.label) else None
    approved = approve(fleet, asked, authority, now_unix)
    if again or asked.door.document_key != approved.door.document_key:  # again: they may not have been made before
        return approved, documents(fleet, approved.door, passphrase, now_unix)
    return approved, []


def needs_certificate(folder: Path, label: Label) -> bool:
    """Whether a label named a broker: all do that were made since the fleet has an authority. Raises FleetFault."""
    if not (folder / authorities.CERTIFICATE_FILE).exists():
        return False
    begins = authorities.certificate(folder).not_valid_before_utc.timestamp() + certificates.EARLIER_S
    return label.made_unix >= begins


def documents(fleet: Fleet, door: Door, passphrase: str, now_unix: int) -> list[Choice | Hours]:
    """The newest hours and reporting of a door, made anew for the key it has now. Raises FleetRefused or FleetFault."""
    made: list[Choice | Hours] = []
    policy, telling = fleet.policy(door.name), reporting(fleet, door.name)
    if policy is not None:
        made.append(fleet.set_policy(door.name, policy, now_unix=now_unix, passphrase=passphrase))
    if telling is not None:
        made.append(set_reporting(fleet, door.name, telling, now_unix=now_unix, passphrase=passphrase))
    return made


def note_of(certificate: x509.Certificate, door_id: str) -> Certificate:
    """What the store keeps of a certificate: by the fingerprint of its key a renewal is recognised."""
    times = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    begins, ends = (int(each.timestamp()) for each in times)
    public = certificate.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return Certificate(door_id, f"{certificate.serial_number:x}", begins, ends, key_fingerprint(public))


def note_of_pem(pem: bytes, door_id: str) -> Certificate:
    """As `note_of`, of a certificate that was just made."""
    return note_of(x509.load_pem_x509_certificate(pem), door_id)


def key_fingerprint(public: bytes) -> str:
    """SHA-256 of a key (SubjectPublicKeyInfo, DER), 64 hexadecimal digits."""
    return hashlib.sha256(public).hexdigest()


def pem_of(request: bytes) -> bytes:
    """A request for a certificate (DER) as PEM. Raises FleetRefused."""
    try:
        return x509.load_der_x509_csr(request).public_bytes(serialization.Encoding.PEM)
    except (ValueError, TypeError, x509.InvalidVersion) as cause:
        msg = "the request for a certificate in it is damaged"
        raise FleetRefused(msg) from cause


def _identified(fleet: Fleet, asked: Asked, now_unix: int) -> Approved:
    """Without a broker there is nothing to log in at: the door is known by its key, and waits for no certificate."""
    key = asked.request.document_key.hex()
    _claim(fleet, asked, now_unix)
    after = fleet.store.identify(asked.door.name, key, _same_id(asked.door.id))
    return Approved(after, Answer(asked.request.door_id).pack(), None, cut=False)


def _claim(fleet: Fleet, asked: Asked, now_unix: int) -> None:
    if asked.label.state is LabelState.OPEN:
        fleet.store.claim(asked.door.id, bytes.fromhex(asked.label.verifier), now_unix)


def _made_with(labels: tuple[Label, ...], data: bytes) -> tuple[Label, Request]:
    """The label of the door, and what was asked with it. Raises JoiningRefused or FleetRefused."""
    if not labels:
        msg = "this door was never given a label; `doorward label new` makes one"
        raise FleetRefused(msg)
    for label in reversed(labels):
        with suppress(JoiningRefused):
            return label, Request.read(data, bytes.fromhex(label.verifier))
    return labels[-1], Request.read(data, bytes.fromhex(labels[-1].verifier))  # says why it is none


def _refuse(asked: Asked, now_unix: int) -> None:
    door, label = asked.door, asked.label
    if door.state is DoorState.RETIRED:
        msg = f'"{door.name}" is retired, and nothing is made for it any more'
        raise FleetRefused(msg)
    if label.state is LabelState.REVOKED:
        msg = (
            "this request was made with a label that was revoked; if the door is yours, give it a new one, and if it "
            "is not, somebody has the old one"
        )
        raise FleetRefused(msg)
    if label.state is LabelState.USED:
        return
    made, ends = (datetime.fromtimestamp(unix, UTC) for unix in (label.made_unix, label.expires_unix))
    clock = datetime.fromtimestamp(now_unix, UTC)
    if now_unix < label.made_unix - HOUR_S:
        msg = f"the label was made on {made:%Y-%m-%d}, and this computer's clock says {clock:%Y-%m-%d}: set the clock"
        raise FleetRefused(msg)
    if label.expires_unix <= now_unix:
        msg = (
            f"the label ended on {ends:%Y-%m-%d at %H:%M} UTC, and this computer's clock says {clock:%Y-%m-%d}; if the "
            "clock is right, make a new label"
        )
        raise FleetRefused(msg)


def _refuse_used(asked: Asked, noted: tuple[Certificate, ...], *, newest: bool, again: bool) -> None:
    """The label was used: by whom? Raises FleetRefused unless it was by this very door."""
    door = asked.door
    same = door.document_key == asked.request.document_key.hex()
    if door.state is DoorState.CLAIMED and not door.document_key and newest:
        return  # the approval was cut off before the certificate
    if door.state is DoorState.JOINED:
        key = key_fingerprint(asked.request.public)
        own = [each for each in noted if each.fingerprint == key]
        if same and own and all(each.revoked_unix is not None for each in own):
            msg = f'the certificate of "{door.name}" was revoked, and this label gets it no other; give it a new one'
            raise FleetRefused(msg)
        same = same and bool(own)
    if not same:
        msg = (
            "this label was used already, by a door with another key; if that was not you, somebody had the label: "
            f'look at "{door.name}", and give it a new one'
        )
        raise FleetRefused(msg)
    if door.state is DoorState.JOINED and not again:
        msg = f'"{door.name}" has joined already; if its answer was lost, say --again'
        raise FleetRefused(msg)


def _same(document_key: str) -> Check:
    def check(door: Door) -> None:
        if door.state is not DoorState.JOINED or door.document_key != document_key:
            msg = f'"{door.name}" has changed in the meantime; look at it again'
            raise FleetRefused(msg)

    return check


def _same_id(door_id: str) -> Check:
    def check(door: Door) -> None:
        if door.id != door_id:
            msg = f'"{door.name}" has changed in the meantime; look at it again'
            raise FleetRefused(msg)

    return check
