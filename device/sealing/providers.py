"""Which key store a room gets: the one that door.toml names, never one that happened to be found.

Rules kept here:
- What drives a TPM is imported only where door.toml asks for it.
"""

from __future__ import annotations

from pathlib import Path

from device.errors import KeyFault
from device.sealing.keys import FileKeyStore, KeyStore
from device.sealing.tpm_index import Index

__all__ = ["Index", "key_store"]


def key_store(kind: str, path: Path, root_key: bytes, index: Index, tcti: str) -> KeyStore:
    """The key store `kind`: "file" at `path`, or "tpm-nv" in `index` of the TPM at `tcti`. Raises KeyFault.

    `root_key`: 32 bytes, the room's credential or derived from it.
    """
    if kind == FileKeyStore.name:
        return FileKeyStore(path, root_key)
    from device.sealing.tpm import Tpm, TpmNvKeyStore

    if kind == TpmNvKeyStore.name:
        return TpmNvKeyStore(Tpm(tcti), index, root_key)
    msg = f"there is no key store called {kind}"
    raise KeyFault(msg)
