"""Attacks on the machine: each must fail, and each must succeed once the guard it tests is taken out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from device import wire
from device.edges import Room
from device.lock import machine
from device.lock.state import Came, Event, FaceButton, Key, Rules, Secure, State
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


def _no_end(state: State, event: Event, now_ns: int, fresh: bytes, rules: Rules) -> machine.Step:
    after, effects = machine.step(state, event, now_ns, fresh, rules)
    return after, tuple(effect for effect in effects if not isinstance(effect, Secure))


ATTACKS = [
    (an_old_approach_answers_for_the_new_one, faulty(_any_nonce)),
    (a_verdict_is_kept_back_and_sent_later, faulty(_any_time)),
    (a_verdict_from_the_future_waits_for_its_time, faulty(_any_time)),
    (a_verdict_for_nobody, faulty(_any_slot)),
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
