"""Each template has a threshold of its own: whoever counts for more is asked for more, and nobody else is."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from device import wire
from device.edges import Room
from device.manifest import Job, load
from device.paths import models_dir
from device.vault import tail as tail_file
from device.vault.budget import APPROACHES_PER_WINDOW, Budget, Thresholds
from device.vault.gallery import Gallery, gallery_of
from device.vault.record import Averaged, Vector
from device.vault.rotation import Rotation
from tests.unit.vault.house import House
from tests.unit.vault.tails import line, tail
from tests.unit.vault.test_worth import door, enrolled, measured
from tests.unit.vault.values import FRAMES, at_cosine, unit

ANNA, BO = unit(1), unit(2)
ALIKE, DIFFERENT = Averaged(5, 2), Averaged(5, 5)
ROTATION = Rotation.of(b"s" * 32)
THRESHOLDS = Thresholds(Budget(), measured(), FRAMES)
Compare = Callable[[Gallery, Vector], int | None]


def two(likeness: float = 0.0) -> tuple[Gallery, Vector, Vector]:
    """Slot 1 counts for two pictures and slot 2 for five; their templates have the cosine `likeness`."""
    other = at_cosine(ANNA, likeness)
    turned = {slot: ROTATION.apply(face) for slot, face in ((1, ANNA), (2, other))}
    return gallery_of(turned, ROTATION, {1: ALIKE, 2: DIFFERENT}), ANNA, other


def heights_of(gallery: Gallery) -> tuple[float, ...]:
    found = THRESHOLDS.heights(gallery.kinds, len(gallery))
    assert found is not None
    return found


def by_their_own(gallery: Gallery, probe: Vector) -> int | None:
    return gallery.compare(probe, *heights_of(gallery))


def by_the_highest(gallery: Gallery, probe: Vector) -> int | None:
    """The seeded fault, and how it was: one threshold for all, of whoever counts most."""
    return gallery.compare(probe, *[max(heights_of(gallery))] * len(gallery.kinds))


def by_the_lowest(gallery: Gallery, probe: Vector) -> int | None:
    """The seeded fault: one threshold for all, of whoever counts least."""
    return gallery.compare(probe, *[min(heights_of(gallery))] * len(gallery.kinds))


def by_whoever_is_left(gallery: Gallery, probe: Vector) -> int | None:
    """The seeded fault: the best of those who reach their own threshold, whoever was more alike."""
    scores = gallery.templates @ gallery.rotation.apply(probe)
    reached = scores >= np.array(heights_of(gallery))[list(gallery.kind_of)]
    return gallery.slots[int(np.where(reached, scores, -1.0).argmax())] if reached.any() else None


def just_between(gallery: Gallery) -> float:
    return sum(heights_of(gallery)) / 2


def each_by_their_own(compare: Compare) -> None:
    gallery, anna, bo = two()
    low, high = heights_of(gallery)
    assert low < high
    assert compare(gallery, at_cosine(anna, just_between(gallery), 7)) == 1, "one sitting: the lower threshold"
    assert compare(gallery, at_cosine(bo, just_between(gallery), 7)) is None, "several days: the higher one"
    assert compare(gallery, at_cosine(bo, high + 0.01, 7)) == 2
    assert compare(gallery, at_cosine(anna, low - 0.01, 7)) is None


def nobody_is_taken_for_a_neighbour(compare: Compare) -> None:
    """A resident who just misses their own threshold while a neighbour's lower one is reached."""
    gallery, anna, bo = two(0.995)
    low, high = heights_of(gallery)
    probe = at_cosine(bo, high - 0.002, 7)
    assert high > probe @ bo > probe @ anna > low, "nearer to Bo, below Bo's threshold, above Anna's"
    assert compare(gallery, probe) is None


def test_each_is_compared_under_their_own_threshold() -> None:
    each_by_their_own(by_their_own)


def test_whoever_misses_their_own_threshold_is_nobody_though_a_neighbour_reached_theirs() -> None:
    nobody_is_taken_for_a_neighbour(by_their_own)


@pytest.mark.parametrize(
    ("fault", "story"),
    [
        (by_the_highest, each_by_their_own),
        (by_the_lowest, each_by_their_own),
        (by_the_lowest, nobody_is_taken_for_a_neighbour),
        (by_whoever_is_left, nobody_is_taken_for_a_neighbour),
    ],
)
def test_a_gallery_that_compares_otherwise_is_seen(fault: Compare, story: Callable[[Compare], None]) -> None:
    with pytest.raises(AssertionError):
        story(fault)


def test_the_promise_is_the_sum_over_all_templates() -> None:
    """With strangers whose one-picture scores fall as the tail says, and each mean adding its own shift."""
    kinds = (ALIKE, Averaged(5, 3), DIFFERENT, Averaged(10, 3))
    budget, made = Budget(), measured()
    heights = Thresholds(budget, made, FRAMES).heights(kinds, len(kinds))
    assert heights is not None
    rates = []
    for kind, height in zip(kinds, heights, strict=True):
        shift = made.shift(kind.worth, FRAMES)
        assert shift is not None
        (upper,) = [cell for _, cell in made.cells]
        rates.append(upper[round((height - shift - made.first) / made.step)])
    a_year = budget.strangers_per_day * 365 * APPROACHES_PER_WINDOW * sum(rates)
    assert a_year <= budget.false_opens_per_year * (1 + 1e-9)


def test_where_one_of_them_has_no_threshold_a_press_is_enough_for_nobody() -> None:
    known, beyond = THRESHOLDS.heights((ALIKE,), 2), THRESHOLDS.heights((ALIKE, Averaged(20, 20)), 2)
    assert known is not None
    assert beyond is None
    assert THRESHOLDS.heights((), 0) == ()


def test_that_a_neighbour_came_twice_costs_no_house_the_press() -> None:
    """With the tail that is shipped, a house of six would have had to type flat numbers for it."""
    shipped = Thresholds(Budget(), tail_file.load(models_dir(), load(models_dir()).for_job(Job.EMBED).sha256), 3)
    enough = []
    for faces in range(1, 9):
        once, twice = Averaged(5, 2), [Averaged(5, worth, 2) for worth in (3, 5, 9)]
        heights = shipped.heights((once, *twice), faces)
        assert (heights is not None) is (shipped.heights((once,), faces) is not None)
        if heights:
            enough.append(faces)
            assert list(heights) == sorted(set(heights)), "and whoever counts for more is compared more strictly"
    assert enough == [1, 2, 3, 4, 5, 6]
    assert shipped.heights((Averaged(5, 3),), 6) is None, "as for one sitting that counts for three"
    assert shipped.heights((Averaged(5, 15, 3),), 1) is None, "beyond what was measured"


def test_at_a_door_one_who_counts_for_more_raises_nobody_else_s_threshold(house: House) -> None:
    door(house)
    enrolled(house, 11, 0.95)
    enrolled(house, 12, 0.6)
    low, high = (house.thresholds.threshold(2, 3, worth=worth) for worth in (2, 3))
    assert low is not None
    assert high is not None
    between = (low + high) / 2
    assert house.recognised(at_cosine(house.template(11), between)) == 11
    assert house.recognised(at_cosine(house.template(12), between)) is None
    assert house.recognised(at_cosine(house.template(12), high + 0.01)) == 12
    alone = house.thresholds.threshold(1, 3, worth=3)
    assert alone is not None
    claimed = house.probe(at_cosine(house.template(12), (alone + high) / 2), claim=12)
    assert claimed.slot == 12, "with a claim one face is compared, under its own threshold for one"


def test_a_claim_helps_whoever_has_a_threshold_and_is_worth_no_look_for_another(house: House) -> None:
    """A template of more pictures than were measured is told from nobody; its neighbour's still is, by a claim."""
    house.enrol(11, ANNA)
    house.vault.enrolments.enrol_frames = 10
    grant = house.begin(12)
    window = house.window()
    for index in range(10):
        house.sample(at_cosine(BO, 0.95, seed=100 + index), index, window)
    house.close_window()
    house.confirm(12)
    assert house.result(grant) is wire.Result.DONE
    short = tail({"all": line(6)}, 0.06)  # measured anew, after they were enrolled: today's door would keep none such
    house.vault.recogniser.thresholds = Thresholds(Budget(), short, FRAMES)
    house.disconnect(Room.LOCK)
    house.connect(Room.LOCK)
    assert house.ready() == (False, False)
    assert house.claim_first()
    assert (house.claims(11), house.claims(12)) == (True, False)
    assert house.probe(ANNA, claim=11).slot == 11
    assert house.probe(BO, claim=12).slot == wire.NOBODY
    assert house.recognised(ANNA) is None
