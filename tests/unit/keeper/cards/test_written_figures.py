"""Figures that a card or a file keeps for good: how an application is made, and how long a serial is."""

from __future__ import annotations

from pathlib import Path

import pytest

from device.keeper.cards.counters import Counters
from device.keeper.cards.exchange import Added
from tests.unit.keeper.cards.bench import Door, blank
from tools.simulator.cards.memory import Kind

CREATE_APPLICATION = 0xCA
# Key 0 and these settings may be changed, and everything needs key 0; one key of AES (0x80), and no more.
SETTINGS, KEYS = 0x09, 0x81


@pytest.mark.parametrize("kind", [Kind.DESFIRE_EV1, Kind.DESFIRE_EV2], ids=lambda kind: kind.value)
def test_an_application_is_made_with_one_aes_key_that_is_needed_for_everything(kind: Kind) -> None:
    door = Door()
    assert isinstance(door.add(blank(kind), serial=5), Added)
    (made,) = [apdu for apdu in door.sent if apdu[1] == CREATE_APPLICATION]
    assert made[:5] == bytes((0x90, CREATE_APPLICATION, 0, 0, 5))
    assert tuple(made[8:]) == (SETTINGS, KEYS, 0)


def test_a_serial_is_four_bytes_of_what_the_system_draws(tmp_path: Path) -> None:
    counters = Counters(tmp_path / "cards", bytes(32))
    drawn = [bytes(4), b"\x01\x02\x03\x04"]
    asked: list[int] = []

    def draw(many: int) -> bytes:
        asked.append(many)
        return drawn[len(asked) - 1]

    assert counters.fresh_serial(draw) == 0x04030201, "none is drawn again"
    assert asked == [4, 4]
