"""How vault starts: with its key, its door and a measured impostor tail, or with one sentence."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from device import manifest
from device.edges import Room
from device.errors import ConfigRefused, Fault, KeyFault, ModelRefused, Refusal, StoreFault
from device.meaning import meaning
from device.paths import Paths, models_dir
from device.service import Service
from device.vault import tail
from device.vault.__main__ import KEY_NAME, build
from device.vault.loop import Vault
from device.vault.signing import signing_key
from tests.unit.vault.values import new_face, unit

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


def built(paths: Paths) -> Vault:
    """The vault of a door that lives."""
    work = build(Service(Room.VAULT, paths))
    assert isinstance(work, Vault)
    return work


def test_vault_starts_on_a_new_door_and_finds_its_faces_again(paths: Paths) -> None:
    first = built(paths)
    first.faces.enrol(11, new_face(unit(1)))
    again = built(paths)
    assert again.faces.slots() == (11,)
    meant = meaning(manifest.load(models_dir()))
    assert again.recogniser.model_id == meant.bare[:8]
    assert again.recogniser.covered_id == meant.covered[:8]
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


@pytest.mark.exhaustive(3)
@pytest.mark.parametrize("how", BROKEN)
def test_vault_that_cannot_start_says_why_and_deletes_nothing(paths: Paths, how: str) -> None:
    built(paths)
    folder = paths.state(Room.VAULT)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    breaks, error, sentence = BROKEN[how]
    breaks(paths)
    with pytest.raises(error, match=sentence):
        built(paths)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_vault_does_not_start_without_a_measured_impostor_tail_or_with_another_network_s(
    paths: Paths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "manifest.toml").write_bytes((models_dir() / "manifest.toml").read_bytes())
    meant = meaning(manifest.load(models_dir()))
    monkeypatch.setattr("device.vault.__main__.models_dir", lambda: tmp_path)
    texts = {name: (models_dir() / name).read_text() for name in (tail.FILE, tail.COVERED_FILE)}
    for name, whole in texts.items():
        with pytest.raises(ModelRefused, match=f"face does not start without a measured impostor tail: {name}"):
            built(paths)
        own, other = (meant.bare, meant.covered) if name == tail.FILE else (meant.covered, meant.bare)
        for wrong in (bytes(32), other):
            (tmp_path / name).write_text(whole.replace(own.hex(), wrong.hex()))
            with pytest.raises(ModelRefused, match="measured with another network, or of faces cut otherwise"):
                built(paths)
        (tmp_path / name).write_text(whole)
    built(paths)


def test_a_stricter_budget_in_door_toml_raises_the_threshold(paths: Paths) -> None:
    usual = built(paths).recogniser.thresholds.threshold(1, 5)
    paths.config.write_text(DOOR + "[vault]\nstrangers_per_day = 10\n")
    strict = built(paths).recogniser.thresholds.threshold(1, 5)
    assert usual is not None
    assert strict is not None
    assert strict > usual


@pytest.mark.parametrize("setting", ["false_opens_per_year = 2", "strangers_per_day = 4"])
def test_a_looser_budget_is_refused(paths: Paths, setting: str) -> None:
    paths.config.write_text(f"{DOOR}[vault]\n{setting}\n")
    with pytest.raises(ConfigRefused, match=setting.split(maxsplit=1)[0]):
        built(paths)


def test_a_damaged_record_is_told_and_the_rest_lives(paths: Paths, capfd: pytest.CaptureFixture[str]) -> None:
    first = built(paths)
    for slot in (424242, 12):
        first.faces.enrol(slot, new_face(unit(slot)))
    entry = first.faces._store._ring.find(424242)
    assert entry
    path = paths.state(Room.VAULT) / entry.file_name
    path.write_bytes(path.read_bytes()[:-1])
    again = built(paths)
    said = capfd.readouterr().err
    assert again.faces.slots() == (12,)
    assert said.count("a sealed record does not open") == 1
    assert "424242" not in said


def test_other_terms_in_door_toml_are_told_and_let_every_face_sleep(
    paths: Paths, capfd: pytest.CaptureFixture[str]
) -> None:
    built(paths).faces.enrol(424242, new_face(unit(1)))
    assert built(paths).faces.outdated == 0
    assert capfd.readouterr().err == ""
    paths.config.write_text(DOOR + "[vault]\nstrangers_per_day = 10\n")
    assert built(paths).faces.outdated == 1
    said = capfd.readouterr().err
    assert said.count("the terms have changed since faces were enrolled") == 1
    assert "424242" not in said
    paths.config.write_text(DOOR)
    assert built(paths).faces.outdated == 0


def test_the_door_signs_with_the_same_key_at_every_start_and_with_another_under_another_root_key(
    paths: Paths,
) -> None:
    first, again = (built(paths).signer.door_key for _ in range(2))
    assert first == again
    assert first == bytes(signing_key(b"r" * 32).verify_key)
    assert first != bytes(signing_key(b"q" * 32).verify_key)
    assert first != b"r" * 32
