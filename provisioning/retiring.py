"""The end of a door, from the manager's side: announce it, take that back, and give the door up once it has ended.

Rules kept here:
- A document announces the end, or takes that back; it ends nothing at once. The door counts the notice itself.
- A door is given up in the fleet only with its receipt: signed, and naming this very door. Until then documents and
  certificates are made for it, because it opens for its residents.
- A receipt proves that whoever holds the key in it signed. The fleet does not know its doors' signing keys: what it is
  compared with is what somebody read at the door, or nothing, and then that is said.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from device import attestation, reading
from device.attestation import EndOfDoor, Verified
from device.bodies import RECALL, Retirement, refuse
from provisioning.errors import FleetFault, FleetRefused
from provisioning.fleet import Fleet
from provisioning.identity import Identity
from provisioning.store import Door

_LARGEST = 65_536
KEY_DIGITS = 64
_KEY = re.compile(rf"[0-9a-fA-F]{{{KEY_DIGITS}}}")


@dataclass(frozen=True, slots=True)
class Announcement:
    """A document for the door: it ends after `notice_hours` of running time; 0: it does not end."""

    door: Door
    version: int
    notice_hours: int
    document: bytes


def announce(fleet: Fleet, door_name: str, notice_hours: int, *, now_unix: int, passphrase: str) -> Announcement:
    """Make the document that announces the end of a door, or, with RECALL, takes that back.

    Raises FleetRefused or DocumentRefused, each with one sentence; a notice that is too short uses no version up.
    """
    body = Retirement(notice_hours)
    refuse(body)

    def check(door: Door) -> None:
        Identity.of(door)

    before = fleet.store.door(door_name)
    check(before)
    key = fleet.signer(before, passphrase)
    door = fleet.store.reserve_retirement(door_name, check)
    return Announcement(door, door.version, notice_hours, fleet.sealed(body, door, now_unix, key))


def recall(fleet: Fleet, door_name: str, *, now_unix: int, passphrase: str) -> Announcement:
    """Take the announcement back; a door that has ended by then says that it is too late."""
    return announce(fleet, door_name, RECALL, now_unix=now_unix, passphrase=passphrase)


def key_read_out(digits: str) -> bytes:
    """The door's key as somebody typed it. Raises FleetRefused."""
    if not _KEY.fullmatch(digits):
        msg = f"a door's key has {KEY_DIGITS} hexadecimal digits"
        raise FleetRefused(msg)
    return bytes.fromhex(digits)


def give_up(fleet: Fleet, door_name: str, receipt: Path, *, now_unix: int, door_key: bytes | None = None) -> Verified:
    """Give a door up whose receipt is in the file `receipt`. Raises AttestationRefused, FleetRefused or FleetFault.

    `door_key`: the key somebody read at the door; the receipt has to be signed with it.
    """
    try:
        text = reading.content(receipt, _LARGEST).decode("ascii", "replace")
    except OSError as cause:
        msg = f"{receipt} cannot be read: {cause.strerror}"
        raise FleetFault(msg) from cause
    return give_up_with(fleet, door_name, text, now_unix=now_unix, door_key=door_key)


def give_up_with(fleet: Fleet, door_name: str, text: str, *, now_unix: int, door_key: bytes | None = None) -> Verified:
    """As `give_up`, of a receipt in hand."""
    verified = attestation.read(text)
    if not isinstance(verified.paper, EndOfDoor):
        msg = "this paper is not the receipt for the end of a door, so nothing was changed"
        raise FleetRefused(msg)
    if door_key is not None and door_key != verified.door_key:
        msg = "this receipt was signed with another key than the one you gave, so nothing was changed"
        raise FleetRefused(msg)
    named = verified.paper.door.hex()

    def check(door: Door) -> None:
        if door.id != named:
            msg = f'this receipt is of the door {named}, and "{door.name}" has the id {door.id}'
            raise FleetRefused(msg)

    fleet.store.retire(door_name, now_unix, check)
    return verified
