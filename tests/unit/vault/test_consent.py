"""A face is bound to what was agreed to: signed when it is kept, asleep when the terms change, awake when renewed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from device import attestation, wire
from device.attestation import ConsentRecord
from device.consent import Notice, Terms
from device.edges import Room
from device.sealing import record as sealed_record
from device.sealing.ring import Ring
from device.sealing.store import SealedStore
from device.vault.acts import Acts
from device.vault.enrolments import Enrolments
from device.wire import Purpose, Result
from tests.unit.sealing.simulated_disk import SimulatedDisk
from tests.unit.vault.house import House, another_house
from tests.unit.vault.values import BINDING, CONSENT, SIGNER, TERMS, TODAY, nonce, unit

ANNA, BO = unit(1), unit(2)
OTHERS: dict[str, Terms] = {
    "notice": replace(TERMS, notice=Notice("a notice", ("in English", "and in Chinese!"))),
    "purpose": replace(TERMS, purpose="another purpose"),
    "retention": replace(TERMS, retention="for ever"),
    "model": replace(TERMS, model_sha256=b"n" * 32),
    "threshold class": replace(TERMS, threshold_class="a looser class"),
}
OTHER = OTHERS["purpose"]


# ---- what is signed


@pytest.mark.parametrize("under_14", [False, True])
def test_a_kept_face_gives_a_signed_consent_just_before_the_news_and_none_sooner(house: House, under_14: bool) -> None:
    grant = house.capture(ANNA, under_14=under_14)
    assert house.papers() == []
    house.unix_s += 5 * 86_400
    house.confirm()
    paper, done = house.sent[Room.DESK][-2:]
    assert done == wire.Done(grant, Result.DONE)
    assert isinstance(paper, wire.Attestation)
    assert paper.grant == grant
    (signed,) = house.papers()
    assert isinstance(signed, ConsentRecord)
    assert signed == ConsentRecord(BINDING.door, signed.consent_id, TODAY + 5, under_14, *TERMS.parts)
    assert signed.terms_hash == CONSENT
    assert paper.content == attestation.sign(signed, SIGNER.key), "and not one byte more"
    assert house.vault.faces.consent(11) == paper.content, "the same that lies beside the face"


def test_two_consents_have_two_ids(house: House) -> None:
    house.enrol(11, ANNA)
    house.enrol(12, BO)
    one, other = house.papers()
    assert isinstance(one, ConsentRecord)
    assert isinstance(other, ConsentRecord)
    assert one.consent_id != other.consent_id
    assert any(one.consent_id)


def two_people(house: House) -> None:
    house.begin()
    window = house.window()
    for index, face in enumerate((ANNA, ANNA, BO)):
        house.sample(face, index, window)


def no_second_pin(house: House) -> None:
    house.capture(ANNA)
    house.wait(61)


def no_pin_left(house: House) -> None:
    house.capture(ANNA)
    house.lose_pin(11)


def a_full_disk(house: House) -> None:
    house.capture(ANNA)
    assert isinstance(house.disk, SimulatedDisk)
    house.disk.full = True
    house.confirm()


@pytest.mark.parametrize("ends", [two_people, no_second_pin, no_pin_left, a_full_disk])
def test_without_a_kept_face_nothing_is_signed(house: House, ends: Callable[[House], None]) -> None:
    ends(house)
    assert house.got(Room.DESK, wire.Done)[-1].result is not Result.DONE
    assert house.papers() == []


# ---- a consent to something else


def kept_under(house: House, agreed: bytes) -> tuple[list[Result], bool]:
    """(what desk is told, whether a face is kept) when somebody agrees to `agreed` and does everything else right."""
    house.move_in(11)
    grant = house.grant(Purpose.ENROL, 11)
    house.say(Room.DESK, wire.Enrol(grant, agreed, under_14=False))
    house.show(ANNA, house.window())
    house.close_window()
    house.confirm()
    house.say(Room.DESK, wire.Enrol(grant, CONSENT, under_14=False))
    return house.results(grant), 11 in house.vault.faces


@pytest.mark.parametrize("agreed", [bytes(32), OTHER.hash, CONSENT[:-1] + bytes((CONSENT[-1] ^ 1,)), b"\xff" * 32])
def test_another_consent_enrols_nobody_and_uses_the_grant_up(house: House, agreed: bytes) -> None:
    assert isinstance(house.disk, SimulatedDisk)
    before = house.disk.all_names()
    assert kept_under(house, agreed) == ([Result.OTHER_TERMS, Result.NO_GRANT], False)
    assert house.ready() == (False, False)
    assert house.disk.all_names() == before


def test_a_vault_that_takes_any_consent_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Enrolments, "_why_not", lambda _self, _slot, _consent, **_: None)
    with another_house() as house:
        assert kept_under(house, OTHER.hash) == ([Result.DONE, Result.NO_GRANT], True)


# ---- the terms change


def awake_under(house: House, terms: Terms) -> tuple[set[int | None], tuple[bool, bool]]:
    """Two faces are enrolled, then `terms` come into force: (who is recognised, what lock is told)."""
    house.enrol(11, ANNA)
    house.enrol(12, BO)
    house.restart_under(terms)
    return {house.recognised(ANNA), house.recognised(BO)} - {None}, house.ready()


@pytest.mark.parametrize("part", OTHERS)
def test_whatever_part_of_the_terms_changes_every_face_sleeps_and_pins_go_on(house: House, part: str) -> None:
    assert awake_under(house, OTHERS[part]) == (set(), (False, False))
    assert house.vault.faces.slots() == (11, 12), "asleep, not erased"
    assert house.vault.faces.outdated == 2
    assert {type(msg) for msg in house.sent[Room.KEEPER]} == {wire.HasCredential}, "keeper is only asked"
    assert set(house.tenancies) == {11, 12}


def test_the_old_terms_again_wake_it_as_it_was(house: House) -> None:
    assert awake_under(house, OTHER) == (set(), (False, False))
    house.restart_under(TERMS)
    assert (house.recognised(ANNA), house.recognised(BO)) == (11, 12)


def test_a_vault_that_does_not_ask_what_was_agreed_to_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    with another_house() as house:
        monkeypatch.setattr(SealedStore, "consent", lambda _self, _slot: house.terms.hash)
        assert awake_under(house, OTHER) == ({11, 12}, (True, False))


# ---- renewal


def test_renewing_wakes_the_same_template_under_the_new_terms_and_signs_it(house: House) -> None:
    awake_under(house, OTHER)
    before = house.vault.faces._records[11]
    house.unix_s += 86_400
    assert house.renew(11) is Result.DONE
    paper, done = house.sent[Room.DESK][-2:]
    assert isinstance(paper, wire.Attestation)
    assert isinstance(done, wire.Done)
    assert paper.grant == done.grant
    (signed,) = house.papers()
    assert isinstance(signed, ConsentRecord)
    assert signed == ConsentRecord(BINDING.door, signed.consent_id, TODAY + 1, False, *OTHER.parts)
    assert house.vault.faces._records[11] == replace(before, consent=paper.content)
    for _ in range(2):
        assert (house.recognised(ANNA), house.recognised(BO)) == (11, None), "the other one has not agreed"
        house.restart_under(OTHER)
    assert house.ready() == (True, False)


def test_there_is_nothing_to_renew_without_a_face_or_for_one_that_is_up_to_date(house: House) -> None:
    assert house.renew(11) is Result.NOTHING_TO_DO
    house.enrol(11, ANNA)
    house.sent[Room.DESK].clear()
    before = house.vault.faces._records[11]
    assert house.renew(11) is Result.NOTHING_TO_DO
    assert house.papers() == []
    assert house.vault.faces._records[11] == before


def test_a_paused_face_stays_paused_when_it_is_renewed(house: House) -> None:
    house.enrol(11, ANNA)
    house.act(wire.Pause, 11)
    house.restart_under(OTHER)
    assert house.renew(11) is Result.DONE
    assert house.recognised(ANNA) is None
    house.act(wire.Resume, 11)
    assert house.recognised(ANNA) == 11


def test_pausing_and_resuming_do_not_renew(house: House) -> None:
    house.enrol(11, ANNA)
    house.restart_under(OTHER)
    assert (house.act(wire.Pause, 11), house.act(wire.Resume, 11)) == (Result.DONE, Result.DONE)
    assert house.recognised(ANNA) is None
    assert house.rekey() is Result.DONE
    assert house.recognised(ANNA) is None


def woken_by(house: House, grants: Callable[[House], bytes], agreed: bytes) -> tuple[list[Result], int | None]:
    """(what desk is told, who is recognised) when ANNA's face sleeps, and `agreed` is named with some grant."""
    awake_under(house, OTHER)
    grant = grants(house)
    house.say(Room.DESK, wire.Renew(grant, agreed))
    house.say(Room.DESK, wire.Renew(grant, OTHER.hash))
    return house.results(grant), house.recognised(ANNA)


def his_own(house: House) -> bytes:
    return house.grant(Purpose.RENEW, 11)


@pytest.mark.parametrize("agreed", [CONSENT, bytes(32), OTHERS["notice"].hash])
def test_renewing_under_other_terms_wakes_nobody_and_uses_the_grant_up(house: House, agreed: bytes) -> None:
    assert woken_by(house, his_own, agreed) == ([Result.OTHER_TERMS, Result.NO_GRANT], None)
    assert house.papers() == []


def test_a_vault_that_renews_under_any_terms_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    renew = Acts._renew
    monkeypatch.setattr(Acts, "_renew", lambda self, grant, slot, _agreed: renew(self, grant, slot, OTHER.hash))
    with another_house() as house:
        assert woken_by(house, his_own, CONSENT) == ([Result.DONE, Result.NO_GRANT], 11)


@pytest.mark.parametrize("purpose", [purpose for purpose in Purpose if purpose not in (Purpose.RENEW, Purpose.PAGE)])
def test_renewing_takes_a_grant_for_it(house: House, purpose: Purpose) -> None:
    assert woken_by(house, lambda _house: nonce(), OTHER.hash) == ([Result.NO_GRANT] * 2, None)
    assert woken_by(house, lambda house: house.grant(purpose, 11), OTHER.hash) == ([Result.NO_GRANT] * 2, None)


def test_a_neighbour_s_grant_renews_the_neighbour_s_face(house: House) -> None:
    assert woken_by(house, lambda house: house.grant(Purpose.RENEW, 12), OTHER.hash) == (
        [Result.DONE, Result.NO_GRANT],
        None,
    )
    assert house.recognised(BO) == 12


def test_a_disk_that_fails_while_renewing_is_told_and_signs_nothing(house: House) -> None:
    awake_under(house, OTHER)
    assert isinstance(house.disk, SimulatedDisk)
    house.disk.full = True
    assert house.renew(11) is Result.FAULT
    assert house.papers() == []
    assert house.recognised(ANNA) is None
    house.disk.full = False
    assert house.renew(11) is Result.DONE
    assert house.recognised(ANNA) == 11


# ---- the binding on the disk


def recognised_with_a_swapped_consent(house: House) -> tuple[int, int | None]:
    """(how many records are refused, who is recognised) once the ring says that ANNA agreed to other terms."""
    house.enrol(11, ANNA)
    store = house.vault.faces._store
    swapped = tuple(replace(entry, consent=OTHER.hash) for entry in store._ring.entries)
    store._change(Ring(store._ring.generation + 1, store.secret, swapped))
    house.restart_under(OTHER)
    return len(house.vault.faces.refused), house.recognised(ANNA)


def test_a_record_does_not_open_under_terms_it_was_not_sealed_for(house: House) -> None:
    assert recognised_with_a_swapped_consent(house) == (1, None)


def test_a_record_that_is_not_bound_to_its_terms_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    bound = sealed_record._aad
    monkeypatch.setattr(
        sealed_record,
        "_aad",
        lambda header, entry, binding: bound(header, replace(entry, consent=bytes(32)), binding),
    )
    with another_house() as house:
        assert recognised_with_a_swapped_consent(house) == (0, 11)
