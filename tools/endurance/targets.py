"""Every parser that takes bytes from outside, with honest inputs for each.

Rules kept here:
- What is signed or sealed comes twice: as it lies on the disk or the wire, where any change must be refused, and
  changed inside and then signed or sealed by the right key, so that what stands behind the check is reached as well.
- Keys here are made up, and the same in every run.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from nacl.signing import SigningKey

from device import attestation, document, wire
from device.attestation import ConsentRecord, CoveredConsent, Receipt
from device.document import SlotOffers
from device.edges import Room
from device.errors import (
    AttestationRefused,
    DocumentRefused,
    KeyFault,
    MessageRefused,
    RecordRefused,
    StoreFault,
)
from device.keeper import record as credential
from device.keeper.attempts import PAGE_BYTES, AttemptFile
from device.keeper.cards import registered
from device.keeper.cards.counters import FORM, Kept
from device.keeper.cards.registered import CardKind, Registered
from device.keeper.pages import OVERHEAD_BYTES
from device.keeper.throttle import BUDGET, Counts
from device.lock import keypad
from device.lock.identity import DocumentKey
from device.sealing import box, record, ring
from device.sealing.binding import Binding
from device.sealing.keys import FileKeyStore
from device.sealing.ring import Entry, Ring
from device.strength import KeyPlace
from device.vault import record as face
from tools.endurance.card_answers import card_answers
from tools.endurance.door import NEEDED, Door, Life
from tools.endurance.fuzz import Target, Wrong
from tools.endurance.locks import Lock
from tools.endurance.osdp_parser import osdp_parser
from tools.endurance.readers import policies, readers
from tools.endurance.scratch import Scratch
from tools.endurance.texts import texts

KEY = bytes(range(32))
DOOR = bytes.fromhex("00112233445566aa")
MANAGER = SigningKey(KEY)
_BINDING = Binding(DOOR, "face", bytes(32))
_DOMAINS = {
    b"DWCS\1": b"doorward consent record\x00",
    b"DWCS\2": b"doorward covered consent\x00",
    b"DWRT\1": b"doorward receipt of erasure\x00",
}
_DOCUMENT_KEY = DocumentKey.of(KEY)
_DOCUMENT_DOMAIN = b"doorward signed document\x00"


def targets(folder: Path) -> tuple[Target, ...]:
    """All of them; `folder` is theirs to write in."""
    sealed = _sealed_documents()
    return (
        Target("wire", _messages(), _wire, (MessageRefused,)),
        Target("wire, at lock's door", _messages(), _lock(), ()),
        Target("document", _documents(), _unchanged(_documents(), _document), (DocumentRefused,)),
        Target("document, signed anew", _documents(), _document_signed, (DocumentRefused,)),
        Target("attestation", _papers(), _unchanged(_papers(), _attested), (AttestationRefused,)),
        Target("attestation, signed anew", _papers(), _attestation_signed, (AttestationRefused,)),
        Target("attestation, in letters", _letters(), _attestation_read, (AttestationRefused,)),
        Target("ring", (ring.pack(_ring()),), _one_form(ring.parse, ring.pack), (StoreFault,)),
        Target("ring, sealed", _sealed_ring(), _unchanged(_sealed_ring(), _unseal_ring), (StoreFault,)),
        Target("record, sealed", _sealed_record(), _unchanged(_sealed_record(), _unseal_record), (RecordRefused,)),
        Target("face record", _faces(), _one_form(face.parse, face.pack), (RecordRefused,)),
        Target("credential", _credentials(), _one_form(credential.unpack, credential.pack), (RecordRefused,)),
        Target("attempts", _page(folder), _attempts(folder), (StoreFault,)),
        Target("attempts, sealed anew", _page(folder), _attempts_sealed(folder), (StoreFault,)),
        Target("epoch key", _epoch_key(folder), _unchanged(_epoch_key(folder), _load_key(folder)), (KeyFault,)),
        Target("keypad", _keys(), _keypad, ()),
        Target("document, sealed to the door", sealed, _unchanged(sealed, _opened), (DocumentRefused,)),
        Target("cards of a slot", _cards(), _one_form(registered.unpack, registered.pack), (RecordRefused,)),
        Target("counters of cards", _counters(), _counters_read, (StoreFault,)),
        osdp_parser(),
        *readers(folder),
        *card_answers(),
        *texts(folder),
    )


# ---- how what is taken is judged


def _sealed_documents() -> tuple[bytes, ...]:
    return tuple(document.seal(each, door_id=DOOR, document_key=_DOCUMENT_KEY.public) for each in _documents())


def _opened(data: bytes) -> bool:
    _DOCUMENT_KEY.open(document.sealed_box(data, DOOR))
    return True


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


def _one_form(parse: Callable[[bytes], Any], pack: Callable[[Any], bytes]) -> Callable[[bytes], bool]:
    def feed(data: bytes) -> bool:
        if pack(parse(data)) != data:
            raise Wrong("took another spelling of what it would write")
        return True

    return feed


def _unchanged(honest: tuple[bytes, ...], parse: Callable[[bytes], bool]) -> Callable[[bytes], bool]:
    def feed(data: bytes) -> bool:
        taken = parse(data)
        if taken and data not in honest:
            raise Wrong("took what was changed after it was signed or sealed")
        return taken

    return feed


# ---- messages, keys


def _messages() -> tuple[bytes, ...]:
    blank = tuple(
        bytes((wire.WIRE_VERSION, code)) + bytes(wire.body_size(cls)) for code, cls in wire.message_types().items()
    )
    said = (
        wire.Verdict(KEY[:16], 10**12, wire.Outcome.ACCEPTED, 12),
        wire.CheckPin(KEY[:16], 12, "482913", 20_779),
        wire.CardCommand(KEY[:16], b"\x90\x5a\0\0\3\0\0\0\0"),
        wire.ClaimAnswer(KEY[:16], awake=True),
        wire.FaceReady(recognise=True, enrol=False, claim_first=False),
        wire.Document(b"content"),
    )
    return blank + tuple(wire.pack(msg) for msg in said)


_wire = _one_form(wire.unpack, wire.pack)


def _lock() -> Callable[[bytes], bool]:
    """Datagrams to a lock that waits for vault and for keeper; the oracle watches. Taken means that it stayed open."""
    life = Life(face_alone_opens=True, fail_safe=False, active_high=True, keeps_level=False, table=True, lights=True)
    door = Door(Lock(), life)
    state = door.lock.state

    def feed(data: bytes) -> bool:
        if not door.links.keys() >= set(NEEDED):
            for room in NEEDED:
                door.connects(room)
            door.says(Room.EYE, wire.CameraState(wire.CameraCondition.IDLE))
            door.says(Room.VAULT, wire.FaceReady(recognise=True, enrol=False, claim_first=False))
        if door.oracle.looking is None:
            door.touched(state.FaceButton(), *(state.Key(key) for key in "*12#482913#"))
        door.heard.clear()
        door.datagram(NEEDED[len(data) % len(NEEDED)], data)
        if door.line.free:
            raise Wrong("opened the door")
        door.passes(100_000_000)
        return door.links.keys() >= set(NEEDED)

    return feed


def _keys() -> tuple[bytes, ...]:
    acts = (b"01#12#482913#", b"07#12#482913#", b"09#12#482913#1234567890123452#", b"09#12#482913#0#")
    new = (b"05#12#1111#2222#2222#", b"00#12#123456#2222#2222#", b"010#12#482913#771155#771155#")
    return b"12#482913#", b"12#1234567890123#", b"482913#", b"*12#", *acts, *new


def _keypad(data: bytes) -> bool:
    """Key after key: only flat # PIN # opens, and no more keys are kept than an entry can hold."""
    entry: keypad.Entry | None = None
    claimed = 12 if data[:1] < b"1" else None
    opened = False
    for at, code in enumerate(data[:200]):
        key = chr(code) if chr(code) in keypad.KEYS else keypad.KEYS[code % len(keypad.KEYS)]
        entry = keypad.press(entry, key, at)
        if entry is None:
            continue
        request = keypad.read(entry, claimed)
        keypad.claimed(entry)
        if isinstance(request, keypad.OpenDoor):
            opened = True
            plain = f"{request.claim}#{request.digits}#"
            if entry.keys != plain and (claimed is None or entry.keys != f"{request.digits}#"):
                raise Wrong("took other keys than flat and PIN for an opening")
        if request is not keypad.Reading.MORE:
            entry = None
    return opened


# ---- what is signed


def _documents() -> tuple[bytes, ...]:
    offers = tuple(
        wire.SlotOffer(slot, 1, 2_000_000_000, slot % 2 * 2_100_000_000, slot % 10, KEY[:16], KEY)
        for slot in (1, 12, 700)
    )
    bodies: list[document.Body] = [SlotOffers(offers[:1]), SlotOffers(offers), *policies()]
    return tuple(
        document.sign(body, door_id=DOOR, version=version, issued_unix=1_700_000_000, key=MANAGER)
        for version, body in enumerate(bodies, 1)
    )


def _document(data: bytes) -> bool:
    document.parse(data, DOOR, bytes(MANAGER.verify_key))
    return True


def _document_signed(data: bytes) -> bool:
    content = data[: -document.SIGNATURE_BYTES]
    whole = content + MANAGER.sign(_DOCUMENT_DOMAIN + content).signature
    parsed = document.parse(whole, DOOR, bytes(MANAGER.verify_key))
    again = document.sign(
        parsed.body, door_id=DOOR, version=parsed.version, issued_unix=parsed.issued_unix, key=MANAGER
    )
    if again != whole:
        raise Wrong("took another spelling of what it would sign")
    return True


def _papers() -> tuple[bytes, ...]:
    consent = ConsentRecord(DOOR, KEY[:16], 20_000, False, KEY, KEY, KEY, KEY, KEY)
    receipt = Receipt(DOOR, KEY[:16], KEY, KEY[:16], 20_000, next(iter(KeyPlace)))
    covered = CoveredConsent(DOOR, KEY[:16], 20_000, False, KEY, KEY, KEY, KEY, KEY)
    return tuple(attestation.sign(paper, MANAGER) for paper in (consent, covered, receipt))


def _attested(data: bytes) -> bool:
    attestation.verify(data)
    return True


def _attestation_signed(data: bytes) -> bool:
    content = data[: -attestation.SIGNATURE_BYTES]
    whole = content + MANAGER.sign(_DOMAINS.get(data[:5], b"") + content).signature
    verified = attestation.verify(whole)
    if attestation.sign(verified.paper, MANAGER) != whole:
        raise Wrong("took another spelling of what it would sign")
    return True


def _letters() -> tuple[bytes, ...]:
    return tuple(("Dear resident,\n" + attestation.armour(paper)).encode() for paper in _papers())


def _attestation_read(data: bytes) -> bool:
    """Where lines break is free, and what stands around it; the paper is not."""
    verified = attestation.read(data.decode("utf-8", "replace"))
    if attestation.sign(verified.paper, MANAGER) not in _papers():
        raise Wrong("took what was changed after it was signed")
    return True


# ---- what is sealed


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
    consent = _papers()[0]
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
