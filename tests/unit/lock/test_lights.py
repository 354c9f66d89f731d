"""The white lights in the machine: when they burn, what eye may ask for, and what it is told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import cycle, pairwise

import pytest

from device import wire
from device.challenge import LAST_MS, LASTS_MS, MS, OFF, REST, Lights, codes_after, kind_of
from device.edges import Room
from device.lock import lights, machine
from device.lock.permits import permitted
from device.lock.state import (
    Came,
    Challenge,
    Effect,
    Event,
    FaceButton,
    Key,
    Motion,
    PeerDown,
    PeerUp,
    Release,
    Rules,
    Send,
    State,
    Tick,
)
from device.motion import SEQUENCES
from device.wire import CameraCondition, LookMode, Outcome, Result
from tests.unit.lock.support import ALL_UP, FACE_NONCE, FRESH, NOW, OLD_NONCE, S, World, connected, events, states
from tests.unit.lock.support import with_rules as rules_with

LIT = rules_with(lights=True)
PIN_TOO = rules_with(lights=True, face_alone_opens=False)
LONGEST_NS = 2 * S  # a challenge that waits for the pace, and every code


def lit_world(rules: Rules = LIT) -> World:
    return connected(World(rules=rules))


def looking(world: World) -> bytes:
    window = world.state.window
    assert window is not None
    return window.nonce


def asks(world: World, nonce: bytes | None = None) -> tuple[Effect, ...]:
    return world.send(Came(Room.EYE, wire.ChallengeRequest(nonce or looking(world))))


def logs(world: World) -> list[wire.ChallengeLog]:
    sent = [effect for effect in world.effects if isinstance(effect, Send)]
    assert all(effect.room is Room.EYE for effect in sent if isinstance(effect.msg, wire.ChallengeLog))
    return [effect.msg for effect in sent if isinstance(effect.msg, wire.ChallengeLog)]


def refuses(world: World) -> None:
    world.send(Came(Room.VAULT, wire.Verdict(looking(world), world.now_ns, Outcome.REFUSED, 0)))


def told(log: wire.ChallengeLog) -> list[tuple[int, Lights]]:
    return [
        (log.at_1_ns, Lights(log.left_1, log.right_1)),
        (log.at_2_ns, Lights(log.left_2, log.right_2)),
        (log.at_3_ns, Lights(log.left_3, log.right_3)),
    ]


# ---- when they burn


def test_lights_burn_at_rest_in_a_window_and_are_out_after_it() -> None:
    world = lit_world()
    assert world.shone == []
    world.send(FaceButton())
    assert world.shone == [(NOW, REST)]
    world.passes(world.rules.window_ns)
    assert [each for _, each in world.shone] == [REST, OFF]
    assert world.shone[-1][0] == NOW + world.rules.window_ns


def test_a_window_that_enrols_has_its_lights_at_rest_and_no_challenge() -> None:
    world = lit_world()
    world.send(Came(Room.VAULT, wire.FaceReady(recognise=False, enrol=True, claim_first=False)))
    world.send(FaceButton())
    nonce = looking(world)
    world.passes(S)
    asks(world, nonce)
    assert world.breaches == 1, "eye was not told to recognise anybody"
    world.state = machine.step(world.state, Came(Room.EYE, wire.ChallengeRequest(nonce)), world.now_ns, FRESH, LIT)[0]
    assert world.state.challenge is None, "and the machine alone would not do it either"
    world.passes(S)
    assert [each for _, each in world.shone] == [REST]


def test_where_no_lights_are_fitted_a_request_is_dropped_and_nothing_is_ever_driven() -> None:
    world = connected(World())
    world.send(FaceButton())
    world.passes(S)
    assert asks(world) == ()
    world.passes(LONGEST_NS)
    assert (world.shone, logs(world), world.breaches) == ([], [], 0)
    assert lights.deadline_ns(world.state, world.rules) is None


# ---- the challenge


@pytest.mark.parametrize("wait_ms", [0, 100, 459, 460, 3000])
def test_a_challenge_shows_what_was_drawn_in_its_times_and_its_log_says_so(wait_ms: int) -> None:
    world = lit_world()
    world.send(FaceButton())
    world.passes(wait_ms * MS)
    asks(world)
    assert world.state.challenge is not None
    code = world.state.challenge.code
    assert code in codes_after(kind_of(REST))
    world.passes(LONGEST_NS)
    (log,) = logs(world)
    assert world.shone[1:] == told(log)
    assert tuple(each for _, each in told(log)) == code.lights
    assert log.began_ns == NOW + max(wait_ms, 460) * MS
    assert tuple((at_ns - log.began_ns) // MS for at_ns, _ in told(log)) == code.offsets_ms
    assert log.ended_ns - log.began_ns == code.length_ms * MS
    assert (log.left_0, log.right_0) == (REST.left, REST.right)
    assert world.shone[-1] == told(log)[-1], "the third light burns on until something needs another"


def test_the_next_approach_begins_with_what_burns_and_has_a_challenge_of_its_own() -> None:
    world = lit_world(PIN_TOO)
    world.send(FaceButton())
    for _ in range(3):
        asks(world)
        world.passes(LONGEST_NS)
        refuses(world)
    first, second, third = logs(world)
    assert (second.left_0, second.right_0) == (first.left_3, first.right_3)
    assert (third.left_0, third.right_0) == (second.left_3, second.right_3)
    assert world.shone[1:-1] == [*told(first), *told(second), *told(third)]
    assert world.shone[-1][1] == OFF


def test_a_challenge_is_asked_for_once_an_approach() -> None:
    world = lit_world()
    world.send(FaceButton())
    asks(world)
    running = world.state.challenge
    asks(world)
    assert world.breaches == 1
    again = Came(Room.EYE, wire.ChallengeRequest(looking(world)))
    for later_ns in (0, LONGEST_NS):
        world.passes(later_ns)
        before = world.state.challenge
        after, _ = machine.step(world.state, again, world.now_ns, b"another" + bytes(9), LIT)
        assert after.challenge == before, "the machine alone would not draw a second code either"
    assert running is not None
    assert len(logs(world)) == 1


def test_a_request_that_comes_when_its_approach_is_over_is_late_and_no_breach() -> None:
    world = lit_world()
    world.send(FaceButton())
    old = looking(world)
    refuses(world)
    assert asks(world, old) == ()
    assert world.state.challenge is None
    second = looking(world)
    world.passes(world.rules.window_ns)
    assert asks(world, second) == ()
    assert (world.breaches, logs(world)) == (0, [])
    asks(world, b"never given" + bytes(5))
    assert world.breaches == 1


@pytest.mark.parametrize(
    "ends",
    [
        refuses,
        lambda world: world.send(Came(Room.VAULT, wire.Verdict(looking(world), world.now_ns, Outcome.ACCEPTED, 12))),
        lambda world: world.send(PeerDown(Room.EYE)),
        lambda world: world.send(PeerDown(Room.VAULT)),
        lambda world: world.send(Came(Room.EYE, wire.CameraState(CameraCondition.FAULT))),
        lambda world: world.passes(world.state.window.until_ns - world.now_ns),
    ],
    ids=["refused", "opened", "eye gone", "vault gone", "camera fault", "time"],
)
@pytest.mark.parametrize("after_ms", [470, 700, 1300])
def test_what_ends_an_approach_ends_its_challenge_without_a_log(ends: Callable[[World], object], after_ms: int) -> None:
    world = lit_world()
    world.rules = replace(LIT, window_ns=1400 * MS)
    world.send(FaceButton())
    asks(world)
    world.passes(after_ms * MS)
    assert logs(world) == []
    ends(world)
    shown = len(world.shone)
    assert world.state.challenge is None
    world.passes(3 * S)
    assert logs(world) == []
    assert world.shone[-1][1] == OFF
    assert [each for _, each in world.shone[shown:]] in ([], [OFF]), "nothing of the code is shown any more"


LATE = [(only, stall_ms) for only in (None, 0, 1, 2, 3, 4) for stall_ms in (5, 150, 400, 900)]


def held_up(only: int | None, stall_ms: int) -> tuple[World, wire.ChallengeLog]:
    """A challenge whose tick number `only`, or every one, comes late."""
    world = lit_world()
    world.send(FaceButton())
    asks(world)
    number = 0
    while not logs(world):
        due_ns = machine.next_deadline_ns(world.state, world.rules)
        assert due_ns is not None
        world.now_ns = max(world.now_ns, due_ns) + (stall_ms * MS if only in (None, number) else 0)
        world.send(Tick())
        number += 1
    (log,) = logs(world)
    return world, log


def shortest_ns(log: wire.ChallengeLog) -> int:
    return min(later - sooner for (sooner, _), (later, _) in pairwise(told(log)))


@pytest.mark.parametrize(("only", "stall_ms"), LATE)
def test_the_log_tells_what_was_driven_however_late_and_a_late_light_has_its_shortest_time(
    only: int | None, stall_ms: int
) -> None:
    world, log = held_up(only, stall_ms)
    assert world.shone[1:4] == told(log)
    assert shortest_ns(log) >= LASTS_MS[0] * MS
    assert log.ended_ns - log.at_3_ns >= LAST_MS * MS
    assert log.ended_ns == world.now_ns


def test_a_challenge_that_makes_up_for_lost_time_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seeded fault: after a light that came late the next one comes when it was planned."""
    monkeypatch.setattr(lights, "LASTS_MS", (0,))
    assert min(shortest_ns(held_up(*late)[1]) for late in LATE) < LASTS_MS[0] * MS


def test_every_change_has_a_deadline_of_its_own() -> None:
    """World.passes ticks at deadlines alone; here nothing else moves the clock."""
    world = lit_world()
    world.send(FaceButton())
    asks(world)
    at: list[int] = []
    while not logs(world):
        due_ns = lights.deadline_ns(world.state, world.rules)
        assert due_ns is not None
        assert due_ns > world.now_ns
        world.now_ns = due_ns
        world.send(Tick())
        at.append(due_ns)
    assert len(at) == 5, "it begins, three changes, the log"
    assert lights.deadline_ns(world.state, world.rules) is None


# ---- what nobody can know before


def test_nothing_that_leaves_lock_before_a_light_depends_on_the_code() -> None:
    """Two doors live the same but for the 16 bytes that a code is drawn from."""
    differ = 0
    for drawn in range(200):
        one, other = said_until_the_log(drawn), said_until_the_log(drawn + 1)
        until_ns = min(at_ns for at_ns, _ in {*one.shone} ^ {*other.shone})
        assert before(one, until_ns) == before(other, until_ns)
        differ += one.shone != other.shone
    assert differ == 200


def before(world: Watched, until_ns: int) -> list[tuple[int, Effect]]:
    return [(at_ns, effect) for at_ns, effect in world.said if at_ns < until_ns]


class Watched(World):
    """A world that keeps when each effect was."""

    def __init__(self, drawn: int, step: Callable[..., machine.Step] = machine.step) -> None:
        super().__init__(rules=LIT)
        self.drawn = drawn
        self.said: list[tuple[int, Effect]] = []
        self._honest = step
        self.step = self._step

    def _step(self, state: State, event: Event, now_ns: int, fresh: bytes, rules: Rules) -> machine.Step:
        if isinstance(event, Came) and isinstance(event.msg, wire.ChallengeRequest):
            fresh = self.drawn.to_bytes(16, "little")
        after, effects = self._honest(state, event, now_ns, fresh, rules)
        self.said += [(now_ns, effect) for effect in effects]
        return after, effects


def said_until_the_log(drawn: int, step: Callable[..., machine.Step] = machine.step) -> Watched:
    world = Watched(drawn, step)
    connected(world)
    world.send(FaceButton())
    asks(world)
    for key in "12#482913#":
        world.passes(20 * MS)
        world.send(Key(key))
    world.passes(LONGEST_NS)
    assert logs(world)
    return world


def test_a_machine_that_says_the_code_too_early_is_found() -> None:
    """Seeded faults: the drawn bytes name the question to keeper, or the challenge begins by what was drawn."""

    def reused(state: State, event: Event, now_ns: int, fresh: bytes, rules: Rules) -> machine.Step:
        after, effects = machine.step(state, event, now_ns, fresh, rules)
        if isinstance(event, Came) and isinstance(event.msg, wire.ChallengeRequest):
            effects = (*effects, Send(Room.VAULT, wire.AskClaim(fresh, 12)))
        return after, effects

    def hasty(state: State, event: Event, now_ns: int, fresh: bytes, rules: Rules) -> machine.Step:
        after, effects = machine.step(state, event, now_ns, fresh, rules)
        if isinstance(event, Came) and isinstance(event.msg, wire.ChallengeRequest) and after.challenge:
            effects = (*effects, Send(Room.DESK, wire.Ack(after.challenge.code.delay_ms, Result.DONE)))
        return after, effects

    for fault in (reused, hasty):
        found = 0
        for drawn in range(60):
            one, other = said_until_the_log(drawn * 9, fault), said_until_the_log(drawn * 9 + 9, fault)
            until_ns = min(at_ns for at_ns, _ in {*one.shone} ^ {*other.shone})
            found += before(one, until_ns) != before(other, until_ns)
        assert found > 0


def test_the_code_is_in_no_repr() -> None:
    world = lit_world()
    world.send(FaceButton())
    asks(world)
    assert "Code" not in repr(world.state)
    world.passes(900 * MS)
    assert "made" not in repr(world.state.challenge)


# ---- they decide nothing

BURNING = (
    State(),
    State(lights=REST, lights_changed_ns=(NOW - 5 * S,)),
    State(lights=Lights(3, 1), lights_changed_ns=(NOW - 900 * MS, NOW - 500 * MS, NOW - 100 * MS)),
    State(lights=REST, challenge=Challenge(FACE_NONCE, codes_after(kind_of(REST))[7])),
    State(
        lights=Lights(1, 2),
        lights_changed_ns=(NOW - 2 * S, NOW - 300 * MS),
        challenge=Challenge(
            FACE_NONCE, codes_after(kind_of(REST))[7], ((NOW - 500 * MS, REST), (NOW - 300 * MS, Lights(1, 2)))
        ),
    ),
    State(lights=REST, challenge=Challenge(OLD_NONCE, codes_after(kind_of(REST))[0], over=True)),
    State(
        lights=Lights(3, 1),
        lights_changed_ns=(NOW - S,),
        challenge=Challenge(FACE_NONCE, codes_after(kind_of(REST))[0], over=True),
        motion=Motion(FACE_NONCE, NOW + 5 * S, SEQUENCES[0], NOW - 2 * S, (NOW - S,)),
    ),
    State(
        lights=Lights(1, 3),
        lights_changed_ns=(NOW - 1500 * MS,),
        motion=Motion(FACE_NONCE, NOW + 5 * S, SEQUENCES[-1], NOW - 6 * S, (NOW - 5 * S, NOW - 3 * S, NOW - 1500 * MS)),
    ),
    State(
        lights=Lights(3, 1),
        lights_changed_ns=(NOW - S,),
        motion=Motion(OLD_NONCE, NOW + 5 * S, SEQUENCES[0], NOW - 2 * S, (NOW - S,)),
    ),
    State(
        lights=REST,
        lights_changed_ns=(NOW - S,),
        challenge=Challenge(FACE_NONCE, codes_after(kind_of(REST))[0], over=True),
    ),
)


def without_lights(step: machine.Step) -> machine.Step:
    after, effects = step
    kept = tuple(
        effect
        for effect in effects
        if not isinstance(effect, Lights)
        and not (isinstance(effect, Send) and isinstance(effect.msg, wire.ChallengeLog | wire.MotionLog))
    )
    return replace(after, lights=OFF, lights_changed_ns=(), challenge=None, motion=None), kept


def influenced(step: Callable[..., machine.Step]) -> list[str]:
    """Where the lights change anything but the lights.

    Where every face needs its PIN, that some are fitted changes nothing; where a face alone opens, what burns does not.
    """
    found = []
    for (name, state), (unlit, lit) in zip(
        list(states().items())[::13], cycle(((rules_with(face_alone_opens=False), PIN_TOO), (LIT, LIT))), strict=False
    ):
        dark = {
            label: without_lights(machine.step(state, event, NOW, FRESH, unlit)) for label, event in events().items()
        }
        for number, burning in enumerate(BURNING):
            shining = replace(
                state,
                lights=burning.lights,
                lights_changed_ns=burning.lights_changed_ns,
                challenge=burning.challenge,
                motion=burning.motion,
            )
            for label, event in events().items():
                if without_lights(step(shining, event, NOW, FRESH, lit)) != dark[label]:
                    found.append(f"{label} in {name} with {number}")
    return found


@pytest.mark.slow
def test_with_lights_and_without_every_event_does_the_same_in_every_state() -> None:
    assert influenced(machine.step) == []


@pytest.mark.slow
def test_a_machine_in_which_lights_open_is_found() -> None:
    """Seeded fault: the end of a challenge lets somebody in."""

    def opens(state: State, event: Event, now_ns: int, fresh: bytes, rules: Rules) -> machine.Step:
        after, effects = machine.step(state, event, now_ns, fresh, rules)
        if state.challenge and not after.challenge:
            return replace(after, granted_until_ns=now_ns + rules.unlock_ns), (Release(rules.unlock_ns), *effects)
        return after, effects

    assert influenced(opens)


@pytest.mark.slow
def test_a_machine_in_which_turning_opens_is_found() -> None:
    """Seeded fault: the end of a motion challenge lets somebody in."""

    def opens(state: State, event: Event, now_ns: int, fresh: bytes, rules: Rules) -> machine.Step:
        after, effects = machine.step(state, event, now_ns, fresh, rules)
        if any(isinstance(effect, Send) and isinstance(effect.msg, wire.MotionLog) for effect in effects):
            return replace(after, granted_until_ns=now_ns + rules.unlock_ns), (Release(rules.unlock_ns), *effects)
        return after, effects

    assert influenced(opens)


def test_a_room_that_comes_back_may_ask_in_its_new_approach_and_for_no_old_one() -> None:
    world = lit_world()
    world.send(FaceButton())
    old = looking(world)
    world.send(PeerDown(Room.EYE))
    world.send(PeerUp(Room.EYE))
    assert not permitted(world.state, Room.EYE, wire.ChallengeRequest(old))
    world.send(FaceButton())
    assert permitted(world.state, Room.EYE, wire.ChallengeRequest(looking(world)))
    assert not any(
        permitted(world.state, room, wire.ChallengeRequest(looking(world))) for room in ALL_UP if room is not Room.EYE
    )


def test_a_verdict_does_not_make_a_request_under_way_a_breach() -> None:
    """Eye's request and vault's verdict may pass each other: that is nobody's fault."""
    world = lit_world()
    world.send(FaceButton())
    nonce = looking(world)
    refuses(world)
    assert permitted(world.state, Room.EYE, wire.ChallengeRequest(nonce))
    assert world.state.window is not None
    assert world.state.window.mode is LookMode.RECOGNISE
