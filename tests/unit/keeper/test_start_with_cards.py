"""Which doors hold cards at all, and what is said when their counters were lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from device.edges import Room
from device.keeper.start import build, cards_at
from device.paths import Paths
from device.service import Service
from tests.unit.keeper.bench import DOOR, ROOT_KEY

READER = 'card_reader = "ACS ACR122U"\n'
SIM = 'board = "sim"\n'


def holds_cards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lock: str) -> bool:
    """Whether a keeper that is put together as on a door with this table [lock] keeps counters of cards."""
    paths = Paths(tmp_path)
    paths.config.parent.mkdir(parents=True)
    paths.config.write_text('[door]\nid = "00112233445566aa"\n[lock]\n' + lock)
    (tmp_path / "keeper.key").write_bytes(ROOT_KEY)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    service = Service(Room.KEEPER, paths)
    build(service).stop()
    service._selector.close()
    return (paths.state("keeper") / "cards").exists()


@pytest.mark.parametrize(("lock", "holds"), [("", False), (READER, True), (SIM, True), (SIM + READER, True)])
def test_a_door_holds_cards_if_it_has_a_reader_or_is_simulated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lock: str, holds: bool
) -> None:
    assert holds_cards(tmp_path, monkeypatch, lock) is holds


def test_counters_that_were_lost_are_said_to_be_and_others_are_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for content in (None, b"rubbish", None):
        if content:
            (tmp_path / "cards").write_bytes(content)
        capsys.readouterr()
        cards_at(tmp_path, DOOR, ROOT_KEY)
        said = capsys.readouterr().err
        assert ("the counters of cards were lost" in said) is (content is not None)
        (tmp_path / "cards").unlink()
        cards_at(tmp_path, DOOR, ROOT_KEY)
