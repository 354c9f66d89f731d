"""The frames of an enrolment: of one person, in one window, each usable; anything else makes no template."""

from __future__ import annotations

import pytest

from device import wire
from device.edges import Room
from device.errors import EnrolmentRefused
from device.vault.enrolment import Collection
from device.wire import Attack, Result
from tests.unit.vault.house import House
from tests.unit.vault.values import at_cosine, unit

ANNA, BO = unit(1), unit(2)


def test_a_change_of_person_ends_the_enrolment_and_keeps_nothing(house: House) -> None:
    grant, window = house.begin(), house.window()
    for index, face in enumerate((ANNA, ANNA, BO)):
        house.sample(face, index, window)
    assert house.result(grant) is Result.FRAMES_DISAGREE
    assert house.got(Room.LOCK, wire.EnrolmentEnded)[-1].result is Result.FRAMES_DISAGREE
    assert house.vault.faces.slots() == ()


@pytest.mark.parametrize("people", ["AAB", "ABA", "BAA", "AABB", "AAAAB", "AABBB", "ABC"])
def test_no_mixture_of_people_makes_a_template(people: str) -> None:
    faces = {"A": ANNA, "B": BO, "C": unit(3)}
    mixed, alone = (Collection(len(people)) for _ in range(2))
    for index, person in enumerate(people):
        mixed.add(index, at_cosine(faces[person], 0.9, seed=300 + index))
        alone.add(index, at_cosine(ANNA, 0.9, seed=300 + index))
    assert mixed.template() is None
    assert alone.template() is not None


def test_opposite_frames_make_no_template() -> None:
    collection = Collection(2)
    collection.add(0, ANNA)
    collection.add(1, -ANNA)
    assert collection.template() is None


@pytest.mark.parametrize("how", [{"attack": Attack.PRESENTATION}, {"model": b"n" * 8}, {"embedding": bytes(512)}])
def test_one_unusable_frame_ends_the_enrolment(house: House, how: dict[str, object]) -> None:
    grant, window = house.begin(), house.window()
    house.sample(ANNA, 0, window)
    house.sample(ANNA, 1, window, **how)
    assert house.result(grant) is Result.REFUSED
    assert house.vault.faces.slots() == ()


def test_a_frame_out_of_order_ends_the_enrolment(house: House) -> None:
    grant, window = house.begin(), house.window()
    house.sample(ANNA, 0, window)
    house.sample(ANNA, 0, window)
    assert house.result(grant) is Result.REFUSED


def test_one_press_is_one_enrolment(house: House) -> None:
    """A window that closes too early ends it: the next press is recognition, of whoever comes, and no second chance."""
    grant, window = house.begin(), house.window()
    house.sample(BO, 0, window)
    house.sample(BO, 1, window)
    house.close_window()
    assert house.result(grant) is Result.TOO_FEW_FRAMES
    assert house.ready() == (False, False)
    assert not house.got(Room.LOCK, wire.EnrolmentEnded), "lock has closed the window itself"
    house.show(ANNA, house.window())
    house.confirm()
    assert house.vault.faces.slots() == ()


def test_a_second_window_in_the_middle_ends_it_and_frames_of_two_windows_never_meet(house: House) -> None:
    grant, first = house.begin(), house.window()
    house.sample(BO, 0, first)
    second = house.window()
    assert house.result(grant) is Result.TOO_FEW_FRAMES
    house.sample(BO, 1, first)
    house.sample(BO, 1, second)
    house.sample(BO, 2, second)
    assert house.ready() == (False, False)


def test_the_rest_of_a_window_that_another_enrolment_had_is_not_the_next_one_s(house: House) -> None:
    """The first ends while its window is open; the second begins before lock has closed it."""
    house.begin(11)
    window = house.window()
    house.lose_pin(11)
    second = house.begin(12)
    house.show(ANNA, window)
    house.close_window()
    assert house.unanswered(second)
    assert house.ready() == (False, True)
    house.show(BO, house.window())
    house.confirm(12)
    assert (house.recognised(ANNA), house.recognised(BO)) == (None, 12)


def test_too_few_frames_are_never_a_template() -> None:
    collection = Collection(3)
    collection.add(0, ANNA)
    with pytest.raises(EnrolmentRefused, match="nothing was kept"):
        collection.template()
    with pytest.raises(EnrolmentRefused, match="at least 2"):
        Collection(1)
