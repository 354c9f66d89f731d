"""Impostor tails made up for tests."""

from __future__ import annotations

from device.vault.budget import Budget, Thresholds
from device.vault.tail import Averaging, Rates, Tail

STEPS = 100


def line(decades: float, start: float = 0.1) -> Rates:
    """A bound that falls from `start` by `decades` powers of ten over the thresholds 0.40 to 0.895."""
    return tuple(start * 10 ** (-decades * place / (STEPS - 1)) for place in range(STEPS))


def tail(cells: dict[str, Rates], shift: float = 0.05) -> Tail:
    """Thresholds 0.40, 0.405, ... 0.895; averaging shifts by up to `shift`, refusals rise with the threshold."""
    refusals = tuple(place / STEPS for place in range(STEPS))
    modes = tuple(
        Averaging(enrolled, frames, shift * (enrolled + frames) / 12, tuple(rate / frames for rate in refusals))
        for enrolled in (1, 3, 5, 9)
        for frames in (1, 2, 3)
    )
    return Tail(bytes(32), 0.4, 0.005, tuple(cells.items()), modes)


def fixed(threshold: float) -> Thresholds:
    """The same threshold whatever the gallery: for tests of everything else."""
    never = (1e-12,) * 2
    modes = (Averaging(1, 1, 0.0, (0.0, 0.0)), Averaging(255, 3, 0.0, (0.0, 0.0)))
    made = Tail(bytes(32), threshold, 0.001, (("anybody", never),), modes)
    return Thresholds(Budget(), made, 3, made)
