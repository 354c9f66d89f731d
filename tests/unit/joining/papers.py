"""A fleet's authority, its doors and what they send each other: what the tests of joining are made of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from nacl.public import PrivateKey
from nacl.signing import SigningKey

from device import certificates, joining
from device.certificates import DoorKey
from device.joining import Answer, Label, Request

DOOR = bytes.fromhex("00112233445566aa")
OTHER_DOOR = bytes.fromhex("00112233445566ab")
SECRET = bytes(range(100, 116))
MANAGER_KEY = bytes(SigningKey(bytes(range(32))).verify_key)
DOCUMENT_KEY = bytes(PrivateKey(bytes(range(1, 33))).public_key)
NOW_UNIX = 1_800_000_000
HOUR = NOW_UNIX // 3600 + 48
CLAIM_KEY = joining.claim_key(SECRET)


@dataclass(frozen=True, slots=True)
class Authority:
    """Signs certificates, as the manager's side does."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @classmethod
    def make(
        cls, name: str = "A fleet", *, key: ec.EllipticCurvePrivateKey | None = None, began_days: float = 0
    ) -> Authority:
        key = key or ec.generate_private_key(ec.SECP256R1())
        made = _certificate(name, key.public_key(), name, key, days=3650, began_days=began_days, ca=True)
        return cls(key, made)

    def renewed(
        self, *, days: float = 7300, name: str = "", key: ec.EllipticCurvePrivateKey | None = None
    ) -> Authority:
        """What follows it: the same key and name, for longer. Or another of either, signed by this one's key."""
        subject = str(self.certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value)
        following = key or self.key
        public = following.public_key()
        return Authority(following, _certificate(name or subject, public, subject, self.key, days=days, ca=True))

    @property
    def der(self) -> bytes:
        return certificates.to_der(self.certificate)

    def sign(self, public: ec.EllipticCurvePublicKey, name: str, *, days: float = 365, began_days: float = 0) -> bytes:
        subject = self.certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value
        made = _certificate(name, public, str(subject), self.key, days=days, began_days=began_days, ca=False)
        return certificates.to_der(made)

    def answer(self, request: Request, *, days: float = 365, began_days: float = 0) -> Answer:
        public = x509.load_der_x509_csr(request.csr).public_key()
        assert isinstance(public, ec.EllipticCurvePublicKey)
        made = self.sign(public, request.door_id.hex(), days=days, began_days=began_days)
        return Answer(request.door_id, made, self.der)


def label(fleet: Authority | None, **changes: object) -> Label:
    """A label with a broker if there is a `fleet`, without one if not."""
    said: dict[str, object] = {"door_id": DOOR, "secret": SECRET, "manager_key": MANAGER_KEY, "expires_hour": HOUR}
    if fleet is not None:
        said |= {"authority": fleet.der, "host": "broker.example", "port": 8883, "claim_port": 8884}
    return Label(**(said | changes))  # type: ignore[arg-type]  # fields by name


def request(key: DoorKey, door_id: bytes = DOOR) -> Request:
    """What a door with `key` asks."""
    return Request(door_id, DOCUMENT_KEY, certificates.ask(key, door_id))


def flipped(data: bytes, at: int, by: int = 1) -> bytes:
    """`data` with one byte changed."""
    return data[:at] + bytes([data[at] ^ by]) + data[at + 1 :]


def _certificate(
    name: str,
    public: ec.EllipticCurvePublicKey,
    issuer: str,
    signer: ec.EllipticCurvePrivateKey,
    *,
    days: float,
    ca: bool,
    began_days: float = 0,
) -> x509.Certificate:
    begins = datetime.fromtimestamp(NOW_UNIX, UTC) - timedelta(days=began_days)
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(begins + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .sign(signer, hashes.SHA256())
    )
