"""Certificates that end before their time: a stolen board, a lost laptop.

Rules kept here:
- A door whose certificate was revoked gets no next one by asking (`renewing`), and none for the label it once used
  (`joining`); only a new label, compared anew, lets it in again.
- Brokers learn it by a list that the authority signs (RFC 5280, section 5). Until a broker has it, nothing has changed
  there: whoever revokes is told so.
- A certificate stands in the list until it would have ended anyway, and a day longer.
- A list that is over lets nobody in at all: it is renewed long before, and its end is said every time.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cryptography import x509

from provisioning import files
from provisioning.certificates import Authority, Issued
from provisioning.fleet import Fleet
from provisioning.store import Login, Revoked

DAYS = 365
"""As a broker's own certificate, which `broker config` makes beside it."""
RENEWED_S = 30 * 86_400
"""Whoever keeps a list new makes the next one at the latest when it is so old."""
_LONGER_S = 86_400


@dataclass(frozen=True, slots=True)
class Listed:
    """A list, and how many certificates it names."""

    issued: Issued
    count: int


def login_of(name: str, pem: bytes) -> Login:
    """What the store keeps of the certificate of the manager `name`."""
    made = x509.load_pem_x509_certificate(pem)
    begins, ends = (int(each.timestamp()) for each in (made.not_valid_before_utc, made.not_valid_after_utc))
    return Login(name, f"{made.serial_number:x}", begins, ends)


def standing(fleet: Fleet, now_unix: int) -> tuple[Revoked, ...]:
    """The revoked certificates that a clock could still believe. Raises FleetFault."""
    return tuple(each for each in fleet.store.revoked() if each.not_after_unix + _LONGER_S > now_unix)


def write(fleet: Fleet, authority: Authority, path: Path, days: int, now_unix: int) -> Listed:
    """Let the file `path` hold the list as it is now, whatever it held before. Raises FleetRefused or FleetFault."""
    revoked = standing(fleet, now_unix)
    issued = authority.list_revoked(revoked, days, now_unix)
    files.replace(path, issued.pem)
    return Listed(issued, len(revoked))


@dataclass(slots=True)
class Keeper:
    """Keeps the list in the file `path` new, for as long as somebody watches."""

    fleet: Fleet
    authority: Authority
    path: Path
    _serials: frozenset[str] | None = None
    _made_unix: int = 0

    def look(self, now_unix: int) -> Listed | None:
        """Write the list anew if it has changed or grown old; None if it has not. Raises FleetRefused or FleetFault."""
        serials = frozenset(each.serial for each in standing(self.fleet, now_unix))
        if serials == self._serials and 0 <= now_unix - self._made_unix < RENEWED_S and self.path.exists():
            return None
        listed = write(self.fleet, self.authority, self.path, DAYS, now_unix)
        self._serials, self._made_unix = serials, now_unix
        return listed
