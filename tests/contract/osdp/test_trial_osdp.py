"""An OSDP reader tried by set-up, over a pseudo-terminal, with libosdp's own reader at the far end."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

import osdp
import pytest

from device.config.tables import LockTable
from device.errors import KeyFault
from device.lock import trial_readers
from device.lock.osdp_supervisor import Where
from device.lock.reader_osdp import KEY_NAME, OsdpReader
from device.lock.state import Event, Key
from device.paths import Paths
from tests.contract.osdp.bench import ADDRESS, KEY, OTHER_KEY, PATIENCE_S, Cable, Pd, pd_at

AGAIN_S = 0.5  # how often the person at the reader tries


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    """A door to which the reader's key was handed, sealed."""
    made = Paths(tmp_path / "door")
    folder = made.root / "etc/credstore.encrypted"
    folder.mkdir(parents=True)
    (folder / KEY_NAME).write_bytes(b"sealed")
    return made


def opens(place: Path) -> bytes:
    assert place.read_bytes() == b"sealed"
    return KEY


def where(cable: Cable) -> Where:
    return Where(str(cable.path), 9600, ADDRESS)


def pressed(pd: Pd, keys: str, trial: Callable[[], dict[str, object]]) -> dict[str, object]:
    """What `trial` says while somebody presses `keys` again and again, once the reader is in use."""
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(trial)
        ends = time.monotonic() + 3 * PATIENCE_S
        while not answer.done() and time.monotonic() < ends:
            if any(said["command"] == osdp.Command.Status for said in pd.told):
                pd.keys(keys)
            wait([answer], AGAIN_S)
        return answer.result(PATIENCE_S)


def a_five(event: Event) -> bool:
    return event == Key("5")


def test_a_5_on_the_reader_is_seen_through_its_secure_channel(
    cable: Cable, paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = LockTable(osdp="/dev/serial/by-path/one", osdp_address=ADDRESS, osdp_baud=9600)
    monkeypatch.setattr("device.lock.osdp_supervisor.Where", lambda *_: where(cable))
    with pd_at(cable) as pd:
        told = pressed(pd, "5", lambda: trial_readers.osdp(table, 3 * PATIENCE_S, paths, opens))
    assert told == {"seen": True, "well": True}


def test_other_keys_are_no_5_and_are_not_told(cable: Cable) -> None:
    typed: list[Event] = []

    def heard(event: Event) -> bool:
        typed.append(event)
        return a_five(event)

    part = OsdpReader(where(cable), KEY, 4000)
    clock = lambda: 1e9 if len(typed) > 1 else 0.0  # noqa: E731 - it stands still until two keys were heard
    with pd_at(cable) as pd:
        told = pressed(pd, "4", lambda: trial_readers.watch(part, heard, 60.0, clock))
    assert told == {"seen": False, "well": True}
    assert set(typed) == {Key("4")}


def test_a_reader_with_another_key_is_not_well_and_types_nothing(cable: Cable) -> None:
    part = OsdpReader(where(cable), OTHER_KEY, 4000)
    with pd_at(cable) as pd:
        told = pressed(pd, "5", lambda: trial_readers.watch(part, a_five, 60.0, lambda: 0.0 if part.well else 1e9))
    assert told == {"seen": False, "well": False}


def test_without_its_key_nothing_is_said_to_a_reader(paths: Paths, capsys: pytest.CaptureFixture[str]) -> None:
    (paths.root / "etc/credstore.encrypted" / KEY_NAME).unlink()
    toml = '[lock]\nosdp = "/dev/serial/by-path/one"\n'
    assert trial_readers.run(["osdp", "1"], toml, paths, opens) == 1
    assert "is not sealed yet" in json.loads(capsys.readouterr().out)["refused"]


@pytest.mark.parametrize("key", [b"", b"\x30" * 16, bytes(range(0x30, 0x40)), b"short"])
def test_a_key_that_is_none_or_everybodys_is_refused_as_lock_would(
    paths: Paths, key: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    toml = '[lock]\nosdp = "/dev/serial/by-path/one"\n'
    assert trial_readers.run(["osdp", "1"], toml, paths, lambda _place: key) == 1
    said = json.loads(capsys.readouterr().out)["refused"]
    assert KEY_NAME in said
    assert not key or key.hex() not in said


def test_the_seal_is_opened_by_systemd_under_the_keys_own_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "creds"
    program.write_text('#!/bin/sh\nprintf %s "$*"\n')
    program.chmod(0o755)
    monkeypatch.setattr(trial_readers, "SYSTEMD_CREDS", str(program))
    place = tmp_path / KEY_NAME
    assert trial_readers.by_systemd(place) == f"decrypt --name={KEY_NAME} --newline=no {place} -".encode()
    for missing, why in (
        ("/bin/false", "sealed on another machine"),
        (str(tmp_path / "none"), "does not open the key"),
    ):
        monkeypatch.setattr(trial_readers, "SYSTEMD_CREDS", missing)
        with pytest.raises(KeyFault, match=why):
            trial_readers.by_systemd(place)
