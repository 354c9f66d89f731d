"""A simulated card held to the real pcscd: what it says arrives as a real one's would."""

from __future__ import annotations

from device.lock.state import CardCame, CardReplied
from tests.contract.cards.bench import Bench
from tests.support.pcscd import Daemon
from tools.simulator.cards.card import SimulatedCard
from tools.simulator.cards.memory import Kind
from tools.simulator.vpcd import VirtualReader

WHO = bytes.fromhex("FFCA000000")
SELECT_NONE = bytes.fromhex("90510000")  # a card without a session says no, in two bytes


def test_a_simulated_card_tells_its_number_and_answers_through_pcscd(real: Bench, daemon: Daemon) -> None:
    card = SimulatedCard.new(Kind.DESFIRE_EV2)
    with VirtualReader(card, daemon.port):
        assert real.next_event() == CardCame()
        assert real.answer_to(WHO) == CardReplied(card.uid + b"\x90\x00")
        refused = real.answer_to(SELECT_NONE)
        assert isinstance(refused, CardReplied)
        assert len(refused.apdu) == 2
        assert refused.apdu != b"\x90\x00"
        real.say(None)
