"""Every block of a disk on which faces were enrolled, changed, erased and rekeyed: what can be found in its image.

Searched are the raw bytes of an ext4 image, used and free blocks, journal and directories alike.

What was measured here, and what the tests below hold to:
- No template and no key is ever found, in no form that is tried, whatever became of its record.
- After an erasure the receipt's mark is not found where overwriting in place is honoured: ext4 as it is mounted by
  default (data=ordered: only names and places go through the journal, contents do not).
- With data=journal it is found: the journal keeps copies of contents, the sealed box among them, until it comes round
  to that place again. They are noise without their key; a mark that is found does not disprove the receipt.
- The id of an erased record is found in both: a folder keeps the names of what was removed until others need the room.
- A loop device is not a memory card: flash that levels wear may keep what was overwritten, and no image shows it.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest

from device.sealing import box, files, record
from device.sealing.binding import Binding
from device.sealing.files import DiskFiles
from device.sealing.keys import FileKeyStore
from device.sealing.ring import Entry
from device.sealing.store import Removed, SealedStore
from tests.contract.sealing.images import Mounted, mounted
from tests.unit.sealing.story import BINDING

SIZE_KIB = 16384
ROOT_KEY = os.urandom(32)
OTHER_BYTES = 332  # of a face's payload, besides the template
DIM = 128
PIECE_BYTES = 32

Vector = np.ndarray[tuple[int], np.dtype[np.float32]]


@pytest.fixture
def disk() -> Iterator[Mounted]:
    with mounted("ext4", SIZE_KIB) as new:
        yield new


@pytest.fixture
def keys_made(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Every key and secret that was ever made, in order."""
    made: list[bytes] = []
    real = box.new_key

    def remembered() -> bytes:
        made.append(real())
        return made[-1]

    monkeypatch.setattr(box, "new_key", remembered)
    return made


# ---- somebody's template, and a life with it


def template(seed: int) -> Vector:
    drawn = np.random.default_rng(seed).standard_normal(DIM)
    unit: Vector = (drawn / np.linalg.norm(drawn)).astype(np.float32)
    return unit


def payload(seed: int) -> bytes:
    return os.urandom(OTHER_BYTES) + template(seed).tobytes()


def renewed(old: bytes, _old_secret: bytes, _new_secret: bytes) -> bytes:
    """What a rekey writes. The template is not turned here: one that is found anywhere is found as it was put."""
    return os.urandom(OTHER_BYTES) + old[OTHER_BYTES:]


def opened(disk: Mounted, keys: type[FileKeyStore] = FileKeyStore) -> SealedStore:
    return SealedStore.open(disk.state, keys(disk.state / "epoch.key", ROOT_KEY), BINDING)


CANARIES = range(1, 6)


def life(store: SealedStore) -> list[Removed]:
    """Enrol, change, erase and rekey; two faces stay."""
    gone = []
    for slot in (1, 2, 3):
        store.put(slot, payload(slot))
    store.put(1, payload(4))
    gone.append(store.remove(2))
    store.rekey(renewed)
    store.put(2, payload(5))
    gone.append(store.remove(3))
    store.rekey(renewed)
    return [each for each in gone if each]


# ---- the search


def forms_of_template(vector: Vector) -> dict[str, bytes]:
    scaled = vector / np.abs(vector).max()
    return {
        "float32": vector.tobytes(),
        "float32, big-endian": vector.astype(">f4").tobytes(),
        "float64": vector.astype(np.float64).tobytes(),
        "float16": vector.astype(np.float16).tobytes(),
        "int8 of the unit vector": np.round(vector * 127).astype(np.int8).tobytes(),
        "int8 of its full range": np.round(scaled * 127).astype(np.int8).tobytes(),
        "uint8 of its full range": (np.round(scaled * 127) + 128).astype(np.uint8).tobytes(),
    }


def spellings(secret: bytes) -> Iterator[bytes]:
    """`secret` as it is, in hexadecimal digits and in base64 at any place of a text."""
    yield secret
    yield secret.hex().encode()
    yield secret.hex().upper().encode()
    for shift in range(3):
        whole = base64.b64encode(bytes(shift) + secret)
        middle = whole[4 if shift else 0 : len(whole) // 4 * 4 - 4]
        yield middle
        yield middle.translate(bytes.maketrans(b"+/", b"-_"))


def pieces(whole: bytes) -> Iterator[bytes]:
    for at in range(0, len(whole) - PIECE_BYTES + 1, PIECE_BYTES):
        yield whole[at : at + PIECE_BYTES]


def found_templates(raw: bytes, seeds: Iterable[int] = CANARIES) -> set[str]:
    """The forms in which a piece of a template lies anywhere in `raw`."""
    return {
        name
        for seed in seeds
        for name, whole in forms_of_template(template(seed)).items()
        for piece in pieces(whole)
        if any(spelling in raw for spelling in spellings(piece))
    }


def found_keys(raw: bytes, keys: Iterable[bytes]) -> list[bytes]:
    return [key for key in keys if any(spelling in raw for spelling in spellings(key))]


# ---- what is found


def test_no_template_and_no_key_lies_on_the_disk_in_any_form(disk: Mounted, keys_made: list[bytes]) -> None:
    store = opened(disk)
    life(store)
    live = [*(entry.key for entry in store._ring.entries), store.secret]
    raw = disk.raw()
    assert len(keys_made) > 20
    assert set(live) <= set(keys_made), "a key was made that this test does not know of"
    assert found_templates(raw) == set()
    assert found_keys(raw, [*keys_made, ROOT_KEY]) == []
    for entry in store._ring.entries:
        assert entry.file_id.hex().encode() in raw, "the search does not see what is there"


def test_after_an_erasure_and_a_rekey_no_mark_lies_on_the_disk(disk: Mounted) -> None:
    store = opened(disk)
    for slot in CANARIES:
        store.put(slot, payload(slot))
    replaced = {slot: record.mark((disk.state / f"{id_of(store, slot)}.rec").read_bytes(), BINDING) for slot in (1, 4)}
    store.put(1, payload(1))
    gone = [each for each in map(store.remove, (2, 3)) if each]
    store.rekey(renewed)
    live = [record.mark(path.read_bytes(), BINDING) for path in disk.state.glob("*.rec")]
    raw = disk.raw()
    assert len(gone) == 2
    assert len(live) == 3
    assert all(mark in raw for mark in live), "the search does not see the marks of what is there"
    assert [each.mark in raw for each in gone] == [False, False]
    assert [mark in raw for mark in replaced.values()] == [False, False]
    assert all(each.record_id.hex().encode() in raw for each in gone), "better than what is written above"


def id_of(store: SealedStore, slot: int) -> str:
    found = store.record_id(slot)
    assert found
    return found.hex()


def test_a_journal_of_contents_keeps_the_mark_but_no_template_and_no_key(keys_made: list[bytes]) -> None:
    with mounted("ext4", SIZE_KIB, "data=journal") as disk:
        gone = life(opened(disk))
        raw = disk.raw()
    assert all(each.mark in raw for each in gone), "better than what is written above"
    assert found_templates(raw) == set()
    assert found_keys(raw, [*keys_made, ROOT_KEY]) == []


# ---- the same search finds what careless stores leave


def unsealed(data: bytes, entry: Entry, binding: Binding) -> bytes:
    """The seeded fault: the payload as it is."""
    return record._header(binding.kind_code) + data + entry.file_id


def written_to_a_file(disk: Mounted, data: bytes) -> None:
    path = disk.state / "scratch"
    DiskFiles().write(path, data)
    DiskFiles().sync(path)
    path.unlink()


LEAKS: dict[str, Callable[[bytes], bytes]] = {
    "as it is": bytes,
    "in hexadecimal digits": lambda data: data.hex().encode(),
    "in base64": base64.b64encode,
    "in base64 of a longer text": lambda data: base64.b64encode(b"{" + data + b"}"),
    "for a URL": base64.urlsafe_b64encode,
}


def test_the_search_finds_a_payload_that_is_not_sealed(disk: Mounted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(record, "seal", unsealed)
    opened(disk).put(1, payload(1))
    assert found_templates(disk.raw(), [1]) == {"float32"}


@pytest.mark.parametrize("how", LEAKS)
@pytest.mark.parametrize("form", list(forms_of_template(template(1))))
def test_the_search_finds_a_template_in_a_file_that_was_removed(how: str, form: str) -> None:
    """One image for all ways would be quicker, and would not show that each of them is found alone."""
    raw = os.urandom(4096) + LEAKS[how](os.urandom(7) + forms_of_template(template(1))[form]) + os.urandom(4096)
    assert form in found_templates(raw, [1])


def test_the_search_finds_a_template_in_a_block_that_is_free_again(disk: Mounted) -> None:
    opened(disk).put(1, payload(1))
    written_to_a_file(disk, base64.b64encode(template(1).tobytes()))
    assert not (disk.state / "scratch").exists()
    assert found_templates(disk.raw(), [1]) == {"float32"}


class OpenKeys(FileKeyStore):
    """The seeded fault: the epoch key lies in its file as it is."""

    def replace(self, key: bytes) -> None:
        files.replace(self._disk, self._path, b"DWEK\x01\x00\x00\x00" + key)


def test_the_search_finds_an_epoch_key_that_is_not_sealed(disk: Mounted, keys_made: list[bytes]) -> None:
    opened(disk, OpenKeys).put(1, payload(1))
    epoch_key = (disk.state / "epoch.key").read_bytes()[8:]
    assert found_keys(disk.raw(), keys_made) == [epoch_key]


@pytest.mark.parametrize("how", LEAKS)
def test_the_search_finds_a_key_in_every_spelling(how: str) -> None:
    key = os.urandom(32)
    assert found_keys(os.urandom(4096) + LEAKS[how](key) + os.urandom(4096), [key, os.urandom(32)]) == [key]


def not_overwritten(_disk: object, _path: Path) -> bool:
    """The seeded fault: what is destroyed only loses its name."""
    return False


def test_the_search_finds_the_mark_of_a_record_that_was_only_unlinked(
    disk: Mounted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "_overwrite", not_overwritten)
    gone = life(opened(disk))
    raw = disk.raw()
    assert all(each.mark in raw for each in gone)
