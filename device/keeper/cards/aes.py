"""AES-128 in the two shapes that cards use: CBC and CMAC. The one place that loads a library for it.

Rules kept here:
- Keys have 16 bytes, and CBC takes whole blocks; anything else is a mistake of the caller, not of a card.
- Nothing is padded here, because cards of different age pad differently.

libsodium has no AES-128, and cards have nothing else. Sources: FIPS 197; NIST SP 800-38A (CBC) and 800-38B (CMAC,
RFC 4493); that a CMAC may begin from another value than zero is how DESFire EV1 chains its messages.
"""

from __future__ import annotations

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES128
from cryptography.hazmat.primitives.ciphers.modes import CBC

BLOCK_BYTES = 16
KEY_BYTES = 16
ZEROS = bytes(BLOCK_BYTES)
_REDUCTION = 0x87  # x^7 + x^2 + x + 1, the field of SP 800-38B for blocks of 128 bits
_ALL = (1 << 128) - 1


def encipher(key: bytes, data: bytes, iv: bytes = ZEROS) -> bytes:
    """AES-CBC of `data`, whole blocks, beginning from `iv`. All three in bytes, key and `iv` 16."""
    work = Cipher(AES128(key), CBC(iv)).encryptor()
    return work.update(data) + work.finalize()


def decipher(key: bytes, data: bytes, iv: bytes = ZEROS) -> bytes:
    """What `encipher` was given."""
    work = Cipher(AES128(key), CBC(iv)).decryptor()
    return work.update(data) + work.finalize()


def cmac(key: bytes, data: bytes, iv: bytes = ZEROS) -> bytes:
    """The 16 bytes of AES-CMAC over `data`, of any length, with the chain beginning at `iv`."""
    once = _doubled(encipher(key, ZEROS))
    rest = len(data) % BLOCK_BYTES
    if data and not rest:
        mask = once
    else:
        mask = _doubled(once)
        data += b"\x80" + bytes(BLOCK_BYTES - 1 - rest)
    return encipher(key, data[:-BLOCK_BYTES] + xor(data[-BLOCK_BYTES:], mask), iv)[-BLOCK_BYTES:]


def xor(one: bytes, other: bytes) -> bytes:
    """Both, bit by bit; of one length."""
    return bytes(a ^ b for a, b in zip(one, other, strict=True))


def _doubled(block: bytes) -> bytes:
    number = int.from_bytes(block, "big") << 1
    return ((number & _ALL) ^ (_REDUCTION if number > _ALL else 0)).to_bytes(BLOCK_BYTES, "big")
