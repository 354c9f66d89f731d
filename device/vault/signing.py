"""What vault signs for a resident: consents and receipts, under a key that never leaves it.

Rules kept here:
- The key follows from vault's root key, so that a door whose memory was restored signs as the same door, and one with
  another root key does not.
- What is signed is said to one person once; vault keeps only the consent, beside the face it belongs to.

The key pair is Ed25519 (RFC 8032) of the seed BLAKE2b-256 of nothing, with the root key as key and the personalisation
`doorward signing`.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field

from nacl import bindings
from nacl.signing import SigningKey

from device import attestation
from device.attestation import NO_CONSENT_ID, ConsentRecord, CoveredConsent, Receipt
from device.consent import Terms
from device.errors import AttestationRefused
from device.sealing.store import Removed
from device.strength import KeyPlace

_PERSON = b"doorward signing"
_ID_BYTES = 16


def signing_key(root_key: bytes) -> SigningKey:
    """The door's signing key, from vault's root key (32 bytes)."""
    seed = bindings.crypto_generichash_blake2b_salt_personal(b"", 32, key=root_key, person=_PERSON)
    return SigningKey(bytes(seed))


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs for the door `door` (8 bytes). `terms` are those in force, `key_place` is where its epoch key lives."""

    door: bytes
    key: SigningKey = field(repr=False)
    terms: Terms
    key_place: KeyPlace
    draw: Callable[[int], bytes] = os.urandom

    @property
    def door_key(self) -> bytes:
        """The public key (32 bytes)."""
        return bytes(self.key.verify_key)

    def consent(self, day: int, *, under_14: bool, covered: bool = False) -> bytes:
        """The signed record that somebody agreed to the terms in force on `day` (days since 1970).

        covered: for a face with mouth and nose covered.
        """
        kind = CoveredConsent if covered else ConsentRecord
        record = kind(self.door, self.draw(_ID_BYTES), day, under_14, *self.terms.parts)
        return attestation.sign(record, self.key)

    def receipt(self, removed: Removed, consent: bytes, day: int) -> bytes:
        """The signed receipt for a record that is gone; `consent` is what it held, empty if it could not be read."""
        receipt = Receipt(self.door, removed.record_id, removed.mark, consent_id(consent), day, self.key_place)
        return attestation.sign(receipt, self.key)


def consent_id(consent: bytes) -> bytes:
    """The id in the signed consent record `consent`; zeros if it is none."""
    try:
        paper = attestation.verify(consent).paper
    except AttestationRefused:
        return NO_CONSENT_ID
    return paper.consent_id if isinstance(paper, ConsentRecord) else NO_CONSENT_ID
