"""The next certificate of a door, when it asks for one.

Rules kept here:
- Only a door that has joined, whose certificate was not revoked, and only for the key it has: a broker could put a
  question of its own in a door's place, and would get a certificate for a key that it does not hold.
- A question stands at the broker until its door has the answer, and comes again at every connection. It is answered
  once a day: the answer waits for the door, and a lost one is made anew the day after.
- A certificate is noted before it leaves; what is in nobody's list could not be revoked.
- None is made by a clock that is behind the last certificate.
- One that would last no longer than the present one is not made: the door would not take it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography import x509

from device import certificates as formats
from device.joining import Answer
from provisioning import certificates
from provisioning.certificates import EARLIER_S, Authority
from provisioning.errors import FleetRefused
from provisioning.fleet import Fleet
from provisioning.joining import DAYS, key_fingerprint, note_of, pem_of
from provisioning.store import Certificate, Door, DoorState

AGAIN_S = 86_400


@dataclass(frozen=True, slots=True)
class Renewed:
    """An answer for a door, and until when its certificate lasts (seconds since 1970)."""

    answer: bytes
    ends_unix: int


@dataclass(frozen=True, slots=True)
class Renewer:
    """Issues in the name of `authority`."""

    fleet: Fleet
    authority: Authority

    def renew(self, door_name: str, request: bytes, now_unix: int, *, again: bool = False) -> Renewed | None:
        """Answer the request (PKCS #10, DER) of a door; None if that was done within a day, and not `again`.

        Raises FleetRefused or JoiningRefused, each with one sentence.
        """
        door = self.fleet.store.door(door_name)
        present = _present(self.fleet, door)
        public = formats.key_asked_for(request, bytes.fromhex(door.id))
        if key_fingerprint(public) != present.fingerprint:
            msg = (
                f'"{door.name}" asks for a certificate with another key than it joined with, and gets none; if its '
                "board was replaced, give it a new label"
            )
            raise FleetRefused(msg)
        if now_unix < present.not_before_unix:
            began, clock = (f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d}" for at in (present.not_before_unix, now_unix))
            msg = (
                f'the certificate of "{door.name}" was made on {began}, and this computer\'s clock says {clock}: '
                "one of the two clocks is wrong, so none was made"
            )
            raise FleetRefused(msg)
        if not again and now_unix < present.not_before_unix + EARLIER_S + AGAIN_S:
            return None
        issued = self.authority.issue_door(pem_of(request), door.id, DAYS, now_unix)
        if issued.ends_unix <= present.not_after_unix and not again:
            msg = f'"{door.name}" can have no longer certificate: the fleet\'s authority ends with the present one'
            raise FleetRefused(msg)
        made = x509.load_pem_x509_certificate(issued.pem)

        def check(now: Door) -> None:
            if now.certificate_serial != present.serial or now.state is not DoorState.JOINED:
                msg = f'"{now.name}" got a certificate in the meantime, or lost its own'
                raise FleetRefused(msg)

        self.fleet.store.add_certificate(door.name, note_of(made, door.id), check)
        answer = Answer(bytes.fromhex(door.id), formats.to_der(made), certificates.der(self.authority.certificate))
        return Renewed(answer.pack(), issued.ends_unix)


def _present(fleet: Fleet, door: Door) -> Certificate:
    """The certificate a door has. Raises FleetRefused if it may have no next one."""
    if door.state is not DoorState.JOINED:
        msg = f'"{door.name}" has not joined, and gets no certificate by asking for the next one'
        raise FleetRefused(msg)
    for each in fleet.store.certificates(door.name):
        if each.serial == door.certificate_serial and each.revoked_unix is None:
            return each
    msg = f'the certificate of "{door.name}" was revoked, and it gets no next one; a new label lets it join again'
    raise FleetRefused(msg)
