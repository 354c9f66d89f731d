"""What was right before has a signal of its own at the door, for whoever shows it and for nobody else."""

from __future__ import annotations

import pytest

from device import wire
from device.edges import Room
from device.lock import machine
from device.lock.state import Came, CardCame, Release, Show, Signal
from device.wire import Answer, Outcome, Verdict
from tests.unit.lock.support import FRESH, NOW, RULES, World, connected, states, verdict
from tests.unit.lock.test_machine_story import type_keys

INVITATION = "939512911369"
MOVING_IN = f"00#12#{INVITATION}#640275#640275#"
OTHERS = ("01#12#482913#", "05#12#482913#640275#640275#", "07#12#482913#", "011#12#482913#")


def answered(keys: str, outcome: Outcome) -> list[Signal]:
    """What is seen and heard when keeper answers what was typed with `outcome`."""
    world = World()
    connected(world)
    type_keys(world, keys)
    assert world.state.check
    effects = world.send(Came(Room.KEEPER, Answer(world.state.check.nonce, outcome)))
    assert not any(isinstance(effect, Release) for effect in effects)
    return [effect.signal for effect in effects if isinstance(effect, Show)]


def test_used_invitation_is_said_to_whoever_showed_it() -> None:
    assert answered(MOVING_IN, Outcome.USED) == [Signal.TELL_MANAGER]
    assert answered(MOVING_IN, Outcome.REFUSED) == [Signal.REFUSED]


def told(verdict_outcome: Outcome, age_ns: int = 0) -> list[Signal]:
    """What is seen and heard when keeper answers flat and PIN with a verdict of `age_ns`; it opens nothing."""
    world = World()
    connected(world)
    type_keys(world, "12#482913#")
    assert world.state.check
    said = Verdict(world.state.check.nonce, world.now_ns - age_ns, verdict_outcome, wire.NOBODY)
    effects = world.send(Came(Room.KEEPER, said))
    assert not any(isinstance(effect, Release) for effect in effects)
    return [effect.signal for effect in effects if isinstance(effect, Show)]


def test_cancelled_pin_of_a_place_that_is_offered_anew_is_said_to_whoever_showed_it() -> None:
    assert told(Outcome.USED) == [Signal.TELL_MANAGER]
    assert told(Outcome.REFUSED) == [Signal.REFUSED]
    assert told(Outcome.USED, RULES.verdict_life_ns + 1) == [Signal.REFUSED], "a stale verdict says nothing"


@pytest.mark.parametrize("keys", OTHERS)
def test_whoever_showed_a_pin_hears_a_plain_no_even_of_a_keeper_gone_mad(keys: str) -> None:
    assert answered(keys, Outcome.USED) == [Signal.REFUSED]


def test_a_card_hears_a_plain_no_even_of_a_keeper_gone_mad() -> None:
    world = connected(World())
    world.send(CardCame())
    assert world.state.check
    said = Verdict(world.state.check.nonce, world.now_ns, Outcome.USED, wire.NOBODY)
    effects = world.send(Came(Room.KEEPER, said))
    assert [effect.signal for effect in effects if isinstance(effect, Show)] == [Signal.REFUSED]


def test_used_opens_in_no_state_whoever_says_it() -> None:
    for state in states().values():
        for sender in (Room.KEEPER, Room.VAULT):
            for nonce in {one.nonce for one in state.asked}:
                said = verdict(nonce, outcome=Outcome.USED)
                for msg in (said, Answer(nonce, Outcome.USED)):
                    following, effects = machine.step(state, Came(sender, msg), NOW, FRESH, RULES)
                    assert not any(isinstance(effect, Release) for effect in effects)
                    assert following.granted_until_ns == state.granted_until_ns
                    assert wire.OccurrenceKind.DURESS not in [getattr(effect, "kind", None) for effect in effects]
