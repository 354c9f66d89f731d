"""Behind a kill the soak goes on once another process answers: until then a door refuses everybody, and rightly."""

from __future__ import annotations

from pathlib import Path

import pytest

from device.edges import Room
from tools.broker import INSTALL, PROGRAM
from tools.simulator.cards.card import SimulatedCard
from tools.simulator.cards.memory import Kind as Chip
from tools.soak.acts import Residents, Tenant
from tools.soak.house import house
from tools.soak.ledger import Ledger
from tools.soak.street import Street


@pytest.mark.skipif(not Path(PROGRAM).exists(), reason=INSTALL)
def test_well_is_a_door_with_another_keeper_and_no_dead_one() -> None:
    with house() as here:
        street = Street(here.door, lambda *_: None)
        street.well()
        tenant, card = Tenant(7301, "482913"), here.drawer / "one.card"
        residents = Residents(here, street, Ledger(), lambda: None, lambda _: None)
        SimulatedCard.new(Chip.NTAG424).save(card)
        residents.moves_in(tenant)
        residents.adds_card(tenant, card)
        before = here.door.news(2**62)["pids"]["keeper"]
        street.kills(Room.KEEPER)
        street.well()
        assert here.door.news(2**62)["pids"]["keeper"] not in (0, before)
        assert street.taps(card).opened
