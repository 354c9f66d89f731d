"""After thousands of visitors lock holds as many objects as after the first hundred, whatever they did."""

from __future__ import annotations

from dataclasses import replace

import pytest

from device import wire
from device.edges import Room
from device.lock.state import Asked, CardCame, CardLeft, CardReplied, DoorMoved, FaceButton
from device.wire import Outcome
from tests.support.held import blocks_an_act
from tests.unit.lock.house import End, House

SOME = 0.05  # of a block: what comes and goes; a thing that is kept is one at the least
WARM = 100
ACTS = 300


def goes_in(house: House) -> None:
    house.board.happens(DoorMoved(open=True), DoorMoved(open=False))
    house.passes(60.0)
    house.board.signals.clear()
    house.board.hints.clear()
    house.board.told_card.clear()
    house.board.shone.clear()


def by_pin(house: House, keeper: End, outcome: Outcome) -> None:
    house.keys("12#482913#")
    (asked,) = keeper.heard()
    assert isinstance(asked, wire.CheckPin)
    keeper.say(wire.Verdict(asked.nonce, house.clock.now_ns, outcome, 12 if outcome is Outcome.ACCEPTED else 0))
    house.turn()
    goes_in(house)


def by_card(house: House, keeper: End) -> None:
    house.board.happens(CardCame())
    house.turn()
    (shown,) = keeper.heard()
    assert isinstance(shown, wire.CardShown)
    keeper.say(wire.CardCommand(shown.nonce, b"\x90\x5a"))
    house.turn()
    house.board.happens(CardReplied(b"\x91\x00"))
    house.turn()
    keeper.heard()
    keeper.say(house.accepted(shown))
    house.board.happens(CardLeft())
    house.turn()
    goes_in(house)


@pytest.mark.parametrize("outcome", [Outcome.ACCEPTED, Outcome.REFUSED])
def test_one_more_pin_leaves_nothing_behind(house: House, outcome: Outcome) -> None:
    keeper = house.join(Room.KEEPER)
    house.turn()
    assert blocks_an_act(lambda: by_pin(house, keeper, outcome), WARM, ACTS) < SOME


def test_one_more_card_leaves_nothing_behind(house: House) -> None:
    keeper = house.join(Room.KEEPER)
    house.turn()
    assert blocks_an_act(lambda: by_card(house, keeper), WARM, ACTS) < SOME


def test_one_more_look_that_nobody_answers_leaves_nothing_behind(house: House) -> None:
    eye, vault = house.join(Room.EYE), house.join(Room.VAULT)
    vault.say(wire.FaceReady(recognise=True, enrol=False, claim_first=False))
    house.turn()

    def looks() -> None:
        house.board.happens(FaceButton())
        house.turn()
        assert eye.heard()
        assert vault.heard()
        goes_in(house)

    assert blocks_an_act(looks, WARM, ACTS) < SOME


def test_fault_a_question_that_is_never_forgotten_is_seen(house: House) -> None:
    """Nobody answers, and what was asked is remembered for ever."""
    keeper = house.join(Room.KEEPER)
    house.turn()
    house.work._narrowing.rules = replace(house.rules, remembered_ns=10**18)

    def asks() -> None:
        house.keys("12#482913#")
        assert keeper.heard()
        goes_in(house)

    assert blocks_an_act(asks, 20, 100) > 0.9


@pytest.mark.parametrize("waiting", [1, 3, 7])
def test_one_more_pin_while_others_are_awaited_fills_no_free_list(house: House, waiting: int) -> None:
    """Up to 2,000 tuples of each length that is ever awaited were kept aside, 4.7 MB in all: a life seemed to leak."""
    keeper = house.join(Room.KEEPER)
    house.turn()
    house.work.state = replace(
        house.work.state, asked=tuple(Asked(bytes([each]) * 16, Room.EYE, 10**18) for each in range(waiting))
    )
    assert blocks_an_act(lambda: by_pin(house, keeper, Outcome.ACCEPTED), WARM, ACTS, free_lists=True) < 1
