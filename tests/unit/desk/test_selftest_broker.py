"""`doorctl selftest` calls a configuration valid that every room would start with, and no other."""

from __future__ import annotations

from pathlib import Path

import pytest

from device.config import broker
from device.desk import selftest
from device.paths import Paths

DOOR = '[door]\nid = "00112233445566aa"\n[lock]\nboard = "sim"\n[report]\nbroker = "{}"\n'


def valid(tmp_path: Path, named: str) -> bool:
    paths = Paths(tmp_path)
    paths.config.parent.mkdir(parents=True, exist_ok=True)
    paths.config.write_text(DOOR.format(named))
    return selftest.check_configuration(paths).ok


@pytest.mark.parametrize("named", ["mqtt://192.0.2.7:1883", "mqtt://127.0.0.1:99999", "mqtts://[broker.example]"])
def test_a_broker_that_keeps_report_down_fails_the_configuration(tmp_path: Path, named: str) -> None:
    assert valid(tmp_path, "mqtts://broker.example")
    assert valid(tmp_path, "")
    assert not valid(tmp_path, named)


def test_seeded_fault_a_selftest_that_asks_nobody_about_the_broker_is_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broker, "parse", lambda _url: None)
    assert valid(tmp_path, "mqtt://192.0.2.7:1883")
