"""How digits become a verifier, and how the two are compared.

Rules kept here:
- Two steps: Argon2id stretches the digits (salt per slot), then a keyed hash ties the result to this door and slot. Six
  digits alone fall to Argon2id in hours (10^6 x 78 ms is 22 h on one core); without the door's key a stolen verifier
  cannot be tried at all.
- The key of that hash is the pepper, derived from keeper's root key for this purpose only; it is never stored.
- Verifiers are compared in constant time, and a PIN and a duress PIN always both.
- One salt per tenancy: it is drawn when the invitation is redeemed, and every later PIN and duress PIN of that slot is
  stretched with it, so that one Argon2id serves to compare with both. What that means: a later PIN equal to an earlier
  one has the same verifier, and whoever holds pepper and record tries each digit row once for both PINs instead of
  twice. Nobody can begin before: the salt is random and lies in the sealed record.
- The digits of a duress PIN are kept, sealed under a key that follows from the stretched PIN: a new PIN must not come
  close to it, and who sets one shows the PIN. Whoever can open that knows the PIN already, and found it by the same
  search as any other.

Sources: Argon2id with 2 passes over 64 MiB is libsodium's INTERACTIVE and the cost of a slot offer (`wire.SlotOffer`),
so invitations and PINs are checked by the same code; RFC 9106; BLAKE2 keyed and personalised, RFC 7693 and libsodium.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from nacl import bindings
from nacl.exceptions import RuntimeError as NaclRuntimeError

from device.errors import Fault, KeyFault

ROOT_KEY_BYTES = 32
SALT_BYTES = 16
VERIFIER_BYTES = 32

Stretch = Callable[[str, bytes], bytes]
"""(digits, salt of 16 bytes) -> 32 bytes; runs in the worker. Raises Fault."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What one guess costs: passes over so many bytes of memory."""

    passes: int
    memory_bytes: int


PRODUCTION = Cost(passes=2, memory_bytes=64 * 1024 * 1024)


def stretcher(cost: Cost = PRODUCTION) -> Stretch:
    """Argon2id at `cost`."""

    def stretch(digits: str, salt: bytes) -> bytes:
        try:
            stretched: bytes = bindings.crypto_pwhash_alg(
                VERIFIER_BYTES,
                digits.encode("ascii"),
                salt,
                cost.passes,
                cost.memory_bytes,
                bindings.crypto_pwhash_ALG_ARGON2ID13,
            )
        except NaclRuntimeError as cause:
            msg = f"a check needs {cost.memory_bytes >> 20} MiB of memory, and they are not there"
            raise Fault(msg) from cause
        return stretched

    return stretch


def derive(root_key: bytes, purpose: bytes) -> bytes:
    """A 32-byte key for one `purpose` (at most 16 bytes) from keeper's root key. Raises KeyFault."""
    if len(root_key) != ROOT_KEY_BYTES:
        msg = f"keeper's key must be exactly {ROOT_KEY_BYTES} bytes; this one has {len(root_key)}"
        raise KeyFault(msg)
    return bytes(bindings.crypto_generichash_blake2b_salt_personal(b"", 32, key=root_key, person=purpose))


@dataclass(frozen=True, slots=True)
class Verifiers:
    """Makes and compares verifiers under the pepper of this door."""

    pepper: bytes

    @classmethod
    def of_door(cls, root_key: bytes) -> Verifiers:
        """The verifiers of the door whose keeper was handed `root_key`. Raises KeyFault."""
        return cls(derive(root_key, b"doorward pepper"))

    def verifier(self, slot: int, stretched: bytes) -> bytes:
        """What is stored for `slot`: 32 bytes, useless without the pepper."""
        data = slot.to_bytes(4, "little") + stretched
        return bytes(
            bindings.crypto_generichash_blake2b_salt_personal(
                data, VERIFIER_BYTES, key=self.pepper, person=b"doorward pin v1"
            )
        )

    def matches(self, slot: int, stretched: bytes, stored: bytes) -> bool:
        """Whether `stretched` is what `stored` was made from, in constant time."""
        return alike(self.verifier(slot, stretched), stored)

    def box_key(self, slot: int, stretched: bytes) -> bytes:
        """The key of what only somebody who shows this PIN may open: 32 bytes, stored nowhere."""
        data = slot.to_bytes(4, "little") + stretched
        return bytes(
            bindings.crypto_generichash_blake2b_salt_personal(data, 32, key=self.pepper, person=b"doorward beside")
        )


def alike(one: bytes, other: bytes) -> bool:
    """Whether two values of one length are equal, in constant time."""
    return bool(bindings.sodium_memcmp(one, other))
