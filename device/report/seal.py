"""What a door says to the holder of the alarm key alone: sixteen bytes, sealed, and nobody on the way reads them.

Rules kept here:
- Everything sealed is LETTERS letters, whatever it says and whether anybody can open it: without a key, or with one
  that seals nothing, it is sealed to a key that is thrown away at once. An alarm is never held back for want of a key.
- The first byte says what it is, so that none is ever taken for another: the kind of an alarm, that an alarm is a test
  (`alarm_tests`), or that these are the flags of a report which change only when somebody is there. The rest holds
  nothing that is not named here: no time, no slot, nothing that stood before.
- A seal hides and convinces nobody: anybody who has the public key can make one. That it is this door's, the connection
  to the broker says.

In libsodium's sealed box (crypto_box_seal), in base64 (RFC 4648, section 4). docs/formats.md has the bytes.
"""

from __future__ import annotations

import base64

from nacl import bindings
from nacl.exceptions import CryptoError
from nacl.public import PrivateKey, PublicKey, SealedBox

from device.report.health import Health
from device.wire import NO_ALARM_KEY, SEALED_FLAGS

CONTENT_BYTES = 16
LETTERS = (CONTENT_BYTES + bindings.crypto_box_SEALBYTES + 2) // 3 * 4


def reason(kind: int) -> bytes:
    """Why there is an alarm. `kind`: an OccurrenceKind or TEST_ALARM."""
    return _filled(kind)


def flags(health: Health) -> bytes:
    """Whether the camera is well, and whether somebody had to wait since the report before."""
    return _filled(SEALED_FLAGS, health.camera, health.lockout)


def sealed(content: bytes, alarm_key: bytes) -> str:
    """`content` (`reason` or `flags`) for the holder of `alarm_key` (X25519, 32 bytes): LETTERS letters of base64."""
    try:
        box = SealedBox(PublicKey(alarm_key)).encrypt(content) if alarm_key != NO_ALARM_KEY else _for_nobody(content)
    except CryptoError:
        # A point of low order has no secret. lock refuses such a key; what the door says goes out all the same.
        box = _for_nobody(content)
    return base64.b64encode(box).decode("ascii")


def _filled(*values: int) -> bytes:
    return bytes(values).ljust(CONTENT_BYTES, b"\0")


def _for_nobody(content: bytes) -> bytes:
    return bytes(SealedBox(PrivateKey.generate().public_key).encrypt(content))
