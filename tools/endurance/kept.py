"""Parsers of what a door keeps on its disk: rings, records, credentials, counts and keys.

Rules kept here:
- What is sealed comes as it lies on the disk, where any change must be refused; counts also changed inside and then
  sealed by the right key, so that what stands behind the check is reached as well.
- Keys here are made up, and the same in every run.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import numpy as np

from device.errors import KeyFault, RecordRefused, StoreFault
from device.keeper import record as credential
from device.keeper.attempts import PAGE_BYTES, AttemptFile
from device.keeper.cards import registered
from device.keeper.cards.counters import FORM, Kept
from device.keeper.cards.registered import CardKind, Registered
from device.keeper.pages import OVERHEAD_BYTES
from device.keeper.throttle import BUDGET, Counts
from device.sealing import box, record, ring
from device.sealing.binding import Binding
from device.sealing.keys import FileKeyStore
from device.sealing.ring import Entry, Ring
from device.vault import record as face
from tools.endurance.fuzz import Target, Wrong, one_form, unchanged
from tools.endurance.said import DOOR, KEY, papers
from tools.endurance.scratch import Scratch

_BINDING = Binding(DOOR, "face", bytes(32))


def kept(folder: Path) -> tuple[Target, ...]:
    """All of them; `folder` is theirs to write in."""
    return (
        Target("ring", (ring.pack(_ring()),), one_form(ring.parse, ring.pack), (StoreFault,)),
        Target("ring, sealed", _sealed_ring(), unchanged(_sealed_ring(), _unseal_ring), (StoreFault,)),
        Target("record, sealed", _sealed_record(), unchanged(_sealed_record(), _unseal_record), (RecordRefused,)),
        Target("face record", _faces(), one_form(face.parse, face.pack), (RecordRefused,)),
        Target("credential", _credentials(), one_form(credential.unpack, credential.pack), (RecordRefused,)),
        Target("attempts", _page(folder), _attempts(folder), (StoreFault,)),
        Target("attempts, sealed anew", _page(folder), _attempts_sealed(folder), (StoreFault,)),
        Target("epoch key", _epoch_key(folder), unchanged(_epoch_key(folder), _load_key(folder)), (KeyFault,)),
        Target("cards of a slot", _cards(), one_form(registered.unpack, registered.pack), (RecordRefused,)),
        Target("counters of cards", _counters(), _counters_read, (StoreFault,)),
    )


def _ring() -> Ring:
    entries = tuple(Entry(slot, slot, sha256(bytes([slot])).digest()[:16], KEY, KEY) for slot in (1, 3, 12))
    return Ring(40, KEY, entries)


def _sealed_ring() -> tuple[bytes, ...]:
    return _once("ring", lambda: ring.seal(_ring(), KEY, _BINDING))


def _unseal_ring(data: bytes) -> bool:
    return ring.unseal(data, KEY, _BINDING) is not None


def _sealed_record() -> tuple[bytes, ...]:
    return _once("record", lambda: record.seal(b"payload", _ring().entries[0], _BINDING))


def _unseal_record(data: bytes) -> bool:
    record.unseal(data, _ring().entries[0], _BINDING)
    return True


_SEALED: dict[str, tuple[bytes, ...]] = {}


def _once(name: str, make: Callable[[], bytes]) -> tuple[bytes, ...]:
    """Sealing draws a nonce: what is compared with must be the one box."""
    return _SEALED.setdefault(name, (make(),))


def _faces() -> tuple[bytes, ...]:
    vector = face.to_bytes(np.full(128, 128**-0.5, dtype=np.float32))
    consent = papers()[0]
    return tuple(
        face.pack(
            face.FaceRecord(vector, KEY[:8], 3, consent, KEY[:16], 20_000, ends, under_14=child, paused=not child)
        )
        for ends, child in ((0, False), (2_000_000_000, True))
    )


def _credentials() -> tuple[bytes, ...]:
    one = credential.Credential(credential.Kind.INVITATION, 3, KEY[:16], 1, 2_000_000_000, 0, KEY[:16], KEY)
    return tuple(credential.pack(each) for each in (one, one.with_pin(KEY[:16], KEY), one.ended()))


def _page(folder: Path) -> tuple[bytes, ...]:
    def make() -> bytes:
        file = AttemptFile(folder / "made", KEY)
        file.load(())
        file.save(Counts(3, {1: 2, 12: 9, 700: 1}))
        file.save(Counts(4, {1: 2, 12: 10, 700: 1}))
        file.close()
        return (folder / "made").read_bytes()

    return _once("page", make)


def _attempts(folder: Path) -> Callable[[bytes], bool]:
    """Counts that cannot be read are taken for spent, and never for few."""
    scratch, honest = Scratch(folder / "attempts"), _page(folder)[0]
    known = (1, 12)

    def feed(data: bytes) -> bool:
        scratch.put(data)
        file = AttemptFile(scratch.path, KEY)
        try:
            counts = file.load(known)
        finally:
            file.close()
        worst = Counts.worst(known, BUDGET)
        whole = any(data[at : at + PAGE_BYTES] == honest[at : at + PAGE_BYTES] for at in (0, PAGE_BYTES))
        if not whole and counts != worst:
            raise Wrong("read counts from a page that was changed")
        return whole

    return feed


def _attempts_sealed(folder: Path) -> Callable[[bytes], bool]:
    """The inside of a page changed, and sealed by the right key: it may be read, and must not break anything."""
    scratch, honest = Scratch(folder / "attempts"), _page(folder)[0]
    bound = honest[:8]
    inside = box.unseal(KEY, honest[8:PAGE_BYTES], bound) or b""

    def feed(data: bytes) -> bool:
        changed = bytes(a ^ b ^ c for a, b, c in zip(inside[:64], data[40:104], honest[40:104], strict=False))
        page = bound + box.seal(KEY, changed + inside[len(changed) :], bound)
        scratch.put(page + bytes(PAGE_BYTES))
        file = AttemptFile(scratch.path, KEY)
        try:
            file.load(())
        finally:
            file.close()
        return not file.damaged

    return feed


def _epoch_key(folder: Path) -> tuple[bytes, ...]:
    def make() -> bytes:
        FileKeyStore(folder / "key", KEY).replace(KEY)
        return (folder / "key").read_bytes()

    return _once("key", make)


def _load_key(folder: Path) -> Callable[[bytes], bool]:
    scratch = Scratch(folder / "changed-key")

    def feed(data: bytes) -> bool:
        scratch.put(data)
        return FileKeyStore(scratch.path, KEY).load() is not None

    return feed


def _cards() -> tuple[bytes, ...]:
    one = Registered(CardKind.NTAG_424, bytes(range(1, 8)), 7)
    two = Registered(CardKind.DESFIRE_EV1, bytes(range(9, 16)), 2**32 - 1)
    return registered.pack(()), registered.pack((one,)), registered.pack((one, two))


def _counters() -> tuple[bytes, ...]:
    some = {1: Kept(1, pending=False), 7: Kept(2**32 - 1, pending=True), 2**32 - 1: Kept(0, pending=True)}
    return tuple(FORM.pack(cards).ljust(64, b"\0") for cards in ({}, some))


def _counters_read(beginning: bytes) -> bool:
    payload = beginning.ljust(FORM.page_bytes - OVERHEAD_BYTES, b"\0")  # as a page holds them: filled with zeros
    found = FORM.parse(payload)
    if found is None:
        msg = "no counters"
        raise StoreFault(msg)
    if FORM.pack(found).ljust(len(payload), b"\0") != payload:
        raise Wrong("counters of a form that nobody writes were taken")
    return True
