"""Used codes are typed at a flat as often as the day draws them, and its right PIN is never made to wait by them."""

from __future__ import annotations

import random
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from device.keeper.throttle import BUDGET
from tools.soak.acts import Tenant
from tools.soak.ledger import Credential, Kind, Ledger
from tools.soak.plan import Approach, Way
from tools.soak.street import Heard
from tools.soak.visitors import Visitors

HOST = Tenant(7302, "482913")
OTHER = Tenant(7303, "907164")


class Street:
    """A keypad with the door's rule: after so many wrong tries in a row at a flat its right PIN waits."""

    def __init__(self, right: dict[str, str]) -> None:
        self.right, self.wrong, self.typed = right, dict.fromkeys(right, 0), list[str]()

    def types(self, keys: str, _: object = None) -> Heard:
        slot, digits, _end = keys.split("#")
        waits = self.wrong[slot] >= BUDGET.free_tries
        opened = digits == self.right[slot] and not waits
        self.wrong[slot] = 0 if opened else self.wrong[slot] + (not waits)
        self.typed.append(slot)
        return Heard("OPENED" if opened else "REFUSED", opened)


@pytest.fixture
def visitors() -> Visitors:
    street, ledger = Street({str(each.slot): each.pin for each in (HOST, OTHER)}), Ledger()
    for each in (HOST, OTHER):
        ledger.given(each.by_pin)
    for number in range(3):
        ledger.used(Credential(Kind.CODE, HOST.slot, f"00000{number}"))
    residents: Any = SimpleNamespace(street=street, ledger=ledger)
    return Visitors(residents, OTHER, Tenant(7308, "1"), [HOST, OTHER], Path("nobody"), random.Random(1), lambda: None)


def test_the_right_pin_opens_however_often_a_used_code_was_typed(visitors: Visitors) -> None:
    for way, times in ((Way.USED_CODE, 7), (Way.PIN, 1), (Way.USED_CODE, 2), (Way.PIN, 4), (Way.USED_CODE, 3)):
        for number in range(times):
            visitors.comes(Approach(way, number / times))
    visitors.shows(HOST.by_pin)
    assert visitors.residents.ledger.found == []


def test_who_lives_there_comes_no_more_often_than_has_to_be(visitors: Visitors) -> None:
    for _ in range(BUDGET.free_tries - 1):
        visitors.comes(Approach(Way.USED_CODE, 0.5))
    assert len(visitors.street.typed) == BUDGET.free_tries - 1  # type: ignore[attr-defined] # the one above


def test_fault_a_right_pin_that_does_not_open_is_found(visitors: Visitors) -> None:
    visitors.street.wrong[str(HOST.slot)] = BUDGET.free_tries  # type: ignore[attr-defined] # the one above
    visitors.shows(HOST.by_pin)
    (found,) = visitors.residents.ledger.found
    assert found.what == "LOST: a PIN that was acknowledged does not open (REFUSED)"
