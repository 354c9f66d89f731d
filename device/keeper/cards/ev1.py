"""DESFire EV1: AuthenticateAES, and the messaging that follows.

Rules kept here:
- The card shows that it knows the key by turning our fresh random number; without that there is no session.
- Commands and answers are one chain: each CMAC begins where the one before ended. A message that is left out, repeated
  or taken from another session breaks it.
- Contents of files travel with a MAC and in the clear (Mode.MAC). Enciphering in EV1 protects with a CRC instead of a
  MAC, which is the weaker promise; what is read here is a counter, which needs to be true more than secret. A new key
  is enciphered, because EV1 has no other way to send one.

Source: messages of a real card that public libraries use as tests (`tests/unit/keeper/cards/test_vectors.py`).
Authentication chains its IV through all three messages. Session key: RndA[0:4] | RndB[0:4] | RndA[12:16] |
RndB[12:16]. CMAC over command, header and data, and over data and status; its first 8 bytes are sent, by us only with
data. ChangeKey of the key in use: key | version | CRC32 over C4, key number, key and version | zeros to whole blocks.
"""

from __future__ import annotations

import zlib

from device.keeper.cards.aes import ZEROS, cmac, decipher, encipher
from device.keeper.cards.session import (
    CHANGE_KEY,
    KEY_VERSION,
    MAC_BYTES,
    RANDOM_BYTES,
    Mode,
    challenge,
    response,
    same,
    turned,
)
from device.keeper.cards.steps import OK, Answer, CardRefused, Draw, Reason, Steps, native

AUTHENTICATE_AES = 0xAA
_KEY_0 = b"\0"
_CRYPTOGRAM_BYTES = 32


class Ev1Session:
    """One session of an EV1 card."""

    strongest = Mode.MAC

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._iv = ZEROS

    def command(self, instruction: int, header: bytes, data: bytes, mode: Mode) -> bytes:
        self._iv = cmac(self._key, bytes((instruction,)) + header + data, self._iv)
        mac = self._iv[:MAC_BYTES] if data else b""
        return native(instruction, header + data + mac)

    def answer(self, answer: Answer, size: int, mode: Mode) -> bytes:
        body = answer.expect(size + MAC_BYTES)
        data, mac = body[:size], body[size:]
        self._iv = cmac(self._key, data + bytes((OK & 0xFF,)), self._iv)
        if not same(self._iv[:MAC_BYTES], mac):
            raise CardRefused(Reason.GARBLED)
        return data

    def change_key(self, new: bytes) -> bytes:
        plain = new + bytes((KEY_VERSION,))
        plain += crc32(bytes((CHANGE_KEY,)) + _KEY_0 + plain)
        return native(CHANGE_KEY, _KEY_0 + encipher(self._key, plain.ljust(_CRYPTOGRAM_BYTES, b"\0"), self._iv))


def authenticate(key: bytes, draw: Draw) -> Steps[Ev1Session]:
    """A session with the selected application's key 0, which must be `key`. Raises CardRefused."""
    sealed = yield from challenge(AUTHENTICATE_AES, _KEY_0)
    theirs = decipher(key, sealed)
    ours = draw(RANDOM_BYTES)
    proof = encipher(key, ours + turned(theirs), sealed)
    back = yield from response(proof, RANDOM_BYTES)
    if not same(decipher(key, back, proof[-RANDOM_BYTES:]), turned(ours)):
        raise CardRefused(Reason.UNKNOWN_KEY)
    return Ev1Session(ours[:4] + theirs[:4] + ours[12:] + theirs[12:])


def crc32(data: bytes) -> bytes:
    """The CRC of a DESFire card: that of IEEE 802.3 without the last inversion, lowest byte first."""
    return (zlib.crc32(data) ^ 0xFFFFFFFF).to_bytes(4, "little")
