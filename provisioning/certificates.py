"""The certificates of a fleet: its own authority's, and what that issues to doors, brokers and managers.

Rules kept here:
- Keys are ECDSA on P-256: of the curves that are good enough it is the one every broker speaks (Erlang, Java, Go, C).
- A certificate says what it is for and nothing else: a door's and a manager's log in (clientAuth), a broker's answers
  (serverAuth), none signs another. One with a wrong purpose is refused by whoever it is shown to.
- Of a request only the key is taken over: the name is what the caller expects, every extension is ours.
- Nothing outlives the authority. What is cut short for that reason says so.
- An authority goes on with the same key under the same name, in a certificate that begins when the first one did: what
  either of them signed is good with both, and no clock that takes the one calls the other one of the future.
- A list of revoked certificates names serials and moments, and neither doors nor reasons. One that is over shuts
  everybody out, so it lasts as long as a broker's own certificate, and who makes one learns until when.
- Serial numbers are drawn at random (RFC 5280, 4.1.2.2), so that they count nothing.

X.509 by `cryptography`; profile after RFC 5280, 4.2. Times are seconds since 1970.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from provisioning import moments
from provisioning.errors import FleetRefused
from provisioning.store import Revoked

AUTHORITY_DAYS = 7305  # 20 years: doors hold it, and a building outlives a computer
LONGEST_DAYS = 1827
MANAGER = "manager/"
_DAY_S = 86400
EARLIER_S = 3600  # a certificate begins this long ago: a door's clock may be a little behind
_LONGEST_REQUEST = 8192  # bytes; a request for P-256 takes about 500
_DOOR = re.compile(r"[0-9a-f]{16}")
_MANAGER = re.compile(r"[a-z0-9](-?[a-z0-9]){0,31}")
_LABEL = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)")
_LONGEST_NAME = 253  # RFC 1035, 2.3.4, without the last dot


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate. `cut`: it ends earlier than asked, with the authority."""

    pem: bytes
    ends_unix: int
    cut: bool


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate with its key, unencrypted PEM (PKCS 8)."""

    issued: Issued
    key_pem: bytes


@dataclass(frozen=True, slots=True)
class Authority:
    """The fleet's own authority: its key, and its certificate, which doors, brokers and managers hold."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @property
    def pem(self) -> bytes:
        """The certificate, to be given to everybody."""
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    def issue_door(self, request_pem: bytes, door: str, days: int, now_unix: int) -> Issued:
        """A door's certificate for the key in its request. Raises FleetRefused."""
        if not _DOOR.fullmatch(door):
            msg = "a door's id has 16 hexadecimal digits"
            raise FleetRefused(msg)
        return self._issue(door, _requested(request_pem, door), _client(), days, now_unix)

    def issue_manager(self, name: str, days: int, now_unix: int) -> Pair:
        """Key and certificate of a manager's computer. Raises FleetRefused."""
        key = new_key()
        return Pair(self._issue(manager(name), key.public_key(), _client(), days, now_unix), _written(key))

    def issue_broker(self, names: Sequence[str], days: int, now_unix: int) -> Pair:
        """Key and certificate of a broker that is reached by these names or addresses. Raises FleetRefused."""
        if not names:
            msg = "a broker's certificate needs at least one name or address"
            raise FleetRefused(msg)
        key = new_key()
        uses = _server(names)
        return Pair(self._issue("broker", key.public_key(), uses, days, now_unix), _written(key))

    def succeeded(self, now_unix: int) -> Authority:
        """The same authority, for another AUTHORITY_DAYS from now on. Raises FleetRefused if that is no gain."""
        first, last = self.certificate.not_valid_before_utc, self.certificate.not_valid_after_utc
        ends = now_unix + AUTHORITY_DAYS * _DAY_S
        if now_unix < first.timestamp() or ends < last.timestamp() + _DAY_S:
            msg = (
                f"the fleet's authority lasts until {last:%Y-%m-%d}, and by this computer's clock "
                f"({moments.day(now_unix)}) a new one would last no longer; nothing was made"
            )
            raise FleetRefused(msg)
        return Authority(self.key, _own(self.key, self.certificate.subject, int(first.timestamp()), ends))

    def list_revoked(self, revoked: Iterable[Revoked], days: int, now_unix: int) -> Issued:
        """The list (CRL, PEM) of the certificates that are believed no more. Raises FleetRefused.

        Its number (RFC 5280, 5.2.3) is the moment at which it was made: that grows whoever makes it.
        """
        begins, wanted, last = self._times(days, now_unix)
        identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key())
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self.certificate.subject)
            .last_update(_moment(begins))
            .next_update(_moment(min(wanted, last)))
            .add_extension(x509.CRLNumber(now_unix), critical=False)
            .add_extension(identifier, critical=False)
        )
        for each in revoked:
            entry = x509.RevokedCertificateBuilder().serial_number(int(each.serial, 16))
            builder = builder.add_revoked_certificate(entry.revocation_date(_moment(each.revoked_unix)).build())
        pem = builder.sign(self.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
        return Issued(pem, min(wanted, last), wanted > last)

    def _times(self, days: int, now_unix: int) -> tuple[int, int, int]:
        """When what is made now begins, when it is to end, and when the authority does. Raises FleetRefused."""
        if not 1 <= days <= LONGEST_DAYS:
            msg = f"a certificate lasts 1 to {LONGEST_DAYS} days"
            raise FleetRefused(msg)
        last = int(self.certificate.not_valid_after_utc.timestamp())
        first = int(self.certificate.not_valid_before_utc.timestamp())
        refuse_untimely(self.certificate, now_unix)
        return max(first, now_unix - EARLIER_S), now_unix + days * _DAY_S, last

    def _issue(
        self, name: str, key: ec.EllipticCurvePublicKey, uses: list[x509.ExtensionType], days: int, now_unix: int
    ) -> Issued:
        begins, wanted, last = self._times(days, now_unix)
        builder = _builder(_named(name), key, begins, min(wanted, last))
        builder = builder.issuer_name(self.certificate.subject)
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        builder = builder.add_extension(_usage(signs_certificates=False), critical=True)
        builder = builder.add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False
        )
        for use in uses:
            builder = builder.add_extension(use, critical=False)
        pem = builder.sign(self.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
        return Issued(pem, min(wanted, last), wanted > last)


def new_key() -> ec.EllipticCurvePrivateKey:
    """A new key on P-256."""
    return ec.generate_private_key(ec.SECP256R1())


def new_authority(key: ec.EllipticCurvePrivateKey, now_unix: int) -> Authority:
    """An authority with this key, from now on."""
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key()).digest.hex()
    name = _named(f"Doorward fleet {identifier[:16]}")  # tells two fleets' authorities apart, and says nothing else
    return Authority(key, _own(key, name, now_unix - EARLIER_S, now_unix + AUTHORITY_DAYS * _DAY_S))


def _own(key: ec.EllipticCurvePrivateKey, name: x509.Name, begins_unix: int, ends_unix: int) -> x509.Certificate:
    """An authority's certificate, signed by itself."""
    builder = _builder(name, key.public_key(), begins_unix, ends_unix).issuer_name(name)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(_usage(signs_certificates=True), critical=True)
    return builder.sign(key, hashes.SHA256())


def refuse_untimely(authority: x509.Certificate, now_unix: int) -> None:
    """Refuse to make anything before an authority begins or after its end. Raises FleetRefused."""
    first, last = int(authority.not_valid_before_utc.timestamp()), int(authority.not_valid_after_utc.timestamp())
    if now_unix < first:
        msg = (
            f"this computer's clock says {moments.day(now_unix)}, and the fleet's authority began on "
            f"{moments.day(first)}: set the clock; nothing was made"
        )
        raise FleetRefused(msg)
    if now_unix >= last:
        msg = (
            f"the fleet's authority ended on {moments.day(last)}, and this computer's clock says "
            f"{moments.day(now_unix)}: if the clock is right, `doorward ca renew` lets the authority go on"
        )
        raise FleetRefused(msg)


def der(certificate: x509.Certificate) -> bytes:
    """A certificate as it travels."""
    return certificate.public_bytes(serialization.Encoding.DER)


def manager(name: str) -> str:
    """The common name of a manager's certificate. Raises FleetRefused."""
    if not _MANAGER.fullmatch(name):
        msg = "a manager's name for the broker has 1 to 32 small letters and digits, with single hyphens between them"
        raise FleetRefused(msg)
    return MANAGER + name


def _requested(pem: bytes, door: str) -> ec.EllipticCurvePublicKey:
    """The key in a request that is sound and of this door. Raises FleetRefused."""
    if len(pem) > _LONGEST_REQUEST:
        msg = "the request is too long to be one"
        raise FleetRefused(msg)
    try:
        request = x509.load_pem_x509_csr(pem)
        key = request.public_key()
        names = [str(name.value) for name in request.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    except (ValueError, TypeError, UnsupportedAlgorithm, x509.InvalidVersion) as cause:
        msg = "the request is damaged, or none"
        raise FleetRefused(msg) from cause
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        msg = "the request is for another kind of key than ECDSA on P-256"
        raise FleetRefused(msg)
    try:
        sound = request.is_signature_valid
    except (ValueError, UnsupportedAlgorithm) as cause:
        msg = "the request is signed in a way this program does not know"
        raise FleetRefused(msg) from cause
    if not sound:
        msg = "the request is not signed by its own key"
        raise FleetRefused(msg)
    if names != [door]:
        msg = f"the request is not of the door {door}"
        raise FleetRefused(msg)
    return key


def _builder(
    subject: x509.Name, key: ec.EllipticCurvePublicKey, begins_unix: int, ends_unix: int
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(_moment(begins_unix))
        .not_valid_after(_moment(ends_unix))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _moment(unix: int) -> datetime:
    return datetime.fromtimestamp(unix, UTC)


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _client() -> list[x509.ExtensionType]:
    return [x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])]


def _server(names: Sequence[str]) -> list[x509.ExtensionType]:
    return [
        x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]),
        x509.SubjectAlternativeName([_reached_by(name) for name in names]),
    ]


def _reached_by(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        pass
    if len(name) > _LONGEST_NAME or not all(_LABEL.fullmatch(label) for label in name.split(".")):
        msg = f"{name!r} is neither the name nor the address of a computer"
        raise FleetRefused(msg)
    return x509.DNSName(name.lower())


def _written(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
