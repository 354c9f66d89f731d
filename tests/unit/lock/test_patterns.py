"""What people hear and see: told apart without sight and without hearing, gentle, and over in time."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.lock import patterns
from device.lock.patterns import FLASH_EVERY_MS, LONGEST_MS, Pattern, pattern_of
from device.lock.player import Player
from device.lock.state import Signal
from device.wire import Hint

UNLOCK_MS = 4000
SHORTEST_UNLOCK_MS = 500  # the bound in device.config.tables
EVERYTHING: list[tuple[Signal, Hint | None]] = [(signal, None) for signal in Signal] + [
    (Signal.LOOK, hint) for hint in Hint
]
ALIKE_FACTOR = 1.5  # two beats whose lengths differ by less are taken for the same one


def of(signal: Signal, hint: Hint | None = None) -> Pattern:
    return pattern_of(signal, hint, UNLOCK_MS)


def confused(one: tuple[int, ...], other: tuple[int, ...]) -> bool:
    """Whether somebody who counts beats and compares their lengths would take one for the other."""
    if len(one) != len(other):
        return False
    return all(max(a, b) < ALIKE_FACTOR * min(a, b) for a, b in zip(one[::2], other[::2], strict=True))


def begins_with(track: tuple[int, ...], beginning: tuple[int, ...]) -> bool:
    return len(track) > len(beginning) and confused(track[: len(beginning)], beginning)


def mistaken(unlock_ms: int) -> list[object]:
    made = {(signal, hint): pattern_of(signal, hint, unlock_ms) for signal, hint in EVERYTHING}
    return [
        (one, other)
        for one, other in itertools.combinations(EVERYTHING, 2)
        if confused(made[one].tone_ms, made[other].tone_ms) or confused(made[one].light_ms, made[other].light_ms)
    ]


@pytest.mark.parametrize("what", EVERYTHING)
def test_every_signal_and_every_hint_has_a_tone_and_a_light(what: tuple[Signal, Hint | None]) -> None:
    pattern = of(*what)
    assert len(pattern.tone_ms) == len(pattern.light_ms)
    assert len(pattern.tone_ms) % 2 == 1, "ends with a beat, so that silence is silence"
    assert min(*pattern.tone_ms, *pattern.light_ms) > 0


@pytest.mark.parametrize("unlock_ms", [SHORTEST_UNLOCK_MS, UNLOCK_MS, 15000])
def test_any_two_are_told_apart_by_ear_alone_and_by_eye_alone(unlock_ms: int) -> None:
    assert mistaken(unlock_ms) == []


def test_two_that_are_the_same_are_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seeded fault: a signal with the rhythm of another."""
    monkeypatch.setitem(patterns._SIGNALS, Signal.DONE, patterns._SIGNALS[Signal.NOTED])
    assert mistaken(UNLOCK_MS) == [((Signal.NOTED, None), (Signal.DONE, None))]


@pytest.mark.parametrize("plain", [Signal.OPENED, Signal.REFUSED])
def test_nothing_that_is_cut_short_sounds_like_opened_or_refused(plain: Signal) -> None:
    for what in EVERYTHING:
        assert not begins_with(of(*what).tone_ms, of(plain).tone_ms), what
        assert not begins_with(of(*what).light_ms, of(plain).light_ms), what


def test_a_refusal_is_one_pattern_whatever_comes_with_it() -> None:
    assert len({of(Signal.REFUSED, hint) for hint in (None, *Hint)}) == 1
    assert len({pattern_of(Signal.REFUSED, None, unlock_ms) for unlock_ms in (500, 4000, 15000)}) == 1


def test_hints_belong_to_looking_alone() -> None:
    for signal in set(Signal) - {Signal.LOOK}:
        assert {of(signal, hint) for hint in Hint} == {of(signal)}


@pytest.mark.parametrize("what", EVERYTHING)
def test_a_pattern_is_over_before_the_next_act(what: tuple[Signal, Hint | None]) -> None:
    assert of(*what).length_ms <= LONGEST_MS
    assert pattern_of(Signal.OPENED, None, SHORTEST_UNLOCK_MS).length_ms <= SHORTEST_UNLOCK_MS
    assert sum(of(Signal.KEY).tone_ms) < 100, "somebody who knows their PIN types ten digits a second"


@pytest.mark.parametrize("what", EVERYTHING)
def test_no_pattern_flashes_more_than_three_times_a_second(what: tuple[Signal, Hint | None]) -> None:
    begins = list(itertools.accumulate(of(*what).light_ms, initial=0))[:-1:2]
    assert all(later - earlier >= FLASH_EVERY_MS for earlier, later in itertools.pairwise(begins))
    assert 1000 / FLASH_EVERY_MS < 3


# ---- played


def played(player: Player, asked: Sequence[tuple[float, Signal, Hint | None]], late_s: float = 0.0) -> list[float]:
    """The moments at which the light goes on, with a loop that comes `late_s` after each of the player's moments."""
    rises, lit, now = [], False, 0.0
    for at, signal, hint in [*asked, (asked[-1][0] + 10, None, None)]:
        while (due := player.due_s()) is not None and due + late_s < at:
            now = max(now, due + late_s)
            before, (_, lit) = lit, player.levels(now)
            if lit and not before:
                rises.append(now)
        now = max(now, at)
        if signal:
            player.ask(signal, hint)
    assert player.due_s() is None
    assert player.levels(now) == (False, False)
    return rises


def most_in_a_second(rises: list[float]) -> int:
    return max((sum(first <= rise < first + 1 for rise in rises) for first in rises), default=0)


asks = st.lists(st.tuples(st.floats(0, 0.6), st.sampled_from(EVERYTHING)), min_size=1, max_size=25).map(
    lambda steps: [(at, *what) for at, (_, what) in zip(itertools.accumulate(s for s, _ in steps), steps, strict=True)]
)


@given(asks, st.sampled_from([0.0, 0.0013, 0.05, 0.2, 0.33]))
def test_whatever_is_asked_for_the_light_flashes_at_most_three_times_a_second(
    asked: list[tuple[float, Signal, Hint | None]], late_s: float
) -> None:
    assert most_in_a_second(played(Player(UNLOCK_MS), asked, late_s)) <= 3


def test_a_player_without_the_bound_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seeded fault: quick fingers, and a light that follows them."""
    typed = [(at / 8, Signal.KEY, None) for at in range(1, 30)]
    assert most_in_a_second(played(Player(UNLOCK_MS), typed)) <= 3
    monkeypatch.setattr(Player, "_free_s", float("-inf"))
    assert most_in_a_second(played(Player(UNLOCK_MS), typed)) > 3


def levels_of(player: Player, begin_s: float, step_s: float = 0.01, steps: int = 250) -> list[tuple[bool, bool]]:
    return [player.levels(begin_s + step * step_s) for step in range(steps)]


def test_what_is_played_is_the_pattern() -> None:
    for what in EVERYTHING:
        player = Player(UNLOCK_MS)
        player.ask(*what)
        found = levels_of(player, 5.0, 0.001, 2100)
        for track, line in ((of(*what).tone_ms, 0), (of(*what).light_ms, 1)):
            runs = [len(list(run)) for _, run in itertools.groupby(levels[line] for levels in found)]
            assert runs[:-1] == pytest.approx(track, abs=1), what
        assert player.due_s() is None


def test_the_newest_signal_cuts_off_what_plays() -> None:
    alone, cut = Player(UNLOCK_MS), Player(UNLOCK_MS)
    alone.ask(Signal.REFUSED, None)
    cut.ask(Signal.OPENED, None)
    levels_of(cut, 1.0, steps=50)
    cut.ask(Signal.REFUSED, None)
    assert [tone for tone, _ in levels_of(cut, 1.5)] == [tone for tone, _ in levels_of(alone, 1.5)]


def test_a_hint_cuts_off_nothing_and_is_played_when_it_comes_again() -> None:
    alone, both = Player(UNLOCK_MS), Player(UNLOCK_MS)
    for player in (alone, both):
        player.ask(Signal.LOOK, None)
    expected = levels_of(alone, 1.0, steps=90)
    assert both.levels(1.0) == expected[0]
    both.ask(Signal.LOOK, Hint.TOO_DARK)
    assert levels_of(both, 1.0, steps=90) == expected
    both.ask(Signal.LOOK, Hint.TOO_DARK)
    assert both.levels(2.5) == (True, True)


def test_a_signal_is_not_lost_to_a_hint_that_came_in_the_same_moment() -> None:
    player, alone = Player(UNLOCK_MS), Player(UNLOCK_MS)
    player.ask(Signal.ENTER_PIN, None)
    player.ask(Signal.LOOK, Hint.HOLD_STILL)
    alone.ask(Signal.ENTER_PIN, None)
    assert levels_of(player, 1.0) == levels_of(alone, 1.0)
