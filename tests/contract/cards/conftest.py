"""The readers under test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from device.lock import pcsc_worker
from device.lock.pcsc_calls import Pcsc
from device.lock.reader_pcsc import PcscReader
from tests.contract.board.bench import Cable
from tests.contract.cards.bench import Bench, bench_of, cable_bench, ready
from tests.support.pcscd import READER, Daemon, Field, pcsc_daemon


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same thread with shorter pauses, so that a test waits less."""
    monkeypatch.setattr(pcsc_worker, "REST_S", 0.1)
    monkeypatch.setattr(pcsc_worker, "WAIT_MS", 100)
    monkeypatch.setattr(pcsc_worker, "GLANCE_S", 0.05)


@pytest.fixture
def daemon(request: pytest.FixtureRequest) -> Iterator[Daemon]:
    request.getfixturevalue("hasty")
    with pcsc_daemon() as made:
        yield made


@pytest.fixture
def antenna(daemon: Daemon) -> Iterator[Field]:
    made = Field(daemon)
    yield made
    made.take()


@pytest.fixture
def real(antenna: Field) -> Iterator[Bench]:
    reader = PcscReader(READER, Pcsc())
    made = ready(bench_of(reader, put=antenna.put, take=antenna.take), reader)
    yield made
    made.board.close()


@pytest.fixture(params=["sim", "pcscd"])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    if request.param == "pcscd":
        yield request.getfixturevalue("real")
        return
    cable = Cable(tmp_path / "c.sock")
    made = cable_bench(cable)
    yield made
    made.board.close()
    cable.close()
