"""What left the device is shown as it came, and read as a manager reads it."""

from __future__ import annotations

from pathlib import Path

import pytest

from provisioning import fleet as fleets
from tools.broker import Seen
from tools.simulator.showroom.leaving import MEANS_NOTHING, Reader

DOOR_ID = "00112233445566aa"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("office") / "fleet"
    fleets.init(made, "a long passphrase")
    return made


def seen(topic: str, payload: bytes) -> Seen:
    return Seen(topic, payload, 1, retain=False, expiry_s=None, at_s=0.0)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("topic", "payload"),
    [
        (f"doorward/{DOOR_ID}/report", b""),
        ("doorward/nonsense/report", b"{}"),
        ("something/else", b"\xff\xfe secret"),
        ("$SYS/uptime", b"7"),
    ],
)
def test_what_no_manager_knows_is_shown_all_the_same(folder: Path, topic: str, payload: bytes) -> None:
    left = Reader(folder).read(seen(topic, payload))
    assert left.meaning == MEANS_NOTHING
    assert left.topic == topic
    assert left.payload == payload
    assert left.as_json()["size"] == len(payload)


def test_a_door_of_another_fleet_is_called_that(folder: Path) -> None:
    reader = Reader(folder)
    assert reader.read(seen(f"doorward/{DOOR_ID}/report", b"{}")).meaning == f"{DOOR_ID} is no door of this fleet"
    assert reader.read(seen("x", b"")).number == 2


def test_trailing_spaces_are_counted_and_not_shown(folder: Path) -> None:
    shown = Reader(folder).read(seen("x", b'{"a":1}   ')).as_json()
    assert (shown["text"], shown["spaces"], shown["size"]) == ('{"a":1}', 3, 10)
