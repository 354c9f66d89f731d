"""The motion challenge in the machine: when somebody is asked to turn, what eye hears, and that it opens nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

import pytest

from device import wire
from device.challenge import MS, OFF, REST, Lights
from device.edges import Room
from device.lock import lights, machine, prompts, window
from device.lock.permits import permitted
from device.lock.state import (
    Came,
    Claim,
    Effect,
    Event,
    FaceButton,
    Key,
    PeerDown,
    Rules,
    Send,
    Show,
    Signal,
    State,
    Tick,
)
from device.motion import LEAD_MS, LIGHTS, LIMIT_MS, MARGIN_MS, PROMPT_MS, PROMPTS, SEQUENCES, told
from device.wire import CameraCondition, LookMode, Outcome
from tests.unit.lock.support import FRESH, S, World, connected
from tests.unit.lock.support import with_rules as rules_with

LIT = rules_with(lights=True)
PIN_TOO = rules_with(lights=True, face_alone_opens=False)
CHALLENGE_NS = 2 * S  # a light challenge that waits for the pace, and every code
WHOLE_NS = (LEAD_MS + PROMPTS * PROMPT_MS + MARGIN_MS) * MS
DRIVEN_NS = LIMIT_MS * MS

M = TypeVar("M", bound=wire.Message)


def lit_world(rules: Rules = LIT) -> World:
    world = connected(World(rules=rules))
    world.send(FaceButton())
    return world


def looking(world: World) -> bytes:
    assert world.state.window is not None
    return world.state.window.nonce


def shines(world: World) -> None:
    """A light challenge, to its log."""
    before = len(of(world, wire.ChallengeLog))
    world.send(Came(Room.EYE, wire.ChallengeRequest(looking(world))))
    due_ns = 0
    while len(of(world, wire.ChallengeLog)) == before:
        due = machine.next_deadline_ns(world.state, world.rules)
        assert due is not None
        world.now_ns = due_ns = max(world.now_ns, due)
        world.send(Tick())
    assert due_ns


def turns(world: World, nonce: bytes | None = None) -> tuple[Effect, ...]:
    return world.send(Came(Room.EYE, wire.MotionRequest(nonce or looking(world))))


def asked(rules: Rules = LIT) -> World:
    """A door whose light challenge said nothing, and eye wants whoever stands there to turn."""
    world = lit_world(rules)
    shines(world)
    turns(world)
    return world


def of(world: World, kind: type[M]) -> list[M]:
    sent = [effect for effect in world.effects if isinstance(effect, Send) and isinstance(effect.msg, kind)]
    assert all(effect.room is Room.EYE for effect in sent), "nobody but eye hears of it"
    return [effect.msg for effect in sent if isinstance(effect.msg, kind)]


def says(world: World, outcome: Outcome, slot: int = 12) -> tuple[Effect, ...]:
    return world.send(Came(Room.VAULT, wire.Verdict(looking(world), world.now_ns, outcome, slot)))


def refuses(world: World) -> None:
    says(world, Outcome.REFUSED, 0)


# ---- what is driven


def test_the_lights_rest_then_ask_three_times_and_the_log_says_so() -> None:
    world = asked()
    asked_ns, shown = world.now_ns, len(world.shone)
    world.passes(DRIVEN_NS)
    (log,) = of(world, wire.MotionLog)
    found = told(log)
    assert found is not None
    assert found.asked in SEQUENCES
    assert log.ended_ns - asked_ns <= DRIVEN_NS
    prompted = [(at_ns, LIGHTS[facing]) for facing, at_ns, _ in found.spans()]
    seen = world.shone[shown - (world.shone[shown - 1][0] == asked_ns) :]
    assert [each for each in seen if each not in prompted and each[0] != log.ended_ns] in (
        [(seen[0][0], REST)],
        [],  # the light challenge had ended with what burns at rest
    )
    assert [each for each in seen if each in prompted] == prompted
    assert found.began_ns[0] - asked_ns >= LEAD_MS * MS
    ends = (*found.began_ns[1:], log.ended_ns)
    assert {end - begin for begin, end in zip(found.began_ns, ends, strict=True)} == {PROMPT_MS * MS}
    assert world.state.lights == REST, "nobody is to turn any more"
    assert world.state.motion is not None
    assert world.state.motion.over


def test_every_sequence_can_be_asked_and_the_fresh_bytes_alone_decide() -> None:
    found = set()
    for number in range(len(SEQUENCES)):
        world = lit_world()
        shines(world)
        event = Came(Room.EYE, wire.MotionRequest(looking(world)))
        fresh = number.to_bytes(16, "little")
        after, _ = machine.step(world.state, event, world.now_ns, fresh, LIT)
        assert after.motion is not None
        found.add(after.motion.asked)
    assert found == set(SEQUENCES)


def test_somebody_who_looked_away_hears_once_more_that_the_camera_looks() -> None:
    world = lit_world()
    shines(world)
    before = world.effects.count(Show(Signal.LOOK))
    turns(world)
    world.passes(DRIVEN_NS)
    assert world.effects.count(Show(Signal.LOOK)) == before + 1
    signals = {effect.signal for effect in world.effects if isinstance(effect, Show)}
    assert signals == {Signal.LOOK}


@pytest.mark.parametrize("stall_ms", [5, 150, 700])
@pytest.mark.parametrize("only", [None, 0, 1, 2, 3, 4])
def test_a_late_prompt_has_its_whole_time_and_the_log_says_when_it_was(only: int | None, stall_ms: int) -> None:
    world = asked(rules_with(lights=True, window_ns=30 * S))
    number = 0
    while not of(world, wire.MotionLog):
        due_ns = machine.next_deadline_ns(world.state, world.rules)
        assert due_ns is not None
        world.now_ns = max(world.now_ns, due_ns) + (stall_ms * MS if only in (None, number) else 0)
        world.send(Tick())
        number += 1
    (log,) = of(world, wire.MotionLog)
    found = told(log)
    assert found is not None, "no prompt is too short"
    assert log.ended_ns == world.now_ns
    assert [(at_ns, LIGHTS[facing]) for facing, at_ns, _ in found.spans()] == [
        each for each in world.shone if each[0] in found.began_ns
    ]


# ---- when nothing is driven


def quiet_after(world: World) -> None:
    """Nothing of a motion challenge happens, whatever time passes, and nobody is called an enemy for it."""
    drawn = world.state.motion
    world.passes(DRIVEN_NS)
    assert (drawn, of(world, wire.MotionLog), world.breaches) == (None, [], 0)


def test_without_a_light_challenge_before_it_nothing_is_driven() -> None:
    world = lit_world()
    world.passes(S)
    turns(world)
    assert [each for _, each in world.shone] == [REST]
    quiet_after(world)


def test_while_the_light_challenge_runs_nothing_is_driven_and_it_goes_on() -> None:
    world = lit_world()
    world.send(Came(Room.EYE, wire.ChallengeRequest(looking(world))))
    world.passes(700 * MS)
    turns(world)
    assert of(world, wire.ChallengeLog) == []
    quiet_after(world)
    assert len(of(world, wire.ChallengeLog)) == 1


def test_the_light_challenge_of_another_approach_is_not_enough() -> None:
    world = lit_world()
    shines(world)
    refuses(world)
    turns(world)
    quiet_after(world)


def test_a_request_that_comes_when_its_approach_is_over_is_late_and_nothing_else() -> None:
    world = lit_world()
    shines(world)
    old = looking(world)
    refuses(world)
    turns(world, old)
    assert world.state.window is not None
    assert not world.state.window.doubted, "what comes late says nothing about the next approach"
    quiet_after(world)


def test_after_the_end_of_the_window_nothing_is_driven() -> None:
    world = lit_world()
    shines(world)
    old = looking(world)
    world.passes(world.rules.window_ns)
    turns(world, old)
    quiet_after(world)
    assert world.state.lights == OFF


def test_in_the_very_moment_in_which_the_window_ends_nothing_is_driven_either() -> None:
    """The request is the first that lock hears after the end: it has not had a tick."""
    world = lit_world()
    shines(world)
    old = looking(world)
    assert world.state.window is not None
    world.now_ns = world.state.window.until_ns
    turns(world, old)
    assert world.state.window is None
    quiet_after(world)


@pytest.mark.parametrize(("short_ns", "driven"), [(0, True), (1, False)])
def test_it_is_driven_only_if_its_whole_time_and_the_rest_are_left_in_the_window(
    short_ns: int, *, driven: bool
) -> None:
    world = lit_world()
    shines(world)
    assert world.state.window is not None
    world.now_ns = world.state.window.until_ns - WHOLE_NS + short_ns
    world.send(Tick())
    turns(world)
    assert (world.state.motion is not None) is driven
    if driven:
        world.passes(WHOLE_NS - MARGIN_MS * MS)
        assert len(of(world, wire.MotionLog)) == 1
    else:
        quiet_after(world)


def test_the_pace_counts_as_well_when_the_time_that_is_left_is_counted() -> None:
    """Where the lights may not change at once, the wait is part of it."""
    for wait_ns in (0, 1):
        world = lit_world()
        shines(world)
        shone_ns = (world.now_ns - 300 * MS,) * 3  # as much as the pace allows
        world.state = replace(world.state, lights=Lights(3, 1), lights_changed_ns=shone_ns)
        assert world.state.window is not None
        until_ns = world.now_ns + 700 * MS + WHOLE_NS - wait_ns
        world.state = replace(world.state, window=replace(world.state.window, until_ns=until_ns))
        turns(world)
        assert (world.state.motion is None) is bool(wait_ns)


def test_in_one_window_there_is_one_and_the_next_window_may_have_another() -> None:
    world = asked(rules_with(lights=True, window_ns=30 * S))
    world.passes(DRIVEN_NS)
    refuses(world)
    shines(world)
    turns(world)
    world.passes(DRIVEN_NS)
    assert (len(of(world, wire.MotionLog)), world.breaches) == (1, 0)
    world.looks_to_the_end(Outcome.REFUSED, 0)
    assert world.state.window is None
    world.passes(2 * S)
    assert world.state.motion is None
    world.send(FaceButton())
    shines(world)
    turns(world)
    world.passes(DRIVEN_NS)
    assert len(of(world, wire.MotionLog)) == 2


def test_a_second_request_in_one_approach_breaks_the_table_and_the_machine_alone_would_not_draw_again() -> None:
    world = asked()
    nonce, drawn = looking(world), world.state.motion
    turns(world)
    assert world.breaches == 1
    assert drawn is not None
    event = Came(Room.EYE, wire.MotionRequest(nonce))
    after, _ = machine.step(world.state, event, world.now_ns, b"another" + bytes(9), LIT)
    assert after.motion == drawn


def test_a_request_under_a_nonce_that_was_never_given_breaks_the_table() -> None:
    world = lit_world()
    turns(world, b"never given" + bytes(5))
    assert world.breaches == 1


def test_a_window_that_enrols_asks_nobody_to_turn() -> None:
    world = connected(World(rules=LIT))
    world.send(Came(Room.VAULT, wire.FaceReady(recognise=False, enrol=True, claim_first=False)))
    world.send(FaceButton())
    assert world.state.window is not None
    assert world.state.window.mode is LookMode.ENROL
    request = wire.MotionRequest(looking(world))
    assert not permitted(world.state, Room.EYE, request)
    assert machine.step(world.state, Came(Room.EYE, request), world.now_ns, FRESH, LIT)[0].motion is None


def test_where_no_lights_are_fitted_nothing_is_driven() -> None:
    world = lit_world(rules_with())
    world.send(Came(Room.EYE, wire.ChallengeRequest(looking(world))))
    turns(world)
    quiet_after(world)
    assert world.shone == []


# ---- what ends it


def opens_by_pin(world: World) -> None:
    for key in "12#482913#":
        world.send(Key(key))
    assert world.state.check is not None
    world.send(Came(Room.KEEPER, wire.Verdict(world.state.check.nonce, world.now_ns, Outcome.ACCEPTED, 12)))
    assert world.released


ENDS: dict[str, Callable[[World], object]] = {
    "refused": refuses,
    "opened by PIN": opens_by_pin,
    "eye gone": lambda world: world.send(PeerDown(Room.EYE)),
    "vault gone": lambda world: world.send(PeerDown(Room.VAULT)),
    "camera fault": lambda world: world.send(Came(Room.EYE, wire.CameraState(CameraCondition.FAULT))),
    "time": lambda world: world.passes(world.rules.window_ns),
}


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("after_ms", [300, 700, 1500, 2300, 4000])
def test_what_ends_an_approach_ends_its_motion_challenge_without_a_log(end: str, after_ms: int) -> None:
    world = asked()
    world.passes(after_ms * MS)
    assert of(world, wire.MotionLog) == []
    if end == "time":  # lock did not get to run before it was over
        assert world.state.window is not None
        world.now_ns = world.state.window.until_ns
        world.send(Tick())
    else:
        ENDS[end](world)
    ended_ns = world.now_ns
    world.passes(S)
    assert world.state.lights == (REST if end == "refused" else OFF), "no prompt burns on"
    assert all(each in (REST, OFF) for at_ns, each in world.shone if at_ns > ended_ns)
    world.passes(12 * S)
    assert of(world, wire.MotionLog) == []


def test_a_window_that_opens_in_the_moment_in_which_the_other_ends_begins_at_rest_and_has_one_of_its_own() -> None:
    """Lock did not get to run; the press is the first that it hears after the end of a window in which it asked."""
    world = asked()
    world.passes(1500 * MS)
    assert world.state.lights != REST
    assert world.state.window is not None
    old, world.now_ns = looking(world), world.state.window.until_ns
    world.send(FaceButton())
    assert looking(world) != old
    assert world.state.lights == REST
    shines(world)
    turns(world)
    world.passes(DRIVEN_NS)
    (log,) = of(world, wire.MotionLog)
    assert log.nonce == looking(world)


def test_a_light_challenge_after_it_begins_with_what_burns_at_rest() -> None:
    """Also if it was asked for while a prompt still burned, which the pace did not let go out at once."""
    for after_ms in range(600, 1800, 50):
        world = asked()
        world.passes(after_ms * MS)
        refuses(world)
        shines(world)
        log = of(world, wire.ChallengeLog)[-1]
        assert (log.left_0, log.right_0) == (REST.left, REST.right)


# ---- what nobody can know before


def life(drawn: int, step: Callable[..., machine.Step] = machine.step) -> tuple[list[tuple[int, Effect]], World]:
    """All that lock does, and when, in one life but for the 16 bytes that the request comes with."""
    said: list[tuple[int, Effect]] = []

    def watched(state: State, event: Event, now_ns: int, fresh: bytes, rules: Rules) -> machine.Step:
        if isinstance(event, Came) and isinstance(event.msg, wire.MotionRequest):
            fresh = drawn.to_bytes(16, "little")
        after, effects = step(state, event, now_ns, fresh, rules)
        said.extend((now_ns, effect) for effect in effects)
        return after, effects

    world = connected(World(rules=LIT, step=watched))
    world.send(FaceButton())
    shines(world)
    turns(world)
    for key in "12#482913#":
        world.passes(20 * MS)
        world.send(Key(key))
    world.passes(DRIVEN_NS)
    return said, world


def said_too_early(step: Callable[..., machine.Step]) -> int:
    """Of how many pairs of lives what lock did differs before their lights do."""
    found = 0
    for drawn in range(len(SEQUENCES)):
        (one, world), (other, another) = life(drawn, step), life(drawn + 1, step)
        until_ns = min(at_ns for at_ns, _ in {*world.shone} ^ {*another.shone})
        found += [each for each in one if each[0] < until_ns] != [each for each in other if each[0] < until_ns]
    return found


def test_nothing_that_leaves_lock_before_a_light_depends_on_what_is_asked() -> None:
    assert said_too_early(machine.step) == 0


def test_a_machine_that_says_it_too_early_is_found() -> None:
    """Seeded fault: eye hears of the first place when it asks."""

    def hasty(state: State, event: Event, now_ns: int, fresh: bytes, rules: Rules) -> machine.Step:
        after, effects = machine.step(state, event, now_ns, fresh, rules)
        if isinstance(event, Came) and isinstance(event.msg, wire.MotionRequest) and after.motion:
            effects = (*effects, Send(Room.DESK, wire.Ack(after.motion.asked[0], wire.Result.DONE)))
        return after, effects

    assert said_too_early(hasty) > 0


def test_what_is_asked_is_in_no_repr() -> None:
    world = asked()
    assert world.state.motion is not None
    assert "asked=" not in repr(world.state.motion)
    assert "Facing" not in repr(world.state)


# ---- it opens nothing


def opened_by_a_doubted_face(prepare: Callable[[World], object]) -> bool:
    """Vault says ACCEPTED of a face that eye wanted to see turn, at a door where a face alone opens.

    The lights of an approach before have shown it.
    """
    world = lit_world()
    shines(world)
    says(world, Outcome.ACCEPTED)
    prepare(world)
    turns(world)
    world.passes(DRIVEN_NS if world.state.motion else S)
    says(world, Outcome.ACCEPTED)
    return world.released


def shines_and_waits(world: World) -> None:
    shines(world)
    world.passes(4 * S)


PREPARED: dict[str, Callable[[World], object]] = {
    "driven": shines,
    "before the light challenge": lambda _world: None,
    "too late to be driven": shines_and_waits,
}


@pytest.mark.parametrize("when", PREPARED)
def test_where_a_face_alone_opens_one_that_was_asked_to_turn_does_not(when: str) -> None:
    assert not opened_by_a_doubted_face(PREPARED[when])


def test_it_is_asked_for_its_pin_at_once_and_the_pin_opens() -> None:
    world = asked()
    world.passes(DRIVEN_NS)
    assert Show(Signal.ENTER_PIN) in says(world, Outcome.ACCEPTED)
    assert world.state.claim == Claim(12, world.now_ns + world.rules.claim_ns)
    for key in "482913#":
        world.send(Key(key))
    check = [
        effect.msg for effect in world.effects if isinstance(effect, Send) and isinstance(effect.msg, wire.CheckPin)
    ]
    assert [(msg.claim, msg.digits) for msg in check] == [(12, "482913")], "the flat number is all that it saves"


def test_where_every_face_needs_its_pin_the_window_goes_on_as_for_a_stranger() -> None:
    known, unknown = asked(PIN_TOO), asked(PIN_TOO)
    for world, outcome, slot in ((known, Outcome.WITH_PIN, 12), (unknown, Outcome.REFUSED, 0)):
        world.passes(DRIVEN_NS)
        says(world, outcome, slot)
        world.looks_to_the_end(Outcome.REFUSED, 0)
    assert [each for _, each in known.shone] == [each for _, each in unknown.shone]
    assert known.effects[-3:] == unknown.effects[-3:]
    assert (known.state.claim, unknown.state.claim) == (
        Claim(12, known.now_ns + PIN_TOO.claim_ns),
        Claim(0, unknown.now_ns + PIN_TOO.claim_ns),
    )


def test_the_next_approach_of_the_same_window_is_judged_by_its_own_lights() -> None:
    world = asked()
    world.passes(DRIVEN_NS)
    refuses(world)
    for _ in range(2):
        assert not world.released
        shines(world)
        says(world, Outcome.ACCEPTED)
    assert world.released


def test_a_lock_that_forgets_its_doubt_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seeded fault: what eye asked for leaves no mark in the window."""
    monkeypatch.setattr(window, "doubted", lambda state, _nonce: state)
    assert all(opened_by_a_doubted_face(prepare) for prepare in PREPARED.values())


# ---- guards taken out


def heedless(state: State, nonce: bytes, now_ns: int, fresh: bytes) -> State:
    """As if no motion challenge had been in this window."""
    after = _asked(replace(state, motion=None), nonce, now_ns, fresh)
    return state if after.motion is None else after


_asked = prompts.asked


@pytest.mark.parametrize(
    ("test", "fault"),
    [
        (
            lambda: test_it_is_driven_only_if_its_whole_time_and_the_rest_are_left_in_the_window(1, driven=False),
            lambda patch: patch.setattr(prompts, "_WHOLE_NS", 0),
        ),
        (
            test_the_lights_rest_then_ask_three_times_and_the_log_says_so,
            lambda patch: patch.setattr(prompts, "LEAD_MS", 0),
        ),
        (
            lambda: test_a_late_prompt_has_its_whole_time_and_the_log_says_when_it_was(1, 700),
            lambda patch: patch.setattr(prompts, "PROMPT_MS", PROMPT_MS - 1),
        ),
        (
            test_in_one_window_there_is_one_and_the_next_window_may_have_another,
            lambda patch: patch.setattr(prompts, "asked", heedless),
        ),
        (
            lambda: test_what_ends_an_approach_ends_its_motion_challenge_without_a_log("refused", 1500),
            lambda patch: patch.setattr(prompts, "current", lambda state: state.motion),
        ),
        (
            lambda: test_what_ends_an_approach_ends_its_motion_challenge_without_a_log("refused", 1500),
            lambda patch: patch.setattr(prompts, "lingers", lambda _state: False),
        ),
        (
            test_a_light_challenge_after_it_begins_with_what_burns_at_rest,
            lambda patch: patch.setattr(lights, "_rests", lambda state: state.lights == OFF),
        ),
    ],
    ids=["the time left", "the lead", "the time of a prompt", "once", "the approach", "back to rest", "from rest"],
)
def test_a_guard_that_is_missing_is_found(
    test: Callable[[], object], fault: Callable[[pytest.MonkeyPatch], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    test()
    fault(monkeypatch)
    with pytest.raises(AssertionError):
        test()
