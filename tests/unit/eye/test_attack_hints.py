"""Frames that repeat are seen, whatever repeats; frames of a sensor, however still, are not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.eye.attack import hints
from device.eye.attack.hints import EVERY_ROW, Repeats
from device.eye.pixels import Picture

HEIGHT, WIDTH = 128, 160  # a main plane has more: what never repeats here does not there
FRAMES = 45  # of the longest challenge and the looking before it, at 30 a second


def noisy(number: int, levels: float = 1.5) -> Picture:
    """A still scene, smooth and so between levels nearly everywhere, with the noise of frame `number`."""
    scene = np.linspace(30, 150, WIDTH)[None, :, None]
    noise = levels * np.random.default_rng(number).standard_normal((HEIGHT, WIDTH, 3))
    return np.clip(np.rint(scene + noise), 0, 255).astype(np.uint8)


def fresh(seen: list[Picture]) -> list[bool]:
    repeats = Repeats()
    return [repeats.again(frame) for frame in seen]


@pytest.mark.parametrize("levels", [0.1, 0.5, 2.0])
def test_a_still_scene_before_a_sensor_never_repeats(levels: float) -> None:
    """A tenth of a level is less than any sensor's noise: what a pixel shows mostly stays, and the frame does not."""
    assert not any(fresh([noisy(number, levels) for number in range(FRAMES)]))


def test_a_stream_that_stands_still_is_seen_at_its_second_frame() -> None:
    assert fresh([noisy(1)] * 3) == [False, True, True]


@given(st.integers(1, 12), st.integers(1, 3), st.integers(0, 11))
def test_a_film_that_begins_anew_is_seen_wherever_it_was_entered(length: int, held: int, entered: int) -> None:
    film = [np.full((2 * EVERY_ROW, 40, 3), 100 + number, np.uint8) for number in range(length)]
    played = [film[(entered + tick // held) % length] for tick in range(length * held + 1)]
    assert any(fresh(played))
    assert not any(fresh(film))


def test_a_film_played_faster_than_it_was_taken_is_seen() -> None:
    """24 pictures a second at 30: every fifth frame is there twice."""
    film = [noisy(number) for number in range(24)]
    assert fresh([film[tick * 24 // 30] for tick in range(10)]).count(True) == 2


def test_one_frame_stepped_in_between_does_not_hide_a_repeat() -> None:
    assert fresh([noisy(1), noisy(2), noisy(1)]) == [False, False, True]


@pytest.mark.parametrize("value", [0, 255])
def test_what_holds_no_noise_says_nothing(value: int) -> None:
    blind = np.full((HEIGHT, WIDTH, 3), value, np.uint8)
    assert not any(fresh([blind, blind]))
    blind[: HEIGHT // 4] = noisy(1)[: HEIGHT // 4]  # somebody with a torch in the dark
    assert fresh([blind, blind]) == [False, True]


def test_another_challenge_begins_with_nothing() -> None:
    repeats = Repeats()
    assert not repeats.again(noisy(1))
    repeats.begin()
    assert not repeats._seen
    assert not repeats.again(noisy(1))


def test_a_frame_leaves_a_number_and_nothing_of_the_picture() -> None:
    repeats = Repeats()
    repeats.again(noisy(1))
    assert [type(mark) for mark in repeats._seen] == [int]
    assert max(abs(mark) for mark in repeats._seen) < 1 << 64


def test_fault_a_hint_that_compares_with_the_frame_before_alone_misses_a_film(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What the tests of films are there to catch."""

    class Short(Repeats):
        def again(self, main: Picture) -> bool:
            seen = super().again(main)
            self._seen = {hash(main[::EVERY_ROW].tobytes())}
            return seen

    monkeypatch.setattr(hints, "Repeats", Short)
    short = hints.Repeats()
    assert not any(short.again(frame) for frame in [noisy(1), noisy(2), noisy(1)])
    assert fresh([noisy(1), noisy(2), noisy(1)])[-1]
