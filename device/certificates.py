"""A door's key and certificate for the broker: made, asked for and judged, without touching a file.

Rules kept here:
- One kind of key: ECDSA on P-256 with SHA-256, which every broker's TLS speaks. It never leaves the door.
- A request names its door, and shows that who asks has the key.
- A certificate is believed if it has the door's own key, names the door and nobody else, and was signed by the one
  authority that the door knows. The signature comes first; a system's list of authorities is not asked.
- An authority lives on in another certificate of the very same key and name, signed by that key. Another key is another
  authority, whatever it calls itself and whoever signed it.
- What cannot be read is refused in one sentence, whatever the reader stumbled over.

X.509 is RFC 5280, the request RFC 2986 (PKCS #10); keys are compared as SubjectPublicKeyInfo (RFC 5280, 4.1.2.7).
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from device.errors import JoiningRefused

DoorKey = ec.EllipticCurvePrivateKey
CLOCKS_DIFFER_S = 86_400
"""A clock of a day ahead is a matter of time zones and patience; more is a clock to be set."""


def new_key() -> DoorKey:
    """A fresh private key for a door."""
    return ec.generate_private_key(ec.SECP256R1())


def key_to_pem(key: DoorKey) -> bytes:
    """The file form of a private key (PKCS #8, not encrypted: what starts without a person has nobody to ask)."""
    pkcs8, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, pkcs8, plain)


def key_from_pem(content: bytes) -> DoorKey:
    """The private key in a file. Raises JoiningRefused."""
    sentence = "it holds no private key of a door (ECDSA on P-256, not encrypted)"
    with _reading(sentence):
        key = serialization.load_pem_private_key(content, password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise JoiningRefused(sentence)
    return key


def public_part(key: DoorKey) -> bytes:
    """The public half of `key`, as SubjectPublicKeyInfo (DER)."""
    return _spki(key.public_key())


def ask(key: DoorKey, door_id: bytes) -> bytes:
    """The signing request (DER) of the door `door_id` (8 bytes) for `key`."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, door_id.hex())])
    request = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
    return request.public_bytes(serialization.Encoding.DER)


def key_asked_for(request: bytes, door_id: bytes) -> bytes:
    """The key in a signing request of the door `door_id`, as SubjectPublicKeyInfo (DER). Raises JoiningRefused."""
    with _reading("the request for a certificate in it is damaged"):
        asked = x509.load_der_x509_csr(request)
        signed, key = asked.is_signature_valid, asked.public_key()
    if not signed or not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        msg = "the request for a certificate in it is not signed with a key of a door"
        raise JoiningRefused(msg)
    with _reading("the request for a certificate in it is damaged"):
        names = _names(asked.subject)
    if names != [door_id.hex()]:
        msg = "the request for a certificate in it names another door"
        raise JoiningRefused(msg)
    return _spki(key)


def refuse_unfit(certificate: bytes, *, door_id: bytes, public: bytes, authority: bytes) -> x509.Certificate:
    """The certificate (DER) of the door `door_id` for the key `public`, signed by `authority` (DER), or JoiningRefused.

    Nothing is said of time here: whether it has begun or ended is a question for a clock (`ended`).
    """
    found, signer = certificate_from_der(certificate), certificate_from_der(authority)
    with _reading("the certificate was not signed by the authority that this door knows"):
        found.verify_directly_issued_by(signer)
    if not certificate.endswith(b"\0" + found.signature):
        # A bit string says how many of its last bits do not count (X.690, 8.6.2.2), and nobody signs that number.
        msg = "the certificate is damaged"
        raise JoiningRefused(msg)
    with _reading("the certificate is damaged"):
        key, names = found.public_key(), _names(found.subject)
    if not isinstance(key, ec.EllipticCurvePublicKey) or _spki(key) != public:
        msg = "the certificate is for another key than this door's"
        raise JoiningRefused(msg)
    if names != [door_id.hex()]:
        msg = "the certificate names another door"
        raise JoiningRefused(msg)
    return found


def refuse_foreign(offered: bytes, known: bytes) -> x509.Certificate:
    """The authority `offered` (DER), if it is the one that is `known` (DER), in this or in another certificate of it.

    Raises JoiningRefused. Which of the two lasts longer is not asked here.
    """
    found, present = certificate_from_der(offered), certificate_from_der(known)
    if offered == known:
        return found
    sentence = "the answer comes from another authority than the one on this door's label"
    with _reading(sentence):
        found.verify_directly_issued_by(present)
        limits = found.extensions.get_extension_for_class(x509.BasicConstraints).value
        same = key_of(found) == key_of(present) and found.subject == present.subject and limits.ca
    if not same or not offered.endswith(b"\0" + found.signature):  # the bits that nobody signs: see `refuse_unfit`
        raise JoiningRefused(sentence)
    return found


def ended(certificate: x509.Certificate, now_unix: float) -> bool:
    """Whether the certificate is over."""
    return now_unix >= certificate.not_valid_after_utc.timestamp()


def early(certificate: x509.Certificate, now_unix: float) -> bool:
    """Whether the certificate is one of the future, by more than two clocks may differ."""
    return now_unix + CLOCKS_DIFFER_S < certificate.not_valid_before_utc.timestamp()


def key_of(certificate: x509.Certificate) -> bytes:
    """The key of a certificate, as SubjectPublicKeyInfo (DER). Raises JoiningRefused if it is of another kind."""
    with _reading("the certificate is damaged"):
        key = certificate.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey):
        msg = "the certificate is for another kind of key than a door's"
        raise JoiningRefused(msg)
    return _spki(key)


def certificate_from_der(content: bytes) -> x509.Certificate:
    """A certificate as it travels. Raises JoiningRefused."""
    with _reading("a certificate in it is damaged"):
        return x509.load_der_x509_certificate(content)


def certificate_from_pem(content: bytes) -> x509.Certificate:
    """The first certificate in a file. Raises JoiningRefused."""
    with _reading("it holds no certificate"):
        return x509.load_pem_x509_certificate(content)


def to_pem(certificate: bytes) -> bytes:
    """The file form of a certificate (DER). Raises JoiningRefused."""
    return certificate_from_der(certificate).public_bytes(serialization.Encoding.PEM)


def to_der(certificate: x509.Certificate) -> bytes:
    """A certificate as it travels."""
    return certificate.public_bytes(serialization.Encoding.DER)


@contextmanager
def _reading(sentence: str) -> Iterator[None]:
    """Whatever `cryptography` says of bytes from elsewhere is a refusal with `sentence`; its warnings are nobody's.

    It reads a certificate bit by bit, as it is asked: each question may be the one that finds damage.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield
        except (
            ValueError,
            TypeError,
            InvalidSignature,
            UnsupportedAlgorithm,
            x509.InvalidVersion,
            x509.ExtensionNotFound,
        ) as cause:
            raise JoiningRefused(sentence) from cause


def _names(subject: x509.Name) -> list[str]:
    return [str(name.value) for name in subject.get_attributes_for_oid(NameOID.COMMON_NAME)]


def _spki(key: ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
