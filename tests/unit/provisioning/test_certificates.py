"""What the fleet's authority signs, and what it refuses to."""

import base64
import ipaddress
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID, NameOID
from hypothesis import given
from hypothesis import strategies as st

from provisioning.certificates import (
    AUTHORITY_DAYS,
    LONGEST_DAYS,
    Authority,
    Issued,
    manager,
    new_authority,
    new_key,
)
from provisioning.errors import FleetRefused

NOW = 1_900_000_000
DAY_S = 86400
DOOR = "00112233445566ff"
P256 = new_key()


@pytest.fixture(scope="module")
def authority() -> Authority:
    return new_authority(new_key(), NOW)


def request(
    name: str = DOOR,
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey = P256,
    extensions: tuple[x509.ExtensionType, ...] = (),
    names: tuple[str, ...] = (),
) -> bytes:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, each) for each in (names or (name,))])
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject)
    for extension in extensions:
        builder = builder.add_extension(extension, critical=True)
    algorithm = None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    return builder.sign(key, algorithm).public_bytes(serialization.Encoding.PEM)


def read(issued: Issued) -> x509.Certificate:
    return x509.load_pem_x509_certificate(issued.pem)


def uses(certificate: x509.Certificate) -> list[x509.ObjectIdentifier]:
    return list(certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)


def test_a_door_s_certificate_names_it_and_lets_it_log_in_and_nothing_else(authority: Authority) -> None:
    certificate = read(authority.issue_door(request(), DOOR, 365, NOW))
    certificate.verify_directly_issued_by(authority.certificate)
    assert certificate.subject.rfc4514_string() == f"CN={DOOR}"
    assert certificate.public_key() == P256.public_key()
    assert uses(certificate) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    basic = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    assert (basic.critical, basic.value.ca) == (True, False)
    usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    assert (usage.digital_signature, usage.key_cert_sign, usage.crl_sign) == (True, False, False)


def test_nothing_that_a_request_asks_for_is_granted(authority: Authority) -> None:
    asked = (
        x509.BasicConstraints(ca=True, path_length=None),
        x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE]),
        x509.SubjectAlternativeName([x509.DNSName("broker.example")]),
    )
    plain, greedy = (
        read(authority.issue_door(request(extensions=each), DOOR, 365, NOW)).extensions for each in ((), asked)
    )
    assert list(greedy) == list(plain)
    assert ExtensionOID.SUBJECT_ALTERNATIVE_NAME not in [extension.oid for extension in greedy]


@pytest.mark.parametrize(
    ("made", "sentence"),
    [
        (lambda: request("ff" * 8), "not of the door"),
        (lambda: request(names=(DOOR, "ff" * 8)), "not of the door"),
        (lambda: request(names=("manager/office",)), "not of the door"),
        (lambda: request(key=ec.generate_private_key(ec.SECP384R1())), "another kind of key"),
        (lambda: request(key=ed25519.Ed25519PrivateKey.generate()), "another kind of key"),
        (lambda: request(key=rsa.generate_private_key(65537, 2048)), "another kind of key"),
        (lambda: request() + b"x" * 9000, "too long"),
        (lambda: b"", "damaged"),
    ],
)
def test_a_request_that_does_not_fit_is_refused(authority: Authority, made: Callable[[], bytes], sentence: str) -> None:
    with pytest.raises(FleetRefused, match=sentence):
        authority.issue_door(made(), DOOR, 365, NOW)


def test_a_request_for_somebody_else_s_key_is_refused(authority: Authority) -> None:
    """The signature shows that whoever asks holds the key; here the key was exchanged after signing."""
    der = x509.load_pem_x509_csr(request()).public_bytes(serialization.Encoding.DER)
    mine, other = (
        key.public_key().public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
        for key in (P256, new_key())
    )
    assert der.count(mine) == 1
    forged = x509.load_der_x509_csr(der.replace(mine, other)).public_bytes(serialization.Encoding.PEM)
    with pytest.raises(FleetRefused, match="not signed by its own key"):
        authority.issue_door(forged, DOOR, 365, NOW)


@given(st.integers(0, 2000), st.integers(0, 255))
def test_a_damaged_request_is_refused_or_still_this_door_s(place: int, value: int) -> None:
    authority = new_authority(P256, NOW)
    der = bytearray(x509.load_pem_x509_csr(GOOD).public_bytes(serialization.Encoding.DER))
    der[place % len(der)] = value
    armour = b"-----%s CERTIFICATE REQUEST-----\n"
    damaged = armour % b"BEGIN" + base64.encodebytes(bytes(der)) + armour % b"END"
    try:
        issued = authority.issue_door(damaged, DOOR, 365, NOW)
    except FleetRefused:
        return
    assert read(issued).public_key() == P256.public_key()


GOOD = request()


@pytest.mark.parametrize("door", ["", "00112233445566FF", "00112233445566f", "+", "#", "manager/office"])
def test_an_id_that_is_none_gets_no_certificate(authority: Authority, door: str) -> None:
    with pytest.raises(FleetRefused, match="16 hexadecimal digits"):
        authority.issue_door(request(), door, 365, NOW)


def test_serial_numbers_differ_and_count_nothing(authority: Authority) -> None:
    serials = [read(authority.issue_door(GOOD, DOOR, 365, NOW)).serial_number for _ in range(20)]
    assert len({serial >> 64 for serial in serials}) == 20


def test_a_certificate_is_valid_from_a_little_earlier_until_the_day_asked_for(authority: Authority) -> None:
    issued = authority.issue_door(GOOD, DOOR, 10, NOW)
    assert (issued.ends_unix, issued.cut) == (NOW + 10 * DAY_S, False)
    assert read(issued).not_valid_after_utc == datetime.fromtimestamp(NOW + 10 * DAY_S, UTC)
    assert read(issued).not_valid_before_utc == datetime.fromtimestamp(NOW - 3600, UTC)


def test_what_would_outlive_the_authority_is_cut_and_says_so(authority: Authority) -> None:
    end = NOW + AUTHORITY_DAYS * DAY_S
    later = end - 5 * DAY_S
    for issued in (
        authority.issue_door(GOOD, DOOR, 365, later),
        authority.issue_broker(["broker.example"], 365, later).issued,
        authority.issue_manager("office", 365, later).issued,
    ):
        assert (issued.ends_unix, issued.cut) == (end, True)
        assert read(issued).not_valid_after_utc == authority.certificate.not_valid_after_utc


@pytest.mark.parametrize("now", [NOW - 2 * 3600, NOW + AUTHORITY_DAYS * DAY_S])
def test_an_authority_that_is_not_valid_issues_nothing(authority: Authority, now: int) -> None:
    with pytest.raises(FleetRefused, match="this computer's clock"):
        authority.issue_door(GOOD, DOOR, 365, now)


@pytest.mark.parametrize("days", [0, -1, LONGEST_DAYS + 1])
def test_a_time_out_of_bounds_is_refused(authority: Authority, days: int) -> None:
    with pytest.raises(FleetRefused, match="lasts 1 to"):
        authority.issue_door(GOOD, DOOR, days, NOW)


def test_a_broker_s_certificate_answers_for_its_names_and_cannot_log_in(authority: Authority) -> None:
    pair = authority.issue_broker(["Broker.Example", "192.168.1.7", "fe80::1"], 365, NOW)
    certificate = read(pair.issued)
    assert uses(certificate) == [ExtendedKeyUsageOID.SERVER_AUTH]
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert list(names) == [
        x509.DNSName("broker.example"),
        x509.IPAddress(ipaddress.ip_address("192.168.1.7")),
        x509.IPAddress(ipaddress.ip_address("fe80::1")),
    ]
    key = serialization.load_pem_private_key(pair.key_pem, None)
    assert key.public_key() == certificate.public_key()


@pytest.mark.parametrize("name", ["", "*.example", "a b", "a..b", "-a.example", "x" * 64, "a\nb", "a." * 130 + "b"])
def test_a_broker_s_name_that_is_none_is_refused(authority: Authority, name: str) -> None:
    with pytest.raises(FleetRefused, match="neither the name nor the address"):
        authority.issue_broker([name], 365, NOW)


def test_a_broker_without_a_name_is_refused(authority: Authority) -> None:
    with pytest.raises(FleetRefused, match="at least one"):
        authority.issue_broker([], 365, NOW)


def test_a_manager_is_named_as_one(authority: Authority) -> None:
    certificate = read(authority.issue_manager("office-2", 365, NOW).issued)
    assert certificate.subject.rfc4514_string() == "CN=manager/office-2"
    assert uses(certificate) == [ExtendedKeyUsageOID.CLIENT_AUTH]


@pytest.mark.parametrize("name", ["", "+", "#", "a/b", "Office", "a b", "a\nb", "-a", "a--b", "x" * 34, DOOR + "/../x"])
def test_a_manager_s_name_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(FleetRefused, match="a manager's name"):
        manager(name)


def test_the_authority_signs_and_does_nothing_else(authority: Authority) -> None:
    extensions = authority.certificate.extensions
    basic = extensions.get_extension_for_class(x509.BasicConstraints)
    usage = extensions.get_extension_for_class(x509.KeyUsage)
    assert (basic.critical, basic.value.ca, basic.value.path_length) == (True, True, 0)
    assert (usage.critical, usage.value.key_cert_sign, usage.value.digital_signature) == (True, True, False)
