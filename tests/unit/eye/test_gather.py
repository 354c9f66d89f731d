"""How frames become one answer, on made-up embeddings and times."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.eye import gather as module
from device.eye.gather import (
    FRESH_NS,
    GATHER_NS,
    HINT_EVERY_NS,
    SAME_HINT_EVERY_NS,
    SAME_PERSON,
    Hints,
    Recognition,
)
from device.eye.runtime import Floats
from device.wire import Hint

MS = 1_000_000


def someone(seed: int, wobble: int = 0) -> Floats:
    """A unit vector for a person; `wobble` another frame of the same person (cosine about 0.9)."""
    vector = np.random.default_rng(seed).normal(0, 1, 128)
    if wobble:
        vector += np.random.default_rng(1000 + wobble).normal(0, 0.45, 128)
    return (vector / np.linalg.norm(vector)).astype(np.float32)


def test_three_good_frames_are_averaged_into_one_unit_vector() -> None:
    gather = Recognition(3)
    frames = [someone(1, wobble) for wobble in (1, 2, 3)]
    for number, frame in enumerate(frames):
        assert gather.due(number * MS) is None
        gather.offer(frame, number * MS)
    mean = gather.due(3 * MS)
    assert mean is not None
    assert (mean.frames, mean.frame_ns) == (3, 0)
    total = np.sum(frames, axis=0)
    assert np.allclose(mean.embedding, total / np.linalg.norm(total), atol=1e-6)
    assert np.linalg.norm(mean.embedding) == pytest.approx(1, abs=1e-6)


def test_one_approach_gives_one_probe() -> None:
    gather = Recognition(1)
    gather.offer(someone(1), 0)
    assert gather.due(0) is not None
    gather.offer(someone(1), 1)
    assert gather.due(GATHER_NS * 9) is None
    assert gather.done


def test_one_good_frame_waits_for_others_but_not_for_ever() -> None:
    gather = Recognition(3)
    gather.offer(someone(1), 100 * MS)
    assert gather.due(100 * MS + GATHER_NS - 1) is None
    mean = gather.due(100 * MS + GATHER_NS)
    assert mean is not None
    assert mean.frames == 1


def test_without_a_good_frame_nothing_is_ever_due() -> None:
    assert Recognition(1).due(10**15) is None


def test_two_people_are_never_averaged() -> None:
    gather = Recognition(2)
    gather.offer(someone(1), 0)
    gather.offer(someone(2), 100 * MS)
    assert gather.due(100 * MS) is None  # begun anew: one frame of the second person
    gather.offer(someone(2, 1), 200 * MS)
    mean = gather.due(200 * MS)
    assert mean is not None
    assert (mean.frames, mean.frame_ns) == (2, 100 * MS)
    assert float(mean.embedding @ someone(2)) > 0.9
    assert abs(float(mean.embedding @ someone(1))) < SAME_PERSON


def test_averaging_without_the_restart_would_mix_people() -> None:
    """The fault this guards against: what the mean would be if a disagreeing frame were simply added."""
    mixed = someone(1) + someone(2)
    mixed /= np.linalg.norm(mixed)
    assert float(mixed @ someone(1)) > SAME_PERSON
    assert float(mixed @ someone(2)) > SAME_PERSON


@given(st.lists(st.tuples(st.integers(1, 3), st.integers(0, 5)), min_size=1, max_size=20), st.integers(1, 3))
def test_a_mean_always_belongs_to_one_person(script: list[tuple[int, int]], frames: int) -> None:
    gather = Recognition(frames)
    for number, (person, wobble) in enumerate(script):
        gather.offer(someone(person, wobble), number * MS)
        mean = gather.due(number * MS)
        if mean is not None:
            likeness = [float(mean.embedding @ someone(p)) for p in (1, 2, 3)]
            assert sorted(likeness)[1] < SAME_PERSON
            assert likeness[person - 1] > 0.8
            assert 1 <= mean.frames <= frames
            return


def slow_frames(gather: Recognition, looks_ms: list[int]) -> list[int]:
    """How old the oldest frame of each answer is, one frame after the other, each looked at for so long."""
    now_ns, ages = 0, []
    for look_ms in looks_ms:
        frame_ns, now_ns = now_ns, now_ns + look_ms * MS
        gather.offer(someone(1), frame_ns)
        mean = gather.due(now_ns)
        if mean is not None:
            ages.append(now_ns - mean.frame_ns)
    return ages


def test_frame_that_grew_too_old_while_others_were_looked_at_is_not_in_the_mean() -> None:
    gather = Recognition(3)
    assert slow_frames(gather, [100, 3000]) == []
    assert slow_frames(gather, [100, 100, 100]) == [300 * MS]


@given(st.lists(st.integers(1, 5000), max_size=12), st.integers(1, 3))
def test_whatever_looking_takes_an_answer_is_fresh_when_it_is_given(looks_ms: list[int], frames: int) -> None:
    assert all(age <= FRESH_NS for age in slow_frames(Recognition(frames), looks_ms))


def test_gathering_that_keeps_old_frames_is_seen_by_these_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FRESH_NS", 10**15)
    assert slow_frames(Recognition(3), [100, 3000]) == [3100 * MS]


def test_hints_come_at_a_pace_a_person_can_follow() -> None:
    hints = Hints()
    shown = [at for at in range(0, 10_000, 66) if hints.let_through(Hint.NOBODY, at * MS)]
    assert all(b - a >= SAME_HINT_EVERY_NS // MS for a, b in pairwise(shown))
    flicker = (Hint.COME_CLOSER, Hint.STEP_BACK)
    hints = Hints()
    shown = [n * 66 for n in range(150) if hints.let_through(flicker[n % 2], n * 66 * MS)]
    assert len(shown) > 2
    assert all(b - a >= HINT_EVERY_NS // MS for a, b in pairwise(shown))
