"""The very moment in which a rhythm is over: from it on a hint is played, and nothing has to be put out any more."""

from __future__ import annotations

import math

import pytest

from device.lock.osdp_rhythm import FLASH_EVERY_S, Light, Rhythm, Tone, beats_of
from device.lock.state import Signal
from device.wire import Hint

UNLOCK_MS = 4000


def playing(signal: Signal) -> tuple[Rhythm, float]:
    """A reader that began `signal` at 0, and when the last pause of it is over."""
    rhythm = Rhythm(UNLOCK_MS)
    rhythm.ask(signal, None, 0.0)
    assert rhythm.due(0.0)
    return rhythm, sum(run.length_s for run in beats_of(signal, None, UNLOCK_MS))


@pytest.mark.parametrize("signal", [Signal.REFUSED, Signal.OPENED, Signal.WAIT])
def test_a_hint_plays_from_the_moment_in_which_all_is_over(signal: Signal) -> None:
    rhythm, over_s = playing(signal)
    assert not rhythm.ask(Signal.LOOK, Hint.TOO_DARK, math.nextafter(over_s, 0.0))
    assert rhythm.ask(Signal.LOOK, Hint.TOO_DARK, over_s)


@pytest.mark.parametrize("signal", [Signal.REFUSED, Signal.OPENED, Signal.WAIT])
def test_a_light_is_put_out_if_it_still_flashes_and_not_if_it_is_dark(signal: Signal) -> None:
    for before, cut in ((True, True), (False, False)):
        rhythm, over_s = playing(signal)
        now_s = math.nextafter(over_s, 0.0) if before else over_s
        rhythm.ask(Signal.NOTED, None, now_s)
        assert (Light(None) in rhythm.due(now_s + FLASH_EVERY_S)) is cut


def test_a_light_that_was_cut_off_twice_at_once_is_put_out() -> None:
    rhythm, _ = playing(Signal.OPENED)
    rhythm.ask(Signal.KEY, None, 0.5)
    rhythm.ask(Signal.WAIT, None, 0.5)
    assert Light(None) in rhythm.due(0.5)


def test_a_tone_alone_keeps_no_light_waiting() -> None:
    """Three keys in a row: what counts is when the first of them flashed, the second has only been heard."""
    rhythm = Rhythm(UNLOCK_MS)
    for at_s, lights in ((0.0, 1), (0.1, 1), (0.2, 0)):
        rhythm.ask(Signal.KEY, None, at_s)
        due = rhythm.due(at_s)
        assert len([told for told in due if isinstance(told, Tone)]) == 1
        assert len([told for told in due if isinstance(told, Light)]) == lights, "its own, the end of it, nothing"
    assert rhythm.due(math.nextafter(FLASH_EVERY_S, 0.0)) == []
    (light,) = rhythm.due(FLASH_EVERY_S)
    assert isinstance(light, Light)
    assert light.beats
