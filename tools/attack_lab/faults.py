"""The judge with a test taken out: what the lab's own figures are worth.

Rules kept here:
- A fault changes one test and nothing else, for as long as its block runs.
- With the fault in place attacks must get through that did not before; if none does, the lab tests nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

from device.eye.attack import judge as judging
from device.eye.attack.judge import Why
from device.wire import Attack


@contextmanager
def without_relief() -> Iterator[None]:
    """Whatever answers the code is taken for solid: a print answers like a face."""

    def solid(*_: object) -> tuple[Attack, Why]:
        return Attack.BONA_FIDE, Why.SOLID

    with mock.patch.object(judging, "_by_slope", solid):
        yield
