"""Which good frames become samples of an enrolment, on made-up embeddings and times."""

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.eye import series as module
from device.eye.runtime import Floats
from device.eye.series import COVERED_NS, PATIENCE_NS, SAMPLE_EVERY_NS, STILL, VARIED, Enrolment
from device.wire import Hint

MS = 1_000_000
WINDOW_NS = 10_000 * MS
FRAME_NS = 66 * MS
Answers = list[tuple[int, int | Hint | None]]


def view(likeness: float, number: int) -> Floats:
    """View `number` of one person: the cosine of two views is `likeness` squared."""
    vector = np.zeros(128, np.float32)
    vector[0], vector[1 + number % 100] = likeness, np.sqrt(1 - likeness**2)
    return vector


def turning(number: int) -> Floats:
    """Another view each time: cosine 0.81."""
    return view(0.9, number)


def swaying(number: int) -> Floats:
    """Somebody who cannot turn: cosine 0.99."""
    return view(0.995, number)


def frozen(_: int) -> Floats:
    """The same pixels again and again."""
    return view(0.9, 0)


def shown(
    series: Enrolment, of: Callable[[int], Floats], *, seconds: float = 10.0, covered_s: float = 0.0, every_ns: int = 0
) -> Answers:
    """What a camera's frames were answered, and when; covered for the first `covered_s`."""
    every_ns = every_ns or FRAME_NS
    times = range(0, int(seconds * 1000) * MS, every_ns)
    return [(at, series.offer(of(n), at, covered=at < covered_s * 1000 * MS)) for n, at in enumerate(times)]


def taken(answers: Answers) -> list[int]:
    """When samples were taken; their numbers count from 0."""
    samples = [(at, answer) for at, answer in answers if answer is not None and not isinstance(answer, Hint)]
    assert [number for _, number in samples] == list(range(len(samples)))
    return [at for at, _ in samples]


def hints(answers: Answers) -> set[Hint]:
    return {answer for _, answer in answers if isinstance(answer, Hint)}


def test_who_turns_gives_numbered_samples_as_fast_as_they_are_spread() -> None:
    series = Enrolment(5, WINDOW_NS)
    answers = shown(series, turning)
    times = taken(answers)
    assert len(times) == 5
    assert all(SAMPLE_EVERY_NS <= b - a <= SAMPLE_EVERY_NS + FRAME_NS for a, b in pairwise(times))
    assert series.done
    assert hints(answers) == set()


@pytest.mark.parametrize("frames", [3, 5, 9])
@pytest.mark.parametrize("window_s", [2.0, 4.0, 10.0])
def test_who_cannot_turn_is_asked_to_and_then_taken_as_they_are(frames: int, window_s: float) -> None:
    if SAMPLE_EVERY_NS * frames > window_s * 1000 * MS:
        pytest.skip("no window holds so many samples")
    series = Enrolment(frames, int(window_s * 1000) * MS)
    answers = shown(series, swaying, seconds=window_s)
    times = taken(answers)
    assert len(times) == frames
    assert all(b - a <= PATIENCE_NS + FRAME_NS for a, b in pairwise(times))
    assert hints(answers) <= {Hint.TURN_A_LITTLE}
    if window_s == 10.0:  # in the shortest windows there is no time to ask
        assert hints(answers) == {Hint.TURN_A_LITTLE}


def test_who_arrives_late_and_cannot_turn_still_ends_within_the_window() -> None:
    series = Enrolment(5, WINDOW_NS)
    late_ns = 6_000 * MS
    answers = [(at, series.offer(swaying(n), at)) for n, at in enumerate(range(late_ns, WINDOW_NS, FRAME_NS))]
    assert len(taken(answers)) == 5


@given(st.integers(3, 9), st.integers(1, 600), st.floats(0, 60))
def test_a_frozen_picture_is_one_sample_however_long_it_is_shown(frames: int, every_ms: int, seconds: float) -> None:
    series = Enrolment(frames, WINDOW_NS)
    answers = shown(series, frozen, seconds=min(seconds, every_ms), every_ns=every_ms * MS)
    assert len(taken(answers)) <= 1
    assert hints(answers) <= {Hint.TURN_A_LITTLE}


def test_the_check_sees_an_eye_that_takes_anything_once_its_patience_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "STILL", 2.0)
    assert len(taken(shown(Enrolment(5, WINDOW_NS), frozen))) == 5


def test_early_samples_differ_from_every_one_before_and_not_only_from_the_last() -> None:
    series = Enrolment(3, WINDOW_NS)
    to_and_fro = shown(series, lambda number: turning(number // 7 % 2), seconds=1.8)
    assert len(taken(to_and_fro)) == 2
    assert hints(to_and_fro) == {Hint.TURN_A_LITTLE}


def test_a_folder_of_two_portraits_is_enough_for_a_short_enrolment() -> None:
    every_ns = int(1000 * MS / 2.4)
    for frames, window_s in ((3, 3.0), (5, 10.0), (6, 10.0)):
        series = Enrolment(frames, int(window_s * 1000) * MS)
        answers = shown(series, lambda number: turning(number % 2), seconds=window_s, every_ns=every_ns)
        assert len(taken(answers)) == frames


@given(st.lists(st.tuples(st.integers(0, 400), st.integers(0, 5), st.booleans()), max_size=120), st.integers(3, 9))
def test_whatever_is_shown_samples_are_spread_and_each_differs_from_the_one_before(
    script: list[tuple[int, int, bool]], frames: int
) -> None:
    series, now_ns = Enrolment(frames, WINDOW_NS), 0
    sent: list[tuple[int, Floats]] = []
    for wait_ms, which, covered in script:
        now_ns += wait_ms * MS
        embedding = view(0.97, which)
        answer = series.offer(embedding, now_ns, covered=covered)
        if answer is not None and not isinstance(answer, Hint):
            assert answer == len(sent)
            sent.append((now_ns, embedding))
    assert len(sent) <= frames
    assert series.done == (len(sent) == frames)
    for (before_ns, before), (after_ns, after) in pairwise(sent):
        assert after_ns - before_ns >= SAMPLE_EVERY_NS
        assert float(before @ after) <= STILL
        if after_ns - before_ns < PATIENCE_NS and after_ns < WINDOW_NS // 2 and frames <= 3:
            assert float(before @ after) <= VARIED


def test_a_covered_face_is_asked_to_uncover_and_taken_when_it_does() -> None:
    series = Enrolment(5, WINDOW_NS)
    answers = shown(series, turning, covered_s=1.0)
    assert {answer for at, answer in answers if at < 1000 * MS} == {Hint.UNCOVER_YOUR_FACE}
    times = taken(answers)
    assert len(times) == 5
    assert 1000 * MS <= times[0] <= 1000 * MS + FRAME_NS


@pytest.mark.parametrize("of", [turning, swaying])
@pytest.mark.parametrize("window_s", [4.0, 10.0])
def test_who_keeps_it_covered_is_sent_as_they_are_after_a_while(of: Callable[[int], Floats], window_s: float) -> None:
    series = Enrolment(5, int(window_s * 1000) * MS)
    answers = shown(series, of, seconds=window_s, covered_s=window_s)
    times = taken(answers)
    assert len(times) == 5
    assert 0 < times[0] <= COVERED_NS + FRAME_NS
    assert Hint.UNCOVER_YOUR_FACE in hints(answers)


def test_who_enrols_covered_is_asked_to_cover_it_and_taken_when_they_do() -> None:
    series = Enrolment(5, WINDOW_NS, covered=True)
    times = [n * FRAME_NS for n in range(300)]
    answers = [(at, series.offer(turning(n), at, covered=at >= 1000 * MS)) for n, at in enumerate(times)]
    assert {answer for at, answer in answers if at < 1000 * MS} == {Hint.COVER_YOUR_FACE}
    assert len(taken(answers)) == 5
    assert taken(answers)[0] >= 1000 * MS


def test_a_covered_frozen_picture_is_one_sample_too() -> None:
    assert len(taken(shown(Enrolment(5, WINDOW_NS), frozen, seconds=30.0, covered_s=30.0))) == 1


def test_embeddings_of_a_series_are_never_shown_in_a_traceback_or_log() -> None:
    series = Enrolment(5, WINDOW_NS)
    series.offer(turning(1), 0)
    assert "0.9" not in repr(series)
