"""What the fleet remembers: its doors, the places that were offered, labels, certificates, and the manager's own acts.

Rules kept here:
- The store is a port: `FleetStore` says what it can do, `store_sql` does it in SQLite or PostgreSQL. Every operation is
  one step that happens wholly or not at all, for any number of managers at once.
- A version or serial that was handed out is on disk first and never handed out again, whatever fails afterwards.
- A label opens the fleet to one door once: its secret is never kept, only what a secret can be checked against.
- Nothing is made for a retired door any more.
- A door's documents are signed by the key that it believes: after a rotation the older one, until the document that
  names the newer is made.
- Every change notes who made it, when, and at which door, in the same step.
- No column for a resident's name, an invitation, a credential or the use of a door exists.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum, unique
from typing import Protocol

from device.wire import NO_END, NO_TIMETABLE

HIGHEST = 2**32 - 1  # versions and serials are u32 on the wire
SECRET_HASH_BYTES = 32  # SHA-256 of a label's secret


@unique
class DoorState(Enum):
    """How far a door has come: written down, its label used, believed with a certificate, given up."""

    ADDED = "added"
    CLAIMED = "claimed"
    JOINED = "joined"
    RETIRED = "retired"


@unique
class LabelState(Enum):
    """Whether a label can still be used; one that is OPEN also lapses at its time."""

    OPEN = "open"
    USED = "used"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class Slot:
    """A place on a door's list. `serial` counts its offers.

    Of the last offer, in seconds since 1970: `expires_unix` is when its invitation lapses, `ends_unix` when the place
    itself ends (wire.NO_END: it does not), and `timetable` the number of its hours (wire.NO_TIMETABLE: the door's).
    """

    number: int
    serial: int
    expires_unix: int
    ends_unix: int = NO_END
    timetable: int = NO_TIMETABLE


@dataclass(frozen=True, slots=True)
class Door:
    """A door. `id` is 16 hexadecimal digits; `version` is that of the newest document made for it, 0 at first.

    `policy` and `reporting`: the bodies of the newest documents of those kinds, in hexadecimal digits; empty if there
    is none. `document_key`: what its documents are sealed to, 64 hexadecimal digits; empty until somebody brought it
    from the door. Times are seconds since 1970: `created_unix` when it was added, `joined_unix` when it was believed.
    `certificate_serial` (hexadecimal digits) and `not_after_unix` are those of its newest certificate that stands.
    `manager_key`: the older key that the door may still believe (64 hexadecimal digits), empty if it knows the fleet's;
    `succession`: the version of the document that names the fleet's key to it, None before there is one.
    `building` and `floor` are the manager's own words for where it is, or empty.
    """

    name: str
    id: str
    version: int = 0
    slots: tuple[Slot, ...] = ()
    policy: str = ""
    document_key: str = ""
    reporting: str = ""
    state: DoorState = DoorState.ADDED
    created_unix: int = 0
    joined_unix: int | None = None
    certificate_serial: str | None = None
    not_after_unix: int | None = None
    manager_key: str = ""
    succession: int | None = None
    building: str = ""
    floor: str = ""

    def believes(self, public_key: str) -> str:
        """The key that signs what is made for it now, 64 hexadecimal digits; `public_key` is the fleet's."""
        return self.manager_key if self.manager_key and self.succession is None else public_key


@dataclass(frozen=True, slots=True)
class Label:
    """What a door was given to be recognised by, once. `verifier`: SHA-256 of its secret, 64 hexadecimal digits."""

    door_id: str
    verifier: str
    made_unix: int
    expires_unix: int
    state: LabelState = LabelState.OPEN


@dataclass(frozen=True, slots=True)
class Certificate:
    """A door's X.509 certificate: `serial` in hexadecimal digits, times since 1970.

    `fingerprint`: SHA-256 of its key (SubjectPublicKeyInfo), 64 digits; by it a renewal is recognised.
    """

    door_id: str
    serial: str
    not_before_unix: int
    not_after_unix: int
    fingerprint: str
    revoked_unix: int | None = None


@dataclass(frozen=True, slots=True)
class Login:
    """The X.509 certificate of a manager's computer, called `name`; the rest as in `Certificate`."""

    name: str
    serial: str
    not_before_unix: int
    not_after_unix: int
    revoked_unix: int | None = None


@dataclass(frozen=True, slots=True)
class Revoked:
    """A certificate that is believed no more: `serial` in hexadecimal digits, times since 1970."""

    serial: str
    revoked_unix: int
    not_after_unix: int


@dataclass(frozen=True, slots=True)
class Act:
    """Something a manager did: when (seconds since 1970), under which account, which command, at which door (or "").

    `about`: the console's user whom it was done to, or "". `chain`: SHA-256 over this act and the `chain` of the one
    before it (`acts`), 64 hexadecimal digits; empty for acts from before there was one.
    """

    at_unix: int
    who: str
    command: str
    door_id: str
    about: str = ""
    chain: str = ""


Check = Callable[[Door], None]  # raises FleetRefused for what must not be done to this door


@dataclass(frozen=True, slots=True)
class Reserved:
    """A version and a serial that nobody else will get."""

    door: Door
    version: int
    serial: int


class FleetStore(Protocol):
    """What any store of a fleet does.

    Everything raises FleetRefused for what cannot be done (an unknown or retired door, what a `check` refuses of the
    door as it is at that moment) and FleetFault for a store that does not work, each with one sentence; then nothing
    was changed.
    """

    def public_key(self) -> str:
        """The fleet's public document key, 64 hexadecimal digits."""

    def doors(self) -> tuple[Door, ...]:
        """All doors, by name."""

    def door(self, door_name: str) -> Door:
        """The door called `door_name`."""

    def add_door(self, door: Door) -> None:
        """Remember a new door. Refused if its name or id is taken."""

    def add_doors(self, doors: Sequence[Door]) -> None:
        """Remember new doors, all of them or none. Refused if a name or an id is taken."""

    def place_door(self, door_name: str, building: str, floor: str) -> Door:
        """Note where a door is."""

    def identify(self, door_name: str, document_key: str, check: Check) -> Door:
        """Durably bind a document key (64 hexadecimal digits) to a door."""

    def reserve_offer(self, door_name: str, offered: Slot, check: Check) -> Reserved:
        """Durably take the next version of a door and the next serial of a slot; `offered.serial` does not count."""

    def reserve_withdrawal(self, door_name: str, number: int, now_unix: int, check: Check) -> Reserved:
        """Durably take the next version of a door and the next serial of a slot, whose place ends now."""

    def reserve_policy(self, door_name: str, policy: bytes, check: Check) -> Door:
        """Durably take the next version of a door for its new policy."""

    def reserve_reporting(self, door_name: str, body: bytes, check: Check) -> Door:
        """Durably take the next version of a door for what it is to tell (the body of a REPORTING document)."""

    def reserve_retirement(self, door_name: str, check: Check) -> Door:
        """Durably take the next version of a door for a document that announces its end, or takes that back."""

    def rotate(self, old: str, new: str) -> None:
        """Let the fleet's public key be `new`. Refused if it is not `old`.

        Every door that is not retired believes `old` from then on; all open labels, which name it, are revoked.
        """

    def reserve_succession(self, door_name: str, check: Check) -> Door:
        """Durably take the next version of a door for the document that names the fleet's key to it, once.

        Refused if the door knows the fleet's key.
        """

    def acknowledge(self, door_name: str, check: Check) -> Door:
        """Note that a door believes the fleet's key now. Refused if it was not to learn it."""

    def add_label(self, door_name: str, verifier: str, times: tuple[int, int], check: Check) -> Label:
        """Give a door a label, made and expiring at `times`; an older one that is open is revoked in the same step."""

    def revoke_label(self, door_name: str) -> Label:
        """Revoke the open label of a door. Refused if it has none."""

    def labels(self, door_name: str) -> tuple[Label, ...]:
        """All labels a door was given, oldest first."""

    def claim(self, door_id: str, secret_hash: bytes, now_unix: int) -> Door:
        """Use the open label that `secret_hash` (SHA-256 of the secret it brings) fits; the door is CLAIMED then.

        Refused, with one sentence each: no such label, a revoked, a used, an expired one. Of two at once one is
        refused.
        """

    def join(self, door_name: str, document_key: str, certificate: Certificate, now_unix: int, check: Check) -> Door:
        """Believe a door that claimed its label: bind its key and its first certificate; it is JOINED then."""

    def add_certificate(self, door_name: str, certificate: Certificate, check: Check) -> Door:
        """Note a further certificate of a door, which becomes its newest. Refused if its serial is taken."""

    def note_certificate(self, door_name: str, certificate: Certificate, check: Check) -> Door:
        """Note a certificate that was made by hand: it can be revoked, and the door's newest stays what it is.

        Refused if its serial is taken.
        """

    def revoke_certificate(self, serial: str, now_unix: int) -> Certificate:
        """Note that a certificate is revoked. Refused if there is none of that serial, or it is revoked already."""

    def certificates(self, door_name: str) -> tuple[Certificate, ...]:
        """All certificates of a door, in the order of their beginning."""

    def revoke_door(self, door_name: str, now_unix: int) -> tuple[Certificate, ...]:
        """Revoke every certificate of a door that stands, and its open label; which certificates. Refused if none."""

    def add_login(self, login: Login) -> None:
        """Note the certificate of a manager's computer. Refused if its serial is taken."""

    def logins(self) -> tuple[Login, ...]:
        """All certificates of managers' computers, by name and beginning."""

    def revoke_logins(self, name: str, now_unix: int) -> tuple[Login, ...]:
        """Revoke every certificate of a manager that stands; which. Refused if there is none."""

    def revoked(self) -> tuple[Revoked, ...]:
        """Every certificate that was revoked, of doors and managers, by serial."""

    def retire(self, door_name: str, now_unix: int, check: Check) -> Door:
        """Give a door up: its open label and its certificates are revoked, and nothing is made for it any more."""

    def record(self, command: str, door_id: str = "", about: str = "") -> None:
        """Note an act that changes nothing else in the store; `command` is what was called, without its arguments."""

    def acts(self, newest: int) -> tuple[Act, ...]:
        """The `newest` last acts, oldest first."""
