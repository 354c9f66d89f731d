"""The fleet's store: whole or not at all, and numbers that only grow."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning import files
from provisioning.errors import FleetFault, FleetRefused
from provisioning.store import Door, JsonStore, Reserved, Slot

KEY = "ab" * 32


def anything(_door: Door) -> None:
    """No reason to refuse."""


def reserve(store: JsonStore, door: str, slot: int, expires_unix: int, ends_unix: int = 0) -> Reserved:
    return store.reserve_offer(door, Slot(slot, 0, expires_unix, ends_unix), anything)


def with_slot(**times: object) -> str:
    """A store of one door with one place, whose times are these."""
    slot = {"number": 1, "serial": 1, "timetable": 0, **times}
    door = {"name": "a", "id": "00" * 8, "version": 1, "slots": [slot]}
    return json.dumps({"format": 3, "public_key": KEY, "doors": [door]})


@pytest.fixture
def store(tmp_path: Path) -> JsonStore:
    store = JsonStore(tmp_path)
    store.create(KEY)
    store.add_door(Door("Front", "00" * 8))
    return store


def test_what_was_stored_is_read_back(store: JsonStore) -> None:
    store.add_door(Door("东门", "11" * 8))
    reserved = reserve(store, "东门", 7, 1_900_000_000)
    assert (reserved.version, reserved.serial) == (1, 1)
    again = JsonStore(store.folder)
    assert again.public_key() == KEY
    assert again.doors() == (
        Door("Front", "00" * 8),
        Door("东门", "11" * 8, 1, (Slot(7, 1, 1_900_000_000),)),
    )


def test_the_end_of_a_place_is_kept_and_a_new_offer_brings_its_own(store: JsonStore) -> None:
    reserve(store, "Front", 7, 1_900_000_000, 2_000_000_000)
    assert JsonStore(store.folder).doors()[0].slots == (Slot(7, 1, 1_900_000_000, 2_000_000_000),)
    reserve(store, "Front", 7, 1_900_000_000)
    assert JsonStore(store.folder).doors()[0].slots == (Slot(7, 2, 1_900_000_000, 0),)


def test_versions_grow_per_door_and_serials_per_slot(store: JsonStore) -> None:
    store.add_door(Door("Back", "11" * 8))
    got = [reserve(store, door, slot, 5) for door, slot in (("Front", 1), ("Front", 2), ("Back", 1), ("Front", 1))]
    assert [(each.version, each.serial) for each in got] == [(1, 1), (2, 1), (1, 1), (3, 2)]


def test_two_managers_at_once_never_get_the_same_version(store: JsonStore) -> None:
    versions: list[int] = []

    def offer_some() -> None:
        versions.extend(reserve(store, "Front", slot, 5).version for slot in range(1, 11))

    threads = [threading.Thread(target=offer_some) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(versions) == list(range(1, 41))
    assert store.doors()[0].version == 40


def test_a_store_without_its_lock_would_be_caught(store: JsonStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """The seeded fault behind the test above: two read before either writes."""
    first_has_read, second_is_done = threading.Event(), threading.Event()
    versions: list[int] = []
    real_replace = files.replace

    def slow_replace(path: Path, content: bytes) -> None:
        if threading.current_thread().name == "first":
            first_has_read.set()
            second_is_done.wait(10)
        real_replace(path, content)

    monkeypatch.setattr(files, "replace", slow_replace)
    monkeypatch.setattr("fcntl.flock", lambda *_args: None)
    first = threading.Thread(target=lambda: versions.append(reserve(store, "Front", 1, 5).version), name="first")
    first.start()
    assert first_has_read.wait(10)
    versions.append(reserve(store, "Front", 2, 5).version)
    second_is_done.set()
    first.join()
    assert versions == [1, 1]


def test_a_door_is_added_once(store: JsonStore) -> None:
    with pytest.raises(FleetRefused, match="named"):
        store.add_door(Door("Front", "22" * 8))
    with pytest.raises(FleetRefused, match="id"):
        store.add_door(Door("Other", "00" * 8))
    assert len(store.doors()) == 1


def test_an_unknown_door_gets_no_offer(store: JsonStore) -> None:
    before = store.path.read_bytes()
    with pytest.raises(FleetRefused, match="no door named"):
        reserve(store, "Cellar", 1, 5)
    assert store.path.read_bytes() == before


def test_a_fleet_is_begun_once(store: JsonStore) -> None:
    before = store.path.read_bytes()
    with pytest.raises(FleetRefused, match="exists already"):
        store.create("cd" * 32)
    assert store.path.read_bytes() == before


def test_a_used_up_version_is_refused_and_not_begun_anew(store: JsonStore) -> None:
    tables = json.loads(store.path.read_text())
    tables["doors"][0]["version"] = 2**32 - 1
    store.path.write_text(json.dumps(tables))
    with pytest.raises(FleetRefused, match="used up"):
        reserve(store, "Front", 1, 5)


@pytest.mark.parametrize("step", ["write", "fsync", "replace"])
def test_a_failure_at_any_step_leaves_the_old_store_whole(
    store: JsonStore, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    before = store.path.read_bytes()

    def fails(*_args: object) -> None:
        raise OSError(28, "No space left on device")

    target = {"write": (os, "fdopen"), "fsync": (os, "fsync"), "replace": (Path, "replace")}[step]
    real = {"write": os.close}.get(step)

    def failing(handle: int, *_args: object) -> None:
        if real:
            real(handle)
        fails()

    monkeypatch.setattr(*target, failing)
    with pytest.raises(FleetFault, match="No space left"):
        reserve(store, "Front", 1, 5)
    monkeypatch.undo()
    assert store.path.read_bytes() == before
    assert sorted(path.name for path in store.folder.iterdir()) == [".lock", "fleet.json"]
    assert reserve(store, "Front", 1, 5).version == 1


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{",
        "{}",
        json.dumps({"format": 2, "public_key": KEY, "doors": []}),
        json.dumps({"format": 1, "public_key": KEY, "doors": []}),
        '{"format": 3, "public_key": "zz", "doors": []}',
        json.dumps({"format": 3, "public_key": KEY, "doors": [{"name": "a"}]}),
        json.dumps({"format": 3, "public_key": KEY, "doors": [{"name": "a", "id": "00", "version": 0, "slots": []}]}),
        json.dumps(
            {"format": 3, "public_key": KEY, "doors": [{"name": "a", "id": "00" * 8, "version": -1, "slots": []}]}
        ),
        json.dumps({"format": 3, "public_key": KEY, "doors": [], "faces": []}),
        with_slot(expires_unix=5),
        with_slot(expires_unix=5, ends_unix=-1),
        with_slot(expires_unix=5, ends_unix="soon"),
        with_slot(expires_unix=5, ends_unix=True),
        with_slot(expires_unix=5, ends_unix=10**12),
        with_slot(expires_unix=5, ends_unix=9, timetable=256),
        with_slot(expires_unix=5, ends_unix=9, timetable=True),
        with_slot(expires_unix=5, ends_unix=9, timetable=None),
        with_slot(expires_unix=5, ends_unix=9).replace('"version"', '"document_key": "00", "version"'),
    ],
)
def test_a_damaged_store_is_one_sentence_and_stays_as_it_is(tmp_path: Path, text: str) -> None:
    store = JsonStore(tmp_path)
    store.path.write_text(text)
    with pytest.raises(FleetFault, match="damaged"):
        store.doors()
    with pytest.raises(FleetFault, match="damaged"):
        store.add_door(Door("Front", "00" * 8))
    assert store.path.read_text() == text


@given(st.binary(max_size=300))
def test_arbitrary_bytes_are_no_store(content: bytes) -> None:
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as folder:
        store = JsonStore(Path(folder))
        store.path.write_bytes(content)
        with pytest.raises(FleetFault, match="damaged"):
            store.doors()


def test_a_whole_store_of_this_version_is_read(tmp_path: Path) -> None:
    store = JsonStore(tmp_path)
    store.path.write_text(with_slot(expires_unix=5, ends_unix=9, timetable=255))
    assert store.doors() == (Door("a", "00" * 8, 1, (Slot(1, 1, 5, 9, 255),)),)


def test_a_key_is_bound_durably_and_kept_by_everything_that_follows(store: JsonStore) -> None:
    store.identify("Front", KEY, anything)
    reserve(store, "Front", 7, 5)
    store.reserve_policy("Front", b"?", anything)
    (door,) = JsonStore(store.folder).doors()
    assert (door.document_key, door.version, door.policy) == (KEY, 2, "3f")


def test_what_a_check_refuses_is_not_done(store: JsonStore) -> None:
    before = store.path.read_bytes()

    def never(_door: Door) -> None:
        msg = "never"
        raise FleetRefused(msg)

    for act in (
        lambda: store.identify("Front", KEY, never),
        lambda: store.reserve_offer("Front", Slot(1, 0, 5), never),
        lambda: store.reserve_policy("Front", b"?", never),
    ):
        with pytest.raises(FleetRefused, match="never"):
            act()
    assert store.path.read_bytes() == before


def test_everything_is_for_its_owner_alone(store: JsonStore) -> None:
    reserve(store, "Front", 1, 5)
    assert {oct(path.stat().st_mode & 0o777) for path in store.folder.iterdir()} == {"0o600"}
