"""Figures at the end of their bytes, and what a printed value may say of whose card it is."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from device.keeper.card_talk import Holder, _Adding
from device.keeper.cards.content import MOST_COUNTER, pack_counter, unpack_counter
from device.keeper.cards.registered import CardKind, Registered
from device.keeper.match import Fresh, Shown
from device.keeper.record import Credential, Kind
from device.keeper.throttle import Counts
from device.wire import Secret
from tests.unit.keeper.test_attempts import load, saved

CARD = Registered(CardKind.NTAG_424, b"\x04uid--7", 4242)
HELD = Credential(Kind.PIN, 7, b"o" * 16, 1, 2, 3, bytes(16), bytes(32))


def test_a_count_that_two_bytes_do_not_hold_is_kept_as_the_most_they_do(tmp_path: Path) -> None:
    for more in (65535, 65536, 10**9):
        path = saved(tmp_path / f"attempts{more}", Counts(more, {3: more}))
        assert load(path) == Counts(65535, {3: 65535})


def test_the_last_count_of_a_card_is_the_last_that_its_four_bytes_hold() -> None:
    assert unpack_counter(pack_counter(3, MOST_COUNTER), 3) == MOST_COUNTER
    with pytest.raises(struct.error):
        pack_counter(3, MOST_COUNTER + 1)


def test_what_is_kept_for_a_slot_has_its_figure_for_good() -> None:
    """Another figure, and the next program on this door would take what lies on its disk for something else."""
    assert {kind.name: kind.value for kind in Kind} == {"INVITATION": 1, "PIN": 2, "ENDED": 3}


def test_what_somebody_showed_and_for_which_flat_does_not_stand_in_what_is_printed() -> None:
    shown = repr(Shown(4711, Kind.PIN, "482913", Fresh(Secret.PIN, "731905")))
    assert "Kind.PIN" in shown
    assert not any(secret in shown for secret in ("4711", "482913", "731905"))


def test_whose_card_it_is_does_not_stand_in_what_is_printed() -> None:
    assert repr(Holder(12, HELD, CARD)) == "Holder()"
    assert repr(_Adding(12, HELD.offer_id, 5.0)) == "_Adding(until_s=5.0)"
