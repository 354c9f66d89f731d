"""The boards under test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from gpiozero.pins.mock import MockFactory

from device.lock.state import DoorMoved
from tests.contract.board.bench import Bench, Cable, gpiozero_bench


@pytest.fixture(params=["sim", "gpiozero"])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    if request.param == "gpiozero":
        made = gpiozero_bench()
        made.touch("door closed")
        made.touch("tamper off")
        yield made
        made.board.close()
        return
    cable = Cable(tmp_path / "c.sock")
    board = cable.claim()
    yield Bench(board, cable.touch, cable.lit, cable.released, cable.claim)
    board.close()
    cable.close()


@pytest.fixture
def quiet(bench: Bench) -> Bench:
    """A board whose first levels were told already."""
    assert DoorMoved(open=False) in bench.events()
    return bench


@pytest.fixture
def pins() -> Iterator[tuple[Bench, MockFactory]]:
    made = gpiozero_bench()
    factory = made.board.bolt._line.pin_factory  # type: ignore[attr-defined]  # the driver's own
    made.touch("door closed")
    made.touch("tamper off")
    made.events()
    yield made, factory
    made.board.close()
