"""Whether anybody lives behind a door: with a single PIN somebody does, and nobody ends that door without them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from device import wire
from device.keeper.offers import _remembering, over_s
from device.keeper.record import NOTHING, Credential, Kind
from tests.unit.keeper.bench import NOON, Door

INVITED = Credential(Kind.INVITATION, 1, b"o" * 16, NOON, NOON + 5, NOON + 10, bytes(16), b"v" * 32)


def occupied(door: Door) -> list[tuple[bool, bool]]:
    """What lock was told since somebody last asked: many, some."""
    found = [(msg.many, msg.some) for msg in door.house.beside if isinstance(msg, wire.Occupied)]
    door.house.beside.clear()
    return found


def test_one_place_that_is_taken_is_somebody(door: Door) -> None:
    assert occupied(door) == [(False, False)]
    door.move_in(12)
    assert occupied(door) == [(False, True)]
    door.move_in(13)
    assert occupied(door) == []
    for slot, left in ((12, []), (13, [(False, False)])):
        door.invite(slot, serial=2)  # cancels the PIN
        assert occupied(door) == left


@pytest.mark.parametrize("expires_unix", [0, NOON + 5])
def test_only_an_offer_or_a_withdrawal_is_over_for_good(expires_unix: int) -> None:
    held = replace(INVITED, expires_unix=expires_unix)
    assert held.over_for_good
    assert not replace(held, kind=Kind.PIN).over_for_good
    assert replace(held, kind=Kind.ENDED).over_for_good is (expires_unix == 0)


def test_a_cancelled_pin_is_remembered_as_long_as_its_invitation_and_not_a_moment_longer() -> None:
    beside = replace(INVITED, former=b"f" * 32)
    assert [over_s(beside, NOON + at) for at in (0, 4.5, 5, 6)] == [5, 0.5, 0, 0]
    assert over_s(replace(beside, former=NOTHING), NOON) is None
    assert over_s(replace(beside, kind=Kind.PIN), NOON) is None


def test_a_cancelled_pin_is_forgotten_as_its_invitation_ends_and_not_a_minute_later(door: Door) -> None:
    door.move_in(12)
    door.live(5)
    door.invite(12, serial=2, expires=int(door.unix_s) + 20)
    for seconds, remembered in ((18.0, True), (3.0, False)):
        door.live(seconds)
        held = door.guard.book.held(12)
        assert held
        assert (held.former != NOTHING) is remembered


@pytest.mark.parametrize(("ends_unix", "remembered"), [(NOON, False), (NOON + 1, True), (wire.NO_END, True)])
def test_a_tenancy_that_is_over_leaves_no_pin_beside_the_next_offer(ends_unix: int, remembered: bool) -> None:
    held = replace(INVITED, kind=Kind.PIN, ends_unix=ends_unix, verifier=b"p" * 32)
    assert (_remembering(INVITED, held, NOON).former == b"p" * 32) is remembered
