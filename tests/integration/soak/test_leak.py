"""A real room that keeps a kilobyte of each visitor is found by its slope, and its neighbours are not blamed."""

import os
from pathlib import Path

import pytest

from tests.support.room_process import CHECKOUT
from tools.broker import INSTALL, PROGRAM
from tools.simulator.cards.card import SimulatedCard
from tools.simulator.cards.memory import Kind as Chip
from tools.soak.acts import Residents, Tenant
from tools.soak.house import house
from tools.soak.ledger import Ledger
from tools.soak.memory import Watch
from tools.soak.slope import WARM, Verdict
from tools.soak.street import Street

TAPS = WARM + 400
LEAKS = """
import sys
if "device.keeper" in sys.orig_argv:
    from device.wire import credentials
    honest, kept = credentials.CardShown.__init__, []
    def keeping(self, *args, **kwargs):
        honest(self, *args, **kwargs)
        kept.append(bytearray(1024))
    credentials.CardShown.__init__ = keeping
"""


@pytest.mark.skipif(not Path(PROGRAM).exists(), reason=INSTALL)
def test_fault_a_room_that_keeps_a_kilobyte_of_each_visitor_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sitecustomize.py").write_text(LEAKS)
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{CHECKOUT}")
    ledger, watch = Ledger(), Watch()
    with house() as here:
        street = Street(here.door, lambda releases, before, opened: ledger.counted(releases, before, opened=opened))
        street.well()
        residents = Residents(here, street, ledger, lambda: None, lambda _: None)
        tenant, card = Tenant(7301, "482913"), here.drawer / "one.card"
        SimulatedCard.new(Chip.NTAG424).save(card)
        residents.moves_in(tenant)
        residents.adds_card(tenant, card)
        for number in range(TAPS):
            assert street.taps(card).opened
            if number % 10 == 0:
                watch.look(here.door.news(2**62)["pids"], number)
    lives = {life.room: life for life in watch.lives}
    assert len(watch.lives) == len(lives) == 6
    assert lives["keeper"].verdict is Verdict.GROWS, lives["keeper"].slope
    assert lives["keeper"].slope
    assert 950 < lives["keeper"].slope.kb < 1300
    assert [room for room, life in lives.items() if life.verdict is Verdict.GROWS] == ["keeper"]
    assert ledger.found == []
