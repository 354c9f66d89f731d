"""Where a face alone opens: two answered light challenges of one window, by the same face, and no less (ADR 34)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import pytest

from device import wire
from device.challenge import LAST_MS, LASTS_MS, MS
from device.edges import Room
from device.lock import machine, window
from device.lock.state import (
    Came,
    Claim,
    Effect,
    FaceButton,
    Key,
    PeerDown,
    PeerUp,
    Rules,
    Send,
    Show,
    Signal,
    Tick,
    Window,
)
from device.policy.methods import EVERYTHING, Method
from device.wire import LookMode, Outcome
from tests.unit.lock.support import S, World, connected, with_rules

TWICE = with_rules(lights=True)
RESIDENT, NEIGHBOUR = 12, 7
Seen = tuple[Outcome, int]
YES: Seen = (Outcome.ACCEPTED, RESIDENT)
OTHER: Seen = (Outcome.ACCEPTED, NEIGHBOUR)
NO: Seen = (Outcome.REFUSED, wire.NOBODY)
WITH_PIN: Seen = (Outcome.WITH_PIN, RESIDENT)


def door(rules: Rules = TWICE) -> World:
    world = connected(World(rules=rules))
    world.send(FaceButton())
    return world


def says(world: World, seen: Seen, age_ns: int = 0) -> tuple[Effect, ...]:
    assert world.state.window is not None
    return world.send(Came(Room.VAULT, wire.Verdict(world.state.window.nonce, world.now_ns - age_ns, *seen)))


def shown(*seen: Seen, world: World | None = None) -> World:
    """A press, and what vault says of one approach after the other, for as long as the window is open."""
    world = world or door()
    for each in seen:
        if world.state.window:
            says(world, each)
    return world


def last_signal(world: World) -> Signal:
    return [effect.signal for effect in world.effects if isinstance(effect, Show)][-1]


def looks(world: World) -> list[bytes]:
    sent = [effect.msg for effect in world.effects if isinstance(effect, Send)]
    return [msg.nonce for msg in sent if isinstance(msg, wire.Look)]


# ---- what opens


@pytest.mark.parametrize(
    ("seen", "opens"),
    [
        ([YES], False),
        ([YES, YES], True),
        ([NO, YES, NO, YES], True),
        ([YES, NO, NO, NO, YES], True),
        ([NO, NO, NO, NO, YES], False),
        ([YES, OTHER], False),
        ([YES, OTHER, YES], False),
        ([YES, OTHER, OTHER], True),
        ([OTHER, YES, NO, YES], True),
        ([YES, OTHER, YES, OTHER, YES], False),
        ([YES, WITH_PIN], False),
        ([WITH_PIN, YES], False),
        ([YES, (Outcome.DURESS, RESIDENT)], False),
        ([YES, (Outcome.ACCEPTED, wire.NOBODY)], False),
    ],
)
def test_the_same_face_has_to_be_shown_by_two_approaches_of_one_window(seen: list[Seen], opens: bool) -> None:
    world = shown(*seen)
    assert world.released is opens
    assert (world.state.granted_until_ns is not None) is opens
    assert world.breaches == 0


def test_after_the_first_the_camera_looks_on_under_another_nonce_and_nothing_tells_that_it_was_one() -> None:
    known, unknown = shown(YES), shown(NO)
    assert len(set(looks(known))) == 2
    assert known.effects == unknown.effects, "neither a tone nor a light says that a photograph got half of the way"


def test_every_window_begins_with_none() -> None:
    world = shown(YES)
    world.passes(world.rules.window_ns)
    world.passes(world.rules.claim_ns)
    world.send(FaceButton())
    assert not shown(YES, world=world).released


@pytest.mark.parametrize("gone", [Room.EYE, Room.VAULT])
def test_a_room_that_goes_away_in_between_takes_the_first_with_it(gone: Room) -> None:
    world = shown(YES)
    world.send(PeerDown(gone))
    assert world.state.window is None
    world.send(PeerUp(gone))
    connected(world)
    world.send(FaceButton())
    assert world.state.window is not None
    assert not shown(YES, world=world).released


@pytest.mark.parametrize("stale", [0, 1])
def test_a_verdict_that_is_too_old_is_neither_the_first_nor_the_second(stale: int) -> None:
    world = door()
    for number in range(2):
        says(world, YES, age_ns=S if number == stale else 0)
    assert not world.released
    assert shown(YES, world=world).released


@pytest.mark.parametrize("doubted", [0, 1])
def test_a_face_that_was_asked_to_turn_is_neither(doubted: int) -> None:
    world = door()
    for number in range(2):
        if number == doubted and world.state.window:
            world.send(Came(Room.EYE, wire.MotionRequest(world.state.window.nonce)))
        shown(YES, world=world)
    assert not world.released
    assert last_signal(world) is Signal.ENTER_PIN
    assert world.state.claim == Claim(RESIDENT, world.now_ns + world.rules.claim_ns)


@pytest.mark.parametrize(("seen", "opens"), [([YES, YES], True), ([YES, OTHER], False), ([OTHER, OTHER], False)])
def test_whoever_said_who_they_are_is_compared_with_that_in_both(seen: list[Seen], opens: bool) -> None:
    world = connected(World(rules=TWICE))
    for key in "12#":
        world.send(Key(key))
    world.send(FaceButton())
    assert world.state.inquiry is not None
    world.send(Came(Room.VAULT, wire.ClaimAnswer(world.state.inquiry.nonce, awake=True)))
    assert shown(*seen, world=world).released is opens


@pytest.mark.parametrize("changed", [{"methods": EVERYTHING & ~Method.FACE}, {"barred": frozenset({RESIDENT})}])
def test_a_policy_that_does_not_allow_it_at_the_second_keeps_the_door_shut(changed: dict[str, object]) -> None:
    world = shown(YES)
    world.rules = replace(world.rules, **changed)  # type: ignore[arg-type] # fields of Rules
    assert not shown(YES, world=world).released
    assert world.state.window is None


def test_whom_a_face_with_pin_has_shown_does_not_count_when_the_hour_of_the_face_alone_begins() -> None:
    world = door(with_rules(lights=True, face_alone_opens=False))
    says(world, WITH_PIN)
    world.rules = TWICE
    assert not shown(YES, world=world).released, "that was the first that a light has shown"
    assert shown(YES, world=world).released


# ---- how a window ends of which only one came


def test_there_are_five_approaches_and_no_more() -> None:
    world = shown(*[NO] * 9)
    assert len(looks(world)) == 5
    assert world.state.window is None
    assert (last_signal(world), world.state.claim) == (Signal.REFUSED, None)


@pytest.mark.parametrize("by_time", [True, False])
def test_whoever_was_shown_once_is_asked_for_the_pin_and_it_opens(by_time: bool) -> None:
    world = shown(YES, *[NO] * (0 if by_time else 4))
    if by_time:
        world.passes(world.rules.window_ns)
    assert world.state.window is None
    assert last_signal(world) is Signal.ENTER_PIN
    for key in "482913#":
        world.send(Key(key))
    asked = [effect.msg for effect in world.effects if isinstance(effect, Send)]
    (check,) = [msg for msg in asked if isinstance(msg, wire.CheckPin)]
    assert (check.claim, check.digits) == (RESIDENT, "482913")
    world.send(Came(Room.KEEPER, wire.Verdict(check.nonce, world.now_ns, Outcome.ACCEPTED, RESIDENT)))
    assert world.released


def test_who_needs_the_pin_anyhow_is_asked_for_it_at_once() -> None:
    world = shown(YES, WITH_PIN)
    assert world.state.window is None
    assert last_signal(world) is Signal.ENTER_PIN


@pytest.mark.parametrize("mode", [LookMode.ENROL, LookMode.ENROL_COVERED])
def test_an_enrolment_has_as_many_approaches_as_ever(mode: LookMode) -> None:
    world = connected(World(rules=TWICE))
    covered = mode is LookMode.ENROL_COVERED
    world.send(Came(Room.VAULT, wire.FaceReady(recognise=True, enrol=True, claim_first=False, covered=covered)))
    world.send(FaceButton())
    assert world.state.window is not None
    assert (world.state.window.mode, world.state.window.approaches_left) == (mode, 2)


@pytest.mark.parametrize("rules", [with_rules(), with_rules(lights=True, face_alone_opens=False)], ids=["dark", "pin"])
def test_elsewhere_a_window_has_three(rules: Rules) -> None:
    assert len(looks(shown(*[NO] * 9, world=door(rules)))) == 3


def test_without_lights_which_only_a_simulated_door_can_be_a_face_is_shown_once() -> None:
    assert shown(YES, world=door(with_rules())).released


# ---- the time it takes


def driven(world: World) -> bool:
    """Whether the challenge of this approach is over, or its window."""
    challenge = world.state.challenge
    return world.state.window is None or (challenge is not None and challenge.over)


def challenged(world: World) -> None:
    """One light challenge of this approach, to its log or the end of the window."""
    assert world.state.window is not None
    world.send(Came(Room.EYE, wire.ChallengeRequest(world.state.window.nonce)))
    while not driven(world):
        due_ns = machine.next_deadline_ns(world.state, world.rules)
        assert due_ns is not None
        world.now_ns = max(world.now_ns, due_ns)
        world.send(Tick())


@pytest.mark.parametrize("eyes_ms", [0, 200, 400])
def test_five_challenges_have_room_in_a_window(eyes_ms: int) -> None:
    """`eyes_ms`: from the log of one to the request for the next."""
    for number in range(20):
        world = connected(World(rules=TWICE))
        world.counter = number * 999  # other codes
        world.send(FaceButton())
        for approach in range(5):
            assert world.state.window is not None, f"{approach} had room"
            world.passes(eyes_ms * MS)
            challenged(world)
            says(world, NO)
        assert world.now_ns - world.rules.window_ns < 100 * S


def test_two_challenges_are_as_far_apart_as_the_pace_of_the_lights_demands() -> None:
    world = door()
    for _ in range(2):
        challenged(world)
        says(world, YES)
    assert world.released
    changes = [at_ns for at_ns, _ in world.shone]
    assert all(later - first >= S for first, later in zip(changes, changes[3:], strict=False))
    assert len(changes) >= 7
    assert min(after - before for before, after in pairwise(changes[1:])) >= min(*LASTS_MS, LAST_MS) * MS


# ---- guards taken out


_worth = window.worth


def any_two(looking: Window, verdict: wire.Verdict, rules: Rules) -> window.Worth:
    """As if any face after another were the second."""
    found = _worth(looking, verdict, rules)
    return window.Worth.OPENS if found is window.Worth.ONCE and looking.answered else found


@pytest.mark.parametrize(
    ("test", "fault"),
    [
        (
            lambda: test_the_same_face_has_to_be_shown_by_two_approaches_of_one_window([YES], opens=False),
            lambda patch: patch.setattr(Rules, "twice", False),
        ),
        (
            lambda: test_the_same_face_has_to_be_shown_by_two_approaches_of_one_window([YES, OTHER], opens=False),
            lambda patch: patch.setattr(window, "worth", any_two),
        ),
        (
            lambda: test_a_face_that_was_asked_to_turn_is_neither(1),
            lambda patch: patch.setattr(window, "doubted", lambda state, _nonce: state),
        ),
        (
            test_whom_a_face_with_pin_has_shown_does_not_count_when_the_hour_of_the_face_alone_begins,
            lambda patch: patch.setattr(window, "recognised", window.once),
        ),
        (
            lambda: test_whoever_was_shown_once_is_asked_for_the_pin_and_it_opens(by_time=True),
            lambda patch: patch.setattr(
                window, "_over", lambda state, _now_ns, _rules: window.ended(state, Signal.REFUSED)
            ),
        ),
    ],
    ids=["one is enough", "any two", "the doubt", "with the PIN", "the question"],
)
def test_a_guard_that_is_missing_is_found(
    test: Callable[[], object], fault: Callable[[pytest.MonkeyPatch], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    test()
    fault(monkeypatch)
    with pytest.raises(AssertionError):
        test()
