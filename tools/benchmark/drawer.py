"""Sealed records made in one go, as `SealedStore` would have left them.

Rules kept here:
- Written by `put` one after the other, each record would rewrite the ring: thousands of them would take minutes.
- The forms are `device.sealing`'s own; a store that opens the folder refuses whatever is wrong with it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from device.sealing import record, ring
from device.sealing.binding import Binding
from device.sealing.keys import FileKeyStore
from device.sealing.ring import NO_CONSENT, Entry, Ring


def write_records(
    folder: Path,
    keys: FileKeyStore,
    binding: Binding,
    payloads: Mapping[int, bytes],
    secret: bytes,
    consent: bytes = NO_CONSENT,
) -> list[tuple[Entry, bytes]]:
    """Make `folder` hold `payloads` by slot; the entries of the ring, and what lies in the file of each.

    `secret`, 32 bytes, is what the records share; all are bound to the terms with the hash `consent`.
    """
    folder.mkdir(mode=0o700, parents=True)
    made = []
    for slot, payload in sorted(payloads.items()):
        entry = Entry(slot, 1, os.urandom(16), os.urandom(32), consent)
        stored = record.seal(payload, entry, binding)
        (folder / entry.file_name).write_bytes(stored)
        made.append((entry, stored))
    epoch_key = os.urandom(32)
    whole = Ring(1, secret, tuple(entry for entry, _ in made))
    (folder / "ring.a").write_bytes(ring.seal(whole, epoch_key, binding))
    keys.replace(epoch_key)
    return made
