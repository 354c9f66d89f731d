"""After thousands of visitors keeper holds as many objects as after the first thousand."""

from __future__ import annotations

import pytest

from device import wire
from device.edges import Room
from device.keeper import loop
from tests.support.held import blocks_an_act
from tests.unit.keeper.bench import PIN, Door
from tools.simulator.cards.card import SimulatedCard
from tools.simulator.cards.memory import Kind

SOME = 0.05  # of a block: what comes and goes; a thing that is kept is one at the least
WARM = 100
ACTS = 200


@pytest.fixture(autouse=True)
def _remembers_few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nonces are remembered up to a number, which a door reaches on its second day and these after half the warm-up."""
    monkeypatch.setattr(loop, "REMEMBERED_NONCES", WARM // 2)


def with_a_card(door: Door) -> SimulatedCard:
    door.reader = True
    door.boot()
    assert isinstance(door.ask(wire.ChangeCards(door.nonce(), wire.CardChange.ADD, 12, PIN)), wire.Answer)
    card = SimulatedCard.new(Kind.NTAG424)
    assert tap(door, card) == wire.Answer
    return card


def tap(door: Door, card: SimulatedCard) -> type[wire.Message]:
    card.reset()
    door.say(wire.CardShown(door.nonce()))
    while True:
        door.worker.run()
        (msg,) = door.house.to(Room.LOCK)
        if not isinstance(msg, wire.CardCommand):
            return type(msg)
        door.say(wire.CardAnswer(msg.nonce, card.process(msg.apdu)))


@pytest.mark.parametrize("digits", [PIN, "111111"])
def test_one_more_pin_leaves_nothing_behind(home: Door, digits: str) -> None:
    assert blocks_an_act(lambda: home.type_in(digits), WARM, ACTS) < SOME


def test_one_more_card_leaves_nothing_behind(home: Door) -> None:
    card = with_a_card(home)
    assert blocks_an_act(lambda: tap(home, card), WARM, ACTS) < SOME


def test_fault_a_nonce_that_is_never_forgotten_is_seen(home: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "REMEMBERED_NONCES", 10**9)
    assert blocks_an_act(lambda: home.type_in(PIN), WARM, ACTS) > 0.9
