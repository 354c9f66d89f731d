"""Another sitting at a door: the same person's is joined, anybody else's is not, and the face is never lost by it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

import pytest

from device import wire
from device.attestation import ConsentRecord, Receipt
from device.edges import Room
from device.errors import StoreFault
from device.vault import enrolments, pooling
from device.vault.budget import Budget, Thresholds
from device.vault.enrolling import Enrolling
from device.vault.faces import Faces
from device.vault.pooling import Mean
from device.vault.record import FaceRecord, Vector
from device.wire import Hint, Purpose, Result
from tests.unit.sealing.simulated_disk import Loss, PowerCut, SimulatedDisk
from tests.unit.vault.faulty_disk import FaultyDisk
from tests.unit.vault.house import House
from tests.unit.vault.test_consent import OTHER
from tests.unit.vault.test_worth import measured
from tests.unit.vault.values import FRAMES, at_cosine, unit

ANNA, BO = unit(1), unit(2)
LATER = at_cosine(ANNA, 0.75, seed=77)  # Anna on another day
Then = Callable[[House], object]


@pytest.fixture
def door(house: House) -> House:
    """A vault whose tail knows lengths, where Anna is enrolled on slot 11."""
    return enrolled(house)


def enrolled(house: House, face: Vector = ANNA) -> House:
    house.thresholds = Thresholds(Budget(), measured(), FRAMES)
    house.restart()
    house.connect()
    assert house.enrol(11, face) is Result.DONE
    return house


def seen_again(house: House, face: Vector, slot: int = 11, *, then: Then | None = None) -> bytes:
    """Another sitting of `slot`, everything but the second PIN; its grant. `then`: what happens before that."""
    grant = house.begin(slot, again=True)
    window = house.window()
    house.show(face, window)
    house.close_window()
    if then:
        then(house)
    return grant


def again(house: House, face: Vector, slot: int = 11, *, then: Then | None = None) -> Result:
    """The whole of it; how it ended."""
    grant = seen_again(house, face, slot, then=then)
    if house.unanswered(grant):
        house.confirm(slot)
    return house.result(grant)


def kept(house: House, slot: int = 11) -> FaceRecord:
    face = house.vault.faces.record(slot)
    assert face is not None
    return face


# ---- joined


def test_the_second_sitting_is_joined_and_both_looks_are_known_from_then_on(door: House) -> None:
    before = kept(door)
    assert door.recognised(at_cosine(LATER, 0.66, seed=7)) is None
    assert again(door, LATER) is Result.DONE
    for _ in range(2):
        face = kept(door)
        assert (face.frames, face.sittings) == (2 * FRAMES, 2)
        assert face.length < before.length, "it is more varied"
        assert face.worth >= before.worth
        assert door.recognised(at_cosine(ANNA, 0.97)) == 11
        assert door.recognised(at_cosine(LATER, 0.66, seed=7)) == 11
        assert door.recognised(BO) is None
        door.restart()
        door.connect()


def test_it_is_agreed_to_anew_and_signed_and_erased_as_one(door: House) -> None:
    assert again(door, LATER) is Result.DONE
    _, second = door.papers()
    assert isinstance(second, ConsentRecord)
    assert second.terms_hash == door.terms.hash
    assert kept(door).consent == door.got(Room.DESK, wire.Attestation)[-1].content
    assert door.act(wire.Erase, 11) is Result.DONE
    assert isinstance(door.papers()[-1], Receipt)
    assert 11 not in door.vault.faces
    assert [door.recognised(face) for face in (ANNA, LATER)] == [None, None]


def test_it_is_paused_renewed_rekeyed_and_erased_with_its_tenancy_as_one(door: House) -> None:
    assert again(door, LATER) is Result.DONE
    assert door.act(wire.Pause, 11) is Result.DONE
    assert door.recognised(LATER) is None
    assert door.act(wire.Resume, 11) is Result.DONE
    assert door.rekey() is Result.DONE
    assert (kept(door).sittings, door.recognised(LATER)) == (2, 11)
    door.restart_under(OTHER)
    assert door.recognised(LATER) is None
    assert door.renew(11) is Result.DONE
    assert (kept(door).sittings, door.recognised(LATER)) == (2, 11)
    door.move_in(11, tenant=2)
    door.tell(11)
    assert 11 not in door.vault.faces


def test_its_resident_hears_in_how_many_sittings_and_a_fourth_is_one_too_many(door: House) -> None:
    for sittings in (1, 2, 3):
        name = door.grant(Purpose.PAGE, 11)
        door.say(Room.DESK, wire.AskHeld(name))
        held = door.got(Room.DESK, wire.Held)[-1]
        assert (held.sittings, held.pictures) == (sittings, sittings * FRAMES)
        result = again(door, at_cosine(ANNA, 0.95, seed=80 + sittings))
        assert result is (Result.DONE if sittings < 3 else Result.ENOUGH_SITTINGS)


def test_it_can_be_done_at_the_page_as_well(door: House) -> None:
    page = door.grant(Purpose.PAGE, 11)
    door.say(Room.DESK, wire.Enrol(page, door.terms.hash, under_14=False, again=True))
    window = door.window()
    door.show(LATER, window)
    door.close_window()
    door.confirm(11)
    assert door.result(page) is Result.DONE
    assert kept(door).sittings == 2


def test_a_face_that_is_paused_stays_paused_and_can_have_another_sitting(door: House) -> None:
    door.act(wire.Pause, 11)
    assert again(door, LATER) is Result.DONE
    assert (kept(door).paused, kept(door).sittings) == (True, 2)
    assert door.recognised(ANNA) is None


def test_one_s_own_face_is_no_other_that_looks_alike_and_a_neighbour_s_still_is(door: House) -> None:
    assert again(door, ANNA) is Result.DONE
    assert Hint.LOOKS_LIKE_ANOTHER not in [hint.hint for hint in door.got(Room.DESK, wire.EnrolHint)]
    assert door.enrol(12, BO) is Result.DONE
    assert door.enrol(13, at_cosine(BO, 0.99)) is Result.DONE
    door.sent.clear()
    assert again(door, at_cosine(BO, 0.99), 13) is Result.DONE
    assert Hint.LOOKS_LIKE_ANOTHER in [hint.hint for hint in door.got(Room.DESK, wire.EnrolHint)]


# ---- not joined, and the face that is kept stays as it was


def refused(house: House, expected: Result, act: Callable[[House], Result]) -> None:
    before, files = kept(house), dict(house.vault.faces._store.records())
    papers = len(house.papers())
    assert act(house) is expected
    assert kept(house) == before
    assert dict(house.vault.faces._store.records()) == files
    assert len(house.papers()) == papers
    assert house.recognised(at_cosine(ANNA, 0.97)) == 11


def test_another_person_s_sitting_is_unlike_and_lock_and_desk_hear_it_at_once(door: House) -> None:
    refused(door, Result.UNLIKE, lambda house: house.result(seen_again(house, BO)))
    assert door.got(Room.LOCK, wire.EnrolmentEnded)[-1].result is Result.UNLIKE
    assert Hint.CONFIRM_WITH_PIN not in [hint.hint for hint in door.got(Room.DESK, wire.EnrolHint)[1:]]
    assert door.unasked == []


def test_without_the_second_pin_nothing_is_joined(door: House) -> None:
    def left(house: House) -> Result:
        grant = seen_again(house, LATER)
        house.wait(61)
        return house.result(grant)

    refused(door, Result.UNCONFIRMED, left)


def test_a_sitting_that_is_cut_off_leaves_nothing(door: House) -> None:
    def too_few(house: House) -> Result:
        grant = house.begin(11, again=True)
        window = house.window()
        house.sample(LATER, 0, window)
        house.close_window()
        return house.result(grant)

    refused(door, Result.TOO_FEW_FRAMES, too_few)
    seen_again(door, LATER)
    door.restart()
    door.connect()
    assert kept(door).sittings == 1


@pytest.mark.parametrize(
    ("declared", "result"), [({"covered": True}, Result.COVERED_OTHERWISE), ({"under_14": True}, Result.NO_FACE)]
)
def test_what_is_declared_has_to_be_what_was_declared_of_the_face(
    door: House, declared: dict[str, bool], result: Result
) -> None:
    refused(door, result, lambda house: house.result(house.begin(11, again=True, **declared)))


def test_where_no_face_is_kept_there_is_nothing_to_add_to(door: House) -> None:
    assert door.result(door.begin(12, again=True)) is Result.NO_FACE
    assert 12 not in door.vault.faces
    assert again(door, ANNA, 12) is Result.NO_FACE


def test_a_face_that_sleeps_under_other_terms_is_renewed_first(door: House) -> None:
    door.restart_under(OTHER)
    assert door.result(door.begin(11, again=True)) is Result.NO_FACE
    assert door.renew(11) is Result.DONE
    assert again(door, LATER) is Result.DONE


def test_a_first_enrolment_still_finds_the_slot_taken(door: House) -> None:
    refused(door, Result.SLOT_TAKEN, lambda house: house.result(house.begin(11)))


def test_consent_to_other_terms_joins_nothing(door: House) -> None:
    def other_terms(house: House) -> Result:
        grant = house.grant(Purpose.ENROL, 11)
        house.say(Room.DESK, wire.Enrol(grant, OTHER.hash, under_14=False, again=True))
        return house.result(grant)

    refused(door, Result.OTHER_TERMS, other_terms)


def test_a_grant_of_another_purpose_joins_nothing(door: House) -> None:
    def erasing(house: House) -> Result:
        grant = house.grant(Purpose.ERASE, 11)
        house.say(Room.DESK, wire.Enrol(grant, house.terms.hash, under_14=False, again=True))
        return house.result(grant)

    refused(door, Result.NO_GRANT, erasing)


def erased(house: House) -> None:
    grant = house.grant(Purpose.PAGE, 11)
    house.say(Room.DESK, wire.Erase(grant))


def taken_anew(house: House) -> None:
    house.move_in(11, tenant=2)
    house.tell(11)


@pytest.mark.parametrize("then", [erased, taken_anew, lambda house: house.lose_pin(11)])
def test_if_the_face_goes_on_the_way_no_sitting_takes_its_place(door: House, then: Then) -> None:
    assert again(door, LATER, then=then) is not Result.DONE
    assert door.vault.faces.record(11) is None or kept(door).sittings == 1
    assert door.recognised(LATER) is None


def rekeyed(house: House) -> None:
    assert house.rekey() is Result.DONE


def paused_meanwhile(house: House) -> None:
    house.say(Room.DESK, wire.Pause(house.grant(Purpose.PAGE, 11)))


@pytest.mark.parametrize("then", [rekeyed, paused_meanwhile])
def test_what_changed_on_the_way_is_kept_with_it(door: House, then: Then) -> None:
    assert again(door, LATER, then=then) is Result.DONE
    assert (kept(door).sittings, kept(door).paused) == (2, then is paused_meanwhile)
    door.vault.faces.pause(11, paused=False)
    assert door.recognised(at_cosine(LATER, 0.97)) == 11


# ---- the disk


def about_to_join(disk: SimulatedDisk) -> tuple[House, bytes, FaceRecord]:
    """Everything of a second sitting but the second PIN: (house, grant, the face as it is kept)."""
    house = enrolled(House(disk))
    return house, seen_again(house, LATER), kept(house)


def steps_of_joining() -> int:
    disk = SimulatedDisk()
    house, _, _ = about_to_join(disk)
    before = disk.steps
    house.confirm()
    house.close()
    return disk.steps - before


def test_a_power_cut_at_any_step_leaves_the_face_as_it_was_or_with_the_sitting() -> None:
    found = set()
    for at in range(steps_of_joining() + 1):
        disk = SimulatedDisk()
        house, _, before = about_to_join(disk)
        disk.cut_at = disk.steps + at
        with suppress(PowerCut):
            house.confirm()
        house.close()
        for loss in Loss:
            booted = House(disk.after_power_cut(loss, at))
            face = kept(booted)
            assert face.sittings == 2 or face == before
            found.add(face.sittings)
            booted.close()
    assert found == {1, 2}


def answers_and_what_is_kept(*, for_good: bool) -> set[tuple[Result, int, int]]:
    """Over every step that may fail: (what desk was told, sittings in memory, sittings after a power cut)."""
    found = set()
    for at in range(1, steps_of_joining() + 1):
        disk = FaultyDisk()
        house, grant, before = about_to_join(disk)
        disk.fails_at, disk.for_good = disk.steps + at, for_good
        house.confirm()
        disk.fails_at = None
        booted = House(disk.after_power_cut(Loss.ALL, 0))
        for each in (house, booted):
            assert kept(each).sittings == 2 or replace(kept(each), rotation=before.rotation) == before
        found.add((house.result(grant), kept(house).sittings, kept(booted).sittings))
        for each in (house, booted):
            each.close()
    return found


def test_a_disk_that_fails_is_told_and_the_face_is_as_it_was() -> None:
    assert answers_and_what_is_kept(for_good=False) == {(Result.DONE, 2, 2), (Result.FAULT, 1, 1)}


def test_a_disk_that_stays_broken_costs_nobody_their_face() -> None:
    found = answers_and_what_is_kept(for_good=True)
    assert {told for told, _, _ in found} == {Result.DONE, Result.FAULT}
    assert all(after == 2 for told, _, after in found if told is Result.DONE)


def test_a_sitting_that_a_fault_left_behind_would_be_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def as_it_comes(self: Faces, slot: int, face: FaceRecord) -> None:
        self._put(slot, face, self._terms)

    monkeypatch.setattr(Faces, "join", as_it_comes)
    assert (Result.FAULT, 2, 2) in answers_and_what_is_kept(for_good=False)


# ---- seeded faults


def joined_whoever_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Mean, "alike", lambda _self, _other, **_kind: True)


def test_a_vault_that_joins_whoever_stands_there_is_seen(door: House, monkeypatch: pytest.MonkeyPatch) -> None:
    joined_whoever_it_is(monkeypatch)
    monkeypatch.setattr(pooling, "_compared", lambda _face, _thresholds: True)
    with pytest.raises(AssertionError):
        refused(door, Result.UNLIKE, lambda house: again(house, at_cosine(ANNA, 0.4)))
    assert kept(door).sittings == 2


def test_a_vault_that_joins_before_the_second_pin_is_seen(door: House, monkeypatch: pytest.MonkeyPatch) -> None:
    real = enrolments.Enrolments._ask_to_confirm

    def hasty(self: enrolments.Enrolments, current: Enrolling, name: bytes) -> None:
        self._keep(current)
        real(self, current, name)

    monkeypatch.setattr(enrolments.Enrolments, "_ask_to_confirm", hasty)
    with pytest.raises(AssertionError):
        refused(door, Result.UNCONFIRMED, lambda house: house.result(_left(house)))


def _left(house: House) -> bytes:
    grant = seen_again(house, LATER)
    house.wait(61)
    return grant


def test_a_vault_that_drops_the_old_face_for_a_new_one_is_seen(door: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def anew(self: enrolments.Enrolments, current: Enrolling) -> Result | None:
        self.faces.erase(current.slot)
        current.forget()
        return Result.UNLIKE

    monkeypatch.setattr(enrolments.Enrolments, "_unlike", anew)
    with pytest.raises((AssertionError, KeyError)):
        refused(door, Result.UNLIKE, lambda house: house.result(seen_again(house, BO)))


def of_the_tenant_before(house: House) -> Result:
    """Somebody moved into 11 while vault could not erase the face of who lived there; they add a sitting."""
    real, house.vault.faces._store.remove = house.vault.faces._store.remove, _full  # type: ignore[method-assign,assignment]
    try:
        taken_anew(house)
        assert 11 in house.vault.faces
        return again(house, LATER)
    finally:
        house.vault.faces._store.remove = real  # type: ignore[method-assign]


def _full(_slot: int) -> None:
    msg = "the disk is full"
    raise StoreFault(msg)


def test_no_sitting_is_joined_to_the_face_of_the_tenant_before(door: House) -> None:
    assert of_the_tenant_before(door) is Result.NO_FACE
    assert kept(door).sittings == 1


def test_a_vault_that_joins_across_tenancies_is_seen(door: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Faces, "kept", Faces.record)
    real = enrolments.Enrolments._joined

    def any_tenancy(self: enrolments.Enrolments, current: Enrolling) -> FaceRecord | Result:
        current.place = replace(current.place, tenancy=kept(door).tenancy)
        return real(self, current)

    monkeypatch.setattr(enrolments.Enrolments, "_joined", any_tenancy)
    assert of_the_tenant_before(door) is Result.DONE


def test_lock_hears_of_it_what_it_hears_of_any_enrolment(door: House) -> None:
    assert again(door, LATER) is Result.DONE
    assert [msg.result for msg in door.got(Room.LOCK, wire.EnrolmentEnded)] == [Result.CONFIRM, Result.CONFIRM]
    assert door.unasked == []
