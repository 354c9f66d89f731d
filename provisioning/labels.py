"""Labels: what somebody takes along to a door, so that it joins this fleet and no other.

Rules kept here:
- A label's secret is made here, shown once, and kept nowhere: the store has only what a request can be recognised by.
- Everything that could make a label useless is refused before one is made: no authority, or one that ends before it.
- A label never names a key that the fleet has given up: whose key was replaced meanwhile is told to begin again.
- A door that has joined gets a label only if somebody says that another board takes its place.
"""

from __future__ import annotations

import re
import secrets
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from device.joining import HOUR_S, SECRET_BYTES, claim_key
from device.joining import Label as Printed
from provisioning import authority, certificates
from provisioning.errors import FleetRefused
from provisioning.fleet import Fleet
from provisioning.store import Door, DoorState, Label

PORT = 8883  # IANA: secure-mqtt
DAYS, LONGEST_DAYS = 14, 90
_DAY_S = 86400
_HOST = re.compile(r"[A-Za-z0-9_.:-]{1,255}")
_MOST_PORT = 65535


@dataclass(frozen=True, slots=True)
class Where:
    """The fleet's broker: `port` is for whoever has a certificate, `claim_port` for doors that join (0: by file)."""

    host: str
    port: int = PORT
    claim_port: int = 0

    @classmethod
    def read(cls, url: str, claim_port: int = 0) -> Self:
        """The broker at `mqtts://HOST:PORT`. Raises FleetRefused."""
        refused = FleetRefused(f"{url!r} is no broker's address; it reads mqtts://HOST or mqtts://HOST:PORT")
        try:
            parts = urlsplit(url)
            host, port = parts.hostname or "", parts.port or PORT
        except ValueError as cause:  # of brackets with no address in them, or of a port that is none
            raise refused from cause
        bare = url == url.strip() and parts.username is None and not parts.path.strip("/")
        bare = bare and not parts.query and not parts.fragment
        if parts.scheme != "mqtts" or not bare or not _HOST.fullmatch(host):
            raise refused
        if not 0 <= claim_port <= _MOST_PORT:
            msg = f"a port is a number up to {_MOST_PORT}"
            raise FleetRefused(msg)
        return cls(host, port, claim_port)

    @property
    def url(self) -> str:
        """As it was read."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"mqtts://{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Plan:
    """What a label will say, checked before anything is changed: its end (seconds since 1970), broker, authority."""

    made_unix: int
    ends_unix: int
    where: Where | None
    authority: bytes

    @classmethod
    def of(cls, folder: Path, where: Where | None, days: int, now_unix: int) -> Self:
        """For a label that is good for `days` days. Raises FleetRefused or FleetFault."""
        if not 1 <= days <= LONGEST_DAYS:
            msg = f"a label is good for 1 to {LONGEST_DAYS} days, not {days}"
            raise FleetRefused(msg)
        ends_unix = (now_unix + days * _DAY_S) // HOUR_S * HOUR_S
        if where is None:
            if (folder / authority.CERTIFICATE_FILE).exists():
                msg = "this fleet has an authority, and its doors a broker: name it with --broker mqtts://HOST:PORT"
                raise FleetRefused(msg)
            return cls(now_unix, ends_unix, None, b"")
        known = authority.certificate(folder)
        certificates.refuse_untimely(known, now_unix)
        if known.not_valid_after_utc.timestamp() < ends_unix:
            last = known.not_valid_after_utc
            msg = f"the fleet's authority ends on {last:%Y-%m-%d}, before the label would: `doorward ca renew`"
            raise FleetRefused(msg)
        return cls(now_unix, ends_unix, where, certificates.der(known))


def make(fleet: Fleet, door_name: str, plan: Plan, *, anew: bool = False) -> Printed:
    """A label for a door, once; an older one that is open is revoked. Raises FleetRefused or FleetFault.

    `anew`: the door has joined, and another board is to take its place.
    """

    def check(door: Door) -> None:
        if door.document_key and door.state in (DoorState.CLAIMED, DoorState.JOINED) and not anew:
            msg = (
                f'"{door.name}" has joined already, and whoever has a label could put another board in its place; if '
                "that is wanted, say --replace"
            )
            raise FleetRefused(msg)

    door = fleet.store.door(door_name)
    check(door)
    secret = secrets.token_bytes(SECRET_BYTES)
    key = bytes.fromhex(fleet.store.public_key())
    where = plan.where
    ports = (where.host, where.port, where.claim_port) if where else ("", 0, 0)
    made = Printed(bytes.fromhex(door.id), secret, key, plan.ends_unix // HOUR_S, plan.authority, *ports)
    made.text()  # what could not be printed is not noted either
    fleet.store.add_label(door_name, claim_key(secret).hex(), (plan.made_unix, plan.ends_unix), check)
    if bytes.fromhex(fleet.store.public_key()) != key:
        with suppress(FleetRefused):  # whoever replaced the key has revoked it
            fleet.store.revoke_label(door_name)
        msg = "the fleet's key was replaced in this very moment, and the label with it; make it once more"
        raise FleetRefused(msg)
    return made


def known(fleet: Fleet, door_name: str) -> Label | None:
    """The newest label a door was given; its secret is not known here any more."""
    found = fleet.store.labels(door_name)
    return found[-1] if found else None
