"""What a thief and an old copy find, provider by provider: tried out, and compared with what the door tells people."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from device.errors import Fault, KeyFault, StoreFault
from device.sealing.store import Binding, SealedStore
from device.strength import Answer, KeyPlace, Strength, describe
from tests.support.key_places import OTHER_ROOT_KEY, ROOT_KEY, FilePlace, Place, TpmPlace, place
from tests.support.swtpm import software_tpm

BINDING = Binding(b"one door", "face", b"m" * 32)
ANNA, BEN = 1, 2
KINDS = {KeyPlace.FILE_HOST_KEY: "file", KeyPlace.FILE_TPM2_CREDENTIAL: "file", KeyPlace.TPM_NV: "tpm-nv"}


class House:
    """A door with its disk: the state folder, and the root key where it can be had from the disk."""

    def __init__(self, disk: Path, door: Place) -> None:
        self.disk, self.door = disk, door

    def opened(self, disk: Path | None = None) -> SealedStore:
        """The store on the door's disk, or on `disk` put in its place."""
        disk = self.disk if disk is None else disk
        door = self.door
        if isinstance(door, FilePlace | TpmPlace):
            door = replace(door, state=disk / "state")
        return SealedStore.open(disk / "state", door.keys((disk / "root.key").read_bytes()), BINDING)

    def image(self, name: str) -> Path:
        """A copy of the whole disk."""
        copy = self.disk.with_name(name)
        shutil.copytree(self.disk, copy)
        return copy


@contextmanager
def house(kind: str, folder: Path) -> Iterator[House]:
    disk = folder / "disk"
    disk.mkdir()
    (disk / "root.key").write_bytes(ROOT_KEY)
    with place(kind, disk) as door:
        new = House(disk, door)
        store = new.opened()
        store.put(ANNA, b"anna")
        store.put(BEN, b"ben")
        yield new


def readable(house: House, disk: Path | None = None) -> set[int]:
    try:
        return set(house.opened(disk).records())
    except Fault:
        return set()


def test_an_older_copy_of_all_files_stays_shut_after_an_erasure_with_tpm_nv(tmp_path: Path) -> None:
    with house("tpm-nv", tmp_path) as door:
        old = door.image("old")
        assert readable(door, old) == {ANNA, BEN}
        assert door.opened().remove(ANNA)
        with pytest.raises(StoreFault, match="no ring of sealed records opens"):
            door.opened(old)
        assert readable(door) == {BEN}, "trying the old copy has harmed what is there"


def test_an_older_copy_of_all_files_opens_again_after_an_erasure_with_a_file(tmp_path: Path) -> None:
    with house("file", tmp_path) as door:
        old = door.image("old")
        assert door.opened().remove(ANNA)
        assert readable(door) == {BEN}
        assert readable(door, old) == {ANNA, BEN}


def test_a_stolen_disk_stays_shut_under_another_tpm_even_with_the_root_key(tmp_path: Path) -> None:
    with house("tpm-nv", tmp_path) as door, software_tpm() as another:
        stolen = House(door.image("stolen"), TpmPlace(door.disk, another))
        with pytest.raises(KeyFault, match="no epoch key"):
            stolen.opened()
        assert readable(door) == {ANNA, BEN}


def test_a_cleared_tpm_opens_nothing_and_begins_nothing_anew(tmp_path: Path) -> None:
    with house("tpm-nv", tmp_path) as door:
        assert isinstance(door.door, TpmPlace)
        assert door.door.tpm.tool("clear", "-c", "p").returncode == 0
        before = sorted(path.name for path in (door.disk / "state").iterdir())
        with pytest.raises(KeyFault, match="nothing was changed"):
            door.opened()
        assert sorted(path.name for path in (door.disk / "state").iterdir()) == before


@contextmanager
def thief(door: House, where: KeyPlace) -> Iterator[House]:
    """What somebody makes of the card alone, away from the board. The weakest sealing of the root key is assumed."""
    card = door.image("card")
    if where is KeyPlace.TPM_NV:
        with software_tpm() as another:
            yield House(card, TpmPlace(card / "state", another))
        return
    if where is KeyPlace.FILE_TPM2_CREDENTIAL:
        # The root key is on the card only as systemd sealed it for another TPM: any other 32 bytes are as good.
        (card / "root.key").write_bytes(OTHER_ROOT_KEY)
    yield House(card, FilePlace(card / "state"))


def observed(where: KeyPlace, folder: Path) -> Strength:
    def answer(slot: int, door: House, disk: Path | None = None) -> Answer:
        return Answer.OPENS if slot in readable(door, disk) else Answer.SHUT

    with house(KINDS[where], folder) as door:
        old_image = door.image("old image")
        old_files = door.image("old files")
        door.opened().remove(ANNA)
        shutil.copy(door.disk / "root.key", old_files / "root.key")  # of the copied files, only the state is old
        with thief(door, where) as elsewhere:
            stolen_card = answer(BEN, elsewhere)
        return Strength(
            where, stolen_card, answer(ANNA, door), answer(ANNA, door, old_files), answer(ANNA, door, old_image)
        )


@pytest.mark.parametrize("where", list(KeyPlace))
def test_the_door_tells_people_what_was_seen_here(where: KeyPlace, tmp_path: Path) -> None:
    assert observed(where, tmp_path) == describe(where)
