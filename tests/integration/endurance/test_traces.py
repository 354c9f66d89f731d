"""45,000 random lives of a door, besides the 5,000 of tests/unit/lock: here, for they take longer than a unit test."""

from __future__ import annotations

import pytest

from tools.endurance.lives import SHORT, run
from tools.endurance.locks import Lock

LIVES = 5_000


@pytest.mark.parametrize("share", range(1, 10))
def test_no_random_life_breaks_a_rule(share: int) -> None:
    told = run(Lock(), range(share * LIVES, (share + 1) * LIVES), SHORT)
    assert told.found is None
    assert told.decisions > LIVES // 10
    assert told.windows > LIVES // 10
