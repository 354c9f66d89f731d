"""The door's own key for documents: what a manager seals to it, nobody reads on the way.

Rules kept here:
- The private key exists in lock's memory alone. It follows from lock's root key, so that a door keeps its key for as
  long as it keeps that; the other rooms, and whoever carries a document, see ciphertext.
- Sealing hides and convinces nobody: what comes out of a box is not believed before `document.parse` has verified it.
- What lock itself keeps about slots lies sealed under a second key from the same root: what names flats is not read off
  a stolen card.

From the root key (32 bytes) as key, BLAKE2b-256 of nothing with the personalisation `doorward sealed` is the X25519
private key (RFC 7748), and with `doorward hours` the key of `kept`. The boxes are libsodium's crypto_box_seal and
crypto_secretbox (XSalsa20-Poly1305).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Self

from nacl import bindings
from nacl.exceptions import CryptoError
from nacl.public import PrivateKey, SealedBox
from nacl.secret import SecretBox

from device.document import DocumentUnsigned
from device.errors import KeyFault

KEY_NAME = "lock.key"  # the credential of lock's unit: 32 random bytes
ROOT_BYTES = 32


@dataclass(frozen=True, slots=True)
class DocumentKey:
    """Opens what was sealed to this door; `kept` seals what lock keeps about slots."""

    _private: PrivateKey = field(repr=False)
    kept: SecretBox = field(repr=False)

    @classmethod
    def of(cls, root_key: bytes) -> Self:
        """The keys that follow from lock's root key. Raises KeyFault for one that has not 32 bytes."""
        if len(root_key) != ROOT_BYTES:
            msg = f"the key {KEY_NAME} must be exactly {ROOT_BYTES} bytes; this one has {len(root_key)}"
            raise KeyFault(msg)
        return cls(PrivateKey(_derived(root_key, b"doorward sealed")), SecretBox(_derived(root_key, b"doorward hours")))

    @property
    def public(self) -> bytes:
        """What a manager seals to (32 bytes); no secret."""
        return bytes(self._private.public_key)

    def open(self, box: bytes) -> bytes:
        """The signed document in a sealed box (`document.sealed_box`), not verified yet. Raises DocumentUnsigned."""
        try:
            return bytes(SealedBox(self._private).decrypt(box))
        except (CryptoError, ValueError) as cause:
            # ValueError: too short to be a box at all.
            msg = "the document is damaged, or sealed to another key than this door's"
            raise DocumentUnsigned(msg) from cause


def _derived(root_key: bytes, person: bytes) -> bytes:
    return bytes(bindings.crypto_generichash_blake2b_salt_personal(b"", 32, key=root_key, person=person))
