"""vault: one probe against a large gallery, opening many sealed records, and a rekey, against the bare libraries.

Rules kept here:
- The comparison is `Gallery.compare` as vault calls it, against one numpy product of the same matrix and vector.
- Opening is `SealedStore.open` on real files (page cache warm), against libsodium's own function on the same bytes,
  keys, nonces and additional data, called in a loop from Python.
- The records are made in one go: written by `put` one after the other, each would rewrite the ring.
- A rekey is `SealedStore.rekey` with nothing to turn: what it takes is the disk's, so it is told in milliseconds.
"""

from __future__ import annotations

import gc
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from nacl import bindings

from device.sealing.binding import Binding
from device.sealing.keys import FileKeyStore
from device.sealing.ring import Entry
from device.sealing.store import SealedStore
from device.vault import record
from device.vault.gallery import gallery_of
from device.vault.record import FaceRecord
from device.vault.rotation import Rotation
from device.wire import EMBEDDING_DIM
from tools.benchmark.drawer import write_records
from tools.benchmark.figures import Figure, NotMeasured, Plan, Section, Spread, percentile, ratios

COMPARE_LIMIT = 1.2
OPEN_LIMIT = 3.0
RECORDS = 10_000
SMALL_GALLERY = 16
REKEYED = (4, 100, 1000)
CALLS = 200
_HEADER_BYTES = 8
_NONCE_BYTES = 24
_THRESHOLD = 0.99  # nobody reaches it: the whole comparison is made, and nobody's slot comes out early


@dataclass(frozen=True, slots=True)
class _Drawer:
    """A folder of sealed records and what bare libsodium needs to open the same bytes."""

    folder: Path
    keys: FileKeyStore
    binding: Binding
    boxes: tuple[tuple[bytes, bytes, bytes, bytes], ...]  # ciphertext with tag, additional data, nonce, key

    @classmethod
    def filled(cls, folder: Path, count: int) -> _Drawer:
        """`count` faces of nobody."""
        binding = Binding(bytes(8), "face", b"m" * 32)
        keys = FileKeyStore(folder / "epoch.key", os.urandom(32))
        records, boxes = folder / "records", []
        secret = os.urandom(32)
        rotation = Rotation.of(secret)
        payloads = {
            slot: record.pack(
                FaceRecord(vector.tobytes(), rotation.tag, 5, bytes(record.CONSENT_BYTES), b"t" * 16, 20_000)
            )
            for slot, vector in enumerate(_templates(count), 1)
        }
        for entry, stored in write_records(records, keys, binding, payloads, secret, os.urandom(32)):
            aad = _additional_data(stored[:_HEADER_BYTES], entry, binding)
            body = stored[_HEADER_BYTES:]
            boxes.append((body[_NONCE_BYTES:], aad, body[:_NONCE_BYTES], entry.key))
        return cls(records, keys, binding, tuple(boxes))

    def open_s(self) -> float:
        """Seconds of `SealedStore.open`."""
        began = time.perf_counter()
        store = SealedStore.open(self.folder, self.keys, self.binding)
        took = time.perf_counter() - began
        if store.refused or len(store.records()) != len(self.boxes):
            msg = "the store did not open every record"
            raise NotMeasured(msg)
        return took

    def rekey_s(self) -> float:
        """Seconds of `SealedStore.rekey`."""
        store = SealedStore.open(self.folder, self.keys, self.binding)
        began = time.perf_counter()
        store.rekey(lambda payload, _old, _new: payload)
        return time.perf_counter() - began

    def bare_s(self) -> float:
        """Seconds of libsodium alone."""
        unseal = bindings.crypto_aead_xchacha20poly1305_ietf_decrypt
        began = time.perf_counter()
        for ciphertext, aad, nonce, key in self.boxes:
            unseal(ciphertext, aad, nonce, key)
        return time.perf_counter() - began


def _additional_data(header: bytes, entry: Entry, binding: Binding) -> bytes:
    """As docs/formats.md lays it out; written anew here, so that libsodium opens nothing but the format."""
    number = entry.slot.to_bytes(4, "little") + bytes(4) + entry.generation.to_bytes(8, "little")
    return header + binding.door + number + entry.file_id + binding.model + entry.consent


def _templates(count: int) -> record.Vector:
    """`count` x 128 unit vectors, float32; the same in every run."""
    drawn = np.random.default_rng(1).standard_normal((count, EMBEDDING_DIM))
    rows: record.Vector = (drawn / np.linalg.norm(drawn, axis=1, keepdims=True)).astype(np.float32)
    return rows


def comparison(count: int, rounds: int) -> tuple[Spread, float]:
    """(compare / bare product, by round; microseconds of one comparison) with `count` templates."""
    gallery = gallery_of(dict(enumerate(_templates(count), 1)), Rotation.of(bytes(32)))
    matrix, probe = gallery.templates, _templates(1)[0][::-1].copy()  # nobody's
    whole, bare = [], []
    for number in range(rounds):
        took: tuple[list[float], list[float]] = ([], [])
        for call in range(CALLS):
            for which in (0, 1) if (call + number) % 2 else (1, 0):
                began = time.perf_counter_ns()
                if which:
                    gallery.compare(probe, _THRESHOLD)
                else:
                    matrix @ probe
                took[which].append(float(time.perf_counter_ns() - began))
        bare.append(percentile(took[0], 50))
        whole.append(percentile(took[1], 50))
    return ratios(whole, bare), Spread.of(whole).median / 1e3


def rekeying(count: int, rounds: int) -> Spread:
    """Milliseconds of one rekey of `count` faces, on the disk of the temporary folder."""
    with tempfile.TemporaryDirectory() as folder:
        drawer = _Drawer.filled(Path(folder), count)
        return Spread.of([drawer.rekey_s() * 1e3 for _ in range(rounds)])


def measure(plan: Plan, tell: Callable[[str], None]) -> Section:
    """Both ratios. Raises NotMeasured."""
    tell("vault: comparing")
    large, large_us = comparison(RECORDS, plan.rounds * 2)
    small, small_us = comparison(SMALL_GALLERY, plan.rounds * 2)
    tell("vault: opening sealed records")
    with tempfile.TemporaryDirectory() as folder:
        drawer = _Drawer.filled(Path(folder), RECORDS)
        drawer.open_s()
        drawer.bare_s()
        pairs = []
        gc.freeze()  # vault does not carry the benchmark's own objects through its garbage collections
        for number in range(plan.rounds * (1 if plan.quick else 3)):
            opened = drawer.open_s() if number % 2 else 0.0
            bare = drawer.bare_s()
            pairs.append((opened or drawer.open_s(), bare))
        gc.unfreeze()
    opening = ratios([pair[0] for pair in pairs], [pair[1] for pair in pairs])
    tell("vault: rekeying")
    rekeys = {count: rekeying(count, plan.rounds) for count in REKEYED}
    figures = (
        Figure(f"one probe, {RECORDS} templates / bare numpy product", large, limit=COMPARE_LIMIT),
        Figure(f"one probe, {SMALL_GALLERY} templates / bare numpy product", small),
        Figure(f"opening {RECORDS} sealed records / bare libsodium", opening, limit=OPEN_LIMIT),
        *(Figure(f"rekey of {count} sealed records", took, unit="ms") for count, took in rekeys.items()),
    )
    open_ms, bare_ms = (Spread.of([pair[which] for pair in pairs]).median * 1e3 for which in (0, 1))
    notes = (
        f"One comparison takes {large_us:.0f} µs with {RECORDS} templates and {small_us:.1f} µs with {SMALL_GALLERY}.",
        "With few templates the ratio is that of a few calls into numpy, so no limit is stated for it.",
        "A rekey writes and syncs every record and overwrites the old ones; a memory card takes longer than this disk.",
        f"Opening takes {open_ms:.0f} ms, bare libsodium {bare_ms:.0f} ms (files in the page cache).",
    )
    return Section("vault: comparing and opening", figures, notes)
