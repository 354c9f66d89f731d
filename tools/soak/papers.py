"""What the door signed of each face: its consent, then its receipt, held against each other and against the door.

Rules kept here:
- Both speak of one record and are signed by one key, and the door says that it no longer names the record.
- A paper that an interrupted act lost on the way is missed by nobody: whoever asked again was told how it stands.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from device import attestation
from device.attestation import ConsentRecord, Receipt
from device.errors import AttestationRefused


@dataclass(slots=True)
class _Pair:
    consent: bytes
    receipt: bytes | None = None


@dataclass(slots=True)
class Papers:
    """Of all slots. `named(record)`: whether the door still names it. `finds` hears what does not hold."""

    named: Callable[[bytes], bool | None]
    finds: Callable[[str], None]
    _pairs: dict[int, _Pair] = field(default_factory=dict)

    def consented(self, slot: int, content: bytes | None) -> None:
        """The consent to the face of `slot`."""
        if content is None:
            self.finds("the door signed no consent")
        else:
            self._pairs[slot] = _Pair(content)

    def erased(self, slot: int, content: bytes | None) -> None:
        """The receipt for it."""
        pair = self._pairs.get(slot)
        if content is None:
            self.finds("the door signed no receipt")
        elif pair is not None:
            pair.receipt = content
            self._compare(pair.consent, content)

    def lost(self, slot: int) -> None:
        """One of them was lost on the way."""
        self._pairs.pop(slot, None)

    def hold(self) -> int:
        """Look at every pair again; how many there are."""
        pairs = [(pair.consent, pair.receipt) for pair in self._pairs.values() if pair.receipt is not None]
        for consent, receipt in pairs:
            self._compare(consent, receipt)
        return len(pairs)

    def _compare(self, consent: bytes, receipt: bytes) -> None:
        try:
            agreed, erased = attestation.verify(consent), attestation.verify(receipt)
        except AttestationRefused as refusal:
            self.finds(f"a paper is not to be relied on: {refusal}")
            return
        if not isinstance(agreed.paper, ConsentRecord) or not isinstance(erased.paper, Receipt):
            self.finds("a paper is of another kind")
        elif erased.paper.consent_id != agreed.paper.consent_id or erased.door_key != agreed.door_key:
            self.finds("a receipt speaks of another record than its consent, or is signed by another key")
        elif self.named(erased.paper.record_id) is not False:
            self.finds("the door still names a record for whose erasure it signed a receipt")
