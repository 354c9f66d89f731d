"""PINs that are drawn on the keypad: two strokes, each in either direction."""

from __future__ import annotations

import pytest

from device.keeper.choice import DRAWN


@pytest.mark.parametrize("pin", ["147258", "741258", "147852", "741852", "159357", "951753", "123789", "321987"])
def test_two_strokes_are_known_in_each_direction(pin: str) -> None:
    assert pin in DRAWN


def test_nothing_else_is_called_drawn() -> None:
    assert {len(pin) for pin in DRAWN} == {6}
    assert len(DRAWN) == 8 * 7 * 4
    assert not {"147147", "172839", "482913"} & DRAWN
