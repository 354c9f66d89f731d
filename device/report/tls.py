"""TLS to the broker: which files make it up, and whether they fit.

Rules kept here:
- TLS 1.3 and nothing older; the broker must show a certificate of the fleet's own authority, for the very name or
  address that stands in door.toml. The system's list of authorities is not asked: a public one vouches for nobody here.
- The door shows a certificate too, once it has joined: its common name is the door's id. A key that others may read is
  not used.
- Files are read anew for every connection, so that a renewed certificate counts without a restart.
- What is wrong is one sentence that names the file, and no reason to end: the files may appear later.

Files, in report's own state folder: `tls/ca.pem`, `tls/door.pem` (the certificate, then intermediates), `tls/door.key`.
"""

from __future__ import annotations

import ssl
import stat
from pathlib import Path

from cryptography import x509
from cryptography.x509.oid import NameOID

from device.errors import BrokerFault

CA, CERTIFICATE, KEY = "ca.pem", "door.pem", "door.key"
ENDS_SOON_S = 30 * 86400
"""A month before its end somebody should know that a certificate was not renewed; of a short one, in its last third."""
_LARGEST = 65536  # bytes of a file; a chain of P-256 certificates takes about 2000
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


class TlsFiles:
    """The three files in `folder`, for the door `door` (16 hexadecimal digits)."""

    def __init__(self, folder: Path, door: str) -> None:
        self._folder = folder
        self._door = door

    def context(self) -> ssl.SSLContext:
        """A context for one connection. Raises BrokerFault with one sentence if a file is missing or does not fit."""
        authority = self._read(CA)
        named = self._certificate().subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        if [name.value for name in named] != [self._door]:
            msg = f"{self._folder / CERTIFICATE} is not the certificate of the door {self._door}"
            raise BrokerFault(msg)
        self._refuse_open_key()
        context = self._trusting(authority)
        try:
            # An encrypted key would have OpenSSL ask at the terminal, of which there is none.
            context.load_cert_chain(self._folder / CERTIFICATE, self._folder / KEY, password="")
        except (ssl.SSLError, ValueError) as cause:
            msg = f"{self._folder / KEY} is damaged, encrypted, or not the key of {CERTIFICATE} beside it"
            raise BrokerFault(msg) from cause
        except OSError as cause:
            msg = f"{self._folder / KEY} cannot be read: {cause.strerror}"
            raise BrokerFault(msg) from cause
        return context

    def nameless_context(self) -> ssl.SSLContext:
        """A context for a door that has no certificate yet: it verifies, and shows nothing. Raises BrokerFault."""
        return self._trusting(self._read(CA))

    def ends_unix(self) -> int:
        """When the door's certificate ends, seconds since 1970. Raises BrokerFault."""
        return int(self._certificate().not_valid_after_utc.timestamp())

    def lasts(self, now_unix: float) -> bool:
        """Whether the door has a certificate that is not about to end; without a readable one it has none."""
        try:
            certificate = self._certificate()
        except BrokerFault:
            return False
        begins, ends = certificate.not_valid_before_utc.timestamp(), certificate.not_valid_after_utc.timestamp()
        return now_unix < ends - min(ENDS_SOON_S, (ends - begins) / 3)

    def _trusting(self, authority: bytes) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # verifies the chain and the name
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        try:
            context.load_verify_locations(cadata=authority.decode("ascii"))
        except (ssl.SSLError, ValueError) as cause:
            msg = f"{self._folder / CA} holds no certificate"
            raise BrokerFault(msg) from cause
        return context

    def _certificate(self) -> x509.Certificate:
        content = self._read(CERTIFICATE)
        try:
            return x509.load_pem_x509_certificate(content)  # the first one: the door's own
        except (ValueError, x509.InvalidVersion) as cause:
            msg = f"{self._folder / CERTIFICATE} holds no certificate"
            raise BrokerFault(msg) from cause

    def _refuse_open_key(self) -> None:
        path = self._folder / KEY
        try:
            mode = path.stat().st_mode
        except OSError as cause:
            msg = f"{path} cannot be read: {cause.strerror}"
            raise BrokerFault(msg) from cause
        if mode & _OTHERS:
            msg = f"{path} may be read by others than its owner, and a key must not; let its mode be 600"
            raise BrokerFault(msg)

    def _read(self, name: str) -> bytes:
        path = self._folder / name
        try:
            with path.open("rb") as file:
                content = file.read(_LARGEST + 1)
        except OSError as cause:
            msg = f"{path} cannot be read: {cause.strerror}"
            raise BrokerFault(msg) from cause
        if len(content) > _LARGEST:
            msg = f"{path} is too long for a certificate"
            raise BrokerFault(msg)
        return content
