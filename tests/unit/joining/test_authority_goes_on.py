"""A door takes the next certificate of its own authority with its next own one, and never another authority."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from device import certificates, installing
from device.errors import JoiningRefused, StoreFault
from device.installing import Joining
from device.joining import Answer
from device.report.renewal import Renewal
from tests.unit.joining.papers import DOOR, NOW_UNIX, Authority, flipped, label, request

FLEET = Authority.make()
LATER = FLEET.renewed()
DAY_S = 86_400


def files_of(path: Path) -> dict[str, bytes]:
    return {each.name: each.read_bytes() for each in sorted((path / "tls").iterdir())}


@pytest.fixture
def files(tmp_path: Path) -> Joining:
    found = Joining(tmp_path)
    found.prepare(label(FLEET))
    found.install(FLEET.answer(request(found.key())), DOOR, NOW_UNIX)
    return found


def answer(files: Joining, authority: Authority, days: float = 700) -> Answer:
    return authority.answer(request(files.key()), days=days)


def test_renewed_authority_comes_with_the_next_certificate_and_both_are_kept(files: Joining) -> None:
    found = files.install(answer(files, LATER), DOOR, NOW_UNIX)
    assert files.authority() == LATER.der
    assert found == files.certificate()
    assert files.install(answer(files, LATER, 800), DOOR, NOW_UNIX) == files.certificate()


def test_manager_whose_folder_lacks_the_new_one_renews_a_door_that_has_it_and_it_keeps_what_lasts_longer(
    files: Joining,
) -> None:
    files.install(answer(files, LATER), DOOR, NOW_UNIX)
    found = files.install(answer(files, FLEET, 800), DOOR, NOW_UNIX)
    assert found == files.certificate()
    assert files.authority() == LATER.der


@pytest.mark.parametrize(
    "other",
    [
        Authority.make(),
        Authority.make("A fleet", key=ec.generate_private_key(ec.SECP256R1())),
        FLEET.renewed(key=ec.generate_private_key(ec.SECP256R1())),
        FLEET.renewed(name="Another fleet"),
        Authority.make("Another fleet", key=FLEET.key),
    ],
    ids=["another", "its name", "another key that it signed", "another name that it signed", "its key, another name"],
)
def test_another_key_or_name_is_another_authority_whoever_signed_it(files: Joining, other: Authority) -> None:
    before = files_of(files.state)
    for offered in (answer(files, other), replace(answer(files, FLEET), authority=other.der)):
        with pytest.raises(JoiningRefused):
            files.install(offered, DOOR, NOW_UNIX)
    assert files_of(files.state) == before


def test_certificate_of_a_door_is_no_authority_not_even_with_the_authority_s_own_key(files: Joining) -> None:
    subject = "A fleet"
    leaf = FLEET.sign(FLEET.key.public_key(), subject, days=9000)
    before = files_of(files.state)
    with pytest.raises(JoiningRefused, match="another authority"):
        files.install(replace(answer(files, FLEET), authority=leaf), DOOR, NOW_UNIX)
    assert files_of(files.state) == before


def test_no_damaged_byte_of_a_renewed_authority_is_taken(files: Joining) -> None:
    good, before = answer(files, LATER), files_of(files.state)
    for at in range(len(LATER.der)):
        with pytest.raises(JoiningRefused):
            files.install(replace(good, authority=flipped(LATER.der, at)), DOOR, NOW_UNIX)
    assert files_of(files.state) == before


def test_without_the_guard_another_key_would_be_taken(files: Joining, monkeypatch: pytest.MonkeyPatch) -> None:
    """The seeded fault: whatever is offered is believed to be the authority."""
    monkeypatch.setattr(
        certificates, "refuse_foreign", lambda offered, _known: certificates.certificate_from_der(offered)
    )
    other = FLEET.renewed(key=ec.generate_private_key(ec.SECP256R1()))
    files.install(replace(answer(files, FLEET), authority=other.der), DOOR, NOW_UNIX)
    assert files.authority() == other.der


def test_certificate_that_is_refused_brings_no_authority_along(files: Joining) -> None:
    before = files_of(files.state)
    for offered in (
        answer(files, LATER, days=10),  # over sooner than the present one
        replace(answer(files, LATER), door_id=bytes(8)),
        replace(
            answer(files, LATER),
            certificate=LATER.sign(ec.generate_private_key(ec.SECP256R1()).public_key(), DOOR.hex()),
        ),
    ):
        with pytest.raises(JoiningRefused):
            files.install(offered, DOOR, NOW_UNIX)
    assert files_of(files.state) == before


@pytest.mark.parametrize("at", [0, 1])
def test_power_cut_between_the_two_files_leaves_a_door_that_works_and_takes_the_answer_again(
    files: Joining, at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, calls = installing.store, []

    def cut(path: Path, content: bytes, mode: int = 0o644) -> None:
        calls.append(path.name)
        if len(calls) > at:
            raise StoreFault("cut")
        store(path, content, mode)

    offered = answer(files, LATER)
    monkeypatch.setattr(installing, "store", cut)
    with pytest.raises(StoreFault):
        files.install(offered, DOOR, NOW_UNIX)
    assert calls == ["ca.pem", "door.pem"][: at + 1], "the authority first: it is good with either certificate"
    present = files.certificate()
    assert present
    present.verify_directly_issued_by(certificates.certificate_from_der(files.authority()))
    monkeypatch.setattr(installing, "store", store)
    assert files.install(offered, DOOR, NOW_UNIX) == files.certificate()
    assert files.authority() == LATER.der


def test_certificate_that_ends_with_the_authority_is_told_and_another_is_not(
    files: Joining, capsys: pytest.CaptureFixture[str]
) -> None:
    renewal = Renewal(files, DOOR.hex(), lambda: float(NOW_UNIX))
    renewal.take(answer(files, FLEET, 700).pack())
    assert "authority" not in capsys.readouterr().err
    renewal.take(answer(files, FLEET, 3650).pack())
    assert "when the fleet's authority ends" in capsys.readouterr().err
    renewal.take(answer(files, LATER, 3651).pack())
    assert "authority" not in capsys.readouterr().err


def test_old_and_new_certificate_of_an_authority_are_good_with_what_either_signed(files: Joining) -> None:
    for signer in (FLEET, LATER):
        made = x509.load_der_x509_certificate(answer(files, signer).certificate)
        for known in (FLEET, LATER):
            made.verify_directly_issued_by(known.certificate)
