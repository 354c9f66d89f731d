"""A buzzer and a light, to the moment: when one that was held back comes, and when something is over."""

from __future__ import annotations

import pytest

from device.lock.patterns import FLASH_EVERY_MS, pattern_of
from device.lock.player import Player
from device.lock.state import Signal
from device.lock.timed_bolt import thread_timer
from device.wire import Hint

UNLOCK_MS = 4000
NOW_S = 128.0
DARK_S = NOW_S + 0.125  # a key's light is over, and the next flash is not due


def after_a_key() -> Player:
    player = Player(UNLOCK_MS)
    player.ask(Signal.KEY, None)
    assert player.levels(NOW_S) == (True, True)
    assert player.levels(DARK_S) == (False, False)
    return player


def test_a_light_that_nobody_wants_is_not_waited_for() -> None:
    player = after_a_key()
    player.levels(DARK_S + 0.0625)
    assert player.due_s() is None


def test_a_light_that_is_held_back_is_due_when_it_may_come_and_not_before() -> None:
    player = after_a_key()
    player.ask(Signal.OPENED, None)
    player.levels(DARK_S)
    assert player.due_s() == NOW_S + FLASH_EVERY_MS / 1000


@pytest.mark.parametrize("moment", ["in its last beat", "at its end"])
def test_a_hint_is_dropped_until_the_last_beat_is_over_and_plays_from_then_on(moment: str) -> None:
    player = Player(UNLOCK_MS)
    player.ask(Signal.OPENED, None)
    player.levels(NOW_S)
    over_s = NOW_S + pattern_of(Signal.OPENED, None, UNLOCK_MS).tone_ms[0] / 1000
    at_s = over_s if moment == "at its end" else over_s - 0.5
    player.levels(at_s)
    player.ask(Signal.LOOK, Hint.TOO_DARK)
    player.levels(at_s)
    first_beat_s = pattern_of(Signal.LOOK, Hint.TOO_DARK, UNLOCK_MS).tone_ms[0] / 1000
    assert player.due_s() == (at_s + first_beat_s if moment == "at its end" else over_s)


def test_a_bolts_timer_keeps_no_process_alive() -> None:
    timer = thread_timer(60.0, lambda: None)
    assert getattr(timer, "daemon", False) is True
