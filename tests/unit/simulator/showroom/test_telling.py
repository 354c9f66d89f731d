"""What happens has words, and the words follow from the hardware."""

from __future__ import annotations

import dataclasses

import pytest

from device.lock.bolt import Wiring
from device.lock.state import Signal
from device.wire import Hint
from tools.simulator.showroom import telling, view
from tools.simulator.showroom.view import View
from tools.simulator.world import World

IDLE = View(power=True, granted=False, processes=(("lock", "up"), ("eye", "up")))
SILENT = {Signal.KEY, Signal.WAIT, Signal.LOOK}


def test_every_signal_and_every_hint_has_words() -> None:
    assert set(telling.SIGNALS) == set(Signal)
    for signal in Signal:
        assert bool(telling.of_signal(signal.name)) == (signal not in SILENT), signal
    for hint in Hint:
        assert telling.of_signal(f"LOOK {hint.name}").startswith("The door asks: "), hint


def test_nothing_new_says_nothing() -> None:
    assert list(telling.changes(IDLE, IDLE)) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"lamp": True}, "The window is open: the lamp burns."),
        ({"granted": True}, "The bolt lets go."),
        ({"leaf_open": True}, "The door swings open."),
        ({"processes": (("lock", "up"), ("eye", "down"))}, "The process eye is down."),
        ({"power": False}, "No power: everything is dark, and the bolt holds."),
        ({"power": False, "granted": True}, "No power: this lock is fail-safe and lets go"),
    ],
)
def test_each_change_is_told(change: dict[str, object], words: str) -> None:
    now = dataclasses.replace(IDLE, **change)  # type: ignore[arg-type]  # fields by name
    told = list(telling.changes(IDLE, now))
    assert len(told) == 1
    assert told[0].startswith(words)
    assert len(list(telling.changes(now, IDLE))) == 1, "and so is its end"


def test_a_drawn_code_is_told_once_it_leaves_rest() -> None:
    rest = dataclasses.replace(IDLE, lights=telling.RESTING, lamp=True)
    drawn = dataclasses.replace(rest, lights=(3, 1))
    assert list(telling.changes(rest, drawn)) == [telling.DRAWN]
    assert list(telling.changes(drawn, dataclasses.replace(rest, lights=(1, 3)))) == []
    assert telling.DRAWN not in list(telling.changes(rest, IDLE)), "lights that go out play nothing"


def test_without_power_the_wiring_says_what_the_bolt_does() -> None:
    assert not view.without_power(Wiring.FAIL_SECURE).granted
    assert view.without_power(Wiring.FAIL_SAFE).granted


def test_new_tones_are_those_since_the_last_look_even_when_the_hardware_forgot_old_ones() -> None:
    world = World()
    for _ in range(1500):
        world.told("show KEY", 0)
    before = dataclasses.replace(IDLE, signals=world.signals_made)
    world.told("show WAIT", 0)
    world.told("show OPENED", 0)
    now = dataclasses.replace(IDLE, signals=world.signals_made)
    assert view.new_signals(before, now, list(world.signals)) == ["WAIT", "OPENED"]
    assert view.new_signals(now, now, list(world.signals)) == []
    booted = dataclasses.replace(IDLE, signals=1)
    assert view.new_signals(now, booted, ["REFUSED"]) == ["REFUSED"], "a door that was booted counts anew"
