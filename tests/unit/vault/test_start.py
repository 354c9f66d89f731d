"""How vault starts: with its key, its door and a measured threshold, or with one sentence."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from device import manifest
from device.edges import Room
from device.errors import ConfigRefused, Fault, KeyFault, ModelRefused, Refusal, StoreFault
from device.paths import Paths, models_dir
from device.service import Service
from device.vault.__main__ import KEY_NAME, build
from device.vault.record import FaceRecord
from tests.unit.vault.house import CONSENT, unit

DOOR = '[door]\nid = "0123456789abcdef"\n'


@pytest.fixture
def paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Paths:
    """A door that was set up, with vault's key handed over."""
    door = Paths(tmp_path / "root")
    door.config.parent.mkdir(parents=True)
    door.config.write_text(DOOR)
    (tmp_path / "credentials").mkdir()
    (tmp_path / "credentials" / KEY_NAME).write_bytes(b"r" * 32)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path / "credentials"))
    return door


def test_vault_starts_on_a_new_door_and_finds_its_faces_again(paths: Paths) -> None:
    first = build(Service(Room.VAULT, paths))
    first.faces.enrol(11, FaceRecord(unit(1).astype("<f4").tobytes(), 5, CONSENT, 20_000))
    again = build(Service(Room.VAULT, paths))
    assert again.faces.slots() == (11,)
    assert again.recogniser.model_id == manifest.load(models_dir()).for_job(manifest.Job.EMBED).model_id
    assert paths.state(Room.VAULT).stat().st_mode & 0o777 == 0o700


def key_of(paths: Paths) -> Path:
    return paths.root.parent / "credentials" / KEY_NAME


BROKEN: dict[str, tuple[Callable[[Paths], object], type[Refusal | Fault], str]] = {
    "no configuration": (lambda paths: paths.config.unlink(), ConfigRefused, "no configuration"),
    "no key": (lambda paths: key_of(paths).unlink(), KeyFault, "cannot be read"),
    "short key": (lambda paths: key_of(paths).write_bytes(b"short"), KeyFault, "exactly 32 bytes"),
    "another key": (lambda paths: key_of(paths).write_bytes(b"w" * 32), KeyFault, "does not open"),
    "another door": (
        lambda paths: paths.config.write_text(DOOR.replace("0123", "3210")),
        StoreFault,
        "nothing was changed",
    ),
    "a folder others may enter": (
        lambda paths: paths.state(Room.VAULT).chmod(0o755),
        StoreFault,
        "this process's user alone",
    ),
}


@pytest.mark.parametrize("how", BROKEN)
def test_vault_that_cannot_start_says_why_and_deletes_nothing(paths: Paths, how: str) -> None:
    build(Service(Room.VAULT, paths))
    folder = paths.state(Room.VAULT)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    breaks, error, sentence = BROKEN[how]
    breaks(paths)
    with pytest.raises(error, match=sentence):
        build(Service(Room.VAULT, paths))
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_vault_does_not_start_without_a_measured_threshold(
    paths: Paths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = (models_dir() / "manifest.toml").read_text()
    point = whole.index("[sface.operating_point]")
    rest = whole.find("\n[", point + 1)
    (tmp_path / "manifest.toml").write_text(whole[:point] + (whole[rest:] if rest >= 0 else ""))
    monkeypatch.setattr("device.vault.__main__.models_dir", lambda: tmp_path)
    with pytest.raises(ModelRefused, match="without a measured operating point"):
        build(Service(Room.VAULT, paths))


def test_a_damaged_record_is_told_and_the_rest_lives(paths: Paths, capfd: pytest.CaptureFixture[str]) -> None:
    first = build(Service(Room.VAULT, paths))
    for slot in (424242, 12):
        first.faces.enrol(slot, FaceRecord(unit(slot).astype("<f4").tobytes(), 5, CONSENT, 20_000))
    entry = first.faces._store._ring.find(424242)
    assert entry
    path = paths.state(Room.VAULT) / entry.file_name
    path.write_bytes(path.read_bytes()[:-1])
    again = build(Service(Room.VAULT, paths))
    said = capfd.readouterr().err
    assert again.faces.slots() == (12,)
    assert said.count("a sealed record does not open") == 1
    assert "424242" not in said
