"""A door's key: one kind, one file form, and nothing else is taken for one."""

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import NameOID

from device import certificates
from device.errors import JoiningRefused
from tests.unit.joining.papers import DOOR, Authority


def pem(key: object, password: bytes | None = None) -> bytes:
    hidden = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, hidden)  # type: ignore[attr-defined,no-any-return]


def test_a_key_comes_back_from_its_file() -> None:
    key = certificates.new_key()
    again = certificates.key_from_pem(certificates.key_to_pem(key))
    assert certificates.public_part(again) == certificates.public_part(key)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        pem(ec.generate_private_key(ec.SECP384R1())),
        pem(ed25519.Ed25519PrivateKey.generate()),
        pem(ec.generate_private_key(ec.SECP256R1()), b"password"),
    ],
)
def test_what_is_no_key_of_a_door_is_refused(content: bytes) -> None:
    with pytest.raises(JoiningRefused, match="no private key"):
        certificates.key_from_pem(content)


def test_a_request_names_its_door_and_is_signed() -> None:
    key = certificates.new_key()
    assert certificates.key_asked_for(certificates.ask(key, DOOR), DOOR) == certificates.public_part(key)


def signed_request(key: object, *names: str) -> bytes:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name) for name in names])
    made = x509.CertificateSigningRequestBuilder().subject_name(subject)
    return made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)  # type: ignore[arg-type]


def test_a_request_with_two_names_is_refused() -> None:
    with pytest.raises(JoiningRefused, match="another door"):
        certificates.key_asked_for(signed_request(certificates.new_key(), DOOR.hex(), "manager/x"), DOOR)


def test_a_request_with_another_kind_of_key_is_refused() -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    with pytest.raises(JoiningRefused, match="not signed with a key of a door"):
        certificates.key_asked_for(signed_request(key, DOOR.hex()), DOOR)


def test_a_certificate_travels_as_der_and_lies_as_pem() -> None:
    authority = Authority.make()
    assert certificates.to_der(certificates.certificate_from_pem(certificates.to_pem(authority.der))) == authority.der
    for read in (certificates.certificate_from_pem, certificates.certificate_from_der):
        with pytest.raises(JoiningRefused):
            read(b"nothing")
