"""What this project keeps in a TPM's non-volatile memory: one index a room, its public area, and its contents.

Rules kept here:
- Vault and keeper have an index each; neither can open the other's, even with the same root key.
- The index is read and written with its authorisation value alone: not by the owner of the TPM, not by the platform.
  The value follows from the root key, so another program on the same device that may talk to the TPM gets nothing.
- The contents are sealed under a key that also follows from the root key. What is seen on the wires between processor
  and TPM is therefore no epoch key, and a torn or exchanged value does not open instead of opening wrongly.
- The public area is compared whole, by the index's Name (a hash over all of it): an index that somebody else made in
  our place, with other rights, another size or another policy, is not used.

Byte form of the contents (version 1, 80 bytes): magic "DWNV" | version (u8) | zeros (3) | sealed box of the 32-byte
epoch key, with those 8 bytes | handle (u32, big-endian) as additional data.

Handles and attributes: TPM 2.0 Library, part 2 (TPMA_NV, TPMS_NV_PUBLIC), part 1 (Names); the range 01800000-01BFFFFF
is the owner's (TCG Registry of Reserved TPM 2.0 Handles).
"""

from __future__ import annotations

import base64
import struct
from enum import IntEnum, unique

from nacl import bindings

from device.errors import KeyFault
from device.sealing import box

_HEADER = b"DWNV\x01\x00\x00\x00"
CONTENTS_BYTES = len(_HEADER) + box.KEY_BYTES + box.OVERHEAD_BYTES

# TPMA_NV. "no_da": a wrong value does not count towards the TPM's lockout (ADR 0008 says why).
# "writeall": the contents are written whole or not at all.
ATTRIBUTES = ("authread", "authwrite", "no_da", "writeall")
_ATTRIBUTE_BITS = 1 << 18 | 1 << 2 | 1 << 25 | 1 << 12
_WRITTEN_BIT = 1 << 29
_SHA256 = 0x000B
_PUBLIC = struct.Struct(">IHIHH")  # handle, hash of the Name, attributes, length of the policy (none), size

_AUTH_SEED_BYTES = 24  # 32 characters in base64: the longest value a SHA-256 index takes
_FOR_AUTH = b"doorward nv auth"
_FOR_SEAL = b"doorward nv seal"


@unique
class Index(IntEnum):
    """The handle of each room's index."""

    VAULT = 0x01800D01
    KEEPER = 0x01800D02


def name(index: Index, *, written: bool) -> str:
    """The Name (hexadecimal) of `index` as we define it, before or after its first write."""
    attributes = _ATTRIBUTE_BITS | (_WRITTEN_BIT if written else 0)
    public = _PUBLIC.pack(index, _SHA256, attributes, 0, CONTENTS_BYTES)
    return f"{_SHA256:04x}{bindings.crypto_hash_sha256(public).hex()}"


def auth_value(root_key: bytes, index: Index) -> bytes:
    """What authorises reading and writing `index`: 32 characters of base64 (192 random bits). Raises KeyFault.

    Characters and not bytes, because tpm2-tools reads authorisation values as text.
    """
    return base64.urlsafe_b64encode(_derive(root_key, index, _FOR_AUTH, _AUTH_SEED_BYTES))


def seal(root_key: bytes, index: Index, epoch_key: bytes) -> bytes:
    """The contents of `index` for `epoch_key` (32 bytes); 80 bytes. Raises KeyFault."""
    if len(epoch_key) != box.KEY_BYTES:
        msg = f"an epoch key has exactly {box.KEY_BYTES} bytes"
        raise KeyFault(msg)
    return _HEADER + box.seal(_seal_key(root_key, index), epoch_key, _aad(index))


def unseal(root_key: bytes, index: Index, contents: bytes) -> bytes:
    """The epoch key in `contents`. Raises KeyFault."""
    key = None
    if contents.startswith(_HEADER) and len(contents) == CONTENTS_BYTES:
        key = box.unseal(_seal_key(root_key, index), contents[len(_HEADER) :], _aad(index))
    if key is None:
        msg = "what the TPM holds for this door does not open: it is damaged, or the root key is another"
        raise KeyFault(msg)
    return key


def _seal_key(root_key: bytes, index: Index) -> bytes:
    return _derive(root_key, index, _FOR_SEAL, box.KEY_BYTES)


def _aad(index: Index) -> bytes:
    return _HEADER + index.to_bytes(4, "big")


def _derive(root_key: bytes, index: Index, purpose: bytes, size: int) -> bytes:
    if len(root_key) != box.KEY_BYTES:
        msg = f"the root key must be exactly {box.KEY_BYTES} bytes; this one has {len(root_key)}"
        raise KeyFault(msg)
    data = index.to_bytes(4, "big")
    return bytes(bindings.crypto_generichash_blake2b_salt_personal(data, size, key=root_key, person=purpose))
