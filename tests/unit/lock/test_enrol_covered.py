"""Whoever enrols with mouth and nose covered gets a window that looks for exactly that; eye and vault hear the same."""

from __future__ import annotations

import pytest

from device import wire
from device.edges import Room
from device.lock import window
from device.lock.state import Came, Effect, FaceButton, PeerDown, PeerUp, Send, Show, Signal, State
from device.wire import LookMode
from tests.unit.lock.support import World, connected


def ready(*, enrol: bool = True, covered: bool = False) -> Came:
    return Came(Room.VAULT, wire.FaceReady(recognise=True, enrol=enrol, claim_first=False, covered=covered))


def modes(effects: tuple[Effect, ...]) -> list[tuple[Room, LookMode]]:
    sent = [effect for effect in effects if isinstance(effect, Send)]
    return [(each.room, each.msg.mode) for each in sent if isinstance(each.msg, wire.Look | wire.Window)]


@pytest.mark.parametrize("covered", [False, True])
def test_the_window_is_of_the_kind_that_was_declared(covered: bool) -> None:
    world = connected(World())
    world.send(ready(covered=covered))
    mode = LookMode.ENROL_COVERED if covered else LookMode.ENROL
    assert modes(world.send(FaceButton())) == [(Room.VAULT, mode), (Room.EYE, mode)]
    assert world.state.window
    assert world.state.window.claim == wire.NOBODY


def test_a_window_of_the_other_kind_closes_when_somebody_begins_anew() -> None:
    for first in (False, True):
        world = connected(World())
        world.send(ready(covered=first))
        world.send(FaceButton())
        world.send(ready(covered=first))
        assert world.state.window, "nothing changed"
        effects = world.send(ready(covered=not first))
        assert world.state.window is None
        assert Show(Signal.REFUSED) in effects


def test_once_nobody_enrols_or_vault_is_gone_a_press_recognises() -> None:
    world = connected(World())
    world.send(ready(covered=True))
    world.send(ready(enrol=False))
    assert modes(world.send(FaceButton()))[0][1] is LookMode.RECOGNISE
    world = connected(World())
    world.send(ready(covered=True))
    world.send(PeerDown(Room.VAULT))
    assert world.state.enrol_mode is LookMode.ENROL
    world.send(PeerUp(Room.VAULT))
    world.send(ready())
    assert modes(world.send(FaceButton()))[0][1] is LookMode.ENROL


def test_the_end_of_a_covered_enrolments_window_is_that_of_an_enrolment() -> None:
    world = connected(World())
    world.send(ready(covered=True))
    world.send(FaceButton())
    assert world.state.window
    verdict = wire.Verdict(world.state.window.nonce, world.now_ns, wire.Outcome.ACCEPTED, 12)
    world.send(Came(Room.VAULT, verdict))
    assert not world.released, "no verdict opens in it"
    world.passes(11_000_000_000)
    assert world.state.window is None
    assert world.effects[-1:] != [Show(Signal.ENTER_PIN)]
    assert Show(Signal.REFUSED) in world.effects


def test_a_lock_that_forgets_what_was_declared_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    real = window.readiness

    def forgetful(state: State, said: wire.FaceReady) -> tuple[State, tuple[Effect, ...]]:
        return real(state, wire.FaceReady(said.recognise, said.enrol, said.claim_first))

    monkeypatch.setattr(window, "readiness", forgetful)
    with pytest.raises(AssertionError):
        test_the_window_is_of_the_kind_that_was_declared(covered=True)
