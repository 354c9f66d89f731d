"""What a consent record or a receipt proves, in plain sentences, and what it does not.

Rules kept here:
- A signature proves that whoever holds the key signed. That the key is the door's is a second question: it is answered
  by a consent record of the same door or by a key that was given, and where it was not asked, that is said.
- A receipt of another door, or about another consent, is refused; it is never half right.
- What a deletion means for older copies is said in the words of `device.strength`, for the place the door signed.

Pure: values in, sentences and facts out.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

from device.attestation import MARK_BYTES, NO_CONSENT_ID, ConsentRecord, EndOfDoor, Receipt, Verified
from device.consent import Terms
from device.desk.sentences import KEY_PLACES
from device.desk.terms import COMPONENTS
from device.errors import AttestationRefused
from device.strength import describe

NO_MARK = bytes(MARK_BYTES)
ONLY_ITS_OWN_KEY = (
    "Whether that key is the key of your door was not checked: the signature fits the key that the paper itself names."
)
_EPOCH = dt.date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class Findings:
    """What a check found: `sentences` for a person, `facts` for a program."""

    sentences: tuple[str, ...]
    facts: dict[str, object] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """One sentence a line."""
        return "\n".join(self.sentences)


def receipt_in(verified: Verified) -> Receipt:
    """The receipt of an erasure. Raises AttestationRefused for another paper."""
    if isinstance(verified.paper, EndOfDoor):
        msg = "this is the receipt for the end of a whole door, and names no record"
        raise AttestationRefused(msg)
    if not isinstance(verified.paper, Receipt):
        msg = "this is a consent record and no receipt; `doorctl consent verify` reads it"
        raise AttestationRefused(msg)
    return verified.paper


def consent_in(verified: Verified) -> ConsentRecord:
    """The consent record. Raises AttestationRefused for a receipt."""
    if not isinstance(verified.paper, ConsentRecord):
        msg = "this is a receipt and no consent record; `doorctl receipt verify` reads it"
        raise AttestationRefused(msg)
    return verified.paper


def judge_receipt(verified: Verified, consent: Verified | None = None, door_key: bytes | None = None) -> Findings:
    """What the receipt proves, compared with what was given. Raises AttestationRefused if it does not fit that."""
    receipt = receipt_in(verified)
    strength = describe(receipt.key_place)
    sentences = [
        f"{_signed(verified)} this receipt, and it was not changed since.",
        f"It says: on {day_in_words(receipt.day)} this door erased the record {receipt.record_id.hex()}.",
        f"The door kept its keys in {KEY_PLACES[receipt.key_place]}. What that means:",
        *(f"- {sentence}" for sentence in strength.sentences()[1:]),
    ]
    if receipt.mark == NO_MARK:
        sentences.append("The record's file could not be read any more, so no disk can be searched for it.")
    if consent is not None:
        sentences.append(_same_consent(verified, receipt, consent))
    sentences += _key_sentences(verified, door_key, compared=consent is not None)
    facts: dict[str, object] = {
        **_common_facts(verified, receipt.consent_id, consent=consent is not None, door_key=door_key is not None),
        "record": receipt.record_id.hex(),
        "mark": receipt.mark.hex(),
        "key_place": receipt.key_place.name.lower(),
        "deletion_is_final": strength.deletion_is_final,
    }
    return Findings(tuple(sentences), facts)


def judge_end(verified: Verified, door_key: bytes | None = None) -> Findings:
    """What the receipt for the end of a door proves. Raises AttestationRefused if it does not fit the key given."""
    if not isinstance(verified.paper, EndOfDoor):
        msg = "this is not the receipt for the end of a door"
        raise AttestationRefused(msg)
    end = verified.paper
    strengths = {place: describe(place) for place in (end.faces, end.pins)}
    sentences = [
        f"{_signed(verified)} this receipt, and it was not changed since.",
        f"It says: by {day_in_words(end.day)} this door had destroyed every face, PIN, card and code that it kept.",
        f"The keys of the faces were in {KEY_PLACES[end.faces]}, those of the rest in {KEY_PLACES[end.pins]}.",
    ]
    for place, strength in strengths.items():
        sentences.append(f"Where keys were in {KEY_PLACES[place]}:")
        sentences += [f"- {sentence}" for sentence in strength.sentences()[1:]]
    sentences += _key_sentences(verified, door_key, compared=False)
    facts: dict[str, object] = {
        "kind": "end of door",
        "door": end.door.hex(),
        "door_key": verified.door_key.hex(),
        "day": day_in_words(end.day),
        "compared_with": {"door_key": door_key is not None},
        "key_places": {"faces": end.faces.name.lower(), "pins": end.pins.name.lower()},
        "deletion_is_final": all(strength.deletion_is_final for strength in strengths.values()),
    }
    return Findings(tuple(sentences), facts)


def judge_consent(verified: Verified, door_key: bytes | None = None) -> Findings:
    """What the consent record proves. Raises AttestationRefused if it does not fit the key that was given."""
    record = consent_in(verified)
    whose = "a parent or guardian agreed, for a child under 14," if record.under_14 else "somebody agreed"
    covered = ["The face was enrolled with mouth and nose covered."] if record.covered else []
    sentences = [
        f"{_signed(verified)} this consent record, and it was not changed since.",
        f"It says: on {day_in_words(record.day)} {whose} at this door to the terms {record.terms_hash.hex()}.",
        *covered,
        "It names nobody. Whether these terms are still in force, `doorctl consent show --against` says at the door.",
        *_key_sentences(verified, door_key, compared=False),
    ]
    facts: dict[str, object] = {
        **_common_facts(verified, record.consent_id, consent=None, door_key=door_key is not None),
        "under_14": record.under_14,
        "covered": record.covered,
        "consent_hash": record.terms_hash.hex(),
        "components": components(_parts(record)),
    }
    return Findings(tuple(sentences), facts)


def changed_since(verified: Verified, door: bytes, terms: Terms) -> tuple[str, ...]:
    """Which components of `terms`, in force at `door` (8 bytes), are others than those agreed to.

    Raises AttestationRefused for the consent record of another door.
    """
    record = consent_in(verified)
    if record.door != door:
        msg = f"this consent record is of the door {record.door.hex()}, and this is the door {door.hex()}"
        raise AttestationRefused(msg)
    pairs = zip(COMPONENTS, _parts(record), terms.parts, strict=True)
    return tuple(name for name, agreed, now in pairs if agreed != now)


def components(parts: tuple[bytes, ...]) -> dict[str, str]:
    """The hashes of the components by name, as a program reads them."""
    return {name.replace(" ", "_"): part.hex() for name, part in zip(COMPONENTS, parts, strict=True)}


def day_in_words(day: int) -> str:
    """`day` (since 1970-01-01 UTC) as a date; the door's clock said so."""
    try:
        return (_EPOCH + dt.timedelta(days=day)).isoformat()
    except OverflowError:
        return f"day {day} after {_EPOCH.isoformat()}"


def _signed(verified: Verified) -> str:
    return f"The door {verified.paper.door.hex()} signed, with the key {verified.door_key.hex()},"


def _same_consent(verified: Verified, receipt: Receipt, consent: Verified) -> str:
    record = consent_in(consent)
    if consent.door_key != verified.door_key or record.door != receipt.door:
        msg = "this receipt was signed by another door than the consent record"
        raise AttestationRefused(msg)
    if receipt.consent_id == NO_CONSENT_ID:
        msg = "this receipt names no consent record, because the door could not read any more what it erased"
        raise AttestationRefused(msg)
    if receipt.consent_id != record.consent_id:
        msg = "this receipt is about another consent than this record; after `doorctl renew` only the newest one fits"
        raise AttestationRefused(msg)
    return (
        f"It is about the consent of {day_in_words(record.day)} in your consent record: same door, same key, same "
        "consent. So the door says that the face it kept under that consent is the one it erased."
    )


def _key_sentences(verified: Verified, door_key: bytes | None, *, compared: bool) -> list[str]:
    if door_key is None:
        return [] if compared else [ONLY_ITS_OWN_KEY]
    if door_key != verified.door_key:
        msg = "this was signed with another key than the one you gave"
        raise AttestationRefused(msg)
    return ["It is the key that you gave."]


def _common_facts(verified: Verified, consent_id: bytes, *, consent: bool | None, door_key: bool) -> dict[str, object]:
    compared = {"door_key": door_key} if consent is None else {"consent": consent, "door_key": door_key}
    return {
        "door": verified.paper.door.hex(),
        "door_key": verified.door_key.hex(),
        "consent_id": consent_id.hex(),
        "day": day_in_words(verified.paper.day),
        "compared_with": compared,
    }


def _parts(record: ConsentRecord) -> tuple[bytes, ...]:
    return (record.notice, record.purpose, record.retention, record.model, record.threshold_class)
