"""What a template is worth: frames of one sitting count for fewer pictures, as long as their own mean says so."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.vault.budget import Budget, Thresholds
from device.vault.enrolment import Collection
from device.vault.record import FaceRecord, Vector
from device.vault.tail import Averaging, Tail
from device.wire import Result
from tests.unit.vault.house import House
from tests.unit.vault.tails import line, tail
from tests.unit.vault.values import at_cosine, unit

BO = unit(2)
LENGTHS = {2: 0.9, 3: 0.86, 5: 0.83, 9: 0.81}
FRAMES = 3  # of this house, and of a probe
lengths = st.floats(0.0, 1.0)


def measured(shift: float = 0.06) -> Tail:
    """A tail of one cell that says how long the means of 2, 3, 5 and 9 different pictures are."""
    plain = tail({"all": line(9, 0.01)}, shift)
    rates = plain.averaging[0].fnmr
    modes = tuple(
        Averaging(enrolled, frames, shift * (enrolled + frames) / 12, rates, length)
        for enrolled, length in LENGTHS.items()
        for frames in (1, 2, 3)
    )
    return replace(plain, averaging=modes)


@given(st.integers(1, 12), lengths, lengths)
def test_a_template_never_counts_for_more_than_was_averaged_nor_for_more_when_its_frames_are_more_alike(
    pictures: int, one: float, other: float
) -> None:
    alike, different = (measured().worth(pictures, length) for length in (max(one, other), min(one, other)))
    assert 1 <= alike <= different <= pictures


@pytest.mark.parametrize(
    ("pictures", "length", "worth"),
    [
        (5, 0.97, 2),
        (5, 0.9, 2),
        (5, 0.89, 3),
        (5, 0.86, 3),
        (5, 0.85, 5),
        (5, 0.0, 5),
        (9, 0.97, 2),
        (9, 0.83, 5),
        (9, 0.8, 9),
    ],
)
def test_it_counts_for_the_least_number_whose_means_are_no_longer(pictures: int, length: float, worth: int) -> None:
    assert measured().worth(pictures, length) == worth


@given(st.integers(1, 9), lengths)
def test_where_no_length_was_measured_every_picture_counts(pictures: int, length: float) -> None:
    assert tail({"all": line(5)}).worth(pictures, length) == pictures


@given(st.integers(1, 4), st.integers(2, 9), st.integers(2, 9))
def test_counting_for_less_never_raises_a_threshold_and_not_knowing_never_lowers_it(
    faces: int, pictures: int, worth: int
) -> None:
    thresholds, worth = Thresholds(Budget(), measured(), 3), min(pictures, worth)
    known, unknown = thresholds.threshold(faces, pictures, worth=worth), thresholds.threshold(faces, pictures)
    assert known is None or unknown is None or known <= unknown
    assert thresholds.threshold(faces, pictures, worth=pictures) == unknown


def test_a_covered_template_counts_for_what_either_tail_says_at_most() -> None:
    plain = tail({"all": line(5)})
    assert Thresholds(Budget(), measured(), 3, plain).worth(5, 0.97) == 2
    assert Thresholds(Budget(), measured(), 3, plain).worth(5, 0.97, covered=True) == 5
    assert Thresholds(Budget(), measured(), 3, measured()).worth(5, 0.97, covered=True) == 2
    assert Thresholds(Budget(), measured(), 3).worth(5, 0.97, covered=True) == 5


@pytest.mark.parametrize("likeness", [1.0, 0.9, 0.7])
def test_the_length_is_that_of_the_mean_of_the_frames(likeness: float) -> None:
    # Three frames whose pairs have the cosine c have a mean of length sqrt((1 + 2 c) / 3).
    collection = Collection(3)
    for index, frame in enumerate(_three(likeness)):
        collection.add(index, frame)
    assert collection.length == pytest.approx((1 + 2 * likeness) ** 0.5 / 3**0.5, abs=0.02)


# ---- at a door


def door(house: House) -> House:
    """The vault anew, with thresholds from a tail that knows lengths."""
    house.thresholds = Thresholds(Budget(), measured(), FRAMES)
    house.restart()
    house.connect()
    return house


def enrolled(house: House, slot: int, likeness: float) -> FaceRecord:
    """`slot` enrols with frames that have about that cosine with each other; what is kept of it."""
    grant, window = house.begin(slot), house.window()
    for index, frame in enumerate(_three(likeness, slot)):
        house.sample(frame, index, window)
    house.close_window()
    house.confirm(slot)
    assert house.result(grant) is Result.DONE
    record = house.vault.faces.record(slot)
    assert record is not None
    return record


def worths(house: House) -> dict[int, int]:
    """For how many different pictures each face that is awake counts."""
    gallery = house.vault.faces.gallery()
    assert set(gallery.kinds) == set(house.vault.faces.awake.kinds) == set(house.vault.faces.kinds())
    return {slot: gallery.kinds[at].worth for slot, at in zip(gallery.slots, gallery.kind_of, strict=True)}


def test_a_sitting_of_alike_frames_is_kept_as_worth_two_pictures_and_one_of_different_frames_as_all(
    house: House,
) -> None:
    door(house)
    alike, different = enrolled(house, 11, 0.95), enrolled(house, 12, 0.6)
    assert (alike.frames, alike.worth) == (3, 2)
    assert (different.frames, different.worth) == (3, 3)


def test_each_is_compared_by_what_their_own_template_counts_also_after_a_restart(house: House) -> None:
    door(house)
    enrolled(house, 11, 0.95)
    assert worths(house) == {11: 2}
    enrolled(house, 12, 0.6)
    for _ in range(2):
        assert worths(house) == {11: 2, 12: 3}
        assert [kind.worth for kind in house.vault.faces.only(11).kinds] == [2]
        house.restart()
        house.connect()


def test_a_face_from_before_this_was_measured_is_compared_as_before(house: House) -> None:
    door(house)
    kept = enrolled(house, 11, 0.95)
    faces = house.vault.faces
    faces._put(11, replace(kept, worth=0), house.terms.hash)  # as an older door wrote it
    assert worths(house) == {11: kept.frames}
    assert [kind.worth for kind in faces.only(11).kinds] == [kept.frames]


def test_somebody_just_between_both_thresholds_is_let_in_by_alike_frames_alone(house: House) -> None:
    """The seeded fault is a vault that takes no notice of the worth, or counts every template as two."""
    door(house)
    strict = house.thresholds.threshold(1, 3)
    mild = house.thresholds.threshold(1, 3, worth=2)
    assert strict is not None
    assert mild is not None
    assert mild < strict
    for likeness, known in ((0.95, 11), (0.6, None)):
        enrolled(house, 11, likeness)
        probe = at_cosine(house.template(11), (mild + strict) / 2)
        assert house.recognised(probe) == known
        house.vault.faces.erase(11)


def _three(likeness: float, seed: int = 0) -> list[Vector]:
    base = at_cosine(BO, 0.3, seed=50 + seed)
    return [at_cosine(base, likeness**0.5, seed=900 + 10 * seed + index) for index in range(3)]


@pytest.mark.parametrize(("pictures", "length"), [(1, 0.9), (2, 0.9), (3, 0.86), (4, 0.83), (9, 0.81), (10, None)])
def test_how_long_a_mean_is_follows_from_as_many_pictures_or_the_next_more(pictures: int, length: float | None) -> None:
    assert measured().length(pictures) == length
    assert tail({"all": line(5)}).length(pictures) is None
