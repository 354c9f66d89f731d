"""Pictures are looked at once, whatever ended the run before, and bad ones are counted."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from device.paths import models_dir
from tools.evaluate.accuracy import gathered as module
from tools.evaluate.accuracy.cache import FILE, Cache, CacheRefused
from tools.evaluate.accuracy.conditions import CLEAN, Condition
from tools.evaluate.accuracy.crew import Looked, Task
from tools.evaluate.accuracy.gathered import FolderRefused, Interrupted, gather, gather_all
from tools.evaluate.accuracy.look import RECORD, UNREADABLE, Chain

CHAIN = Chain(models_dir())
SOFT = Condition("defocus", 1.0)


class Crew:
    """Stands for the processes: notes what it was asked, and may be ended."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []
        self.ends_after = 10**6

    def looked(self, tasks: Sequence[Task], chain: Chain, workers: int) -> Iterator[Looked]:
        for path, own, conditions in tasks:
            for condition in conditions:
                if len(self.asked) >= self.ends_after:
                    raise KeyboardInterrupt
                self.asked.append((path.name, condition.kind))
                record = np.zeros((), RECORD)
                if b"no picture" in path.read_bytes():
                    record["hint"] = UNREADABLE
                else:
                    record["embedding"][path.read_bytes()[0] % 128] = 1
                yield own, condition, record.tobytes()


@pytest.fixture
def crew(monkeypatch: pytest.MonkeyPatch) -> Crew:
    made = Crew()
    monkeypatch.setattr(module, "looked", made.looked)
    return made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for person, files in {"anna": "ab", "bo": "acd"}.items():
        (tmp_path / "set" / person).mkdir(parents=True)
        for number, letter in enumerate(files):
            (tmp_path / "set" / person / f"{number}.jpg").write_text(letter)
    (tmp_path / "set" / "bo" / "9.PNG").write_text("no picture")
    (tmp_path / "set" / "bo" / "notes.txt").write_text("left alone")
    return tmp_path / "set"


def test_every_picture_has_a_row_and_is_looked_at_once(crew: Crew, folder: Path, tmp_path: Path) -> None:
    with Cache(tmp_path / "cache") as cache:
        found = gather(folder, CHAIN, cache)
    assert list(found.people) == ["anna", "anna", "bo", "bo", "bo", "bo"]
    assert list(found.good) == [True, True, True, True, True, False]
    assert int((~found.readable).sum()) == 1
    assert len(crew.asked) == 5, "the same bytes under two names are looked at once"
    assert (found.vectors[0] == found.vectors[2]).all()
    assert np.allclose(np.linalg.norm(found.vectors[found.good], axis=1), 1)


def test_what_was_looked_at_is_not_looked_at_again(crew: Crew, folder: Path, tmp_path: Path) -> None:
    with Cache(tmp_path / "cache") as cache:
        before = gather(folder, CHAIN, cache)
    (folder / "bo").rename(folder / "bob")
    with Cache(tmp_path / "cache") as cache:
        after = gather(folder, CHAIN, cache)
    assert len(crew.asked) == 5
    assert (after.records == before.records).all()
    assert "bob" in after.people


def test_a_run_that_was_ended_goes_on(crew: Crew, folder: Path, tmp_path: Path) -> None:
    crew.ends_after = 3
    with Cache(tmp_path / "cache") as cache, pytest.raises(Interrupted, match="ended after 3 of 10 looks") as ended:
        gather_all(folder, CHAIN, cache, (CLEAN, SOFT))
    assert (ended.value.done, ended.value.total) == (3, 10)
    crew.ends_after = 10**6
    with Cache(tmp_path / "cache") as cache:
        found = gather_all(folder, CHAIN, cache, (CLEAN, SOFT))
    assert len(crew.asked) == 10, "three before, seven after"
    assert len(found[CLEAN]) == len(found[SOFT]) == 6


def test_another_picture_under_the_same_name_is_looked_at(crew: Crew, folder: Path, tmp_path: Path) -> None:
    with Cache(tmp_path / "cache") as cache:
        gather(folder, CHAIN, cache)
        (folder / "anna" / "0.jpg").write_text("z")
        gather(folder, CHAIN, cache)
    assert crew.asked[-1] == ("0.jpg", "clean")


@pytest.mark.usefixtures("crew")
def test_a_torn_row_is_looked_at_anew(folder: Path, tmp_path: Path) -> None:
    with Cache(tmp_path / "cache") as cache:
        gather(folder, CHAIN, cache)
    with sqlite3.connect(tmp_path / "cache" / FILE) as file:
        file.execute("UPDATE looks SET record = x'00'")
    file.close()
    with Cache(tmp_path / "cache") as cache:
        assert gather(folder, CHAIN, cache).good.sum() == 5


@pytest.mark.usefixtures("crew")
def test_a_part_of_the_folder_can_be_asked_for(folder: Path, tmp_path: Path) -> None:
    with Cache(tmp_path / "cache") as cache:
        found = gather(folder, CHAIN, cache, only=np.array(["bo/1.jpg", "anna/0.jpg"]))
    assert [f"{p}/{f}" for p, f in zip(found.people, found.files, strict=True)] == ["anna/0.jpg", "bo/1.jpg"]


def test_a_folder_without_pictures_is_a_sentence(tmp_path: Path) -> None:
    with Cache(tmp_path / "cache") as cache:
        with pytest.raises(FolderRefused, match="there is no folder"):
            gather(tmp_path / "nowhere", CHAIN, cache)
        with pytest.raises(FolderRefused, match="a folder for each person"):
            gather(tmp_path, CHAIN, cache)


def test_a_file_that_is_no_cache_is_a_sentence_and_stays(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"somebody's letter" * 100)
    with pytest.raises(CacheRefused, match=FILE):
        Cache(tmp_path)
    assert (tmp_path / FILE).read_bytes().startswith(b"somebody's letter")


@pytest.mark.usefixtures("crew")
def test_a_cache_that_another_run_holds_is_a_sentence_and_loses_nothing(folder: Path, tmp_path: Path) -> None:
    with Cache(tmp_path / "cache") as first:
        gather(folder, CHAIN, first, only=np.array(["anna/0.jpg"]))
    holder = sqlite3.connect(tmp_path / "cache" / FILE)
    holder.execute("BEGIN IMMEDIATE")
    with Cache(tmp_path / "cache", wait_s=0.05) as second, pytest.raises(CacheRefused, match="what it has is kept"):
        gather(folder, CHAIN, second)
    holder.rollback()
    holder.close()
    with Cache(tmp_path / "cache") as third:
        assert len(third.of(CHAIN.key())) == 1
        assert gather(folder, CHAIN, third).good.sum() == 5
