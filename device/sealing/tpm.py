"""The epoch key in the non-volatile memory of a TPM: the provider that an older copy of the disk does not contain.

Rules kept here:
- Replacing the key is one NV_Write of the whole contents: the TPM holds the old key or the new one, and once it holds
  the new one nobody has the old one any more, whatever copies of the disk exist.
- The TPM is asked at the start and once a change (enrolment, erasure, a new PIN); never for an unlock or a guess.
- An index that was never written is no key yet. An index of other make than ours is a fault and stays untouched.
- A TPM that is missing, stalls, refuses or was cleared is a KeyFault with one sentence. No other provider steps in.
"""

from __future__ import annotations

from device.errors import KeyFault
from device.sealing import tpm_index
from device.sealing.tpm_index import ATTRIBUTES, CONTENTS_BYTES, Index
from device.sealing.tpm_tool import Tpm

__all__ = ["Index", "Tpm", "TpmNvKeyStore"]


class TpmNvKeyStore:
    """The epoch key in `index` of `tpm`, for whoever has `root_key` (32 bytes, a credential of the unit)."""

    name = "tpm-nv"

    def __init__(self, tpm: Tpm, index: Index, root_key: bytes) -> None:
        self._tpm = tpm
        self._index = index
        self._root_key = root_key
        self._auth = tpm_index.auth_value(root_key, index)
        self._known = False

    def load(self) -> bytes | None:
        """See KeyStore. A TPM that was cleared, or another one, has no index: None, as on a new door.

        Whether that is a new door is for the store to say: with sealed records on the disk it is a fault.
        """
        if not self._is_written():
            return None
        return tpm_index.unseal(self._root_key, self._index, self._tpm.read(self._index, CONTENTS_BYTES, self._auth))

    def replace(self, key: bytes) -> None:
        """See KeyStore. The TPM overwrites the old contents; it answers when the new ones are non-volatile."""
        contents = tpm_index.seal(self._root_key, self._index, key)
        if not self._known:
            self._make_known()
        self._tpm.write(self._index, contents, self._auth)

    def confirm(self) -> None:
        """See KeyStore. Nothing to do: an index that is no "orderly" one has no copy that a power cut could forget."""

    def _make_known(self) -> None:
        if self._index not in self._tpm.indices():
            self._tpm.define(self._index, CONTENTS_BYTES, ATTRIBUTES, self._auth)
        self._is_written()

    def _is_written(self) -> bool:
        """Whether the index was ever written; False if there is none. Raises KeyFault for one of other make."""
        if self._index not in self._tpm.indices():
            self._known = False
            return False
        found = self._tpm.name(self._index)
        if found not in (tpm_index.name(self._index, written=True), tpm_index.name(self._index, written=False)):
            msg = f"index {self._index:#x} of the TPM was not made by this door; nothing was changed"
            raise KeyFault(msg)
        self._known = True
        return found == tpm_index.name(self._index, written=True)
