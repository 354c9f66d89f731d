"""The lights never change more than three times in any second, whoever presses, asks, restarts or is late."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from device import wire
from device.challenge import CHANGES, MS, OFF, SECOND_MS
from device.edges import Room
from device.lock import lights, prompts
from device.lock.state import Came, FaceButton, Key, PeerDown, PeerUp, State, Tick
from device.wire import CameraCondition, Outcome, Result
from tests.unit.lock.support import World, connected, with_rules

LIT = with_rules(lights=True)


def presses(world: World) -> None:
    world.send(FaceButton())


def asks(world: World) -> None:
    if world.state.window:
        world.send(Came(Room.EYE, wire.ChallengeRequest(world.state.window.nonce)))


def turns(world: World) -> None:
    if world.state.window:
        world.send(Came(Room.EYE, wire.MotionRequest(world.state.window.nonce)))


def says(outcome: Outcome) -> Callable[[World], None]:
    def act(world: World) -> None:
        if world.state.window:
            slot = 0 if outcome is Outcome.REFUSED else 12
            world.send(Came(Room.VAULT, wire.Verdict(world.state.window.nonce, world.now_ns, outcome, slot)))

    return act


def ready(*, recognise: bool, enrol: bool) -> Callable[[World], None]:
    def act(world: World) -> None:
        world.send(Came(Room.VAULT, wire.FaceReady(recognise=recognise, enrol=enrol, claim_first=False)))

    return act


def ends_enrolment(world: World) -> None:
    if world.state.window:
        world.send(Came(Room.VAULT, wire.EnrolmentEnded(world.state.window.nonce, Result.DONE)))


def restarts(room: Room) -> Callable[[World], None]:
    def act(world: World) -> None:
        world.send(PeerDown(room))
        world.send(PeerUp(room))
        ready(recognise=True, enrol=False)(world)

    return act


def camera_fails(world: World) -> None:
    world.send(Came(Room.EYE, wire.CameraState(CameraCondition.FAULT)))
    world.send(Came(Room.EYE, wire.CameraState(CameraCondition.IDLE)))


def opens_by_pin(world: World) -> None:
    for key in "*12#482913#":
        world.send(Key(key))
    if world.state.check:
        world.send(Came(Room.KEEPER, wire.Verdict(world.state.check.nonce, world.now_ns, Outcome.ACCEPTED, 12)))


def lock_restarts(world: World) -> None:
    """Killed, with the lights in whatever state, and there again at once; the lines fall."""
    world.state = lights.at_start(world.now_ns)
    world.lamp = world.looking = False
    world.released_until_ns, world.cards = None, 0
    connected(world)


def passes(ms: int) -> Callable[[World], None]:
    return lambda world: world.passes(ms * MS)


def stalls(ms: int) -> Callable[[World], None]:
    """Time, with lock not getting to run before its end."""

    def act(world: World) -> None:
        world.now_ns += ms * MS
        world.send(Tick())

    return act


def stays(world: World) -> None:
    """Somebody in front of the door: a press, a challenge, a refusal, as fast as it goes."""
    presses(world)
    asks(world)
    world.passes(1100 * MS)
    says(Outcome.REFUSED)(world)
    asks(world)


def stays_and_turns(world: World) -> None:
    """Somebody whose light challenge says nothing, and who is asked to turn as soon as eye has heard of it."""
    presses(world)
    asks(world)
    while world.state.challenge and not world.state.challenge.over:
        world.passes(10 * MS)
    turns(world)


def passes_until_it_asks(world: World) -> None:
    """Up to the first prompt of a motion challenge, if there is one, and no further."""
    while world.state.motion and not world.state.motion.over and not world.state.motion.began_ns:
        world.passes(20 * MS)


ACTS: tuple[Callable[[World], None], ...] = (
    *(presses, asks, stays, stays_and_turns) * 2,
    turns,
    passes_until_it_asks,
    says(Outcome.ACCEPTED),
    says(Outcome.REFUSED),
    says(Outcome.WITH_PIN),
    ready(recognise=True, enrol=True),
    ready(recognise=True, enrol=False),
    ready(recognise=False, enrol=False),
    ends_enrolment,
    restarts(Room.EYE),
    restarts(Room.VAULT),
    camera_fails,
    opens_by_pin,
    lock_restarts,
    *(passes(ms) for ms in (1, 50, 100, 219, 240, 320, 460, 540, 760, 1000, 4000, 11_000)),
    *(stalls(ms) for ms in (10, 219, 500, 1000, 3000)),
)
HISTORIES = st.lists(st.integers(0, len(ACTS) - 1), min_size=10, max_size=60)


def lived(history: list[int]) -> World:
    world = connected(World(rules=LIT))
    for number in history:
        ACTS[number](world)
    return world


def most_in_a_second(world: World) -> int:
    times = [at_ns for at_ns, _ in world.shone]
    return max((sum(begin <= at_ns < begin + SECOND_MS * MS for at_ns in times) for begin in times), default=0)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(HISTORIES)
def test_in_no_second_do_the_lights_change_more_than_three_times(history: list[int]) -> None:
    world = lived(history)
    assert most_in_a_second(world) <= CHANGES
    world.passes(world.rules.window_ns + 2 * SECOND_MS * MS)
    assert most_in_a_second(world) <= CHANGES
    assert world.state.lights == OFF, "and they are out when nobody is there"


HURRIED = [ACTS.index(act) for act in (stays, camera_fails, presses, camera_fails)] * 3
TURNED = [ACTS.index(act) for act in (stays_and_turns, passes_until_it_asks, camera_fails, presses, camera_fails)] * 3
KILLED = [ACTS.index(act) for act in (stays, camera_fails, lock_restarts, presses, camera_fails, presses)]


def test_somebody_in_a_hurry_reaches_the_limit_and_goes_no_further() -> None:
    assert most_in_a_second(lived(HURRIED)) == CHANGES
    assert most_in_a_second(lived(TURNED)) == CHANGES
    assert most_in_a_second(lived(KILLED)) <= CHANGES


def test_lights_without_a_pace_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seeded fault: whatever is due is driven at once."""
    monkeypatch.setattr(lights, "may_change_ns", lambda _changed: 0)
    assert most_in_a_second(lived(HURRIED)) > CHANGES


def test_a_motion_challenge_without_a_pace_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seeded fault: its lights come when they are due, whatever changed before, and nothing goes before them."""
    honest = prompts.due_ns
    monkeypatch.setattr(prompts, "due_ns", lambda motion, burning, _pace_ns: honest(motion, burning, 0))
    monkeypatch.setattr(prompts, "LEAD_MS", 0)
    assert most_in_a_second(lived(TURNED)) > CHANGES


def test_a_lock_that_begins_as_if_nothing_had_been_before_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seeded fault: a new process does not wait for what the one before it may have done."""
    monkeypatch.setattr(lights, "at_start", lambda _now_ns: State())
    assert most_in_a_second(lived(KILLED)) > CHANGES
