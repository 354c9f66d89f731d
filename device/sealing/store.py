"""The store: sealed records in one folder, changed one at a time or all at once, whole or not at all.

Rules kept here:
- A change is: write and sync the new records; write and sync the next ring under a new epoch key into the other ring
  file; replace the epoch key (*the single commit point*); only then destroy the old ring and the old records.
- What `put`, `remove` or `rekey` acknowledged survives any power cut; what they did not acknowledge is whole or absent.
- At start both ring files are tried; the one that opens under the epoch key is the ring. Everything it does not name is
  a leftover of an interrupted change and is destroyed, after the epoch key in force was made durable once more.
- A key without its ring, or records without a key, is a fault for a person: nothing is then changed or deleted.
- After a failed change the store reads itself from the disk anew before anything else happens. What was made for
  another secret than it then finds is not taken.

Files in the folder: `ring.a` or `ring.b` (both only during a change), and one `<32 hexadecimal digits>.rec` a record.
One file a record, not one packed file: a torn write then hurts nobody else's record, and reading 10,000 of them costs
less than unsealing them.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from device.errors import Fault, KeyFault, RecordRefused, StoreFault
from device.sealing import box, record, ring
from device.sealing.binding import Binding
from device.sealing.files import DiskFiles, Files, destroy, write_new
from device.sealing.keys import KeyStore
from device.sealing.ring import CONSENT_BYTES, FILE_ID_BYTES, NO_CONSENT, Entry, Ring

__all__ = ["NO_CONSENT", "Binding", "Removed", "Renew", "SealedStore"]

_RING_NAMES = ("ring.a", "ring.b")
_RECORD_NAME = re.compile(r"[0-9a-f]{32}\.rec")
_MAX_SLOT = 2**32 - 1

# The payload, the old secret and the new one; returns the payload that goes with the new one.
Renew = Callable[[bytes, bytes, bytes], bytes]


@dataclass(frozen=True, slots=True)
class Removed:
    """A record that was destroyed: its id (16 bytes) and what to search a disk for to find it (32 bytes).

    `mark` is the beginning of the sealed box that lay in its file; zeros if the file could not be read any more.
    """

    record_id: bytes
    mark: bytes


class SealedStore:
    """The sealed records of one kind. Make one with `open`; one process owns the folder."""

    def __init__(self, folder: Path, keys: KeyStore, binding: Binding, disk: Files) -> None:
        self._folder = folder
        self._keys = keys
        self._binding = binding
        self._disk = disk
        self._ring: Ring = Ring.empty()  # until `_recover` has found the one on the disk
        self._indexed: Ring | None = None
        self._index: dict[int, Entry] = {}
        self._ring_name = _RING_NAMES[0]
        self._payloads: dict[int, bytes] = {}
        self._refused: dict[int, RecordRefused] = {}
        self._settled = False

    @classmethod
    def open(cls, folder: Path, keys: KeyStore, binding: Binding, disk: Files | None = None) -> SealedStore:
        """The store in `folder`, made if missing, recovered if interrupted. Raises KeyFault, StoreFault."""
        store = cls(folder, keys, binding, disk if disk is not None else DiskFiles())
        store._recover()
        return store

    @property
    def refused(self) -> tuple[RecordRefused, ...]:
        """One sentence for each record that did not open. They stay where they are until put or removed anew."""
        return tuple(self._refused.values())

    def records(self) -> dict[int, bytes]:
        """Slot and payload of every record that opened; a copy."""
        return dict(self._payloads)

    @property
    def secret(self) -> bytes:
        """What the records here share (32 random bytes): renewed by `rekey` alone, gone with the epoch key."""
        return self._ring.secret

    def consent(self, slot: int) -> bytes:
        """Hash of the terms that the record of `slot` is bound to; NO_CONSENT if there are none, or no record."""
        entry = self._entry(slot)
        return NO_CONSENT if entry is None else entry.consent

    def record_id(self, slot: int) -> bytes | None:
        """The random id (16 bytes) of the record of `slot`, readable or refused; None if there is none."""
        entry = self._entry(slot)
        return None if entry is None else entry.file_id

    def names(self, record_id: bytes) -> bool:
        """Whether a record with this id is held, readable or refused."""
        return any(entry.file_id == record_id for entry in self._ring.entries)

    def put(self, slot: int, payload: bytes, consent: bytes = NO_CONSENT) -> None:
        """Let `slot` hold `payload`, bound to the terms with the hash `consent`, under a new key; durable on return.

        Raises StoreFault or KeyFault; then `records()` tells whether the old or the new payload is there.
        """
        if not 0 <= slot <= _MAX_SLOT:
            raise StoreFault(f"a slot is a number from 0 to {_MAX_SLOT}")
        if len(consent) != CONSENT_BYTES:
            raise StoreFault(f"a record is bound to a hash of {CONSENT_BYTES} bytes")
        expected = self.secret
        self._settle()
        if self.secret != expected:
            # A rekey that seemed to have failed was made after all: the payload may have been made for the old secret.
            raise StoreFault(
                "the records were given new keys meanwhile, and this change was not made; please try again"
            )
        fresh = self._fresh(slot, consent)
        self._change(self._ring.with_entry(fresh), [(fresh, payload)])

    def remove(self, slot: int) -> Removed | None:
        """Destroy the record of `slot`, readable or refused; None if there is none.

        On return neither its key nor its ciphertext can be reached with the epoch key in force. Raises StoreFault or
        KeyFault; then `records()` tells whether it is still there.
        """
        self._settle()
        entry = self._entry(slot)
        if entry is None:
            return None
        removed = Removed(entry.file_id, self._mark(entry))
        try:
            self._change(self._ring.without(slot))
        except Fault:
            # What failed may have come after the commit point. Settled means: read anew, and made durable.
            if not self._settled or self._entry(slot) is not None:
                raise
        return removed

    def rekey(self, renew: Renew) -> None:
        """Write every record that opened anew, as `renew` makes it, under new keys and a new secret; durable on return.

        A record that does not open keeps its key and its file. Ids change, consents stay. Whatever `renew` raises is
        raised on and nothing was changed. Raises StoreFault or KeyFault; then all records with the secret are the old
        ones or all are the new ones, and `secret` tells which.
        """
        self._settle()
        secret = box.new_key()
        added = [
            (self._fresh(entry.slot, entry.consent), renew(self._payloads[entry.slot], self.secret, secret))
            for entry in self._ring.entries
            if entry.slot in self._payloads
        ]
        self._change(self._ring.rekeyed(secret, (entry for entry, _ in added)), added)

    def _entry(self, slot: int) -> Entry | None:
        if self._indexed is not self._ring:
            # A ring never changes; looking through it for each of 10,000 slots would take seconds.
            self._indexed, self._index = self._ring, {entry.slot: entry for entry in self._ring.entries}
        return self._index.get(slot)

    # ---- one change

    def _fresh(self, slot: int, consent: bytes) -> Entry:
        return Entry(slot, self._ring.generation + 1, box.random_bytes(FILE_ID_BYTES), box.new_key(), consent)

    def _change(self, following: Ring, added: Sequence[tuple[Entry, bytes]] = ()) -> None:
        self._settled = False
        try:
            self._commit(following, added)
        except Fault:
            # Before the commit point nothing happened, after it everything did: only the disk knows which.
            with contextlib.suppress(Fault):
                self._recover()
            raise
        leftovers = {self._ring_name, *_file_names(self._ring)} - _file_names(following)
        changed = {entry.slot for entry in set(self._ring.entries) ^ set(following.entries)}
        self._ring, self._ring_name = following, self._other_name()
        for slot in changed:
            self._payloads.pop(slot, None)
            self._refused.pop(slot, None)
        self._payloads.update((entry.slot, payload) for entry, payload in added)
        # The change is made. What cannot be removed now has lost its key; it is tried again before the next change.
        with contextlib.suppress(Fault):
            self._sweep(leftovers)
            self._settled = True

    def _commit(self, following: Ring, added: Sequence[tuple[Entry, bytes]] = ()) -> None:
        epoch_key = box.new_key()
        write_new(self._disk, self._folder, self._contents(following, epoch_key, added))
        self._keys.replace(epoch_key)

    def _contents(
        self, following: Ring, epoch_key: bytes, added: Sequence[tuple[Entry, bytes]]
    ) -> Iterator[tuple[str, bytes]]:
        for entry, payload in added:
            yield entry.file_name, record.seal(payload, entry, self._binding)
        yield self._other_name(), ring.seal(following, epoch_key, self._binding)

    def _sweep(self, names: Iterable[str]) -> None:
        destroy(self._disk, self._folder, names)

    def _other_name(self) -> str:
        return _RING_NAMES[1 - _RING_NAMES.index(self._ring_name)]

    # ---- reading everything from the disk

    def _settle(self) -> None:
        if not self._settled:
            self._recover()

    def _recover(self) -> None:
        self._disk.prepare(self._folder)
        names = set(self._disk.names(self._folder))
        epoch_key = self._keys.load()
        if epoch_key is None:
            self._begin(names)
        else:
            self._ring, self._ring_name = self._find_ring(epoch_key)
        self._read_records()
        self._settled = True
        unnamed = names - {self._ring_name} - _file_names(self._ring)
        if leftovers := {name for name in unnamed if name in _RING_NAMES or _RECORD_NAME.fullmatch(name)}:
            self._settled = False
            # A full or read-only disk must not keep anybody out: what could not be swept waits for the next change.
            with contextlib.suppress(Fault):
                self._keys.confirm()
                self._sweep(leftovers)
                self._settled = True

    def _begin(self, names: set[str]) -> None:
        if any(_RECORD_NAME.fullmatch(name) for name in names):
            raise KeyFault("there are sealed records but no epoch key to open them; nothing was changed")
        self._ring, self._ring_name = Ring.empty(), _RING_NAMES[1]
        self._commit(self._ring)
        self._ring_name = self._other_name()

    def _find_ring(self, epoch_key: bytes) -> tuple[Ring, str]:
        for name in _RING_NAMES:
            stored = self._disk.read(self._folder / name)
            found = None if stored is None else ring.unseal(stored, epoch_key, self._binding)
            if found is not None:
                return found, name
        raise StoreFault("no ring of sealed records opens under the epoch key of this door; nothing was changed")

    def _read_records(self) -> None:
        self._payloads, self._refused = {}, {}
        folder = str(self._folder)
        for entry in self._ring.entries:
            try:
                stored = self._read_record(f"{folder}/{entry.file_name}")
                self._payloads[entry.slot] = record.unseal(stored, entry, self._binding)
            except RecordRefused as refusal:
                self._refused[entry.slot] = refusal

    def _read_record(self, path: str) -> bytes | None:
        try:
            return self._disk.read(path)
        except StoreFault as cause:
            # One bad block must not keep everybody else out.
            raise RecordRefused("a sealed record cannot be read from the disk") from cause

    def _mark(self, entry: Entry) -> bytes:
        try:
            stored = self._disk.read(self._folder / entry.file_name)
        except StoreFault:
            stored = None
        return record.mark(stored, self._binding)


def _file_names(of: Ring) -> set[str]:
    return {entry.file_name for entry in of.entries}
