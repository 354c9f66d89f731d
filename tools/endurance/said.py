"""Parsers of what is said to a door: messages, keys, signed documents, and the papers that a resident holds.

Rules kept here:
- What is signed comes twice: as it lies on the wire, where any change must be refused, and changed inside and then
  signed by the right key, so that what stands behind the check is reached as well.
- Keys here are made up, and the same in every run.
"""

from __future__ import annotations

from collections.abc import Callable

from nacl.signing import SigningKey

from device import attestation, document, wire
from device.attestation import ConsentRecord, CoveredConsent, Receipt
from device.document import SlotOffers
from device.edges import Room
from device.errors import AttestationRefused, DocumentRefused, MessageRefused
from device.lock import keypad
from device.lock.identity import DocumentKey
from device.strength import KeyPlace
from tools.endurance.door import NEEDED, Door, Life
from tools.endurance.fuzz import Target, Wrong, one_form, unchanged
from tools.endurance.locks import Lock
from tools.endurance.readers import policies

KEY = bytes(range(32))
DOOR = bytes.fromhex("00112233445566aa")
MANAGER = SigningKey(KEY)
_DOMAINS = {
    b"DWCS\1": b"doorward consent record\x00",
    b"DWCS\2": b"doorward covered consent\x00",
    b"DWRT\1": b"doorward receipt of erasure\x00",
}
_DOCUMENT_KEY = DocumentKey.of(KEY)
_DOCUMENT_DOMAIN = b"doorward signed document\x00"


def said() -> tuple[Target, ...]:
    """All of them."""
    sealed = _sealed_documents()
    return (
        Target("wire", _messages(), _wire, (MessageRefused,)),
        Target("wire, at lock's door", _messages(), _lock(), ()),
        Target("document", _documents(), unchanged(_documents(), _document), (DocumentRefused,)),
        Target("document, signed anew", _documents(), _document_signed, (DocumentRefused,)),
        Target("document, sealed to the door", sealed, unchanged(sealed, _opened), (DocumentRefused,)),
        Target("attestation", papers(), unchanged(papers(), _attested), (AttestationRefused,)),
        Target("attestation, signed anew", papers(), _attestation_signed, (AttestationRefused,)),
        Target("attestation, in letters", _letters(), _attestation_read, (AttestationRefused,)),
        Target("keypad", _keys(), _keypad, ()),
    )


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


_wire = one_form(wire.unpack, wire.pack)


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


def _sealed_documents() -> tuple[bytes, ...]:
    return tuple(document.seal(each, door_id=DOOR, document_key=_DOCUMENT_KEY.public) for each in _documents())


def _opened(data: bytes) -> bool:
    _DOCUMENT_KEY.open(document.sealed_box(data, DOOR))
    return True


def papers() -> tuple[bytes, ...]:
    """One of each kind, signed."""
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
    return tuple(("Dear resident,\n" + attestation.armour(paper)).encode() for paper in papers())


def _attestation_read(data: bytes) -> bool:
    """Where lines break is free, and what stands around it; the paper is not."""
    verified = attestation.read(data.decode("utf-8", "replace"))
    if attestation.sign(verified.paper, MANAGER) not in papers():
        raise Wrong("took what was changed after it was signed")
    return True
