"""A door's life on a simulated disk, cut at any step, and what must be true of the store that the next boot opens.

Every payload begins with a tag of the secret it goes with, as vault's do: a payload beside the wrong secret is seen.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from device.errors import Fault
from device.sealing.keys import FileKeyStore
from device.sealing.store import Binding, SealedStore
from tests.unit.sealing.simulated_disk import Loss, PowerCut, SimulatedDisk

FOLDER = Path("/state")
ROOT_KEY = b"r" * 32
BINDING = Binding(b"one door", "face", b"m" * 32)
TAG_BYTES = 8
Texts = dict[int, bytes]
Opener = Callable[[SimulatedDisk], SealedStore]


@dataclass(frozen=True)
class Put:
    slot: int
    text: bytes


@dataclass(frozen=True)
class Remove:
    slot: int


@dataclass(frozen=True)
class Rekey:
    pass


Change = Put | Remove | Rekey

STORY: tuple[Change, ...] = (
    Put(1, b"first of one"),
    Put(2, b"first of two"),
    Put(1, b"second of one"),
    Rekey(),
    Remove(2),
    Put(3, b"first of three"),
    Rekey(),
    Remove(1),
    Put(2, b"second of two"),
)


def keys_of(disk: SimulatedDisk) -> FileKeyStore:
    return FileKeyStore(FOLDER / "epoch.key", ROOT_KEY, disk)


def open_store(disk: SimulatedDisk) -> SealedStore:
    return SealedStore.open(FOLDER, keys_of(disk), BINDING, disk)


def opener_of(kind: type[SealedStore]) -> Opener:
    return lambda disk: kind.open(FOLDER, keys_of(disk), BINDING, disk)


def tag(secret: bytes) -> bytes:
    return hashlib.sha256(secret).digest()[:TAG_BYTES]


def consent_to(text: bytes) -> bytes:
    return hashlib.sha256(text).digest()


def turned(payload: bytes, old: bytes, new: bytes) -> bytes:
    """What vault does with a template: undo the old secret, apply the new one."""
    assert payload[:TAG_BYTES] == tag(old)
    return tag(new) + payload[TAG_BYTES:]


def texts(store: SealedStore) -> Texts | None:
    """What the records say; None if one of them does not go with the secret."""
    found = store.records()
    if any(payload[:TAG_BYTES] != tag(store.secret) for payload in found.values()):
        return None
    return {slot: payload[TAG_BYTES:] for slot, payload in found.items()}


def make(change: Change, store: SealedStore) -> None:
    match change:
        case Put(slot, text):
            store.put(slot, tag(store.secret) + text, consent_to(text))
        case Remove(slot):
            store.remove(slot)
        case Rekey():
            store.rekey(turned)


def after(change: Change | None, before: Texts) -> Texts:
    match change:
        case Put(slot, text):
            return {**before, slot: text}
        case Remove(slot):
            return {other: text for other, text in before.items() if other != slot}
    return before


@dataclass
class Ledger:
    """What the door acknowledged, and the one change it was asked for and did not."""

    acknowledged: Texts = field(default_factory=dict)
    secret: bytes | None = None
    asked: Change | None = None
    retired: set[bytes] = field(default_factory=set)  # keys and secrets that an acknowledged change took out of force
    spans: list[tuple[str, int]] = field(default_factory=list)  # steps by kind of change

    def run(self, disk: SimulatedDisk, opener: Opener) -> None:
        store = opener(disk)
        self.secret = store.secret
        for change in STORY:
            began, before = disk.steps, in_force(store)
            self.asked = change
            make(change, store)
            self.acknowledged = after(change, self.acknowledged)
            self.retired |= before - in_force(store)
            if change == Rekey():
                self.retired |= before
            self.secret, self.asked = store.secret, None
            self.spans.append((type(change).__name__, disk.steps - began))


def in_force(store: SealedStore) -> set[bytes]:
    """The secret, the epoch key and every record's key."""
    epoch_key = store._keys.load()
    assert epoch_key
    return {store.secret, epoch_key, *(entry.key for entry in store._ring.entries)}


def losses() -> Iterator[tuple[Loss, int]]:
    yield Loss.ALL, 0
    yield Loss.NOTHING, 0
    for seed in range(6):
        yield Loss.SOME, seed


def cut(at: int, opener: Opener = open_store) -> tuple[SimulatedDisk, Ledger]:
    """The story until the power goes before step `at`, or the process is killed there."""
    disk, ledger = SimulatedDisk(cut_at=at), Ledger()
    with contextlib.suppress(PowerCut):
        ledger.run(disk, opener)
    disk.cut_at = None
    return disk, ledger


def problem_after(disk: SimulatedDisk, ledger: Ledger, opener: Opener = open_store) -> str | None:
    """What is wrong with the store that the next boot opens; None if it is as it must be."""
    try:
        store = opener(disk)
    except Fault as fault:
        return f"it does not open: {fault}"
    if problem := _wrong_with(store, ledger):
        return problem
    named = {entry.file_name for entry in store._ring.entries}
    if disk.all_names() - {"epoch.key.new"} != {"epoch.key", store._ring_name, *named}:
        return "leftovers of the interrupted change are still there"
    before = texts(store)
    assert before is not None
    make(Put(9, b"and on it goes"), store)
    if texts(opener(disk)) != {**before, 9: b"and on it goes"}:
        return "it cannot be changed any more"
    return None


def _wrong_with(store: SealedStore, ledger: Ledger) -> str | None:
    if store.refused:
        return f"it refuses a record: {store.refused[0]}"
    found = texts(store)
    if found is None:
        return "a record and the secret do not go together"
    if found not in (ledger.acknowledged, after(ledger.asked, ledger.acknowledged)):
        return "an acknowledged change is lost, or another record with it"
    if any(store.consent(slot) != consent_to(text) for slot, text in found.items()):
        return "a record is bound to other terms than it was put with"
    if ledger.secret not in (None, store.secret) and ledger.asked != Rekey():
        return "the secret has changed without a rekey"
    if ledger.retired & in_force(store):
        return "a key that an acknowledged change took out of force still is"
    return None
