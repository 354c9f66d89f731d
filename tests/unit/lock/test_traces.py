"""Random lives of a door: granted means an authorised decision at most `unlock_ns` ago, and the coil follows it.

A share of 5,000; tests/integration/endurance lives the rest of 50,000, `make long` a million longer ones. What the
oracle judges by stands in tools/endurance/oracle.py.
"""

from __future__ import annotations

import pytest

from tools.endurance.faults import FAULTS, Fault
from tools.endurance.lives import LONG, SHORT, run
from tools.endurance.locks import Edit, Lock

LIVES = 5_000


@pytest.mark.slow
def test_no_random_life_breaks_a_rule() -> None:
    told = run(Lock(), range(LIVES), SHORT)
    assert told.found is None
    assert told.lives == LIVES
    # Lives in which nobody comes home would prove nothing.
    assert told.decisions > LIVES // 10
    assert told.windows > LIVES // 10


@pytest.mark.slow
def test_the_same_number_is_the_same_life() -> None:
    assert run(Lock(), range(50), LONG) == run(Lock(), range(50), LONG)


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_lives_find_a_lock_without(fault: Fault) -> None:
    assert run(Lock(fault.edits), range(fault.within), LONG).found is not None


def test_a_fault_that_fits_no_more_is_an_error_and_leaves_the_lock_alone() -> None:
    with pytest.raises(ValueError, match="holds 0 times, not once"):
        Lock((Edit("machine", "what stands nowhere", ""),))
    assert run(Lock(), range(5), LONG).found is None
