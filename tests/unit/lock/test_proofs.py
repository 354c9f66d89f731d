"""What counts as a resident's word that the door may end: their PIN, typed for exactly that, a minute ago at most."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from device import wire
from device.edges import Room
from device.lock.loop import LockWork
from device.lock.state import Came, CardCame
from device.wire import Answer, Outcome, Result
from tests.unit.lock.house import DOOR, House
from tests.unit.lock.support import S, World, connected
from tests.unit.lock.test_machine_story import type_keys

MINUTE_NS = 60 * S  # docs/keypad.md, 011
ENDS = "011#12#482913#"
OTHERS = (
    *("01#12#482913#", "02#12#482913#", "03#12#482913#", "04#12#482913#", "07#12#482913#", "08#12#482913#"),
    *("05#12#482913#640275#640275#", "010#12#482913#640275#640275#", "00#12#939512911369#640275#640275#"),
)


def answered(keys: str, outcome: Outcome, *, as_if_for_the_end: bool = False) -> World:
    """A door at which keeper answered what was typed; the seeded fault takes everything for the word of a resident."""
    world = connected(World())
    type_keys(world, keys)
    check = world.state.check
    assert check
    world.state = replace(world.state, check=replace(check, ends_door=check.ends_door or as_if_for_the_end))
    world.send(Came(Room.KEEPER, Answer(check.nonce, outcome)))
    return world


@pytest.mark.parametrize("outcome", [Outcome.ACCEPTED, Outcome.DURESS])
def test_only_a_pin_typed_for_the_end_of_the_door_is_a_proof(outcome: Outcome) -> None:
    world = answered(ENDS, outcome)
    assert world.state.proven_until_ns == world.now_ns + MINUTE_NS
    for keys in OTHERS:
        assert answered(keys, outcome).state.proven_until_ns is None, keys


def test_a_door_that_takes_any_act_for_a_proof_is_caught() -> None:
    for keys in OTHERS:
        assert answered(keys, Outcome.ACCEPTED, as_if_for_the_end=True).state.proven_until_ns is not None


@pytest.mark.parametrize("outcome", [Outcome.REFUSED, Outcome.USED])
def test_a_no_is_no_proof(outcome: Outcome) -> None:
    assert answered(ENDS, outcome).state.proven_until_ns is None


def test_a_card_that_is_added_proves_nothing() -> None:
    world = connected(World())
    world.send(CardCame())
    assert world.state.check
    world.send(Came(Room.KEEPER, Answer(world.state.check.nonce, Outcome.ACCEPTED)))
    assert world.state.proven_until_ns is None


def test_a_proof_is_gone_to_the_moment_and_lock_wakes_for_it() -> None:
    world = answered(ENDS, Outcome.ACCEPTED)
    world.passes(MINUTE_NS - 1)
    assert world.state.proven_until_ns == world.now_ns + 1
    world.passes(1)
    assert world.state.proven_until_ns is None


class Trusting(LockWork):
    """The seeded fault: a proof is good as long as nobody has thrown it away."""

    def _asked_to_end(self, door: bytes) -> wire.Result:
        until_ns = self.state.proven_until_ns
        self.state = replace(self.state, proven_until_ns=None if until_ns is None else 2**63)
        return super()._asked_to_end(door)


@pytest.mark.parametrize(("kind", "result"), [(LockWork, Result.NO_GRANT), (Trusting, Result.DONE)])
def test_a_proof_that_is_over_is_none_though_nobody_has_looked_at_the_clock_since(
    house: House, kind: type[LockWork], result: Result
) -> None:
    house.work.__class__ = kind
    house.work._some = True
    for left_ns, expected in ((0, result), (-1, result), (1, Result.DONE)):
        house.work.state = replace(house.work.state, proven_until_ns=house.clock.now_ns + left_ns)
        assert house.work._asked_to_end(DOOR) is expected
        if expected is Result.DONE:
            return


def test_the_process_that_ended_the_door_destroys_nothing(house: House) -> None:
    """What it still holds open and in memory goes with it; the next one destroys, from the mark on."""
    policy = house.work._policy
    policy.versions.store(7)
    before = _kept(house.folder)
    policy.end()
    assert policy.retiring.over
    assert not policy.clear()
    house.passes(600)
    assert _kept(house.folder) - before == {"retired"}
    assert before <= _kept(house.folder)


def _kept(folder: Path) -> set[str]:
    return {path.name for path in (folder / "lock").iterdir()}
