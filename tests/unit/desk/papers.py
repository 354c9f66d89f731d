"""A door that signs: its configuration, its key, and papers as vault would make them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

from nacl.signing import SigningKey

from device import attestation, wire
from device.attestation import ConsentRecord, CoveredConsent, Receipt
from device.desk import terms
from device.paths import Paths, models_dir
from device.strength import KeyPlace

DOOR = bytes.fromhex("0123456789abcdef")
KEY = SigningKey(bytes(range(32)))
OTHER_KEY = SigningKey(bytes(range(1, 33)))
CONSENT_ID = bytes(range(16))
RECORD_ID = bytes(range(100, 116))
MARK = bytes(range(200, 232))
DAY = 20762  # 2026-11-05

RECEIPT = Receipt(DOOR, RECORD_ID, MARK, CONSENT_ID, DAY, KeyPlace.TPM_NV)
CONSENT = ConsentRecord(DOOR, CONSENT_ID, DAY - 100, False, *(bytes([n]) * 32 for n in range(5)))
Sign = Callable[[wire.Message], bytes | None]


def write_config(root: Path, more: str = "") -> None:
    """door.toml of a simulated door below `root`."""
    path = Paths(root).config
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'[door]\nid = "{DOOR.hex()}"\n[lock]\nboard = "sim"\n{more}')


def signs(root: Path, key: SigningKey = KEY) -> Sign:
    """What the vault of the door below `root` signs about an order, if anything."""

    def sign(order: wire.Message) -> bytes | None:
        match order:
            case wire.Erase():
                return attestation.sign(RECEIPT, key)
            case wire.Enrol(_, _, under_14, covered):
                return attestation.sign(agreed(root, under_14=under_14, covered=covered), key)
            case wire.Renew():
                return attestation.sign(agreed(root), key)
        return None

    return sign


def agreed(root: Path, *, under_14: bool = False, covered: bool = False) -> ConsentRecord:
    """A consent to the terms in force at the door below `root`."""
    kind = CoveredConsent if covered else ConsentRecord
    return kind(DOOR, CONSENT_ID, DAY, under_14, *terms.in_force(Paths(root), models_dir()).parts)


def keep(path: Path, paper: attestation.Paper, key: SigningKey = KEY, **changes: object) -> Path:
    """Write `paper` with `changes`, signed, to the file `path`."""
    changed = dataclasses.replace(paper, **changes)  # type: ignore[arg-type] # the fields are named by each test
    path.write_text("Dear resident,\n\n" + attestation.armour(attestation.sign(changed, key)) + "\nYours, the door\n")
    return path
