"""The fleet's authority goes on with its key and its name, and every clock that is wrong gets one sentence."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from cryptography import x509

from device import certificates as formats
from provisioning import authority, certificates, joining
from provisioning import fleet as fleets
from provisioning.errors import FleetFault, FleetRefused
from provisioning.labels import Plan, Where
from tests.unit.provisioning.doors import doorward

PASSPHRASE = "a long passphrase"
NOW = int(time.time())
DAY_S, YEAR_S = 86_400, 365 * 86_400
DOOR = "00112233445566aa"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fleet whose authority was made 19 years ago."""
    monkeypatch.setenv("DOORWARD_PASSPHRASE", PASSPHRASE)
    path = tmp_path / "fleet"
    fleets.init(path, PASSPHRASE)
    authority.create(path, PASSPHRASE, NOW - 19 * YEAR_S)
    return path


def test_renewed_authority_has_key_name_and_beginning_of_the_first_and_lies_beside_it(folder: Path) -> None:
    first = authority.certificate(folder)
    before = (folder / "ca.pem").read_bytes()
    authority.renew(folder, PASSPHRASE, NOW)
    following = authority.certificate(folder)
    assert (folder / "ca.pem").read_bytes() == before
    assert authority.newest(folder) == folder / "ca-2.pem"
    assert (following.public_key(), following.subject) == (first.public_key(), first.subject)
    assert following.not_valid_before_utc == first.not_valid_before_utc
    assert int(following.not_valid_after_utc.timestamp()) == NOW + certificates.AUTHORITY_DAYS * DAY_S
    assert formats.refuse_foreign(certificates.der(following), certificates.der(first)) == following, "doors take it"
    assert authority.opened(folder, PASSPHRASE).certificate == following
    assert Plan.of(folder, Where("broker.example"), 14, NOW).authority == certificates.der(following)


def test_what_is_issued_afterwards_outlives_the_first_and_is_good_with_both(folder: Path) -> None:
    first = authority.opened(folder, PASSPHRASE)
    days = 2 * 365
    request = certificates_request()
    cut = first.issue_door(request, DOOR, days, NOW)
    assert (cut.cut, cut.ends_unix) == (True, int(first.certificate.not_valid_after_utc.timestamp()))
    following = authority.renew(folder, PASSPHRASE, NOW)
    whole = following.issue_door(request, DOOR, days, NOW)
    assert (whole.cut, whole.ends_unix) == (False, NOW + days * DAY_S)
    for each in (first, following):
        x509.load_pem_x509_certificate(whole.pem).verify_directly_issued_by(each.certificate)


def certificates_request() -> bytes:
    return joining.pem_of(formats.ask(formats.new_key(), bytes.fromhex(DOOR)))


def test_authority_that_ended_goes_on(folder: Path) -> None:
    late = NOW + 5 * YEAR_S
    with pytest.raises(FleetRefused, match="ca renew"):
        authority.opened(folder, PASSPHRASE).issue_door(certificates_request(), DOOR, 365, late)
    assert not authority.renew(folder, PASSPHRASE, late).issue_door(certificates_request(), DOOR, 365, late).cut


@pytest.mark.parametrize("years", [-25, -5, 0])
def test_clock_by_which_a_new_one_would_be_no_gain_makes_none(folder: Path, years: int) -> None:
    authority.renew(folder, PASSPHRASE, NOW)
    with pytest.raises(FleetRefused, match="no longer; nothing was made"):
        authority.renew(folder, PASSPHRASE, NOW + years * YEAR_S)
    assert authority.newest(folder).name == "ca-2.pem"


def test_clock_five_years_ahead_makes_one_that_no_door_calls_of_the_future(folder: Path) -> None:
    made = authority.renew(folder, PASSPHRASE, NOW + 5 * YEAR_S).certificate
    assert not formats.early(made, NOW)
    assert not formats.ended(made, NOW)


def test_clock_before_the_authority_s_beginning_is_named_with_both_dates(folder: Path) -> None:
    early = NOW - 24 * YEAR_S
    said = f"clock says {time.strftime('%Y-%m-%d', time.gmtime(early))}.*began on"
    with pytest.raises(FleetRefused, match=said):
        authority.opened(folder, PASSPHRASE).issue_door(certificates_request(), DOOR, 365, early)


def test_file_that_somebody_put_there_is_no_authority(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    fleets.init(other, PASSPHRASE)
    authority.create(other, PASSPHRASE, NOW)
    (folder / "ca-2.pem").write_bytes((other / "ca.pem").read_bytes())
    with pytest.raises(FleetRefused, match="not of this fleet"):
        authority.certificate(folder)
    (folder / "ca-2.pem").write_bytes(b"?")
    with pytest.raises(FleetFault, match="damaged"):
        authority.certificate(folder)


def test_commands_warn_within_two_years_and_are_quiet_once_it_was_renewed(folder: Path, tmp_path: Path) -> None:
    fleet = "--fleet", str(folder)
    doorward("door", "add", "Front", "--no-label", *fleet)
    for words in (("ca", "show"), ("door", "list")):
        assert "ends within two years" in doorward(*words, *fleet).output
    done = doorward("ca", "renew", *fleet)
    assert done.exit_code == 0, done.output
    for words in (("ca", "show"), ("door", "list")):
        assert "ends within" not in doorward(*words, *fleet).output
    out = tmp_path / "broker"
    assert doorward("broker", "config", "--host", "broker.example", "--out", str(out), *fleet).exit_code == 0
    assert (out / "ca.pem").read_bytes() == (folder / "ca-2.pem").read_bytes(), "brokers get the newest"
    assert [act.command for act in fleets.open_fleet(folder).store.acts(9)].count("ca renew") == 1
