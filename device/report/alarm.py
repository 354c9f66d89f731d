"""The reason of an alarm, sealed: whoever holds the alarm key reads it, nobody on the way does.

Rules kept here:
- Every reason is REASON_CHARS letters, whatever it says and whether anybody can open it: without a key, or with one
  that seals nothing, it is sealed to a key that is thrown away at once. An alarm is never held back for want of a key.
- It holds what kind of alarm it is, or that it is a test (`alarm_tests`), and nothing else: no time, no slot, nothing
  that stood before.
- A seal hides and convinces nobody: anybody who has the public key can make one. That an alarm is this door's, the
  connection to the broker says.

Content: the kind or TEST_ALARM (u8) and 15 zeros, in libsodium's sealed box (crypto_box_seal), in base64 (RFC 4648,
section 4).
"""

from __future__ import annotations

import base64

from nacl import bindings
from nacl.exceptions import CryptoError
from nacl.public import PrivateKey, PublicKey, SealedBox

from device.wire import NO_ALARM_KEY

REASON_BYTES = 16
REASON_CHARS = (REASON_BYTES + bindings.crypto_box_SEALBYTES + 2) // 3 * 4


def sealed(kind: int, alarm_key: bytes) -> str:
    """The reason `kind` for the holder of `alarm_key` (X25519, 32 bytes): REASON_CHARS letters of base64.

    `kind`: an OccurrenceKind or TEST_ALARM.
    """
    content = bytes((kind,)).ljust(REASON_BYTES, b"\0")
    try:
        box = SealedBox(PublicKey(alarm_key)).encrypt(content) if alarm_key != NO_ALARM_KEY else _for_nobody(content)
    except CryptoError:
        # A point of low order has no secret. lock refuses such a key; an alarm goes out all the same.
        box = _for_nobody(content)
    return base64.b64encode(box).decode("ascii")


def _for_nobody(content: bytes) -> bytes:
    return bytes(SealedBox(PrivateKey.generate().public_key).encrypt(content))
