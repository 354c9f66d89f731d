"""The store: sealed records in one folder, changed one at a time, whole or not at all.

Rules kept here:
- A change is: write and sync the new record; write and sync the next ring under a new epoch key into the other ring
  file; replace the epoch key (*the single commit point*); only then destroy the old ring and the old record.
- What `put` or `remove` acknowledged survives any power cut; what they did not acknowledge is whole or absent.
- At start both ring files are tried; the one that opens under the epoch key is the ring. Everything it does not name is
  a leftover of an interrupted change and is destroyed, after the epoch key in force was made durable once more.
- A key without its ring, or records without a key, is a fault for a person: nothing is then changed or deleted.
- After a failed change the store reads itself from the disk anew before anything else happens.

Files in the folder: `ring.a` or `ring.b` (both only during a change), and one `<32 hexadecimal digits>.rec` a record.
One file a record, not one packed file: a torn write then hurts nobody else's record, and reading 10,000 of them costs
less than unsealing them.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable
from pathlib import Path

from device.errors import Fault, KeyFault, RecordRefused, StoreFault
from device.sealing import box, record, ring
from device.sealing.binding import Binding
from device.sealing.files import DiskFiles, Files, destroy, write_new
from device.sealing.keys import KeyStore
from device.sealing.ring import FILE_ID_BYTES, Entry, Ring

__all__ = ["Binding", "SealedStore"]

_RING_NAMES = ("ring.a", "ring.b")
_RECORD_NAME = re.compile(r"[0-9a-f]{32}\.rec")
_MAX_SLOT = 2**32 - 1


class SealedStore:
    """The sealed records of one kind. Make one with `open`; one process owns the folder."""

    def __init__(self, folder: Path, keys: KeyStore, binding: Binding, disk: Files) -> None:
        self._folder = folder
        self._keys = keys
        self._binding = binding
        self._disk = disk
        self._ring: Ring = ring.EMPTY
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

    def put(self, slot: int, payload: bytes) -> None:
        """Let `slot` hold `payload`, under a new key; durable on return.

        Raises StoreFault or KeyFault; then `records()` tells whether the old or the new payload is there.
        """
        if not 0 <= slot <= _MAX_SLOT:
            raise StoreFault(f"a slot is a number from 0 to {_MAX_SLOT}")
        self._settle()
        fresh = Entry(slot, self._ring.generation + 1, box.random_bytes(FILE_ID_BYTES), box.new_key())
        self._change(self._ring.with_entry(fresh), slot, (fresh, payload))

    def remove(self, slot: int) -> bool:
        """Destroy the record of `slot`, readable or refused; False if there is none.

        On return neither its key nor its ciphertext can be reached with the epoch key in force. Raises StoreFault or
        KeyFault; then `records()` tells whether it is still there.
        """
        self._settle()
        if self._ring.find(slot) is None:
            return False
        self._change(self._ring.without(slot), slot, None)
        return True

    # ---- one change

    def _change(self, following: Ring, slot: int, added: tuple[Entry, bytes] | None) -> None:
        self._settled = False
        try:
            if added:
                entry, payload = added
                write_new(self._disk, self._folder / entry.file_name, record.seal(payload, entry, self._binding))
            self._commit(following)
        except Fault:
            # Before the commit point nothing happened, after it everything did: only the disk knows which.
            with contextlib.suppress(Fault):
                self._recover()
            raise
        leftovers = {self._ring_name, *_file_names(self._ring)} - _file_names(following)
        self._ring, self._ring_name = following, self._other_name()
        self._payloads.pop(slot, None)
        self._refused.pop(slot, None)
        if added:
            self._payloads[slot] = added[1]
        # The change is made. What cannot be overwritten now has lost its key; it is tried again before the next change.
        with contextlib.suppress(Fault):
            self._sweep(leftovers)
            self._settled = True

    def _commit(self, following: Ring) -> None:
        epoch_key = box.new_key()
        write_new(self._disk, self._folder / self._other_name(), ring.seal(following, epoch_key, self._binding))
        self._disk.sync_folder(self._folder)
        self._keys.replace(epoch_key)

    def _sweep(self, names: Iterable[str]) -> None:
        for name in names:
            destroy(self._disk, self._folder / name)
        self._disk.sync_folder(self._folder)

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
        self._ring, self._ring_name = ring.EMPTY, _RING_NAMES[1]
        self._commit(ring.EMPTY)
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


def _file_names(of: Ring) -> set[str]:
    return {entry.file_name for entry in of.entries}
