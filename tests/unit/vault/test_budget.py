"""The false-open budget: what the threshold follows from, that it never loosens, and that seeded faults are seen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device import manifest, wire
from device.manifest import Job
from device.paths import models_dir
from device.vault import tail as tail_file
from device.vault.budget import APPROACHES_PER_WINDOW, REFUSALS_ALLOWED, Budget, Thresholds
from device.vault.tail import Averaging, Rates, Tail
from tests.unit.vault.house import House
from tests.unit.vault.tails import STEPS, line, tail
from tests.unit.vault.values import at_cosine, unit

TWO_CELLS = {"steep": line(8, 0.01), "flat": line(5, 0.05)}
COMMITTED = tail_file.load(models_dir(), manifest.load(models_dir()).for_job(Job.EMBED).sha256)

budgets = st.builds(Budget, st.floats(0.001, 1), st.floats(5, 10_000))
galleries = st.integers(1, 10_000)
tries = st.integers(1, 20)
cells = st.dictionaries(
    st.text("abc", min_size=1, max_size=3), st.builds(line, st.floats(0, 9), st.floats(1e-4, 1)), min_size=1, max_size=8
)
tails = st.builds(tail, cells, st.floats(0, 0.2)) | st.just(COMMITTED)


def height(threshold: float | None) -> float:
    """Asking for a claim first is the highest threshold of all."""
    return 2.0 if threshold is None else threshold


# ---- the arithmetic


def test_four_residents_and_three_tries_leave_one_in_21900() -> None:
    assert Budget().false_match_rate(4) == pytest.approx(1 / 21_900)
    assert Budget().false_match_rate(1) == pytest.approx(1.826e-4, rel=1e-3)
    assert APPROACHES_PER_WINDOW == 3


def test_an_empty_gallery_is_no_division_by_nothing() -> None:
    assert Budget().false_match_rate(0) == Budget().false_match_rate(1)


@pytest.mark.slow
@given(budgets, galleries, tries, tails)
def test_the_threshold_keeps_the_budget_in_every_cell(budget: Budget, faces: int, goes: int, made: Tail) -> None:
    assert keeps_budget(budget, faces, goes, made)


def keeps_budget(budget: Budget, faces: int, goes: int, made: Tail) -> bool:
    """Whether the false opens of a year, counted in every cell, stay in the budget; written without vault's code."""
    threshold = Thresholds(budget, made, 3).threshold(faces, 5, goes)
    if threshold is None:
        return True
    for _, upper in made.cells:
        shift = max(mode.shift for mode in made.averaging if mode.enrolled <= 5 and mode.frames <= 3)
        place = int((threshold - shift - made.first) / made.step + 1e-6)
        yearly = budget.strangers_per_day * 365 * goes * faces * upper[place]
        if yearly > budget.false_opens_per_year * (1 + 1e-9):
            return False
    return True


# ---- it never loosens


@given(budgets, galleries, galleries, tries, tries, tails, st.integers(3, 9), st.integers(1, 3))
def test_more_residents_or_tries_never_lower_the_threshold(
    budget: Budget, few: int, more: int, once: int, often: int, made: Tail, pictures: int, frames: int
) -> None:
    thresholds = Thresholds(budget, made, frames)
    low = thresholds.threshold(min(few, more), pictures, min(once, often))
    assert height(low) <= height(thresholds.threshold(max(few, more), pictures, max(once, often)))


@given(budgets, budgets, galleries, tails)
def test_a_stricter_budget_never_lowers_the_threshold(one: Budget, other: Budget, faces: int, made: Tail) -> None:
    strict = Budget(
        min(one.false_opens_per_year, other.false_opens_per_year), max(one.strangers_per_day, other.strangers_per_day)
    )
    low = Thresholds(one, made, 3).threshold(faces, 5)
    assert height(low) <= height(Thresholds(strict, made, 3).threshold(faces, 5))


@given(budgets, galleries, tails, st.integers(1, 9), st.integers(1, 9), st.integers(1, 3), st.integers(1, 3))
def test_more_averaged_pictures_never_lower_a_threshold(
    budget: Budget, faces: int, made: Tail, one: int, other: int, single: int, several: int
) -> None:
    # With fewer pictures the right people may be refused too often: then there is no threshold to compare with.
    low = Thresholds(budget, made, min(single, several)).threshold(faces, min(one, other))
    high = Thresholds(budget, made, max(single, several)).threshold(faces, max(one, other))
    assert low is None or high is None or low <= high


@given(budgets, galleries, cells, st.floats(0, 0.1), st.builds(line, st.floats(0, 9)))
def test_another_group_never_lowers_the_threshold(
    budget: Budget, faces: int, known: dict[str, Rates], shift: float, new: Rates
) -> None:
    low = Thresholds(budget, tail(known, shift), 3).threshold(faces, 5)
    assert height(low) <= height(Thresholds(budget, tail({**known, "new": new}, shift), 3).threshold(faces, 5))


# ---- seeded faults


class PooledTail(Tail):
    """The seeded fault: all groups in one pot instead of the worst."""

    def threshold(self, rate: float) -> float | None:
        mixed = tuple(sum(rates) / len(rates) for rates in zip(*(upper for _, upper in self.cells), strict=True))
        return replace(Tail(*_fields(self)), cells=(("pool", mixed),)).threshold(rate)


class ForgetfulTail(Tail):
    """The seeded fault: averaging is not thought of."""

    def shift(self, enrolled: int, frames: int) -> float | None:
        return 0.0


def _fields(made: Tail) -> tuple[Any, ...]:
    return made.model_sha256, made.first, made.step, made.cells, made.averaging


@pytest.mark.parametrize("fault", [PooledTail, ForgetfulTail])
@pytest.mark.parametrize("made", [tail(TWO_CELLS), COMMITTED], ids=["made up", "committed"])
def test_a_pooled_tail_and_a_forgotten_shift_break_the_budget_and_are_seen(fault: type[Tail], made: Tail) -> None:
    galleries_tried = (1, 2, 3, 4)
    assert all(keeps_budget(Budget(), faces, 3, made) for faces in galleries_tried)
    broken = fault(*_fields(made))
    assert not all(keeps_budget(Budget(), faces, 3, broken) for faces in galleries_tried)


# ---- when a press is not enough


def test_where_the_measurement_ends_a_claim_is_asked_for() -> None:
    made = tail({"flat": (1e-3,) * STEPS})
    assert made.threshold(1e-3) == pytest.approx(0.4)
    assert made.threshold(0.9e-3) is None
    assert Thresholds(Budget(), made, 3).threshold(1, 5) is None


def test_more_pictures_than_were_measured_have_no_threshold() -> None:
    thresholds = Thresholds(Budget(), tail(TWO_CELLS), 3)
    assert thresholds.threshold(1, 9) is not None
    assert thresholds.threshold(1, 10) is None


def test_between_measured_modes_the_larger_shift_and_the_larger_refusal_count() -> None:
    made = tail(TWO_CELLS)
    assert made.shift(4, 3) == made.shift(5, 3)
    assert made.refused(4, 3, 0.7) == made.refused(3, 3, 0.7)
    assert made.refused(3, 3, 0.7) <= made.refused(3, 1, 0.7)


def test_a_shift_that_was_measured_smaller_for_more_pictures_is_not_believed() -> None:
    made = tail(TWO_CELLS)
    odd = tuple(replace(mode, shift=0.0) if mode.enrolled == 9 else mode for mode in made.averaging)
    assert replace(made, averaging=odd).shift(9, 3) == made.shift(5, 3)


def test_where_most_right_people_would_be_refused_a_claim_is_asked_for() -> None:
    nobody = tuple(0.0 for _ in range(STEPS))
    most = tuple(REFUSALS_ALLOWED + 0.01 for _ in range(STEPS))
    for refused, expected in ((nobody, True), (most, False)):
        made = replace(tail(TWO_CELLS), averaging=(Averaging(5, 3, 0.05, refused),))
        assert (Thresholds(Budget(), made, 3).threshold(1, 5) is not None) == expected


def test_lock_hears_that_faces_are_not_ready_once_there_are_too_many_and_that_they_are_again(
    house: House, capfd: pytest.CaptureFixture[str]
) -> None:
    room_for_two = tail({"some": line(3.2)}, shift=0.0)
    thresholds = Thresholds(Budget(), room_for_two, 3)
    assert thresholds.threshold(2, 3) is not None
    assert thresholds.threshold(3, 3) is None
    house.vault.recogniser.thresholds = thresholds
    house.enrol(11, unit(1))
    house.enrol(12, unit(2))
    assert house.ready() == (True, False)
    assert house.recognised(unit(1)) == 11
    capfd.readouterr()
    house.enrol(13, unit(3))
    assert house.ready() == (False, False)
    assert house.claim_first()
    assert [house.recognised(unit(seed)) for seed in (1, 2, 3)] == [None, None, None]
    said = capfd.readouterr().err
    assert said.count("ask for a claim first") == 1
    assert not any(digit in said for digit in "0123456789")
    house.act(wire.Pause, 13)
    assert house.ready() == (True, False)
    assert not house.claim_first()
    assert house.recognised(unit(1)) == 11


def test_every_awake_face_more_asks_a_probe_for_more(house: House) -> None:
    """A probe good enough for one resident's door is not good enough once a second face is awake."""
    thresholds = Thresholds(Budget(), tail({"some": line(6)}, shift=0.0), 3)
    house.vault.recogniser.thresholds = thresholds
    house.enrol(11, unit(1))
    template = house.template(11)
    alone, both = thresholds.threshold(1, 3), thresholds.threshold(2, 3)
    assert alone is not None
    assert both is not None
    probe = at_cosine(template, (alone + both) / 2)
    assert house.recognised(probe) == 11
    house.enrol(12, unit(2))
    assert house.recognised(probe) is None


# ---- the committed file


CHANGES: dict[str, Callable[[Tail], Tail]] = {
    "half the shift": lambda made: replace(
        made, averaging=tuple(replace(mode, shift=mode.shift / 2) for mode in made.averaging)
    ),
    "without the worst cell": lambda made: replace(
        made, cells=tuple(cell for cell in made.cells if not cell[0].startswith("asian"))
    ),
}


@pytest.mark.parametrize("how", CHANGES)
def test_the_committed_threshold_depends_on_the_worst_cell_and_on_the_shift(how: str) -> None:
    usual = Thresholds(Budget(), COMMITTED, 3).threshold(1, 5)
    changed = Thresholds(Budget(), CHANGES[how](COMMITTED), 3).threshold(1, 5)
    assert usual is not None
    assert changed is not None
    assert changed < usual


def test_the_committed_threshold_rises_from_one_resident_to_four_and_ends_there() -> None:
    found = [Thresholds(Budget(), COMMITTED, 3).threshold(faces, 5) for faces in (1, 2, 3, 4)]
    known = [threshold for threshold in found if threshold is not None]
    assert known == sorted(set(known))
    assert len(known) == 4
    assert Thresholds(Budget(), COMMITTED, 3).threshold(50, 5) is None


def test_no_child_and_no_mixed_cell_sets_the_threshold() -> None:
    assert len(COMMITTED.cells) == 8
    assert not [name for name, _ in COMMITTED.cells if name.startswith(("child", "other"))]
