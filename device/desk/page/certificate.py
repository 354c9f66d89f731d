"""The certificate under which the page speaks TLS: the door's own, made where it is used.

Rules kept here:
- Key and certificate lie in one file of desk's state folder, so that no power cut can part them: whole, and on the disk
  before anybody is shown it. Its owner alone may read it.
- Nobody vouches for it. A browser warns once; whoever wants to know compares the fingerprint, which `doorctl page` and
  the sheet with the QR code show.
- What is damaged, was made for another name, or ends within `RENEW_DAYS` is replaced by another key and certificate. A
  clock of the past replaces nothing.

ECDSA on P-256 with SHA-256; X.509 is RFC 5280, names are matched as RFC 9525 says.
"""

from __future__ import annotations

import hashlib
import ipaddress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from device import certificates, installing, reading
from device.errors import JoiningRefused, StoreFault

DAYS = 825
RENEW_DAYS = 60
ANY_NAME = "door.invalid"  # RFC 2606: stands where door.toml gives the page no name
_MODE = 0o600
_LARGEST = 65_536


def file_of(state: Path) -> Path:
    """Where key and certificate lie below desk's state folder."""
    return state / "page" / "page.pem"


def ready(path: Path, name: str, now_unix: float) -> x509.Certificate:
    """The certificate in `path` for the page called `name`, made now if need be. Raises StoreFault."""
    found = read(path)
    if found is not None and _serves(found, name, now_unix):
        return found
    key = certificates.new_key()
    made = _make(key, name or ANY_NAME, datetime.fromtimestamp(now_unix, UTC))
    pem = certificates.key_to_pem(key) + certificates.to_pem(certificates.to_der(made))
    installing.store(path, pem, _MODE)
    return made


def read(path: Path) -> x509.Certificate | None:
    """The certificate in `path`, if it is there with its own key. Raises StoreFault if it cannot be looked at."""
    try:
        content = reading.whole(path, _LARGEST)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as cause:
        msg = f"{path} cannot be read: {cause.strerror}"
        raise StoreFault(msg) from cause
    try:
        found = certificates.certificate_from_pem(content)
        own = certificates.public_part(certificates.key_from_pem(content)) == certificates.key_of(found)
    except JoiningRefused:
        return None
    return found if own else None


def fingerprint(found: x509.Certificate) -> str:
    """SHA-256 of the certificate as browsers show it: pairs of hexadecimal digits with colons."""
    return hashlib.sha256(certificates.to_der(found)).digest().hex(":").upper()


def _serves(found: x509.Certificate, name: str, now_unix: float) -> bool:
    try:
        names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return False
    lasts_s = found.not_valid_after_utc.timestamp() - now_unix
    return list(names) == [_named(name or ANY_NAME)] and lasts_s > RENEW_DAYS * 86400


def _make(key: certificates.DoorKey, name: str, now: datetime) -> x509.Certificate:
    who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Doorward")])
    serving = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
    return (
        x509.CertificateBuilder()
        .subject_name(who)
        .issuer_name(who)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))  # two clocks differ
        .not_valid_after(now + timedelta(days=DAYS))
        .add_extension(x509.SubjectAlternativeName([_named(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(serving, critical=False)
        .sign(key, hashes.SHA256())
    )


def _named(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
