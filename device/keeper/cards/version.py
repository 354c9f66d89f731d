"""What kind of card this is: GetVersion, three answers without a key.

Rules kept here:
- Only kinds that are known by name are used; a newer one is refused until somebody has tried it.
- The card's own number must be the one that the reader gave. A card that shows a random number to readers could never
  be found again.

Sources: NXP AN12196 (the command and its three answers); hardware type and major version per product as proxmark3, a
public tool that is tried on real cards, tells them apart. An answer is vendor | type | subtype | major | minor |
storage | protocol for the hardware and for the software, then UID (7) | batch (5) | week | year of production.
"""

from __future__ import annotations

from device.keeper.cards.registered import CardKind
from device.keeper.cards.steps import MORE, CardRefused, Reason, Steps, native, transmit

_GET_VERSION, _GO_ON = 0x60, 0xAF
_PRODUCT_BYTES, _MAKING_BYTES, _UID_BYTES = 7, 14, 7
_NXP = 0x04
_KINDS = {  # hardware type, major version
    (0x01, 0x01): CardKind.DESFIRE_EV1,
    (0x01, 0x12): CardKind.DESFIRE_EV2,
    (0x01, 0x22): CardKind.DESFIRE_EV2,  # EV2 with 16 and 32 kB
    (0x01, 0x33): CardKind.DESFIRE_EV2,  # EV3
    (0x04, 0x30): CardKind.NTAG_424,
}


def kind_of(uid: bytes) -> Steps[CardKind]:
    """The kind of the card that the reader calls `uid`. Raises CardRefused."""
    hardware = (yield from transmit(native(_GET_VERSION))).expect(_PRODUCT_BYTES, MORE)
    (yield from transmit(native(_GO_ON))).expect(_PRODUCT_BYTES, MORE)
    making = (yield from transmit(native(_GO_ON))).expect(_MAKING_BYTES)
    vendor, product, _, major = hardware[:4]
    kind = _KINDS.get((product, major))
    if vendor != _NXP or kind is None:
        raise CardRefused(Reason.UNKNOWN_KIND)
    if making[:_UID_BYTES] != uid:
        raise CardRefused(Reason.CHANGING_NUMBER)
    return kind
