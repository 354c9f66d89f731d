"""AES-128 as cards use it: CBC, CMAC with and without a chained start, CRC32, padding.

Rules kept here:
- No function keeps state; who chains, keeps the vector.
"""

from __future__ import annotations

import zlib

from Crypto.Cipher import AES
from Crypto.Hash import CMAC

BLOCK = 16
KEY_BYTES = 16
ZERO = bytes(BLOCK)
_POLYNOMIAL = 0x87  # of the field in which CMAC's sub-keys are doubled (NIST SP 800-38B, 5.3)


def encrypt(key: bytes, vector: bytes, data: bytes) -> bytes:
    """AES-CBC of whole blocks."""
    return AES.new(key, AES.MODE_CBC, iv=vector).encrypt(data)


def decrypt(key: bytes, vector: bytes, data: bytes) -> bytes:
    """The inverse of `encrypt`."""
    return AES.new(key, AES.MODE_CBC, iv=vector).decrypt(data)


def cmac(key: bytes, message: bytes) -> bytes:
    """CMAC (NIST SP 800-38B), 16 bytes."""
    return CMAC.new(key, message, ciphermod=AES).digest()


def chained_cmac(key: bytes, vector: bytes, message: bytes) -> bytes:
    """CMAC that starts from `vector` instead of zeros, as DESFire EV1 chains it (AN12757), 16 bytes."""
    first = _doubled(encrypt(key, ZERO, ZERO))
    if message and len(message) % BLOCK == 0:
        padded, mask = message, first
    else:
        padded, mask = pad(message), _doubled(first)
    last = xor(padded[-BLOCK:], mask)
    return encrypt(key, vector, padded[:-BLOCK] + last)[-BLOCK:]


def crc32(data: bytes) -> bytes:
    """The CRC-32 of ISO/IEC 3309 without its final inversion, lowest byte first, as DESFire and NTAG use it."""
    return (zlib.crc32(data) ^ 0xFFFFFFFF).to_bytes(4, "little")


def pad(data: bytes) -> bytes:
    """ISO/IEC 9797-1 padding method 2: 80, then zeros; always at least one byte."""
    return data + b"\x80" + bytes(-(len(data) + 1) % BLOCK)


def unpad(data: bytes) -> bytes | None:
    """What `pad` was given, or None if it made no such thing."""
    stripped = data.rstrip(b"\x00")
    if not stripped.endswith(b"\x80") or len(data) - len(stripped) >= BLOCK:
        return None
    return stripped[:-1]


def zero_pad(data: bytes) -> bytes:
    """Zeros up to a whole number of blocks; none if it is one."""
    return data + bytes(-len(data) % BLOCK)


def xor(one: bytes, other: bytes) -> bytes:
    """Byte by byte, of two texts of equal length."""
    return bytes(a ^ b for a, b in zip(one, other, strict=True))


def rotated(data: bytes) -> bytes:
    """The first byte moved to the end: RndA' and RndB' of the authentication."""
    return data[1:] + data[:1]


def _doubled(block: bytes) -> bytes:
    number = int.from_bytes(block, "big") << 1
    if number >> 128:
        number = (number & ((1 << 128) - 1)) ^ _POLYNOMIAL
    return number.to_bytes(BLOCK, "big")
