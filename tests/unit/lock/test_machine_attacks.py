"""Attacks on the machine: each must fail, and each must succeed once the guard it tests is taken out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from device import wire
from device.edges import Room
from device.lock import machine
from device.lock.state import Came, Event, FaceButton, Inquiry, Key, PeerDown, PeerUp, Rules, Secure, State
from device.wire import Outcome
from tests.unit.lock.support import S, Stepper, World, connected


def says_yes(world: World, sender: Room, nonce: bytes, age_ns: int = 0, slot: int = 12) -> None:
    world.send(Came(sender, wire.Verdict(nonce, world.now_ns - age_ns, Outcome.ACCEPTED, slot)))


def current(world: World) -> bytes:
    asking = world.state.window or world.state.check
    assert asking is not None
    return asking.nonce


def an_old_approach_answers_for_the_new_one(world: World) -> None:
    world.send(FaceButton())
    old = current(world)
    world.passes(world.rules.window_ns)
    world.send(FaceButton())
    says_yes(world, Room.VAULT, old)


def a_verdict_is_kept_back_and_sent_later(world: World) -> None:
    world.send(FaceButton())
    says_yes(world, Room.VAULT, current(world), age_ns=2 * S)


def a_verdict_from_the_future_waits_for_its_time(world: World) -> None:
    world.send(FaceButton())
    says_yes(world, Room.VAULT, current(world), age_ns=-S)


def vault_answers_what_keeper_was_asked(world: World) -> None:
    for key in "12#482913#":
        world.send(Key(key))
    says_yes(world, Room.VAULT, current(world))


def a_verdict_for_nobody(world: World) -> None:
    world.send(FaceButton())
    says_yes(world, Room.VAULT, current(world), slot=wire.NOBODY)


def a_face_that_needs_its_pin_comes_alone(world: World) -> None:
    world.send(FaceButton())
    world.send(Came(Room.VAULT, wire.Verdict(current(world), world.now_ns, Outcome.WITH_PIN, 12)))


def keeper_says_what_only_vault_may(world: World) -> None:
    for key in "12#482913#":
        world.send(Key(key))
    world.send(Came(Room.KEEPER, wire.Verdict(current(world), world.now_ns, Outcome.WITH_PIN, 12)))


def asks_for(world: World, flat: str = "12") -> bytes:
    """A flat, #, and the face button; the nonce of the question to vault."""
    for key in f"{flat}#":
        world.send(Key(key))
    world.send(FaceButton())
    assert world.state.inquiry
    return world.state.inquiry.nonce


def vault_names_another_flat_than_the_one_typed(world: World) -> None:
    world.send(Came(Room.VAULT, wire.ClaimAnswer(asks_for(world), awake=True)))
    says_yes(world, Room.VAULT, current(world), slot=7)


def the_door_stays_granted(world: World) -> None:
    world.send(FaceButton())
    says_yes(world, Room.VAULT, current(world))
    world.passes(world.rules.unlock_ns)


def faulty(change: Callable[[State, wire.Verdict, Room, int], tuple[wire.Verdict, Room]]) -> Stepper:
    """The machine behind a fault that makes a guard see what it wants to see."""

    def step(state: State, event: Event, now_ns: int, fresh: bytes, rules: Rules) -> machine.Step:
        if isinstance(event, Came) and isinstance(event.msg, wire.Verdict):
            msg, sender = change(state, event.msg, event.sender, now_ns)
            event = Came(sender, msg)
        return machine.step(state, event, now_ns, fresh, rules)

    return step


def _any_nonce(state: State, msg: wire.Verdict, sender: Room, _now: int) -> tuple[wire.Verdict, Room]:
    asking = state.check or state.window
    return (replace(msg, nonce=asking.nonce) if asking else msg), sender


def _any_time(_state: State, msg: wire.Verdict, sender: Room, now_ns: int) -> tuple[wire.Verdict, Room]:
    return replace(msg, stamped_ns=now_ns), sender


def _any_sender(_state: State, msg: wire.Verdict, _sender: Room, _now: int) -> tuple[wire.Verdict, Room]:
    return msg, Room.KEEPER


def _any_slot(_state: State, msg: wire.Verdict, sender: Room, _now: int) -> tuple[wire.Verdict, Room]:
    return replace(msg, slot=1), sender


def _any_outcome(_state: State, msg: wire.Verdict, sender: Room, _now: int) -> tuple[wire.Verdict, Room]:
    return replace(msg, outcome=Outcome.ACCEPTED), sender


def _whoever_was_claimed(state: State, msg: wire.Verdict, sender: Room, _now: int) -> tuple[wire.Verdict, Room]:
    return replace(msg, slot=state.window.claim if state.window else msg.slot), sender


def _no_end(state: State, event: Event, now_ns: int, fresh: bytes, rules: Rules) -> machine.Step:
    after, effects = machine.step(state, event, now_ns, fresh, rules)
    return after, tuple(effect for effect in effects if not isinstance(effect, Secure))


ATTACKS = [
    (an_old_approach_answers_for_the_new_one, faulty(_any_nonce)),
    (a_verdict_is_kept_back_and_sent_later, faulty(_any_time)),
    (a_verdict_from_the_future_waits_for_its_time, faulty(_any_time)),
    (a_verdict_for_nobody, faulty(_any_slot)),
    (a_face_that_needs_its_pin_comes_alone, faulty(_any_outcome)),
    (keeper_says_what_only_vault_may, faulty(_any_outcome)),
    (vault_names_another_flat_than_the_one_typed, faulty(_whoever_was_claimed)),
]


@pytest.mark.parametrize(("attack", "without_guard"), ATTACKS)
def test_attack_fails_and_would_succeed_without_its_guard(
    attack: Callable[[World], None], without_guard: Stepper
) -> None:
    honest, careless = connected(World()), connected(World(step=without_guard))
    attack(honest)
    attack(careless)
    assert not honest.released
    assert careless.released


def test_vault_cannot_answer_for_keeper_and_both_guards_must_fall_to_let_it() -> None:
    honest, careless = connected(World()), connected(World(step=faulty(_any_sender)))
    vault_answers_what_keeper_was_asked(honest)
    assert honest.breaches == 1
    vault_answers_what_keeper_was_asked(careless)
    assert not careless.released, "the permit table stands in front of the machine"
    for key in "01#12#482913#":
        careless.send(Key(key))
    msg = wire.Verdict(current(careless), careless.now_ns, Outcome.ACCEPTED, 12)
    careless.state, effects = careless.step(
        careless.state, Came(Room.VAULT, msg), careless.now_ns, bytes(16), careless.rules
    )
    assert any(type(effect).__name__ == "Release" for effect in effects)


def test_an_expiry_that_secures_nothing_is_seen_at_the_bolt() -> None:
    honest, careless = connected(World()), connected(World(step=_no_end))
    the_door_stays_granted(honest)
    the_door_stays_granted(careless)
    assert any(isinstance(effect, Secure) for effect in honest.effects)
    assert not any(isinstance(effect, Secure) for effect in careless.effects)
    assert not careless.released, "the bolt's own one-shot ends the release below the program"


# ---- attacks on the camera: nothing opens the door here, but a lamp may be lit for nobody who asked


def says_awake(world: World, nonce: bytes, *, awake: bool = True) -> None:
    world.send(Came(Room.VAULT, wire.ClaimAnswer(nonce, awake)))


def vault_answers_when_its_time_is_over(world: World) -> None:
    nonce = asks_for(world)
    world.passes(world.rules.inquiry_ns)
    says_awake(world, nonce)


def a_flat_without_a_face_awake_is_looked_for(world: World) -> None:
    says_awake(world, asks_for(world), awake=False)


def an_old_question_answers_for_the_new_one(world: World) -> None:
    old = asks_for(world)
    world.passes(world.rules.inquiry_ns)
    asks_for(world, "7")
    says_awake(world, old)


def vault_answers_after_it_died_and_came_back(world: World) -> None:
    nonce = asks_for(world)
    world.send(PeerDown(Room.VAULT))
    world.send(PeerUp(Room.VAULT))
    world.send(Came(Room.VAULT, wire.FaceReady(recognise=False, enrol=False, claim_first=True)))
    says_awake(world, nonce)


def vault_answers_for_an_eye_that_is_gone(world: World) -> None:
    nonce = asks_for(world)
    world.send(PeerDown(Room.EYE))
    says_awake(world, nonce)


def the_button_is_pressed_without_a_flat_where_the_faces_are_too_many(world: World) -> None:
    world.send(Came(Room.VAULT, wire.FaceReady(recognise=False, enrol=False, claim_first=True)))
    world.send(FaceButton())


class Insistent:
    """The machine behind a fault: the last question stands for ever, and every answer is a yes to it."""

    def __init__(self) -> None:
        self.last: Inquiry | None = None

    def __call__(self, state: State, event: Event, now_ns: int, fresh: bytes, rules: Rules) -> machine.Step:
        if isinstance(event, Came) and isinstance(event.msg, wire.ClaimAnswer) and self.last:
            # Even from behind the permit table: as if the guards in front had failed as well.
            state = replace(state, inquiry=replace(self.last, until_ns=now_ns + 1), up=state.up | {Room.EYE})
            event = Came(event.sender, wire.ClaimAnswer(self.last.nonce, awake=True))
        after, effects = machine.step(state, event, now_ns, fresh, rules)
        self.last = after.inquiry or self.last
        return after, effects


def _somebody_is_awake(state: State, event: Event, now_ns: int, fresh: bytes, rules: Rules) -> machine.Step:
    ready = state.recognise_ready or state.claim_first_ready
    return machine.step(replace(state, recognise_ready=ready, claim_first_ready=False), event, now_ns, fresh, rules)


CAMERA_ATTACKS = [
    (vault_answers_when_its_time_is_over, Insistent),
    (a_flat_without_a_face_awake_is_looked_for, Insistent),
    (an_old_question_answers_for_the_new_one, Insistent),
    (vault_answers_for_an_eye_that_is_gone, Insistent),
    (the_button_is_pressed_without_a_flat_where_the_faces_are_too_many, lambda: _somebody_is_awake),
]


@pytest.mark.parametrize(("attack", "without_guard"), CAMERA_ATTACKS)
def test_attack_opens_no_camera_and_would_without_its_guard(
    attack: Callable[[World], None], without_guard: Callable[[], Stepper]
) -> None:
    honest, careless = connected(World()), connected(World(step=without_guard()))
    attack(honest)
    attack(careless)
    assert (honest.looking, honest.lamp) == (False, False)
    assert careless.looking


def test_what_vault_was_asked_before_it_died_is_no_question_to_the_one_that_comes_after() -> None:
    """The permit table alone: its nonce died with the room, so the answer is a breach and never reaches the machine."""
    world = connected(World(step=Insistent()))
    vault_answers_after_it_died_and_came_back(world)
    assert world.breaches == 1
    assert not world.looking


def test_vault_may_not_answer_a_question_about_a_claim_with_a_verdict() -> None:
    world = connected(World())
    says_yes(world, Room.VAULT, asks_for(world))
    assert not world.released
    assert not world.looking
