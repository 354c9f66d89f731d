"""Guards of keeper that the other tests leave to chance: each was taken out once and nobody noticed."""

from __future__ import annotations

from device.keeper.throttle import BUDGET, Counts, Throttle


def test_a_right_pin_settled_after_the_door_was_refilled_earns_no_guess_beyond_the_budget() -> None:
    throttle = Throttle(Counts(0, {}), 0.0)
    admission = throttle.charge(1, 0.0, known=True, residents=20)
    assert throttle.counts().door == 1
    throttle.charge(2, BUDGET.door_refill_s, known=False, residents=20)
    assert throttle.counts().door == 0
    throttle.settle(1, admission)
    assert throttle.counts().door == 0
