"""The fleet's key is replaced: each door is told by the key that it believes, and nothing is lost half way."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from device.document import Successor
from device.edges import Room
from device.lock.policy import Policy, VersionFile
from device.wire import Result
from provisioning import files, fleet, keys, rotation
from provisioning.errors import FleetFault, FleetRefused
from provisioning.fleet import Fleet
from provisioning.identity import Identity
from provisioning.line import Heard
from provisioning.store import Door
from provisioning.store_sql import SqlStore
from provisioning.watching import Watch, in_words
from tests.unit.provisioning.doors import DOOR_KEY, doorward

PASSPHRASE = "correct horse battery"
NOW = 1_900_000_000


@pytest.fixture(autouse=True)
def _passphrase(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOORWARD_PASSPHRASE", PASSPHRASE)


class House:
    """A fleet, and locks that stand for its doors; all have the same document key."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "fleet"
        self.fleet: Fleet = fleet.init(self.folder, PASSPHRASE)
        self.root = self.fleet.store.public_key()
        self.locks = folder / "locks"

    def add(self, name: str, *, known: bool = True) -> Door:
        door = self.fleet.add_door(name)
        return self.fleet.identify(name, Identity(door.id, DOOR_KEY.public.hex()), anew=False) if known else door

    def lock(self, name: str, root: str | None = None) -> Policy:
        door_id = self.fleet.store.door(name).id
        path = self.locks / door_id / "policy-version"
        return Policy(bytes.fromhex(door_id), bytes.fromhex(root or self.root), DOOR_KEY, VersionFile(path))

    def rotate(self) -> rotation.Progress:
        return rotation.rotate(self.fleet, self.folder, now_unix=NOW, passphrase=PASSPHRASE)

    def offer(self, name: str) -> bytes:
        return self.fleet.offer_slot(name, 12, days=3, now_unix=NOW, passphrase=PASSPHRASE).document

    def key_files(self) -> set[str]:
        return {path.name for path in self.folder.glob("*.key")}

    def takes(self, name: str, document: bytes) -> Result:
        return self.lock(name).received(document, Room.DESK)[0]


@pytest.fixture
def house(tmp_path: Path) -> House:
    found = House(tmp_path)
    for name in ("Back", "Front"):
        found.add(name)
    return found


def older(house: House) -> str:
    return f"document-{house.root[:16]}.key"


def test_every_door_is_told_and_believes_the_new_key_alone(house: House) -> None:
    before = house.offer("Front")
    found = house.rotate()
    assert found.public_key == house.fleet.store.public_key() != house.root
    assert [door.name for door, _ in found.made] == ["Back", "Front"]
    after = house.offer("Front")
    assert house.takes("Front", after) is Result.UNSIGNED, "it was not told yet"
    for door, path in found.made:
        assert house.takes(door.name, path.read_bytes()) is Result.DONE
        assert house.takes(door.name, path.read_bytes()) is Result.STALE
    assert house.takes("Front", before) is Result.UNSIGNED
    assert house.takes("Front", after) is Result.DONE
    assert house.takes("Front", found.made[0][1].read_bytes()) is Result.WRONG_DOOR


def test_the_old_key_is_kept_sealed_until_every_door_knows_the_new_one(house: House) -> None:
    house.rotate()
    assert house.key_files() == {"document.key", older(house)}
    kept = (house.folder / older(house)).read_bytes()
    assert bytes(keys.unseal(kept, PASSPHRASE).verify_key).hex() == house.root
    with pytest.raises(FleetRefused, match="passphrase"):
        keys.unseal(kept, "another passphrase")
    assert [door.name for door in rotation.acknowledge(house.fleet, "Back").waiting] == ["Front"]
    assert older(house) in house.key_files()
    assert rotation.acknowledge(house.fleet, "Front").done
    assert house.key_files() == {"document.key"}
    assert bytes(house.fleet.unlock(PASSPHRASE).verify_key).hex() == house.fleet.store.public_key()


def test_an_old_key_that_was_removed_too_early_would_be_caught(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def hasty(found: Fleet) -> None:
        for path in found.folder.glob("document-*.key"):
            path.unlink()

    monkeypatch.setattr(rotation, "_forget", hasty)
    with pytest.raises(AssertionError):
        test_the_old_key_is_kept_sealed_until_every_door_knows_the_new_one(house)


def test_a_report_tells_that_a_door_knows(house: House) -> None:
    house.rotate()
    told = house.fleet.store.door("Front")
    assert told.succession is not None
    assert not rotation.heard(house.fleet, told, told.succession - 1)
    assert rotation.heard(house.fleet, told, told.succession)
    known = house.fleet.store.door("Front")
    assert (known.manager_key, known.succession) == ("", None)
    assert not rotation.heard(house.fleet, known, 99)
    assert not rotation.heard(house.fleet, told, 99), "as it was a moment ago"


def test_whoever_watches_hears_once_that_a_door_knows(house: House) -> None:
    house.rotate()
    front, told = house.fleet.store.door("Front"), list[dict[str, object]]()
    watch = Watch(house.fleet, told.append, lambda: NOW)
    for docs in (0, front.succession, front.succession, 99):
        content = json.dumps({"lock": True, "bolt": True, "docs": docs}).encode()
        watch.take(Heard(f"doorward/{front.id}/report", content))
        events = [fact["event"] for fact in told]
        assert events.count("knows-key") == (docs != 0)
    assert (events.count("report"), "trouble" in events) == (4, False)
    assert "knows the fleet's new key" in " ".join(map(in_words, told))
    assert [door.name for door in rotation.progress(house.fleet).waiting] == ["Back"]


class Stopped(BaseException):
    """The power is gone, or somebody pressed Ctrl-C."""


# What a rotation of two doors does, and how often.
STEPS = {"create": 4, "replace": 1, "remove": 1, "rotate": 1, "reserve": 2}
CUTS = [(step, many) for step, times in STEPS.items() for many in range(times)]


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(("step", "many"), CUTS)
def test_a_rotation_that_is_cut_short_anywhere_goes_on_where_it_stopped(
    house: House, monkeypatch: pytest.MonkeyPatch, step: str, many: int, after: bool
) -> None:
    """Right before or after the n-th file that is made, replaced, removed, or the n-th change in the store."""
    place, called = {
        "create": (files, "create"),
        "replace": (files, "replace"),
        "remove": (rotation, "_remove"),
        "rotate": (SqlStore, "rotate"),
        "reserve": (SqlStore, "reserve_succession"),
    }[step]
    real, left = getattr(place, called), many

    def cut(*args: Any) -> Any:
        nonlocal left
        left -= 1
        if left == -1 and not after:
            raise Stopped
        found = real(*args)
        if left == -1:
            raise Stopped
        return found

    with monkeypatch.context() as patched:
        patched.setattr(place, called, cut)
        with pytest.raises(Stopped):
            house.rotate()
        begun = house.fleet.store.public_key()
        for name in ("Front", "Back"):  # what is made meanwhile is signed by a key that is there
            house.offer(name)
        found = house.rotate()
        assert begun in (house.root, found.public_key), "no second rotation was begun"
    assert {"document.key", older(house)} == house.key_files()
    for door in house.fleet.store.doors():
        (made,) = [
            path for path in house.folder.glob(f"{door.id}-*.doc") if path.name == f"{door.id}-{door.succession}.doc"
        ]
        assert house.takes(door.name, made.read_bytes()) is Result.DONE
        assert house.takes(door.name, house.offer(door.name)) is Result.DONE
        rotation.acknowledge(house.fleet, door.name)
    assert house.key_files() == {"document.key"}


def test_a_rotation_that_made_its_key_after_naming_it_would_be_caught(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The seeded fault: the store names a key that is only in memory when the power goes."""

    def careless(found: Fleet, passphrase: str) -> None:
        public = found.store.public_key()
        found.store.rotate(public, bytes(keys.new_key().verify_key).hex())
        files.create(found.folder / fleet.NEXT_KEY_FILE, keys.seal(keys.new_key(), passphrase))

    monkeypatch.setattr(rotation, "_begin", careless)
    with pytest.raises((FleetRefused, AssertionError)):
        test_a_rotation_that_is_cut_short_anywhere_goes_on_where_it_stopped(
            house, monkeypatch, "create", 0, after=False
        )


def test_a_document_that_was_lost_is_made_again_with_the_same_version(house: House) -> None:
    ((_, first), _) = house.rotate().made
    first.unlink()
    again = house.rotate()
    assert [(door.name, path) for door, path in again.made] == [("Back", first)]
    assert house.takes("Back", first.read_bytes()) is Result.DONE
    assert house.rotate().made == ()
    assert house.fleet.store.door("Back").version == 1


def test_a_second_rotation_begins_only_after_the_first(house: House) -> None:
    first = house.rotate()
    assert house.rotate().public_key == first.public_key
    for door, path in first.made:
        house.takes(door.name, path.read_bytes())
        rotation.acknowledge(house.fleet, door.name)
    second = house.rotate()
    assert second.public_key not in (house.root, first.public_key)
    for door, path in second.made:
        assert house.takes(door.name, path.read_bytes()) is Result.DONE
        assert house.takes(door.name, house.offer(door.name)) is Result.DONE


def test_a_door_whose_key_is_not_known_is_told_once_it_is(house: House) -> None:
    added = house.add("Cellar", known=False)
    found = house.rotate()
    assert ([door.name for door in found.unknown], len(found.made)) == (["Cellar"], 2)
    house.fleet.identify("Cellar", Identity(added.id, DOOR_KEY.public.hex()), anew=False)
    with pytest.raises(FleetRefused, match="was not told"):
        rotation.acknowledge(house.fleet, "Cellar")
    early = house.offer("Cellar")
    assert house.takes("Cellar", early) is Result.DONE, "until it is told, the old key signs"
    ((door, path),) = house.rotate().made
    assert house.takes(door.name, path.read_bytes()) is Result.DONE


def test_a_door_that_was_never_mounted_holds_up_no_second_rotation(house: House) -> None:
    house.add("Planned", known=False)
    first = house.rotate()
    for door, path in first.made:
        house.takes(door.name, path.read_bytes())
        rotation.acknowledge(house.fleet, door.name)
    assert house.rotate().public_key == first.public_key, "it may be a door whose door.toml was written by hand"
    assert rotation.acknowledge(house.fleet, "Planned").done
    assert house.rotate().public_key != first.public_key


def test_a_door_that_is_added_later_knows_the_new_key_from_the_start(house: House) -> None:
    found = house.rotate()
    house.add("Later")
    assert house.lock("Later", found.public_key).received(house.offer("Later"), Room.DESK)[0] is Result.DONE
    assert house.rotate().made == ()


def test_a_fleet_without_doors_has_another_key_at_once(tmp_path: Path) -> None:
    house = House(tmp_path)
    assert house.rotate().done
    assert house.key_files() == {"document.key"}
    assert bytes(house.fleet.unlock(PASSPHRASE).verify_key).hex() == house.fleet.store.public_key() != house.root


def test_a_wrong_passphrase_changes_nothing(house: House) -> None:
    before = {path.name: path.read_bytes() for path in house.folder.iterdir() if path.suffix == ".key"}
    with pytest.raises(FleetRefused, match="passphrase"):
        rotation.rotate(house.fleet, house.folder, now_unix=NOW, passphrase="another passphrase")
    assert {name: (house.folder / name).read_bytes() for name in house.key_files()} == before
    assert house.fleet.store.public_key() == house.root


def test_a_full_disk_changes_nothing_that_could_not_go_on(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, _content: bytes) -> None:
        msg = f"{path} cannot be written: No space left on device"
        raise FleetFault(msg)

    with monkeypatch.context() as patched:
        patched.setattr(files, "create", full)
        with pytest.raises(FleetFault, match="No space"):
            house.rotate()
    assert house.fleet.store.public_key() == house.root
    assert len(house.rotate().made) == 2


def test_a_key_that_is_replaced_at_that_moment_signs_nothing(house: House) -> None:
    """Another manager rotates between the passphrase and the reservation."""
    before = house.fleet.store.door("Front")
    key = house.fleet.signer(before, PASSPHRASE)
    house.rotate()
    with pytest.raises(FleetRefused, match="at this very moment"):
        house.fleet.sealed(Successor(bytes(key.verify_key)), house.fleet.store.door("Front"), NOW, key)


def test_another_managers_folder_says_what_it_needs(house: House) -> None:
    content = (house.folder / "document.key").read_bytes()
    for door, _ in house.rotate().made:
        rotation.acknowledge(house.fleet, door.name)
    (house.folder / "document.key").write_bytes(content)
    with pytest.raises(FleetRefused, match="replaced on another computer"):
        house.offer("Front")


# ---- the command


def test_the_command_says_what_to_do_at_which_door(house: House, tmp_path: Path) -> None:
    where = ("--fleet", str(house.folder))
    out = tmp_path / "to the doors"
    out.mkdir()
    told = json.loads(doorward("fleet", "rotate", *where, "--out", str(out), "--json").stdout)
    assert (told["waiting"], told["unknown"]) == (["Back", "Front"], [])
    assert {each["door"] for each in told["made"]} == {"Back", "Front"}
    assert all(Path(each["document"]).parent == out for each in told["made"])
    shown = doorward("fleet", "rotate", *where, "--status").stdout
    assert "Back, Front" in shown
    assert doorward("fleet", "rotate", *where, "--acknowledged", "Back").exit_code == 0
    done = doorward("fleet", "rotate", *where, "--acknowledged", "Front")
    assert "Every door knows this key" in done.stdout
    again = doorward("fleet", "rotate", *where, "--acknowledged", "Front")
    assert again.exit_code == 1
    assert re.fullmatch(r"[^\n]*knows the key of this fleet[^\n]*\.\n", again.stderr)


def test_the_status_of_a_fleet_that_never_had_another_key_is_done(house: House) -> None:
    shown = doorward("fleet", "rotate", "--fleet", str(house.folder), "--status")
    assert "Every door knows this key" in shown.stdout
    assert house.fleet.store.public_key() == house.root


def test_an_acknowledgement_makes_nothing_beside(house: House) -> None:
    where = ("--fleet", str(house.folder))
    assert doorward("fleet", "rotate", *where, "--acknowledged", "Front", "--status").exit_code == 1
    assert house.fleet.store.public_key() == house.root
