"""Certificates that end before their time: in the store, in the list for brokers, at the next question and label."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography import x509
from nacl.public import PrivateKey

from device import certificates as formats
from device.certificates import DoorKey
from device.joining import Request, claim_key
from provisioning import authority, joining, labels, revocation
from provisioning import fleet as fleets
from provisioning.certificates import Authority
from provisioning.errors import FleetRefused
from provisioning.fleet import Fleet
from provisioning.labels import Plan, Where
from provisioning.renewing import Renewer
from provisioning.store import LabelState, Login, Revoked
from provisioning.watching import Fact, Watch, in_words
from tests.unit.provisioning.doors import doorward

PASSPHRASE = "a long passphrase"
NOW = int(time.time())  # the commands have no other clock
DAY_S = 86_400


class Desk:
    """A fleet whose door "Front" has joined."""

    def __init__(self, folder: Path) -> None:
        self.fleet: Fleet = fleets.init(folder, PASSPHRASE)
        self.authority: Authority = authority.create(folder, PASSPHRASE, NOW - DAY_S)
        self.fleet.add_door("Front")
        self.key: DoorKey = formats.new_key()
        label = labels.make(self.fleet, "Front", Plan.of(folder, Where("broker.example"), 14, NOW))
        self.door_id = label.door_id
        box = bytes(PrivateKey.generate().public_key)
        self.asked = Request(label.door_id, box, formats.ask(self.key, label.door_id)).pack(claim_key(label.secret))
        joining.approve(self.fleet, joining.look(self.fleet, "Front", self.asked, NOW), self.authority, NOW)

    def listed(self, now_unix: int = NOW) -> x509.CertificateRevocationList:
        path = self.fleet.folder / "revoked.pem"
        revocation.write(self.fleet, self.authority, path, 365, now_unix)
        return x509.load_pem_x509_crl(path.read_bytes())


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.setenv("DOORWARD_PASSPHRASE", PASSPHRASE)
    monkeypatch.setenv("DOORWARD_FLEET", str(tmp_path / "fleet"))
    return Desk(tmp_path / "fleet")


def serials(crl: x509.CertificateRevocationList) -> set[int]:
    return {each.serial_number for each in crl}


def test_a_list_names_what_was_revoked_and_is_signed_by_the_authority(desk: Desk) -> None:
    assert serials(desk.listed()) == set()
    (ended,) = desk.fleet.store.revoke_door("Front", NOW + 5)
    crl = desk.listed(NOW + 10)
    assert serials(crl) == {int(ended.serial, 16)}
    assert crl.is_signature_valid(desk.authority.certificate.public_key())  # type: ignore[arg-type]  # it is P-256
    assert crl.issuer == desk.authority.certificate.subject
    assert crl.next_update_utc is not None
    assert int(crl.next_update_utc.timestamp()) == NOW + 10 + 365 * DAY_S
    assert int(crl.last_update_utc.timestamp()) <= NOW


def test_the_number_of_a_list_grows(desk: Desk) -> None:
    numbers = [
        desk.listed(NOW + at).extensions.get_extension_for_class(x509.CRLNumber).value.crl_number for at in (0, 1, 60)
    ]
    assert numbers == sorted(set(numbers))


def test_a_certificate_leaves_the_list_only_after_it_would_have_ended_anyway(desk: Desk) -> None:
    (ended,) = desk.fleet.store.revoke_door("Front", NOW)
    number = int(ended.serial, 16)
    assert serials(desk.listed(ended.not_after_unix)) == {number}
    assert serials(desk.listed(ended.not_after_unix + 2 * DAY_S)) == set()


def test_a_list_ends_no_later_than_the_authority(desk: Desk) -> None:
    last = int(desk.authority.certificate.not_valid_after_utc.timestamp())
    issued = desk.authority.list_revoked((), 365, last - DAY_S)
    assert (issued.cut, issued.ends_unix) == (True, last)
    for days in (0, 1828):
        with pytest.raises(FleetRefused, match="lasts 1 to"):
            desk.authority.list_revoked((), days, NOW)


def test_a_revoked_door_gets_no_next_certificate_and_none_for_the_label_it_used(desk: Desk) -> None:
    renewer = Renewer(desk.fleet, desk.authority)
    request = formats.ask(desk.key, desk.door_id)
    assert renewer.renew("Front", request, NOW + 300 * DAY_S) is not None
    desk.fleet.store.revoke_door("Front", NOW + 300 * DAY_S)
    assert {each.revoked_unix for each in desk.fleet.store.certificates("Front")} == {NOW + 300 * DAY_S}
    with pytest.raises(FleetRefused, match="was revoked, and it gets no next one"):
        renewer.renew("Front", request, NOW + 301 * DAY_S)
    for again in (False, True):
        with pytest.raises(FleetRefused, match="revoked"):
            joining.look(desk.fleet, "Front", desk.asked, NOW + 301 * DAY_S, again=again)


def test_seeded_fault_a_store_that_forgets_to_revoke_is_caught(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    from provisioning import store_revoked

    monkeypatch.setattr(store_revoked, "door", lambda _session, _row, _now: ())
    with pytest.raises(FleetRefused, match="neither a certificate nor a label"):
        desk.fleet.store.revoke_door("Front", NOW)
    assert Renewer(desk.fleet, desk.authority).renew("Front", formats.ask(desk.key, desk.door_id), NOW + 300 * DAY_S)


def test_an_open_label_ends_with_the_certificates(desk: Desk) -> None:
    labels.make(desk.fleet, "Front", Plan.of(desk.fleet.folder, Where("broker.example"), 14, NOW), anew=True)
    desk.fleet.store.revoke_door("Front", NOW)
    assert desk.fleet.store.labels("Front")[-1].state is LabelState.REVOKED
    with pytest.raises(FleetRefused, match="neither a certificate nor a label"):
        desk.fleet.store.revoke_door("Front", NOW + 1)


def test_a_new_label_lets_the_door_in_again(desk: Desk) -> None:
    desk.fleet.store.revoke_door("Front", NOW)
    label = labels.make(desk.fleet, "Front", Plan.of(desk.fleet.folder, Where("broker.example"), 14, NOW), anew=True)
    key, box = formats.new_key(), bytes(PrivateKey.generate().public_key)
    asked = Request(label.door_id, box, formats.ask(key, label.door_id)).pack(claim_key(label.secret))
    joining.approve(desk.fleet, joining.look(desk.fleet, "Front", asked, NOW), desk.authority, NOW)
    renewed = Renewer(desk.fleet, desk.authority).renew("Front", formats.ask(key, label.door_id), NOW + 300 * DAY_S)
    assert renewed is not None


def test_a_manager_s_certificates_are_noted_and_revoked_by_name(desk: Desk, tmp_path: Path) -> None:
    for name, out in (("office", "a"), ("office", "b"), ("night", "c")):
        assert doorward("ca", "manager", name, "--out", str(tmp_path / out)).exit_code == 0
    made = {
        out: x509.load_pem_x509_certificate((tmp_path / out / "manager.pem").read_bytes()).serial_number
        for out in ("a", "b", "c")
    }
    said = doorward("manager", "revoke", "office", "--list", str(tmp_path / "revoked.pem"), "--json")
    assert said.exit_code == 0, said.output
    found = x509.load_pem_x509_crl((tmp_path / "revoked.pem").read_bytes())
    assert serials(found) == {made["a"], made["b"]}
    standing = [each for each in desk.fleet.store.logins() if each.revoked_unix is None]
    assert [(each.name, int(each.serial, 16)) for each in standing] == [("night", made["c"])]
    assert "office  until" in doorward("manager", "list").stdout
    assert "could be revoked" in doorward("manager", "revoke", "office").stderr


@pytest.mark.usefixtures("desk")
def test_a_folder_that_holds_a_certificate_already_gets_none_that_nobody_has(desk: Desk, tmp_path: Path) -> None:
    assert doorward("ca", "manager", "office", "--out", str(tmp_path / "a")).exit_code == 0
    again = doorward("ca", "manager", "office", "--out", str(tmp_path / "a"))
    assert (again.exit_code, len(desk.fleet.store.logins())) == (1, 1)
    assert "exists already" in again.stderr


def test_revoking_by_command_says_that_the_broker_does_not_know_yet(desk: Desk, tmp_path: Path) -> None:
    said = doorward("door", "revoke", "Front")
    assert said.exit_code == 0, said.output
    assert "1 certificate of Front ended now" in said.stdout
    assert "A broker lets it in until it has the new list" in said.stdout
    out = tmp_path / "revoked.pem"
    assert doorward("broker", "revoked", "--out", str(out)).exit_code == 0
    assert len(serials(x509.load_pem_x509_crl(out.read_bytes()))) == 1
    assert doorward("door", "revoke", "Front").stderr == (
        '"Front" has neither a certificate nor a label that could be revoked.\n'
    )
    assert [act.command for act in desk.fleet.store.acts(1)] == ["door revoke"]


def test_broker_files_come_with_the_list(desk: Desk, tmp_path: Path) -> None:
    desk.fleet.store.revoke_door("Front", NOW)
    said = doorward(
        "broker", "config", "--host", "broker.example", "--claim-port", "8884", "--out", str(tmp_path / "b")
    )
    assert said.exit_code == 0, said.output
    for name, times in (("mosquitto.conf", 1), ("claim.conf", 1)):
        text = (tmp_path / "b" / name).read_text()
        assert text.count("\ncrlfile /etc/mosquitto/doorward/revoked.pem\n") == times
    assert len(serials(x509.load_pem_x509_crl((tmp_path / "b" / "revoked.pem").read_bytes()))) == 1


def test_a_watch_keeps_the_list_new_and_says_so_once(desk: Desk) -> None:
    path, now = desk.fleet.folder / "list.pem", [NOW]
    told: list[Fact] = []
    keeper = revocation.Keeper(desk.fleet, desk.authority, path)
    watch = Watch(desk.fleet, told.append, lambda: now[0], keeper=keeper)
    for step in (0, DAY_S, DAY_S):
        now[0] += step
        watch.notices(None)
    assert [each["event"] for each in told] == ["revoked-list"]
    desk.fleet.store.revoke_door("Front", now[0])
    watch.notices(None)
    assert len(serials(x509.load_pem_x509_crl(path.read_bytes()))) == 1
    now[0] += 31 * DAY_S
    watch.notices(None)
    path.unlink()
    watch.notices(None)
    assert [each["revoked"] for each in told] == [0, 1, 1, 1]
    assert "the broker needs it" in in_words(told[0])


def damaged_serial(desk: Desk) -> None:
    desk.fleet.store.add_login(Login("office", "-1", NOW, NOW + DAY_S))


def used_serial(desk: Desk) -> None:
    login = Login("office", "1f", NOW, NOW + DAY_S)
    desk.fleet.store.add_login(login)
    desk.fleet.store.add_login(replace(login, name="night"))


@pytest.mark.parametrize("mistake", [damaged_serial, used_serial], ids=["damaged", "used"])
def test_what_could_not_be_revoked_is_not_noted(desk: Desk, mistake: Callable[[Desk], None]) -> None:
    with pytest.raises((FleetRefused, OSError)):
        mistake(desk)
    assert all(isinstance(each, Revoked) for each in desk.fleet.store.revoked())
    assert all(each.serial != "-1" for each in desk.fleet.store.logins())
    assert len(desk.fleet.store.logins()) <= 1


@pytest.mark.parametrize("words", ["door revoke", "manager revoke", "manager list", "broker revoked"])
def test_help_has_an_example(words: str) -> None:
    assert f"Example: doorward {words}" in doorward(*words.split(), "--help").stdout
