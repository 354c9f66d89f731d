"""What was destroyed at the end of a tenancy is over for good, and looked at no more often than anything else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from device.keeper.ends import GRACE_S, LOOK_S, Ends, Moment
from device.keeper.record import Credential, Kind
from device.wire import NO_END
from tests.unit.keeper.bench import NOON

END = NOON + 10
HELD = Credential(Kind.PIN, 1, b"o" * 16, NOON, NOON + 5, END, bytes(16), bytes(32))


@pytest.mark.parametrize("unix_s", [0, NOON - 1, NOON, END - 1, END, END + 10**6])
@pytest.mark.parametrize("ends", [END, NO_END])
def test_a_record_that_has_ended_is_over_whatever_the_clock_says(unix_s: float, ends: int) -> None:
    seen = Ends()
    assert seen.over(replace(HELD, ends_unix=ends).ended(), Moment(0.0, unix_s))
    assert not seen.ripe(HELD.ended(), Moment(0.0, unix_s)), "there is nothing left to destroy"


def test_what_is_ripe_and_could_not_be_destroyed_is_looked_at_again_after_a_while() -> None:
    seen = Ends()
    assert seen.next_look_s([HELD], Moment(0.0, END)) == LOOK_S
    ripe = Moment(GRACE_S, END + GRACE_S)
    assert seen.ripe(HELD, ripe)
    assert seen.next_look_s([HELD], ripe) == GRACE_S + LOOK_S
    assert seen.next_look_s([HELD], Moment(GRACE_S - 1, END + GRACE_S - 1)) == GRACE_S
