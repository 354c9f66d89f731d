"""What lock still awaits stands in the order in which it asked: the oldest alone says whether any of it is too old."""

from __future__ import annotations

from dataclasses import replace

from device import wire
from device.edges import Room
from device.lock import machine
from device.lock.state import Asked, Came, FaceButton, Tick
from device.wire import Outcome
from tests.unit.lock.support import FRESH, NOW, PIN_NONCE, RULES, S, World, connected, verdict

PLAIN = replace(RULES, face_alone_opens=False)


def of_many_presses() -> World:
    """Somebody pressed for half a minute, and vault answered every approach; eye answers none of its own."""
    world = connected(World(rules=PLAIN))
    for _ in range(12):
        world.send(FaceButton())
        while window := world.state.window:
            world.passes(S)
            world.send(Came(Room.VAULT, wire.Verdict(window.nonce, world.now_ns, Outcome.REFUSED, 0)))
    return world


def test_what_was_asked_stands_in_the_order_of_time_and_in_no_other() -> None:
    asked = of_many_presses().state.asked
    assert len(asked) > 60, "two for eye in each approach"
    assert [one.at_ns for one in asked] == sorted(one.at_ns for one in asked)
    assert {one.room for one in asked} == {Room.EYE}, "what vault answered is not awaited any more"


def test_what_is_too_old_is_forgotten_and_what_is_younger_is_not() -> None:
    world = of_many_presses()
    half = world.state.asked[len(world.state.asked) // 2].at_ns
    later = machine.step(world.state, Tick(), half + PLAIN.remembered_ns, FRESH, PLAIN)[0]
    assert later.asked == tuple(one for one in world.state.asked if one.at_ns > half)
    just = machine.step(world.state, Tick(), world.state.asked[0].at_ns + PLAIN.remembered_ns - 1, FRESH, PLAIN)[0]
    assert just.asked == world.state.asked


def test_an_answer_takes_away_what_it_answers_wherever_that_stands_and_nothing_beside() -> None:
    world = of_many_presses()
    beside = world.state.asked
    for at in (0, len(beside) // 2, len(beside)):
        mine = Asked(PIN_NONCE, Room.KEEPER, NOW)
        state = replace(world.state, asked=(*beside[:at], mine, *beside[at:]))
        for sender, left in ((Room.KEEPER, beside), (Room.VAULT, state.asked)):
            heard = Came(sender, verdict(PIN_NONCE, outcome=Outcome.REFUSED, slot=0))
            assert machine.step(state, heard, world.now_ns, FRESH, PLAIN)[0].asked == left
