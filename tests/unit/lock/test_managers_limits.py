"""Whose documents a door believes, at the edges: what lies on its disk when it cannot say who its manager is."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from device.document import DocumentUnsigned, Successor, Telling
from device.lock import managers
from device.lock.managers import MOST_LINKS, Managers
from tests.unit.lock.house import DOCUMENT_KEY
from tests.unit.lock.test_managers import HOME, Door, paper, public


@pytest.fixture
def heir(tmp_path: Path) -> Door:
    """A door whose manager's key 0 was followed by 1, with version 5."""
    door = Door(tmp_path)
    door.succeeds(5, 0, 1)
    return door


def planted(door: Door) -> Telling:
    """What counts after a choice of the first key's own time was put on the disk, and the door started."""
    (door.folder / "reporting").write_bytes(bytes(DOCUMENT_KEY.kept.encrypt(paper(HOME, 3, by=0))))
    door.start()
    return door.policy.reporting.telling


def test_a_file_of_the_first_keys_time_is_believed_as_long_as_the_chain_says_when_that_was(heir: Door) -> None:
    assert planted(heir) == HOME
    for name in ("managers.a", "managers.b"):
        (heir.folder / name).unlink()
    assert planted(heir) == Telling(), "nobody knows until when that key was the manager's"
    with pytest.raises(DocumentUnsigned):
        heir.policy.managers.kept(paper(HOME, 3, by=0))


def test_a_door_that_asked_the_key_in_door_toml_instead_would_be_caught(
    heir: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The seeded fault: whether the chain is lost is not asked of what lies on the disk."""
    honest = Managers.kept

    def careless(self: Managers, content: bytes) -> object:
        lost, self.lost = self.lost, False
        try:
            return honest(self, content)
        finally:
            self.lost = lost

    monkeypatch.setattr(Managers, "kept", careless)
    with pytest.raises(AssertionError):
        test_a_file_of_the_first_keys_time_is_believed_as_long_as_the_chain_says_when_that_was(heir)


# ---- the two copies


def packed(magic: bytes, version: int, many: int, links: list[bytes]) -> bytes:
    plain = struct.pack("<4sBB32s", magic, version, many, public(0)) + b"".join(links)
    return bytes(DOCUMENT_KEY.kept.encrypt(plain))


FIRST, SECOND = (paper(Successor(public(to)), version, by) for by, to, version in ((0, 1, 5), (1, 2, 6)))


def started_with(folder: Path, content: bytes) -> Door:
    """A door that has nothing else but `content` in both copies."""
    for name in ("managers.a", "managers.b"):
        (folder / name).write_bytes(content)
    return Door(folder)


def test_copies_that_are_whole_are_believed(tmp_path: Path) -> None:
    assert started_with(tmp_path, packed(b"DWMC", 1, 1, [FIRST])).believed == public(1)
    assert started_with(tmp_path, packed(b"DWMC", 1, 2, [FIRST, SECOND])).believed == public(2)


@pytest.mark.parametrize(
    "content",
    [
        packed(b"DWLT", 1, 1, [FIRST]),
        packed(b"DWMC", 2, 1, [FIRST]),
        packed(b"DWMC", 1, 1, [FIRST, SECOND]),
        packed(b"DWMC", 1, 2, [FIRST]),
        packed(b"DWMC", 1, 1, [FIRST[:-1]]),
        packed(b"DWMC", 1, 0, []),
        packed(b"DWMC", 1, 2, [FIRST, FIRST]),
        packed(b"DWMC", 1, 1, [SECOND]),
        packed(b"DWMC", 1, 2, [FIRST, paper(Successor(public(2)), 5, by=1)]),
        packed(b"DWMC", 1, 2, [FIRST, paper(Successor(public(2)), 4, by=1)]),
        packed(b"DWMC", 1, 2, [FIRST, paper(Successor(public(0)), 6, by=1)]),
        packed(b"DWMC", 1, 3, [FIRST, SECOND, paper(Successor(public(1)), 7, by=2)]),
    ],
    ids=[
        *("another file", "another version", "one more", "one less", "cut", "none", "twice", "no beginning"),
        *("same version", "older version", "the first comes back", "another comes back"),
    ],
)
def test_copies_of_another_form_say_nothing_though_they_are_sealed_here(tmp_path: Path, content: bytes) -> None:
    """Whoever can write to the disk may put one file of this door in the place of another."""
    door = started_with(tmp_path, content)
    assert door.policy.managers.lost
    assert door.believed == b""


def test_a_choice_in_the_place_of_a_link_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No other body is as long as a key today; a link that were as long as a choice would be looked at all the same."""
    choice = paper(HOME, 5, by=0)
    monkeypatch.setattr(managers, "_LINK_BYTES", len(choice))
    assert started_with(tmp_path, packed(b"DWMC", 1, 1, [choice])).policy.managers.lost


def test_a_chain_has_no_more_than_sixteen_links_on_the_disk_either(tmp_path: Path) -> None:
    links = [paper(Successor(public(number + 1)), number + 1, by=number) for number in range(MOST_LINKS + 1)]
    assert MOST_LINKS == 16
    assert started_with(tmp_path, packed(b"DWMC", 1, MOST_LINKS, links[:-1])).believed == public(MOST_LINKS)
    assert started_with(tmp_path, packed(b"DWMC", 1, MOST_LINKS + 1, links)).policy.managers.lost


def test_another_key_in_door_toml_writes_nothing_over_the_chain_that_is_there(heir: Door) -> None:
    """Not even where the copies differ: whoever puts the old key back finds the chain as it was."""
    (heir.folder / "managers.b").unlink()
    before = heir.files()
    heir.start(root=7)
    assert heir.files() == before
    heir.start(root=0)
    assert heir.believed == public(1)


def test_a_new_door_has_applied_nothing_and_writes_nothing_down(tmp_path: Path) -> None:
    policy = Door(tmp_path).policy
    assert policy.version == 0
    assert [each.version for each in (policy.managers.chain, policy.hours, policy.reporting, policy.retiring)] == [
        0
    ] * 4
    assert list(tmp_path.iterdir()) == []
    assert (policy.reporting.many, policy.applying, policy._last) == (False, None, None)
    assert not policy.clear()
