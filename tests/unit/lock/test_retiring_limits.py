"""The files of a door's end at their edges: how the count is kept, what a mark says, what is destroyed and how."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from device import document
from device.bodies import Retirement
from device.errors import StoreFault
from device.lock import durable
from device.lock.policy import Policy, VersionFile
from device.lock.retiring import KEEP_NS, LOOK_NS, Retiring, finish, marked
from device.wire import Ending
from tests.unit.lock.house import DOCUMENT_KEY, DOOR, MANAGER

HOUR_NS = 3_600_000_000_000
SECOND_NS = 1_000_000_000


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", lambda _handle: None)


def verified(content: bytes) -> document.Parsed:
    return document.parse(content, DOOR, bytes(MANAGER.verify_key))


def started(folder: Path) -> Retiring:
    return Retiring(folder, verified, DOCUMENT_KEY.kept)


def announced(folder: Path, version: int = 7) -> Retiring:
    found = started(folder)
    content = document.sign(Retirement(72), door_id=DOOR, version=version, issued_unix=1_900_000_000, key=MANAGER)
    found.apply(content, verified(content))
    return found


def test_what_is_left_is_told_in_seconds_and_never_below_none(tmp_path: Path) -> None:
    retiring = announced(tmp_path)
    assert (retiring.left_s, retiring.due) == (72 * 3600, False)
    retiring._counted_ns = 72 * HOUR_NS - 1
    assert (retiring.left_s, retiring.due) == (0, False)
    retiring._counted_ns = 72 * HOUR_NS
    assert (retiring.left_s, retiring.due) == (0, True)
    retiring._counted_ns = 73 * HOUR_NS
    assert (retiring.left_s, retiring.due) == (0, True)


def test_the_first_look_counts_nothing_and_the_next_ones_what_has_run(tmp_path: Path) -> None:
    retiring = announced(tmp_path)
    assert retiring.deadline_ns() == 0
    retiring.tick(5 * HOUR_NS, believed=True)
    assert retiring._counted_ns == 0
    assert retiring.deadline_ns() == 5 * HOUR_NS + LOOK_NS
    retiring.tick(5 * HOUR_NS + LOOK_NS - 1, believed=True)
    assert retiring._counted_ns == 0, "it was not due yet"
    retiring.tick(5 * HOUR_NS + LOOK_NS, believed=True)
    assert retiring._counted_ns == LOOK_NS
    retiring.tick(5 * HOUR_NS + 2 * LOOK_NS, believed=False)
    retiring.tick(5 * HOUR_NS + 3 * LOOK_NS, believed=True)
    assert retiring._counted_ns == LOOK_NS, "neither before nor after a moment of doubt"


def test_a_newer_document_is_looked_at_afresh(tmp_path: Path) -> None:
    """Or the time between its signing and the look before it would count for it."""
    retiring = announced(tmp_path)
    retiring.tick(HOUR_NS, believed=True)
    content = document.sign(Retirement(72), door_id=DOOR, version=8, issued_unix=1_900_000_000, key=MANAGER)
    retiring.apply(content, verified(content))
    assert retiring.deadline_ns() == 0
    retiring.tick(HOUR_NS + LOOK_NS // 2, believed=True)
    assert retiring._counted_ns == 0


def test_the_count_is_kept_every_five_minutes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    retiring = announced(tmp_path)
    stored: list[int] = []
    monkeypatch.setattr(durable, "store", lambda *_: stored.append(retiring._counted_ns))
    for step in range(1, 22):
        retiring.tick(step * LOOK_NS, believed=True)
    assert stored == [KEEP_NS, 2 * KEEP_NS, 3 * KEEP_NS, 4 * KEEP_NS]


def test_a_disk_that_does_not_take_the_count_is_told_once_and_again_after_it_did(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    retiring, full = announced(tmp_path), True

    def store(*_: object) -> None:
        if full:
            msg = "it cannot be stored"
            raise StoreFault(msg)

    monkeypatch.setattr(durable, "store", store)
    said = []
    for step in range(1, 22):
        full = not 10 <= step < 13
        retiring.tick(step * LOOK_NS, believed=True)
        said.append(capfd.readouterr().err.count("it cannot be stored"))
    assert sum(said) == 2
    assert next(at for at, each in enumerate(said) if each) == KEEP_NS // LOOK_NS


def test_a_mark_that_cannot_be_read_says_no_version(tmp_path: Path) -> None:
    assert marked(tmp_path) is None
    for content in (b"", b"DWLR\x01\7\0\0", b"DWLR\x02\7\0\0\0", b"DWLR\x01\7\0\0\0\0"):
        (tmp_path / "retired").write_bytes(content)
        assert marked(tmp_path) == 0
    (tmp_path / "retired").write_bytes(b"DWLR\x01\7\0\0\0")
    assert marked(tmp_path) == 7
    door = Policy(DOOR, bytes(MANAGER.verify_key), DOCUMENT_KEY, VersionFile(tmp_path / "policy-version"))
    assert (door.version, door.retiring.ending) == (7, Ending.RETIRED)


def test_what_is_destroyed_is_written_over_and_a_folder_is_not_in_the_way(tmp_path: Path) -> None:
    folder = tmp_path / "lock"
    folder.mkdir()
    (folder / "retired").write_bytes(b"DWLR\x01\7\0\0\0")
    secret = bytes(range(256)) * 4
    (folder / "managers.a").write_bytes(secret)
    (folder / "lost+found").mkdir()
    os.link(folder / "managers.a", tmp_path / "the same blocks")
    finish(folder)
    assert {path.name for path in folder.iterdir()} == {"retired", "lost+found"}
    left = (tmp_path / "the same blocks").read_bytes()
    assert len(left) == len(secret)
    assert left != secret
    assert not any(secret[at : at + 16] in left for at in range(0, len(secret), 16))


def test_only_this_process_says_that_it_has_ended(tmp_path: Path) -> None:
    """The mark is durable before anybody believes it, and a fault that left none leaves a door."""
    retiring = announced(tmp_path)
    retiring.end(9)
    assert (retiring.over, marked(tmp_path), retiring.left_s, retiring.deadline_ns()) == (True, 9, 0, None)
    before = retiring._counted_ns
    retiring.tick(99 * HOUR_NS, believed=True)
    retiring.tick(100 * HOUR_NS, believed=True)
    assert retiring._counted_ns == before
    assert not retiring.due


def test_a_count_is_believed_for_its_own_document_alone(tmp_path: Path) -> None:
    retiring = announced(tmp_path)
    for step in range(8):
        retiring.tick(step * LOOK_NS, believed=True)
    assert started(tmp_path)._counted_ns == KEEP_NS
    other = replace(started(tmp_path), box=DOCUMENT_KEY.kept)
    assert other._counted_ns == KEEP_NS
    announced(tmp_path, version=8)
    assert started(tmp_path)._counted_ns == 0


def test_another_document_in_the_place_of_the_announcement_announces_nothing(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Whoever can write to the disk may put one file of this door in the place of another."""
    choice = document.sign(document.Telling(), door_id=DOOR, version=7, issued_unix=1_900_000_000, key=MANAGER)
    (tmp_path / "retirement").write_bytes(bytes(DOCUMENT_KEY.kept.encrypt(choice)))
    retiring = started(tmp_path)
    assert (retiring.ending, retiring.version) == (Ending.NONE, 0)
    assert "whether this door is to end cannot be read" in capfd.readouterr().err
