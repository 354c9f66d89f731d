"""What somebody waits for comes first: the strike before whatever else follows, the question before its tone."""

from __future__ import annotations

import pytest

from device.edges import Room
from device.lock import machine
from device.lock.state import Effect, Event, Release, Rules, Send, Show, Signal, State
from tests.unit.lock.support import FRESH, NOW, RULES, Stepper, events, may_open, states

STATES = {name: state for name, state in states().items() if state.up and not state.door_open}
Found = dict[str, tuple[Effect, ...]]


def openings(step: Stepper) -> Found:
    """The effects of whatever may open, in every state that can be."""
    found: Found = {}
    for name, state in STATES.items():
        for label, event in events().items():
            if may_open(state, event, RULES):
                found[f"{label} in {name}"] = step(state, event, NOW, FRESH, RULES)[1]
    return found


def late(found: Found) -> list[str]:
    """Where something else is done before the strike lets go."""
    return [name for name, effects in found.items() if not isinstance(effects[0], Release)]


def test_the_strike_lets_go_before_anything_else_is_done() -> None:
    found = openings(machine.step)
    assert len(found) > 100
    assert late(found) == []


def test_a_machine_that_closes_the_camera_first_is_noticed() -> None:
    def slow(state: State, event: Event, now_ns: int, fresh: bytes, rules: Rules) -> machine.Step:
        after, effects = machine.step(state, event, now_ns, fresh, rules)
        return after, tuple(sorted(effects, key=lambda effect: isinstance(effect, Release)))

    assert late(openings(slow))


@pytest.mark.parametrize(
    ("label", "name", "asked"),
    [
        ("key #", "closed typing secured shut 5up few", Room.KEEPER),
        ("card came", "closed no-check secured shut 5up few", Room.KEEPER),
        ("face button", "closed flat secured shut 5up few", Room.VAULT),
    ],
)
def test_who_decides_is_asked_before_anybody_hears_that_they_have_to_wait(label: str, name: str, asked: Room) -> None:
    effects = machine.step(STATES[name], events()[label], NOW, FRESH, RULES)[1]
    assert [effect.room for effect in effects[:1] if isinstance(effect, Send)] == [asked]
    assert effects[1:] == (Show(Signal.WAIT),)
