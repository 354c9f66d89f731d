"""The rhythms of a door in OSDP's words: the same ones, and no flash too soon after another."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.lock import osdp_rhythm
from device.lock.osdp_commands import ASK_STATUS, DARK, able, command_of
from device.lock.osdp_rhythm import UNIT_S, Beats, Colour, Light, Rhythm, Tone, beats_of
from device.lock.patterns import FLASH_EVERY_MS, LONGEST_MS, OPENED_MS, pattern_of
from device.lock.state import Signal
from device.wire import Hint

UNLOCK_MS = 4000
ASKED = [(signal, None) for signal in Signal] + [(Signal.LOOK, hint) for hint in Hint]


def spelt(beats: tuple[Beats, ...]) -> str:
    return "".join(("." if run.on == 1 else "-" if run.on == 3 else "=") * run.count for run in beats)


def flashes(asked: list[tuple[float, Signal]]) -> list[float]:
    """When the light goes on, if somebody asks for this, in steps of the worker's."""
    rhythm = Rhythm(UNLOCK_MS)
    began: list[float] = []
    for step in range(round((asked[-1][0] + 4) * 100)):
        now_s = step / 100
        for at_s, signal in asked:
            if round(at_s * 100) == step:
                rhythm.ask(signal, None, now_s)
        for told in rhythm.due(now_s):
            if isinstance(told, Light):
                began = [flash for flash in began if flash <= now_s]
                every = (told.beats.on + told.beats.off) * UNIT_S if told.beats else 0
                began += [now_s + every * beat for beat in range(told.beats.count if told.beats else 0)]
    return began


@pytest.mark.parametrize(("signal", "hint"), ASKED)
def test_a_rhythm_has_the_beats_of_its_pattern(signal: Signal, hint: Hint | None) -> None:
    pattern = pattern_of(signal, hint, UNLOCK_MS).tone_ms[::2]
    expected = "".join("." if beat < 200 else "-" if beat < 1000 else "=" for beat in pattern)
    assert spelt(beats_of(signal, hint, UNLOCK_MS)) == expected


def test_no_two_rhythms_are_alike_but_the_click() -> None:
    spelled = [spelt(beats_of(signal, hint, UNLOCK_MS)) for signal, hint in ASKED]
    assert len(set(spelled)) == len(spelled)


@pytest.mark.parametrize(("signal", "hint"), ASKED)
def test_a_rhythm_is_over_before_the_shortest_window_ends(signal: Signal, hint: Hint | None) -> None:
    assert sum(beats.length_s for beats in beats_of(signal, hint, UNLOCK_MS)) * 1000 <= LONGEST_MS


def test_opened_does_not_outlast_the_opening() -> None:
    assert beats_of(Signal.OPENED, None, 500) == (Beats(1, 5, 2),)
    assert beats_of(Signal.OPENED, None, UNLOCK_MS) == (Beats(1, OPENED_MS // 100, 2),)


def test_green_is_an_open_door_and_nothing_else_and_refused_is_red() -> None:
    for signal, hint in ASKED:
        rhythm = Rhythm(UNLOCK_MS)
        rhythm.ask(signal, hint, 0)
        colours = {told.colour for told in rhythm.due(100) if isinstance(told, Light)}
        expected = {Signal.OPENED: Colour.GREEN, Signal.REFUSED: Colour.RED}.get(signal, Colour.AMBER)
        assert colours == {expected}


def test_tone_and_light_get_the_same_beats() -> None:
    for signal, hint in ASKED:
        rhythm = Rhythm(UNLOCK_MS)
        rhythm.ask(signal, hint, 0)
        due = rhythm.due(100)
        assert [told.beats for told in due if isinstance(told, Tone)] == [
            told.beats for told in due if isinstance(told, Light)
        ]


@given(st.lists(st.tuples(st.floats(0, 2), st.sampled_from(list(Signal))), min_size=1, max_size=8))
def test_no_flash_comes_too_soon_after_another(asked: list[tuple[float, Signal]]) -> None:
    began = flashes(sorted(asked, key=lambda item: item[0]))
    for first, second in itertools.pairwise(began):
        assert second - first >= FLASH_EVERY_MS / 1000 - 1e-6


def test_a_light_that_waits_for_nobody_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seeded fault: no distance from one signal to the next."""
    asked = [(0.0, Signal.WAIT), (0.41, Signal.REFUSED)]
    kept = flashes(asked)
    monkeypatch.setattr(osdp_rhythm, "FLASH_EVERY_S", 0.0)
    faulty = flashes(asked)
    assert min(b - a for a, b in itertools.pairwise(kept)) >= FLASH_EVERY_MS / 1000
    assert min(b - a for a, b in itertools.pairwise(faulty)) < FLASH_EVERY_MS / 1000


def test_a_new_signal_cuts_the_old_one_off_at_once() -> None:
    rhythm = Rhythm(UNLOCK_MS)
    rhythm.ask(Signal.REFUSED, None, 0)
    rhythm.due(0)
    rhythm.ask(Signal.OPENED, None, 0.3)
    assert rhythm.due(0.3) == [Tone(Beats(1, 15, 2)), Light(None)]
    assert Light(Beats(1, 15, 2), Colour.GREEN) in rhythm.due(2)


def test_a_hint_cuts_off_nothing() -> None:
    rhythm = Rhythm(UNLOCK_MS)
    rhythm.ask(Signal.REFUSED, None, 0)
    assert not rhythm.ask(Signal.LOOK, Hint.TOO_DARK, 0.1)
    assert spelt(tuple(told.beats for told in rhythm.due(9) if isinstance(told, Tone))) == "..."
    assert rhythm.ask(Signal.LOOK, Hint.TOO_DARK, 9)
    assert rhythm.due(9)


def test_a_light_that_cannot_end_by_itself_is_not_lit() -> None:
    led, buzzer = DARK["command"], command_of(Tone(Beats(1, 1, 1)))["command"]
    for grade, expected in ((0, False), (1, False), (2, True), (4, True)):
        grades = dict.fromkeys(range(20), grade)
        assert able(led, grades.__getitem__) == expected
        assert able(buzzer, grades.__getitem__) == expected
    assert able(ASK_STATUS["command"], dict.fromkeys(range(20), 0).__getitem__)


@given(st.sampled_from(ASKED), st.integers(500, 15000))
def test_every_number_fits_its_byte(asked: tuple[Signal, Hint | None], unlock_ms: int) -> None:
    rhythm = Rhythm(unlock_ms)
    rhythm.ask(*asked, 0)
    for told in rhythm.due(100):
        assert all(0 <= number < 256 for number in command_of(told).values())
