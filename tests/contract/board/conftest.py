"""The boards under test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from gpiozero.pins.mock import MockFactory

from device.lock.state import DoorMoved
from tests.contract.board.bench import TABLE, Bench, Cable, gpiod_wired, gpiozero_bench


@pytest.fixture(params=["sim", "gpiozero", "gpiod"])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    if request.param != "sim":
        made = gpiozero_bench() if request.param == "gpiozero" else gpiod_wired(TABLE)[0]
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
