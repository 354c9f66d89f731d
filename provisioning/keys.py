"""The fleet's keys on disk: that of its documents, which offers slots on every door, and that of its authority.

Rules kept here:
- On disk it exists only sealed under a key made from the manager's passphrase, in a file of its own (0600).
- What is read is checked before it costs anything: a damaged or foreign file cannot ask for gigabytes of memory.
- A wrong passphrase and a damaged file look alike, because they are: nothing tells them apart.

File: magic, format, Argon2id operations and memory (bytes), salt of 16, then nacl.secret.SecretBox (XSalsa20-Poly1305)
around 32 bytes: the Ed25519 seed, or (`authority`, with a magic of its own) a secret number of P-256; little-endian.
Argon2id is RFC 9106.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

import nacl.utils
from nacl.exceptions import CryptoError
from nacl.pwhash import argon2id
from nacl.secret import SecretBox
from nacl.signing import SigningKey

from provisioning.errors import FleetRefused

SHORTEST_PASSPHRASE = 8
LARGEST = 4096  # more than any key's file holds; what is longer is damaged
_MAGIC = b"DWKY"
_FORMAT = 1
_HEAD = struct.Struct("<4sBII16s")
_SEED_BYTES = 32
_FILE_BYTES = _HEAD.size + SecretBox.NONCE_SIZE + SecretBox.MACBYTES + _SEED_BYTES


@dataclass(frozen=True, slots=True)
class Hardness:
    """What one guess at the passphrase costs: Argon2id operations and bytes of memory."""

    operations: int
    memory: int


# libsodium's MODERATE: 256 MiB, for the manager's own computer; opened a few times a day.
AT_REST = Hardness(argon2id.OPSLIMIT_MODERATE, argon2id.MEMLIMIT_MODERATE)
_HIGHEST = Hardness(argon2id.OPSLIMIT_SENSITIVE, argon2id.MEMLIMIT_SENSITIVE)


def new_key() -> SigningKey:
    """A new document key."""
    return SigningKey.generate()


def seal(key: SigningKey, passphrase: str, hardness: Hardness | None = None) -> bytes:
    """The key file's content. Raises FleetRefused if the passphrase is too short."""
    return seal_secret(bytes(key), passphrase, _MAGIC, hardness)


def unseal(content: bytes, passphrase: str) -> SigningKey:
    """The key in a key file. Raises FleetRefused."""
    return SigningKey(unseal_secret(content, passphrase, _MAGIC))


def seal_secret(secret: bytes, passphrase: str, magic: bytes, hardness: Hardness | None = None) -> bytes:
    """The content of a file for the 32 bytes `secret`; `magic` (4 bytes) says what they are. Raises FleetRefused."""
    if len(passphrase) < SHORTEST_PASSPHRASE:
        msg = f"the passphrase needs at least {SHORTEST_PASSPHRASE} characters; it is all that protects a stolen laptop"
        raise FleetRefused(msg)
    cost = hardness or AT_REST
    salt = nacl.utils.random(argon2id.SALTBYTES)
    box = SecretBox(_stretched(passphrase, salt, cost))
    return _HEAD.pack(magic, _FORMAT, cost.operations, cost.memory, salt) + box.encrypt(secret)


def unseal_secret(content: bytes, passphrase: str, wanted: bytes) -> bytes:
    """The 32 bytes in a file with the magic `wanted`. Raises FleetRefused."""
    if len(content) != _FILE_BYTES:
        raise _damaged()
    magic, fmt, operations, memory, salt = _HEAD.unpack(content[: _HEAD.size])
    if (magic, fmt) != (wanted, _FORMAT):
        raise _damaged()
    cost = Hardness(operations, memory)
    if not (
        argon2id.OPSLIMIT_MIN <= cost.operations <= _HIGHEST.operations
        and argon2id.MEMLIMIT_MIN <= cost.memory <= _HIGHEST.memory
    ):
        raise _damaged()
    try:
        return SecretBox(_stretched(passphrase, salt, cost)).decrypt(content[_HEAD.size :])
    except CryptoError as cause:
        msg = "the passphrase is wrong, or the key file is damaged"
        raise FleetRefused(msg) from cause


def _stretched(passphrase: str, salt: bytes, cost: Hardness) -> bytes:
    return argon2id.kdf(SecretBox.KEY_SIZE, passphrase.encode(), salt, opslimit=cost.operations, memlimit=cost.memory)


def _damaged() -> FleetRefused:
    return FleetRefused("the fleet's key file is damaged or of another version")
