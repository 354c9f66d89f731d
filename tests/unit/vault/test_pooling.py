"""Joining sittings: exactly the mean of all their frames, of one person, and never looser than what was measured."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.vault import pooling, record
from device.vault.budget import Budget, Thresholds
from device.vault.enrolment import Collection
from device.vault.pooling import LIKENESS, LIKENESS_COVERED, MOST_SITTINGS, Mean
from device.vault.record import CONSENT_BYTES, FaceRecord, Vector, unit_vector
from device.vault.tail import Tail
from device.wire import Result
from tests.unit.vault.tails import line, tail
from tests.unit.vault.test_worth import LENGTHS, measured
from tests.unit.vault.values import at_cosine, unit

THRESHOLDS = Thresholds(Budget(), measured(), 3)
ANNA = unit(1)
seeds = st.integers(0, 2**16)


def frames_of(person: Vector, day: int, count: int = 5, likeness: float = 0.75) -> list[Vector]:
    """A sitting: the person as they look on `day`, and each frame a little different."""
    looks = at_cosine(person, likeness, seed=1000 + day)
    return [at_cosine(looks, 0.97, seed=5000 + 100 * day + index) for index in range(count)]


def mean_of(frames: list[Vector]) -> Mean:
    """As an enrolment makes it."""
    collection = Collection(len(frames))
    for index, frame in enumerate(frames):
        collection.add(index, frame)
    template = collection.template()
    assert template is not None
    direction = unit_vector(template)
    assert direction is not None
    return Mean(direction, len(frames), collection.length)


def kept_of(mean: Mean, thresholds: Thresholds = THRESHOLDS, *, covered: bool = False) -> FaceRecord:
    """The record of a first sitting."""
    worth = thresholds.worth(mean.frames, mean.length, covered=covered)
    template, length = record.to_bytes(mean.unit), record.length_kept(mean.length)
    consent = bytes(CONSENT_BYTES)
    face = FaceRecord(template, b"rotation", mean.frames, consent, b"t" * 16, 1, worth=worth, length=length)
    return replace(face, covered=covered)


def joined(kept: FaceRecord, frames: list[Vector], thresholds: Thresholds = THRESHOLDS) -> FaceRecord:
    face = pooling.joined(kept, mean_of(frames), thresholds)
    assert isinstance(face, FaceRecord)
    return face


@given(st.lists(st.integers(2, 9), min_size=2, max_size=3), seeds)
def test_it_is_the_mean_of_all_frames_of_all_sittings(counts: list[int], seed: int) -> None:
    person = unit(seed)
    sittings = [frames_of(person, day, count, 0.9) for day, count in enumerate(counts)]
    face = kept_of(mean_of(sittings[0]))
    for sitting in sittings[1:]:
        face = joined(face, sitting)
        # Through the bytes of the record, as after a restart.
        face = record.parse(record.pack(replace(face, consent=bytes(CONSENT_BYTES))))
    everything = np.stack([frame for sitting in sittings for frame in sitting]).astype(np.float64)
    mean = everything.mean(axis=0)
    length = float(np.linalg.norm(mean))
    assert record.vector_of(face) == pytest.approx(mean / length, abs=2e-5)
    assert face.mean_length == pytest.approx(length, abs=2e-5)
    assert (face.frames, face.sittings) == (sum(counts), len(counts))
    assert face.worth == THRESHOLDS.worth(face.frames, length) or abs(length - 0.9) < 1e-4


def test_a_second_sitting_of_another_day_counts_for_more_and_one_like_the_first_does_not() -> None:
    first = kept_of(mean_of(frames_of(ANNA, 1)))
    another_day, at_once = joined(first, frames_of(ANNA, 2)), joined(first, frames_of(ANNA, 1))
    assert (first.worth, at_once.worth) == (2, 2)
    assert another_day.worth > 2
    assert another_day.length < at_once.length


@pytest.mark.parametrize(("cosine", "taken"), [(LIKENESS + 0.01, True), (LIKENESS - 0.01, False), (-0.5, False)])
def test_only_a_sitting_that_is_alike_is_joined(cosine: float, taken: bool) -> None:
    kept = kept_of(Mean(ANNA, 5, 0.97))
    found = pooling.joined(kept, Mean(at_cosine(ANNA, cosine), 5, 0.97), THRESHOLDS)
    assert isinstance(found, FaceRecord) is taken
    assert taken or found is Result.UNLIKE


def test_a_sitting_that_is_no_number_is_not_joined() -> None:
    broken = np.full(128, np.nan, dtype=np.float32)
    assert pooling.joined(kept_of(Mean(ANNA, 5, 0.97)), Mean(broken, 5, 0.97), THRESHOLDS) is Result.UNLIKE


def test_a_whole_that_is_more_varied_than_what_was_measured_is_not_made() -> None:
    """It would count for ten pictures, and no threshold is known for ten: the face would open nothing any more."""
    kept = kept_of(Mean(ANNA, 5, 0.8))
    assert pooling.why_not(kept, 5, THRESHOLDS) is None
    other = Mean(at_cosine(ANNA, 0.55), 5, 0.8)
    whole = Mean(ANNA, 5, 0.8).joined(other)
    assert whole.length < min(LENGTHS.values())
    assert pooling.joined(kept, other, THRESHOLDS) is Result.UNLIKE


def test_a_fourth_sitting_is_one_too_many() -> None:
    face = kept_of(mean_of(frames_of(ANNA, 1, likeness=0.9)))
    for day in range(2, MOST_SITTINGS + 1):
        assert pooling.why_not(face, 5, THRESHOLDS) is None
        face = joined(face, frames_of(ANNA, day, likeness=0.9))
    assert pooling.why_not(face, 5, THRESHOLDS) is Result.ENOUGH_SITTINGS
    assert pooling.joined(face, mean_of(frames_of(ANNA, 9)), THRESHOLDS) is Result.ENOUGH_SITTINGS


def test_where_no_lengths_were_measured_nothing_is_joined() -> None:
    """Ten frames would count for ten pictures, and older records would have no length at all."""
    thresholds = Thresholds(Budget(), tail({"all": line(6)}), 3)
    kept = kept_of(Mean(ANNA, 5, 0.97), thresholds)
    for face in (kept, replace(kept, length=0)):
        assert pooling.why_not(face, 5, thresholds) is Result.NO_FACE
        assert pooling.joined(face, Mean(ANNA, 5, 0.97), thresholds) is Result.NO_FACE


def varied() -> Tail:
    """A tail of covered faces, whose means are longer than those of as many bare ones."""
    made = measured(0.1)
    longer = tuple(replace(mode, length=mode.length + 0.03) for mode in made.averaging)
    return replace(made, averaging=longer)


BOTH = Thresholds(Budget(), measured(), 3, varied())


@pytest.mark.parametrize("covered", [False, True])
def test_covered_and_bare_are_never_joined_however_alike(covered: bool) -> None:
    kept = kept_of(Mean(ANNA, 5, 0.97), BOTH, covered=covered)
    assert pooling.joined(kept, Mean(ANNA, 5, 0.97), BOTH, covered=not covered) is Result.COVERED_OTHERWISE
    assert isinstance(pooling.joined(kept, Mean(ANNA, 5, 0.97), BOTH, covered=covered), FaceRecord)


@pytest.mark.parametrize(
    ("cosine", "taken"), [(LIKENESS_COVERED + 0.01, True), (LIKENESS_COVERED - 0.01, False), (LIKENESS + 0.01, False)]
)
def test_a_covered_sitting_has_to_be_more_alike_than_a_bare_one(cosine: float, taken: bool) -> None:
    sitting = Mean(at_cosine(ANNA, cosine), 5, 0.97)
    covered, bare = (kept_of(Mean(ANNA, 5, 0.97), BOTH, covered=kind) for kind in (True, False))
    found = pooling.joined(covered, sitting, BOTH, covered=True)
    assert isinstance(found, FaceRecord) is taken
    assert taken or found is Result.UNLIKE
    assert isinstance(pooling.joined(bare, sitting, BOTH), FaceRecord), "a bare one as before"


def test_a_covered_whole_counts_for_what_either_tail_says_at_most() -> None:
    sitting = Mean(at_cosine(ANNA, 0.7), 5, 0.95)
    covered, bare = (
        pooling.joined(kept_of(Mean(ANNA, 5, 0.95), BOTH, covered=kind), sitting, BOTH, covered=kind)
        for kind in (True, False)
    )
    assert isinstance(covered, FaceRecord)
    assert isinstance(bare, FaceRecord)
    assert covered.mean_length == bare.mean_length == pytest.approx(0.876, abs=1e-3)
    assert (bare.worth, covered.worth) == (3, 5)


def test_a_covered_whole_that_the_covered_tail_has_no_threshold_for_is_not_made() -> None:
    """A tail of covered faces that ends before the ten frames of two sittings; that of bare ones would do."""
    short = replace(varied(), averaging=tuple(mode for mode in varied().averaging if mode.enrolled < 9))
    thresholds = Thresholds(Budget(), measured(), 3, short)
    far = Mean(at_cosine(ANNA, 0.66), 5, 0.94)
    kept = kept_of(Mean(ANNA, 5, 0.94), thresholds, covered=True)
    assert pooling.why_not(kept, 5, thresholds) is None
    assert pooling.joined(kept, far, thresholds, covered=True) is Result.UNLIKE
    assert isinstance(pooling.joined(kept, far, BOTH, covered=True), FaceRecord)


def test_where_covered_lengths_were_not_measured_nothing_is_joined_to_a_covered_face() -> None:
    thresholds = Thresholds(Budget(), measured(), 3, tail({"all": line(6)}))
    covered = kept_of(Mean(ANNA, 5, 0.97), thresholds, covered=True)
    for face in (covered, replace(covered, length=0)):
        assert pooling.why_not(face, 5, thresholds) is Result.NO_FACE
        assert pooling.joined(face, Mean(ANNA, 5, 0.97), thresholds, covered=True) is Result.NO_FACE
    assert pooling.why_not(kept_of(Mean(ANNA, 5, 0.97), thresholds), 5, thresholds) is None


def test_a_covered_record_without_a_length_is_taken_for_the_shorter_of_both() -> None:
    assert BOTH.length(3) == LENGTHS[3]
    assert BOTH.length(3, covered=True) == LENGTHS[3], "the bare one's is shorter here"
    turned = Thresholds(Budget(), varied(), 3, measured())
    assert turned.length(3, covered=True) == LENGTHS[3]
    assert Thresholds(Budget(), measured(), 3).length(3, covered=True) is None


@given(seeds, st.floats(0.83, 1.0), st.floats(0.55, 0.99), st.sampled_from((0, 2, 3, 5)))
def test_a_record_from_before_lengths_were_kept_never_comes_to_count_for_fewer_than_it_should(
    seed: int, length: float, cosine: float, worth: int
) -> None:
    known = replace(kept_of(Mean(unit(seed), 5, length)))
    if worth and THRESHOLDS.worth(5, length) != worth:
        return
    older = replace(known, length=0, worth=worth)
    sitting = Mean(at_cosine(unit(seed), cosine), 5, 0.96)
    told, guessed = (pooling.joined(face, sitting, THRESHOLDS) for face in (known, older))
    if isinstance(guessed, FaceRecord):
        assert isinstance(told, FaceRecord)
        assert guessed.worth >= told.worth
        assert float(record.vector_of(guessed) @ record.vector_of(told)) > 0.99


def test_joining_changes_nothing_else_of_the_record() -> None:
    kept = replace(kept_of(Mean(ANNA, 5, 0.97)), paused=True, under_14=True, ends_unix=5, enrolled_day=77)
    face = joined(kept, frames_of(ANNA, 2))
    same = {"template": kept.template, "frames": 5, "worth": kept.worth, "length": kept.length, "sittings": 1}
    assert replace(face, **same) == kept  # type: ignore[arg-type] # the fields that may differ


def test_a_pool_that_forgets_lengths_is_seen() -> None:
    """A varied sitting of nine frames and a steady one of three do not weigh as much as each other."""
    varied, steady = frames_of(ANNA, 1, 9, 0.9), frames_of(ANNA, 2, 3, 0.9)
    everything = np.stack([*varied, *steady]).astype(np.float64).mean(axis=0)
    right = mean_of(varied).joined(mean_of(steady))
    assert right.unit == pytest.approx(everything / np.linalg.norm(everything), abs=1e-5)
    forgetful = mean_of(varied).unit.astype(np.float64) + mean_of(steady).unit
    assert forgetful / np.linalg.norm(forgetful) != pytest.approx(right.unit, abs=1e-3)
