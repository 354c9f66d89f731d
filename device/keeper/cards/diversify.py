"""The key of one card, and where on the card this door keeps it.

Rules kept here:
- Every card has a key of its own: from the door's card master key, the card's UID, the application and the door, and a
  serial that is drawn each time a card is added. Who opens one chip has the key of that card and of no other.
- The serial is why a UID cannot be tried out. Who pretends to be a neighbour's card while adding "their own" is told
  the key of a serial under which nothing but that emulated card is ever registered: adding the real one, even if it
  comes with that key, draws another serial.
- The master key has no way out of `CardKeys`, not even into a message about it.

Source: NXP AN10922, section 2.2.1 (AES-128): key = CMAC(master, 01 | M), M = UID | AID | system identifier, at most 31
bytes, padded to 32. All inputs here are longer than 15 bytes, so that this padding is CMAC's own.

The AID of a door on a DESFire card is D00000 to DFFFFF, its lower 20 bits from a hash of the door's id. NXP AN10787
keeps F00000 to FFFFFF for registered applications, and 000000 is the card itself; below F00000 nothing is assigned.
Two doors of one card have the same AID once in 2^20 pairs. Then the second finds an application whose key it does not
know, and refuses the card; nothing is overwritten.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from device.errors import KeyFault
from device.keeper.cards.aes import KEY_BYTES, cmac
from device.keeper.cards.registered import UID_SIZES, CardKind

MASTER_BYTES = KEY_BYTES
DOOR_BYTES = 8
NTAG_AID = bytes.fromhex("d2760000850101")  # the one application of an NTAG 424 DNA: AN12196
_SYSTEM = b"DWRD"
_AES128 = b"\x01"  # AN10922's constant for a key of this size
_LEAST, _MOST = 16, 31
_AID_FIRST = 0xD00000
_AID_BITS = 20


@dataclass(frozen=True, slots=True)
class CardKeys:
    """What a door needs to speak to its cards. `master`: 16 bytes that nothing else uses; `door`: its id, 8 bytes."""

    master: bytes = field(repr=False)
    door: bytes

    def __post_init__(self) -> None:
        """Raise KeyFault if either is of another length."""
        if len(self.master) != MASTER_BYTES or len(self.door) != DOOR_BYTES:
            raise KeyFault(f"cards need a key of {MASTER_BYTES} bytes and a door id of {DOOR_BYTES}")

    @property
    def aid(self) -> bytes:
        """This door's application on a DESFire card, 3 bytes in the order in which they are sent (lowest first)."""
        digest = hashlib.blake2b(self.door, digest_size=8, person=b"doorward aid").digest()
        low = int.from_bytes(digest, "little") & ((1 << _AID_BITS) - 1)
        return (_AID_FIRST | low).to_bytes(3, "little")

    def key(self, kind: CardKind, uid: bytes, serial: int) -> bytes:
        """The 16 bytes that the card `uid`, added under `serial`, knows. Raises KeyFault for a UID that cannot be."""
        aid = NTAG_AID if kind is CardKind.NTAG_424 else self.aid
        system = _SYSTEM + self.door + serial.to_bytes(4, "little")
        if len(uid) not in UID_SIZES:
            raise KeyFault("a card has a number of an unusual length")
        return diversified(self.master, uid + aid + system)


def diversified(master: bytes, message: bytes) -> bytes:
    """AN10922's key for `message` of 16 to 31 bytes under `master`. Raises KeyFault."""
    if not _LEAST <= len(message) <= _MOST:
        raise KeyFault(f"a card's key follows from {_LEAST} to {_MOST} bytes")
    return cmac(master, _AES128 + message)
