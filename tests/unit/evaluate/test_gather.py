"""Embeddings are made once, go on after an interruption, and never come from other pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from device.paths import models_dir
from tools.evaluate import gather as module
from tools.evaluate.gather import Floats, gather

Picture = np.ndarray[tuple[int, ...], np.dtype[np.uint8]]


class Eye:
    """Stands for the networks: a grey picture is no face, every other one is embedded as its mean colour."""

    looked = 0

    def __init__(self, *_: object) -> None:
        pass

    def face(self, picture: Picture) -> object | None:
        type(self).looked += 1
        return None if np.ptp(picture.mean(axis=(0, 1))) < 1 else object()

    def embedding(self, picture: Picture, face: object) -> Floats:
        vector = np.zeros(128, np.float32)
        vector[:3] = picture.mean(axis=(0, 1))
        return vector / np.float32(np.linalg.norm(vector))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(module, "Pipeline", Eye)
    monkeypatch.setattr(module, "PART", 2)
    Eye.looked = 0
    for person, colours in {"anna": ("red", "grey"), "bo": ("blue", "green", "red")}.items():
        (tmp_path / "set" / person).mkdir(parents=True)
        for number, colour in enumerate(colours):
            Image.new("RGB", (8, 8), colour).save(tmp_path / "set" / person / f"{number}.jpg")
    (tmp_path / "set" / "bo" / "3.jpg").write_bytes(b"no picture")
    return tmp_path / "set"


def test_what_gives_no_embedding_is_counted(folder: Path, tmp_path: Path) -> None:
    found = gather(folder, models_dir(), tmp_path / "cache")
    assert (len(found.vectors), found.faceless, found.unreadable) == (4, 1, 1)
    assert list(found.folders) == ["anna", "bo", "bo", "bo"]
    assert np.allclose(np.linalg.norm(found.vectors, axis=1), 1)


def test_an_interrupted_run_goes_on_where_it_stopped(folder: Path, tmp_path: Path) -> None:
    whole = gather(folder, models_dir(), tmp_path / "cache")
    assert Eye.looked == 5
    parts = sorted((tmp_path / "cache").glob("*/*.npz"))
    parts[0].unlink()
    again = gather(folder, models_dir(), tmp_path / "cache")
    assert Eye.looked in (6, 7)
    assert (again.vectors == whole.vectors).all()


def test_another_picture_under_the_same_name_is_looked_at_anew(folder: Path, tmp_path: Path) -> None:
    before = gather(folder, models_dir(), tmp_path / "cache")
    Image.new("RGB", (90, 90), "green").save(folder / "anna" / "0.jpg")
    after = gather(folder, models_dir(), tmp_path / "cache")
    assert (before.vectors[0] != after.vectors[0]).any()


def test_no_picture_is_kept(folder: Path, tmp_path: Path) -> None:
    gather(folder, models_dir(), tmp_path / "cache")
    for path in (tmp_path / "cache").rglob("*.*"):
        with np.load(path) as stored:
            assert sorted(stored) == ["states", "vectors"]
            assert all(array.ndim == 1 or array.shape[1] == 128 for array in stored.values())


def test_the_border_has_a_cache_of_its_own(folder: Path, tmp_path: Path) -> None:
    gather(folder, models_dir(), tmp_path / "cache")
    gather(folder, models_dir(), tmp_path / "cache", border_px=4)
    assert Eye.looked == 10
