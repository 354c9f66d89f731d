"""012 at the keypad: it arms the page and earns a sitting where there is one; it opens nothing and disturbs nobody."""

from __future__ import annotations

from dataclasses import replace

import pytest

from device import wire
from device.edges import Room
from device.lock import machine
from device.lock.keypad import KEY_TIMEOUT_NS, Entry
from device.lock.state import Came, FaceButton, Key, PeerDown, Release, Rules, Send, Show, Signal, State, Tell
from device.wire import Ending, OccurrenceKind, Outcome, Purpose
from tests.unit.lock.support import FRESH, NOW, World, connected, states, with_rules

PAGE = with_rules(page=True)
ARMED = Send(Room.DESK, wire.PageArmed())
ROW = "012#12#482913#739105#"


def door(rules: Rules = PAGE) -> World:
    return connected(World(rules=rules))


def types(world: World, keys: str) -> list[object]:
    """Press them; everything lock did."""
    return [effect for key in keys for effect in world.send(Key(key))]


def answered(world: World, outcome: Outcome) -> tuple[object, ...]:
    """Keeper's answer to what was asked last, and everything lock did then."""
    assert world.state.check
    return world.send(Came(Room.KEEPER, wire.Answer(world.state.check.nonce, outcome)))


def test_012_arms_the_page_at_once_and_says_so() -> None:
    world = door()
    assert types(world, "012#")[-2:] == [ARMED, Show(Signal.NOTED)]
    assert not [effect for effect in world.effects if isinstance(effect, Release)]
    assert world.state.check is None, "nobody is asked for a PIN"


def test_flat_pin_and_code_go_to_keeper_as_a_proof_for_the_page_and_to_nobody_else() -> None:
    world = door()
    did = types(world, ROW)
    asked = [effect for effect in did if isinstance(effect, Send)]
    assert asked[0] == ARMED
    assert len(asked) == 2
    assert asked[1].room is Room.KEEPER
    question = asked[1].msg
    assert isinstance(question, wire.ProvePin)
    assert (question.purpose, question.claim, question.digits, question.page_code) == (
        Purpose.PAGE,
        12,
        "482913",
        739_105,
    )


@pytest.mark.parametrize(
    ("outcome", "signal"),
    [(Outcome.ACCEPTED, Signal.NOTED), (Outcome.DURESS, Signal.NOTED), (Outcome.REFUSED, Signal.REFUSED)],
)
def test_the_answer_is_noted_or_no_and_under_duress_help_is_called_as_elsewhere(
    outcome: Outcome, signal: Signal
) -> None:
    world = door()
    types(world, ROW)
    did = answered(world, outcome)
    assert did[0] == Show(signal)
    assert did[1:] == ((Tell(OccurrenceKind.DURESS),) if outcome is Outcome.DURESS else ())


def test_no_verdict_to_the_question_for_the_page_opens() -> None:
    world = door()
    types(world, ROW)
    assert world.state.check
    verdict = wire.Verdict(world.state.check.nonce, world.now_ns, Outcome.ACCEPTED, 12)
    assert not [effect for effect in world.send(Came(Room.KEEPER, verdict)) if isinstance(effect, Release)]
    assert not world.released


def without_desk() -> World:
    world = door()
    world.send(PeerDown(Room.DESK))
    return world


@pytest.mark.parametrize(
    "world",
    [door(with_rules(page=False)), without_desk(), door(replace(PAGE, ending=Ending.RETIRED))],
    ids=["no page", "no desk", "ended"],
)
def test_where_there_is_no_page_to_arm_012_is_a_no_and_leaves_nothing_behind(world: World) -> None:
    did = types(world, "012#")
    assert did[-1] == Show(Signal.REFUSED)
    assert ARMED not in did
    assert world.state.entry is None
    did = types(world, "12#482913#")
    assert [type(effect.msg) for effect in did if isinstance(effect, Send)] == [wire.CheckPin]


def test_an_armed_page_is_forgotten_by_the_keypad_without_a_no_but_half_a_row_is_not() -> None:
    world = door()
    types(world, "012#")
    world.effects.clear()
    world.passes(KEY_TIMEOUT_NS + 2)
    assert world.effects == []
    assert world.state.entry is None
    types(world, "012#12#")
    world.effects.clear()
    world.passes(KEY_TIMEOUT_NS + 2)
    assert world.effects == [Show(Signal.REFUSED)]


def test_another_command_typed_right_after_is_that_command_and_012_again_arms_again() -> None:
    world = door()
    did = types(world, "012#02#12#482913#")
    question = did[-2]  # the tone comes after it
    assert isinstance(question, Send)
    assert isinstance(question.msg, wire.ProvePin)
    assert question.msg.purpose is Purpose.ERASE
    answered(world, Outcome.REFUSED)
    assert types(world, "012#012#").count(ARMED) == 2


def test_the_page_opens_no_camera_and_a_press_is_a_press() -> None:
    world = door()
    types(world, "012#")
    assert not world.looking
    world.send(FaceButton())
    assert world.looking
    assert world.state.window
    assert world.state.window.claim == wire.NOBODY, "012 is no flat"


def test_in_every_state_012_does_nothing_but_arm() -> None:
    """The last key of it, in each state of the matrix with the keys before it typed."""
    armed = 0
    for name, state in states().items():
        before: State = replace(state, entry=Entry("012", NOW - 1)) if state.check is None else state
        after, effects = machine.step(before, Key("#"), NOW, FRESH, PAGE)
        assert not any(isinstance(effect, Release) for effect in effects), name
        assert (after.granted_until_ns, after.window, after.inquiry, after.asked) == (
            before.granted_until_ns,
            before.window,
            before.inquiry,
            before.asked,
        ), name
        sent = [effect for effect in effects if isinstance(effect, Send)]
        wanted = before.check is None and Room.DESK in before.up
        assert sent == ([ARMED] if wanted else []), name
        armed += wanted
    assert armed > 100
