"""The first thing a buzzer and a light are asked for, two things in one turn, and a loop that comes late."""

from __future__ import annotations

import pytest

from device.lock.patterns import FLASH_EVERY_MS, pattern_of
from device.lock.player import Player
from device.lock.state import Signal
from device.wire import Hint

UNLOCK_MS = 4000
NOW_S = 100.0


def rises(player: Player, until_s: float) -> list[float]:
    """When the light goes on, asked every millisecond from NOW_S."""
    found, was = [], False
    for ms in range(round((until_s - NOW_S) * 1000)):
        _, lit = player.levels(NOW_S + ms / 1000)
        if lit and not was:
            found.append(NOW_S + ms / 1000)
        was = lit
    return found


def test_a_door_at_which_nobody_was_has_nothing_due() -> None:
    assert Player(UNLOCK_MS).due_s() is None


def test_the_very_first_flash_keeps_its_distance_to_the_next_signals() -> None:
    player = Player(UNLOCK_MS)
    player.ask(Signal.KEY, None)
    assert player.levels(NOW_S) == (True, True)
    player.ask(Signal.OPENED, None)
    player.levels(NOW_S + 0.125)
    (first,) = rises(player, NOW_S + 1)
    assert first >= NOW_S + FLASH_EVERY_MS / 1000 - 0.001


@pytest.mark.parametrize("before", [Signal.KEY, Signal.WAIT, Signal.REFUSED])
def test_of_two_signals_in_one_turn_the_second_is_played(before: Signal) -> None:
    player = Player(UNLOCK_MS)
    player.ask(before, None)
    player.ask(Signal.OPENED, None)
    opened_s = pattern_of(Signal.OPENED, None, UNLOCK_MS).tone_ms[0] / 1000
    assert player.levels(NOW_S) == (True, True)
    assert player.due_s() == NOW_S + opened_s


def test_a_hint_in_the_same_turn_as_a_signal_is_dropped() -> None:
    player = Player(UNLOCK_MS)
    player.ask(Signal.OPENED, None)
    player.ask(Signal.LOOK, Hint.TOO_DARK)
    player.levels(NOW_S)
    assert player.due_s() == NOW_S + pattern_of(Signal.OPENED, None, UNLOCK_MS).tone_ms[0] / 1000


def late(player: Player) -> float:
    """*Refused*, of which the second flash began almost when it should have ended; when it did."""
    player.ask(Signal.REFUSED, None)
    assert player.levels(NOW_S)[1]
    assert not player.levels(NOW_S + 0.2)[1]
    second_s = NOW_S + 2 * FLASH_EVERY_MS / 1000 - 0.235
    assert player.levels(second_s)[1]
    assert not player.levels(second_s + 0.02)[1]
    return second_s


def test_a_flash_that_came_late_moves_the_next_one() -> None:
    player = Player(UNLOCK_MS)
    free_s = late(player) + FLASH_EVERY_MS / 1000
    third_s = NOW_S + 2 * FLASH_EVERY_MS / 1000
    assert third_s < free_s
    assert not player.levels(third_s)[1], "it would be the second within a third of a second"
    assert player.due_s() == pytest.approx(free_s), "and the loop is woken for it"
    assert player.levels(free_s)[1]
