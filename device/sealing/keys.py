"""Where the epoch key lives: the port, and the provider that keeps it in a file under a root key.

Rules kept here:
- There is one epoch key, and replacing it is the single commit point of a change (see `device.sealing.store`).
- `replace` is durable when it returns, and the key before it is gone as far as this provider can make it so: each
  provider says how far that is. With `file`, an older image of the whole disk still holds the old key.
- A key that is there but does not open is a fault for a person to look at, never a reason to begin anew.

Byte form of the file (version 1, 80 bytes): magic "DWEK" | version (u8) | zeros (3) | sealed box of the 32-byte epoch
key under the root key, with the first 8 bytes as additional data: nonce (24) | ciphertext (32) | tag (16).
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from device.errors import KeyFault, StoreFault
from device.sealing import box, files
from device.sealing.files import DiskFiles, Files

_HEADER = b"DWEK\x01\x00\x00\x00"


class KeyStore(Protocol):
    """The port: where the epoch key lives."""

    @property
    def name(self) -> str:
        """What a person calls this provider: "file" or "tpm-nv"."""

    def load(self) -> bytes | None:
        """The 32-byte epoch key, or None if none was ever set. Raises KeyFault."""

    def replace(self, key: bytes) -> None:
        """Make `key` the epoch key; durable on return. Raises KeyFault, and then either key may be in force."""

    def confirm(self) -> None:
        """Make the key that `load` returns durable, before anything it does not open is destroyed. Raises KeyFault."""


class FileKeyStore:
    """The epoch key in the file `path`, sealed under `root_key` (32 bytes, a credential of the unit)."""

    name = "file"

    def __init__(self, path: Path, root_key: bytes, disk: Files | None = None) -> None:
        if len(root_key) != box.KEY_BYTES:
            msg = f"the root key must be exactly {box.KEY_BYTES} bytes; this one has {len(root_key)}"
            raise KeyFault(msg)
        self._path = path
        self._root_key = root_key
        self._disk: Files = disk if disk is not None else DiskFiles()

    def load(self) -> bytes | None:
        """See KeyStore. A torn file and a wrong root key cannot be told apart."""
        try:
            stored = self._disk.read(self._path)
        except StoreFault as cause:
            msg = f"the epoch key cannot be read: {cause}"
            raise KeyFault(msg) from cause
        if stored is None:
            return None
        key = None
        if stored.startswith(_HEADER):
            key = box.unseal(self._root_key, stored[len(_HEADER) :], _HEADER)
        if key is None or len(key) != box.KEY_BYTES:
            msg = f"the file {self._path.name} does not open: it is damaged, or the root key is another"
            raise KeyFault(msg)
        return key

    def replace(self, key: bytes) -> None:
        """See KeyStore. The old sealed key is overwritten in place, which flash may not honour."""
        if len(key) != box.KEY_BYTES:
            msg = f"an epoch key has exactly {box.KEY_BYTES} bytes"
            raise KeyFault(msg)
        try:
            self._disk.prepare(self._path.parent)
            files.replace(self._disk, self._path, _HEADER + box.seal(self._root_key, key, _HEADER))
        except StoreFault as cause:
            msg = f"the epoch key cannot be replaced: {cause}"
            raise KeyFault(msg) from cause

    def confirm(self) -> None:
        """See KeyStore: after a killed process the key in force may so far be in the page cache alone."""
        try:
            self._disk.sync(self._path)
            self._disk.sync_folder(self._path.parent)
        except StoreFault as cause:
            msg = f"the epoch key cannot be made durable: {cause}"
            raise KeyFault(msg) from cause
