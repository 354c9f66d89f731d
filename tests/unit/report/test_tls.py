"""Files that do not make up TLS are refused in a sentence, and never half used."""

import ssl
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import NameOID

from device.errors import BrokerFault
from device.report.tls import ENDS_SOON_S, TlsFiles
from provisioning.certificates import new_authority, new_key

DOOR = "00112233445566ff"
NOW = 1_900_000_000
DAY_S = 86400
AUTHORITY = new_authority(new_key(), NOW)
PEM, PKCS8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8


def make(folder: Path, days: int = 365, named: str = DOOR) -> TlsFiles:
    key = new_key()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, named)])
    request = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
    issued = AUTHORITY.issue_door(request.public_bytes(PEM), named, days, NOW)
    folder.mkdir(exist_ok=True)
    (folder / "ca.pem").write_bytes(AUTHORITY.pem)
    (folder / "door.pem").write_bytes(issued.pem)
    (folder / "door.key").write_bytes(key.private_bytes(PEM, PKCS8, serialization.NoEncryption()))
    (folder / "door.key").chmod(0o600)
    return TlsFiles(folder, DOOR)


def other_key(folder: Path) -> None:
    (folder / "door.key").write_bytes(new_key().private_bytes(PEM, PKCS8, serialization.NoEncryption()))


def encrypted_key(folder: Path) -> None:
    made = new_key().private_bytes(PEM, PKCS8, serialization.BestAvailableEncryption(b"secret"))
    (folder / "door.key").write_bytes(made)


def test_what_fits_makes_a_context_that_verifies_and_speaks_nothing_older_than_1_3(tmp_path: Path) -> None:
    context = make(tmp_path).context()
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert context.minimum_version is ssl.TLSVersion.TLSv1_3
    assert len(context.get_ca_certs()) == 1, "the system's authorities are asked, too"


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda at: (at / "ca.pem").unlink(), "ca.pem cannot be read: No such file"),
        (lambda at: (at / "door.pem").unlink(), "door.pem cannot be read: No such file"),
        (lambda at: (at / "door.key").unlink(), "door.key cannot be read: No such file"),
        (lambda at: (at / "ca.pem").write_bytes(b"x"), "ca.pem holds no certificate"),
        (lambda at: (at / "ca.pem").write_bytes(b"\xff"), "ca.pem holds no certificate"),
        (lambda at: (at / "ca.pem").write_bytes(b""), "ca.pem holds no certificate"),
        (lambda at: (at / "door.pem").write_bytes(b"x"), "door.pem holds no certificate"),
        (lambda at: (at / "door.pem").write_bytes(b"x" * 70_000), "door.pem is too long"),
        (lambda at: (at / "door.key").write_bytes(b"x"), "not the key of door.pem"),
        (other_key, "not the key of door.pem"),
        (encrypted_key, "encrypted"),
        (lambda at: (at / "door.key").chmod(0o640), "may be read by others"),
        (lambda at: (at / "door.key").chmod(0o604), "may be read by others"),
        (lambda at: make(at, named="ff" * 8), f"not the certificate of the door {DOOR}"),
    ],
)
def test_what_does_not_fit_is_one_sentence(tmp_path: Path, spoil: Callable[[Path], object], sentence: str) -> None:
    files = make(tmp_path)
    spoil(tmp_path)
    with pytest.raises(BrokerFault, match=sentence) as told:
        files.context()
    assert "\n" not in str(told.value)


def test_files_are_read_anew_each_time(tmp_path: Path) -> None:
    files = TlsFiles(tmp_path / "tls", DOOR)
    with pytest.raises(BrokerFault):
        files.context()
    make(tmp_path / "tls")
    assert files.context().check_hostname


@pytest.mark.parametrize(("days", "before_end_s"), [(365, ENDS_SOON_S), (30, (30 * DAY_S + 3600) / 3)])
def test_a_certificate_lasts_until_shortly_before_its_end(tmp_path: Path, days: int, before_end_s: float) -> None:
    files = make(tmp_path, days)
    ends = NOW + days * DAY_S
    assert files.ends_unix() == ends
    assert files.lasts(ends - before_end_s - 1)
    assert not files.lasts(ends - before_end_s + 1)


def test_no_certificate_does_not_last(tmp_path: Path) -> None:
    assert not TlsFiles(tmp_path, DOOR).lasts(NOW)
