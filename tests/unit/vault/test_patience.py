"""Whoever holds up one picture after the other where a face alone opens: what it costs them, and nobody else."""

import pytest

from device import wire
from device.edges import Room
from device.vault.patience import DAY_NS, MOST_ATTACKS, Patience
from device.wire import Attack, Outcome
from tests.unit.vault.house import House
from tests.unit.vault.values import SECOND, unit

ANNA, STRANGER = unit(1), unit(77)


def held_up(house: House, times: int, attack: Attack = Attack.PRESENTATION) -> None:
    for _ in range(times):
        house.now_ns += 60 * SECOND
        assert house.probe(ANNA, attack=attack).outcome is Outcome.REFUSED


def comes_home(house: House) -> wire.Verdict:
    house.now_ns += 60 * SECOND
    return house.probe(ANNA)


def of_a_patient_one(house: House) -> Outcome:
    """What the resident's own face is worth after as many pictures of it as are borne."""
    house.enrol(11, ANNA)
    held_up(house, MOST_ATTACKS - 1)
    assert comes_home(house).outcome is Outcome.ACCEPTED
    held_up(house, 1)
    return comes_home(house).outcome


def test_after_too_many_pictures_a_face_needs_its_pin_and_still_names_its_flat(house: House) -> None:
    assert of_a_patient_one(house) is Outcome.WITH_PIN
    assert comes_home(house).slot == 11


def test_seeded_fault_a_vault_that_does_not_count_is_seen(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Patience, "tried", lambda _self, _now_ns: None)
    assert of_a_patient_one(house) is Outcome.ACCEPTED


def test_a_face_alone_opens_again_once_the_oldest_is_a_day_old(house: House) -> None:
    house.enrol(11, ANNA)
    first_ns = house.now_ns + 60 * SECOND
    held_up(house, 1)
    house.now_ns += 3600 * SECOND
    held_up(house, MOST_ATTACKS - 1)
    house.now_ns = first_ns + DAY_NS - 60 * SECOND - 1
    assert comes_home(house).outcome is Outcome.WITH_PIN
    house.now_ns = first_ns + DAY_NS
    assert comes_home(house).outcome is Outcome.ACCEPTED
    held_up(house, 1)
    assert comes_home(house).outcome is Outcome.WITH_PIN, "nine of the ten are of the last day"


def test_neither_doubt_nor_a_stranger_counts(house: House) -> None:
    house.enrol(11, ANNA)
    held_up(house, 3 * MOST_ATTACKS, Attack.INCONCLUSIVE)
    for _ in range(3 * MOST_ATTACKS):
        house.now_ns += 60 * SECOND
        assert house.probe(STRANGER).outcome is Outcome.REFUSED
    assert comes_home(house).outcome is Outcome.ACCEPTED


def test_nobody_but_lock_hears_of_it_and_lock_hears_what_a_face_with_its_pin_is_told(house: House) -> None:
    house.enrol(11, ANNA)
    before = {room: len(house.got(room, wire.Message)) for room in (Room.REPORT, Room.DESK)}
    held_up(house, 3 * MOST_ATTACKS)
    assert {room: len(house.got(room, wire.Message)) for room in before} == before


def test_no_more_moments_are_held_than_are_counted() -> None:
    patience = Patience()
    for now_ns in range(100 * MOST_ATTACKS):
        patience.tried(now_ns)
    assert len(patience._attacks) == MOST_ATTACKS
    assert repr(patience) == "Patience()"
