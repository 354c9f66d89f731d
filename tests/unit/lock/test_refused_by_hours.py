"""A right face or PIN at a wrong hour: what it closes, what it leaves alone, and whose word counts for nothing."""

from __future__ import annotations

from dataclasses import replace

from device import wire
from device.edges import Room
from device.lock import machine
from device.lock.state import Asked, Came, Check, Effect, Lamp, Release, Send, Show, Signal, State, Tell, Window
from device.wire import LookMode, OccurrenceKind, Outcome
from tests.unit.lock.support import ALL_UP, FACE_NONCE, FRESH, NOW, PIN_NONCE, RULES, S, verdict, with_rules

SLOT = 12
BARRED = with_rules(barred=frozenset({SLOT}))
LOOKING = State(
    up=ALL_UP,
    recognise_ready=True,
    window=Window(LookMode.RECOGNISE, FACE_NONCE, NOW + S, 1),
    asked=(Asked(FACE_NONCE, Room.VAULT, NOW),),
)
BESIDE = replace(
    LOOKING,
    check=Check(PIN_NONCE, NOW + S, opens=True),
    asked=(*LOOKING.asked, Asked(PIN_NONCE, Room.KEEPER, NOW)),
)


def released(effects: tuple[Effect, ...]) -> bool:
    return any(isinstance(each, Release) for each in effects)


def test_a_face_whose_hours_are_not_now_closes_the_camera_and_opens_nothing() -> None:
    face = Came(Room.VAULT, verdict(FACE_NONCE, slot=SLOT))
    assert released(machine.step(LOOKING, face, NOW, FRESH, RULES)[1])
    state, effects = machine.step(LOOKING, face, NOW, FRESH, BARRED)
    assert not released(effects)
    assert state.window is None
    assert effects == (
        Send(Room.EYE, wire.Close()),
        Send(Room.VAULT, wire.Close()),
        Show(Signal.REFUSED),
        Lamp(on=False),
    )


def test_a_pin_whose_hours_are_not_now_is_refused_and_leaves_a_window_open_as_a_wrong_one_does() -> None:
    right = Came(Room.KEEPER, verdict(PIN_NONCE, slot=SLOT))
    wrong = Came(Room.KEEPER, verdict(PIN_NONCE, outcome=Outcome.REFUSED, slot=wire.NOBODY))
    assert released(machine.step(BESIDE, right, NOW, FRESH, RULES)[1])
    barred, effects = machine.step(BESIDE, right, NOW, FRESH, BARRED)
    assert barred.window == BESIDE.window
    assert effects == (Show(Signal.REFUSED),)
    assert (barred, effects) == machine.step(BESIDE, wrong, NOW, FRESH, BARRED)


def test_what_keeper_says_about_a_face_costs_nobody_a_look() -> None:
    """The permit table refuses it first; the machine alone does, too."""
    for outcome in Outcome:
        state, effects = machine.step(
            LOOKING, Came(Room.KEEPER, verdict(FACE_NONCE, outcome=outcome)), NOW, FRESH, RULES
        )
        assert state.window == LOOKING.window
        assert effects == ()


def test_a_call_for_help_that_nobody_asked_for_is_none() -> None:
    """Likewise."""
    duress = Came(Room.KEEPER, verdict(PIN_NONCE, outcome=Outcome.DURESS))
    help_ = Tell(OccurrenceKind.DURESS)
    assert help_ in machine.step(BESIDE, duress, NOW, FRESH, RULES)[1]
    state, effects = machine.step(replace(BESIDE, asked=()), duress, NOW, FRESH, RULES)
    assert help_ not in effects
    assert not state.help_owed
    assert not released(effects)
