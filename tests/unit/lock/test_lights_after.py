"""Lights after a motion challenge, whatever it asked and wherever it ended; and requests that the machine alone drops.

Found by mutants: with any of these wrong, a light challenge after a motion challenge was driven otherwise than its log
said, or never again in that window, and no test noticed.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from device import wire
from device.challenge import MS, OFF, REST, Lights
from device.edges import Room
from device.lock import lights, machine, prompts
from device.lock.state import Came, Event, FaceButton, Rules, State, Tick
from device.motion import LEAD_MS, LIGHTS, PROMPT_MS, PROMPTS, SEQUENCES, Facing
from tests.unit.lock.support import FRESH, S, World, connected
from tests.unit.lock.support import with_rules as rules_with
from tests.unit.lock.test_turned import DRIVEN_NS, looking, of, refuses, shines, turns

LONG = rules_with(lights=True, window_ns=30 * S)  # room for all of it: how long windows are is not what is asked here
WITHIN_MS = [LEAD_MS + number * PROMPT_MS + PROMPT_MS // 2 for number in range(PROMPTS)]


def asked(number: int) -> World:
    """A door in whose window the motion challenge SEQUENCES[number] is asked for, after a light challenge."""

    def step(state: State, event: Event, now_ns: int, fresh: bytes, rules: Rules) -> machine.Step:
        if isinstance(event, Came) and isinstance(event.msg, wire.MotionRequest):
            fresh = number.to_bytes(16, "little")
        return machine.step(state, event, now_ns, fresh, rules)

    world = connected(World(rules=LONG, step=step))
    world.send(FaceButton())
    shines(world)
    turns(world)
    assert world.state.motion is not None
    assert world.state.motion.asked == SEQUENCES[number]
    return world


def driven(log: wire.ChallengeLog) -> list[tuple[int, Lights]]:
    return [
        (log.at_1_ns, Lights(log.left_1, log.right_1)),
        (log.at_2_ns, Lights(log.left_2, log.right_2)),
        (log.at_3_ns, Lights(log.left_3, log.right_3)),
    ]


@pytest.mark.parametrize("number", range(len(SEQUENCES)))
@pytest.mark.parametrize("ends_ms", [*WITHIN_MS, DRIVEN_NS // MS], ids=["first", "second", "third", "after its log"])
def test_the_next_light_challenge_is_driven_as_its_log_says(number: int, ends_ms: int) -> None:
    world = asked(number)
    world.passes(ends_ms * MS)
    refuses(world)
    began_ns = world.now_ns
    shines(world)
    log = of(world, wire.ChallengeLog)[-1]
    assert log.nonce == looking(world)
    assert (log.left_0, log.right_0) == (REST.left, REST.right)
    shone = [each for each in world.shone if each[0] > began_ns]
    assert shone[-3:] == driven(log), "and what burns between them is nothing else"
    assert [each for _, each in shone[:-3]] in ([], [REST])
    assert log.began_ns - began_ns < 2 * S


@pytest.mark.parametrize("number", range(len(SEQUENCES)))
def test_no_light_is_set_to_what_burns_already(number: int) -> None:
    """Each would count for the pace: the next light would come later than it needs to."""
    world = asked(number)
    world.passes(DRIVEN_NS)
    assert len(of(world, wire.MotionLog)) == 1
    assert all(one != other for (_, one), (_, other) in pairwise(world.shone))
    prompted = [LIGHTS[facing] for facing in SEQUENCES[number]]
    back = [] if SEQUENCES[number][-1] is Facing.MIDDLE else [REST]
    assert [each for _, each in world.shone][-3 - len(back) :] == [*prompted, *back]


@pytest.mark.parametrize("number", range(len(SEQUENCES)))
@pytest.mark.parametrize("ends_ms", WITHIN_MS)
def test_a_motion_challenge_that_ended_leaves_nothing_due_once_the_lights_rest(number: int, ends_ms: int) -> None:
    """A deadline that is always past would keep lock busy for nothing, and every light after it away."""
    world = asked(number)
    world.passes(ends_ms * MS)
    refuses(world)
    world.passes(S)
    assert world.state.lights == REST
    assert lights.deadline_ns(world.state, LONG) is None


def test_a_late_request_leaves_the_challenge_of_the_present_approach_alone() -> None:
    """Eye's request of the approach before may still be under way when it asks for the next."""
    world = connected(World(rules=LONG))
    world.send(FaceButton())
    old = looking(world)
    refuses(world)
    world.send(Came(Room.EYE, wire.ChallengeRequest(looking(world))))
    running = world.state
    assert running.challenge is not None
    assert lights.asked(running, old, FRESH, LONG) == running
    world.send(Came(Room.EYE, wire.ChallengeRequest(old)))
    world.passes(2 * S)
    assert [log.nonce for log in of(world, wire.ChallengeLog)] == [looking(world)]


def test_a_challenge_of_an_approach_before_never_stands_for_that_of_the_present_one() -> None:
    """The machine drops it at once; neither part of the lights relies on that."""
    world = connected(World(rules=LONG))
    world.send(FaceButton())
    old = looking(world)
    shines(world)
    left_over = world.state.challenge
    assert left_over is not None
    assert left_over.over
    refuses(world)
    state, nonce = replace(world.state, challenge=left_over), looking(world)
    fresh = lights.asked(state, nonce, FRESH, LONG)
    assert fresh.challenge is not None
    assert fresh.challenge.nonce == nonce
    assert prompts.asked(state, nonce, world.now_ns, FRESH) == state, "its light challenge was another's"
    assert prompts.asked(state, old, world.now_ns, FRESH) == state, "and that approach is over"


def test_after_the_window_the_lights_go_out_from_whatever_prompt_burned() -> None:
    for number in range(len(SEQUENCES)):
        for ends_ms in WITHIN_MS:
            world = asked(number)
            world.passes(ends_ms * MS)
            assert world.state.window is not None
            world.now_ns = world.state.window.until_ns
            world.send(Tick())
            world.passes(S)
            assert world.state.lights == OFF
            assert lights.deadline_ns(world.state, LONG) is None
