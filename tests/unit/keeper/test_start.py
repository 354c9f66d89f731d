"""Put together as on a door: what door.toml says about the end of a place reaches the PINs."""

from __future__ import annotations

from pathlib import Path

import pytest

from device.edges import Room
from device.keeper.ends import GRACE_S, Moment
from device.keeper.loop import Keeper
from device.keeper.record import Credential, Kind
from device.keeper.start import build
from device.paths import Paths
from device.service import Service
from tests.unit.keeper.bench import NOON, ROOT_KEY

ENDED = Credential(Kind.PIN, 1, b"o" * 16, NOON, NOON + 5, NOON + 10, bytes(16), bytes(32))


@pytest.mark.parametrize(("table", "grace_s"), [("", GRACE_S), ("[vault]\nexpiry_grace_s = 120\n", 120.0)])
def test_the_grace_in_door_toml_holds_for_pins_as_for_faces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, table: str, grace_s: float
) -> None:
    paths = Paths(tmp_path)
    paths.config.parent.mkdir(parents=True)
    paths.config.write_text('[door]\nid = "00112233445566aa"\n' + table)
    (tmp_path / "keeper.key").write_bytes(ROOT_KEY)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    service = Service(Room.KEEPER, paths)
    keeper = build(service)
    assert isinstance(keeper, Keeper)
    try:
        readings = [Moment(float(now_s), NOON + 10.0) for now_s in (0, grace_s - 1, grace_s)]
        assert [keeper._guard.ends.ripe(ENDED, at) for at in readings] == [False, False, True]
    finally:
        keeper.stop()
        service._selector.close()
