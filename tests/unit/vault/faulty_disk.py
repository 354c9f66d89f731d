"""A disk that fails: once, or from one step on."""

from __future__ import annotations

from device.errors import StoreFault
from tests.unit.sealing.simulated_disk import SimulatedDisk


class FaultyDisk(SimulatedDisk):
    """Fails once, before step `fails_at`, or from there on."""

    fails_at: int | None = None
    for_good = False

    def _step(self) -> None:
        super()._step()
        if self.fails_at is not None and (
            self.steps == self.fails_at or (self.for_good and self.steps > self.fails_at)
        ):
            raise StoreFault("the disk did not do it: Input/output error")
