"""The fleet's authority in the fleet's folder: `ca.key`, sealed under the passphrase, and `ca.pem` for everybody.

A renewed one lies beside it as `ca-2.pem`, the next as `ca-3.pem`; of those that are there the last counts.

Rules kept here:
- The key exists on disk only sealed, as the document key does (`keys`), under the same passphrase: one that the
  document key does not open makes no authority.
- Nothing is replaced. A second authority would lock out every door of the first.
- The one that counts has the key and the name of the first: a file that somebody put there is no authority.
- A certificate and a key that do not belong together issue nothing.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec

from device import reading
from provisioning import certificates, files, keys
from provisioning.certificates import Authority
from provisioning.errors import FleetFault, FleetRefused

KEY_FILE, CERTIFICATE_FILE = "ca.key", "ca.pem"
ENDS_SOON_S = 2 * 365 * 86_400
"""Time for every door to ask for its next certificate, which brings the new one along, and for brokers after that."""
_DOCUMENT_KEY_FILE = "document.key"
_MAGIC = b"DWCA"
_LARGEST = 65_536
_SECRET_BYTES = 32  # a secret number of P-256


def create(folder: Path, passphrase: str, now_unix: int) -> Authority:
    """A new authority of the fleet in `folder`. Raises FleetRefused if there is one, or FleetFault."""
    if (folder / CERTIFICATE_FILE).exists():
        msg = f"the fleet in {folder} has an authority already"
        raise FleetRefused(msg)
    if (folder / KEY_FILE).exists():
        msg = (
            f"there is {folder / KEY_FILE} and no {CERTIFICATE_FILE} beside it: if this fleet had an authority, "
            f"restore {CERTIFICATE_FILE} from your copy; if its making was interrupted, remove {KEY_FILE} and try again"
        )
        raise FleetRefused(msg)
    keys.unseal(_read(folder / _DOCUMENT_KEY_FILE, "there is no fleet in this folder"), passphrase)
    key = certificates.new_key()
    secret = key.private_numbers().private_value.to_bytes(_SECRET_BYTES, "big")
    made = certificates.new_authority(key, now_unix)
    files.create(folder / KEY_FILE, keys.seal_secret(secret, passphrase, _MAGIC))
    # Last: a folder with a key and no certificate was interrupted, and says so at the next attempt.
    files.create(folder / CERTIFICATE_FILE, made.pem)
    return made


def renew(folder: Path, passphrase: str, now_unix: int) -> Authority:
    """Let the authority of the fleet in `folder` go on: the same key and name. Raises FleetRefused or FleetFault."""
    made = opened(folder, passphrase).succeeded(now_unix)
    files.create(_numbered(folder, len(_all(folder)) + 1), made.pem)
    return made


def ends_soon(folder: Path, now_unix: int) -> datetime | None:
    """When the authority ends, if it is to be renewed now; None if not, or without one. Raises FleetFault."""
    if not (folder / CERTIFICATE_FILE).exists():
        return None
    ends = certificate(folder).not_valid_after_utc
    return ends if ends.timestamp() - now_unix < ENDS_SOON_S else None


def opened(folder: Path, passphrase: str) -> Authority:
    """The authority of the fleet in `folder`, able to issue. Raises FleetRefused or FleetFault."""
    known = certificate(folder)
    sealed = _read(folder / KEY_FILE, "the authority's key is missing")
    secret = int.from_bytes(keys.unseal_secret(sealed, passphrase, _MAGIC), "big")
    key = ec.derive_private_key(secret, ec.SECP256R1())
    if known.public_key() != key.public_key():
        msg = (
            f"{folder / KEY_FILE} and {CERTIFICATE_FILE} beside it do not belong together; restore them from your copy"
        )
        raise FleetRefused(msg)
    return Authority(key, known)


def certificate(folder: Path) -> x509.Certificate:
    """What the authority of the fleet in `folder` shows of itself. Raises FleetRefused or FleetFault."""
    first = _certificate(folder / CERTIFICATE_FILE)
    newest_file = newest(folder)
    if newest_file == folder / CERTIFICATE_FILE:
        return first
    following = _certificate(newest_file)
    try:
        following.verify_directly_issued_by(first)
        same = following.public_key() == first.public_key() and following.subject == first.subject
    except (ValueError, TypeError, InvalidSignature):
        same = False
    if not same:
        msg = f"{newest_file} is not of this fleet's authority; restore it from your copy, or take it away"
        raise FleetRefused(msg)
    return following


def newest(folder: Path) -> Path:
    """The file of the certificate that counts."""
    return _all(folder)[-1]


def _all(folder: Path) -> list[Path]:
    found = [folder / CERTIFICATE_FILE]
    while (following := _numbered(folder, len(found) + 1)).exists():
        found.append(following)
    return found


def _numbered(folder: Path, number: int) -> Path:
    return folder / f"ca-{number}.pem"


def _certificate(path: Path) -> x509.Certificate:
    content = _read(path, "this fleet has no authority yet; `doorward ca init` makes one")
    try:
        return x509.load_pem_x509_certificate(content)
    except (ValueError, x509.InvalidVersion) as cause:
        msg = f"{path} is damaged; restore it from your copy"
        raise FleetFault(msg) from cause


def _read(path: Path, missing: str) -> bytes:
    try:
        return reading.whole(path, _LARGEST)
    except FileNotFoundError as cause:
        raise FleetRefused(missing) from cause
    except OSError as cause:
        msg = f"{path} cannot be read: {cause.strerror}"
        raise FleetFault(msg) from cause
