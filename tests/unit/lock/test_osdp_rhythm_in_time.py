"""No beat of an OSDP reader says more than the door does: "opened" is over before the bolt is back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.lock import osdp_rhythm
from device.lock.osdp_rhythm import beats_of
from device.lock.patterns import OPENED_MS
from device.lock.state import Signal

UNLOCK_MS = st.integers(500, 15_000)  # what door.toml allows


@given(UNLOCK_MS)
def test_opened_lasts_no_longer_than_the_opening_and_hardly_less(unlock_ms: int) -> None:
    (beat,) = beats_of(Signal.OPENED, None, unlock_ms)
    longest_ms = min(unlock_ms, OPENED_MS)
    assert beat.count == 1
    assert longest_ms - 100 < beat.on * 100 <= longest_ms


def test_a_beat_shorter_than_a_unit_is_still_one() -> None:
    (click,) = beats_of(Signal.KEY, None, 4000)
    assert (click.count, click.on) == (1, 1)


def test_a_reader_that_counts_in_longer_units_is_given_fewer_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(osdp_rhythm, "_UNIT_MS", 200)
    assert [beat.on for beat in beats_of(Signal.OPENED, None, 990)] == [4]
