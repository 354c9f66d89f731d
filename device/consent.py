"""What a resident agrees to: the terms, and the hash that binds a face to them.

Rules kept here:
- The terms name everything an agreement rests on: the notice word by word in every language it is shown in, the
  purpose, the retention, the model that makes the template, and the class of the threshold it is compared under. If one
  byte of that changes, the hash changes, and every face that was enrolled under another hash sleeps until renewed.
- The notice is shown as it holds at this door: what its place for keys protects, and what a face is worth here, stand
  in it and are hashed with it.
- Texts are hashed with their lengths, so that none can move from one part into the next.
- The hash says nothing about the person: everybody who agrees to the same terms has the same one.

Shared by vault, which compares, and desk, which shows. Pure; `read_notice` alone reads files, those that came with the
installation. BLAKE2b is RFC 7693, with 32 bytes and the personalisations `doorward-consent` and `doorward-terms`.
"""

from __future__ import annotations

import hashlib
import string
from dataclasses import dataclass
from pathlib import Path

from device.config import Config
from device.errors import StoreFault
from device.strength import LANGUAGES, Strength, describe

__all__ = ["LANGUAGES", "Notice", "Terms", "read_notice", "terms_of"]

NOTICE_ID = "notice-2"
PURPOSE = (
    "Opening this door, and telling somebody who enrols here after you that the door may take the two of you for each "
    "other; never who you are."
)
RETENTION = "Until you erase it, or your place at this door ends."
HASH_BYTES = 32

_NOTICES = Path(__file__).with_name("notices")
_OF_PART = b"doorward-consent"  # exactly the 16 bytes BLAKE2b has for it
_OF_TERMS = b"doorward-terms"
_WORTH = {
    "face+pin": (
        "On this door a face only takes the place of your flat number: your PIN is\n  asked for as well.",
        "在这扇门上，人脸只代替房号，仍需输入您的密码。",
    ),
    "face": (
        "On this door a face alone opens; only for a child under 14 the PIN is asked\n  for as well.",
        "在这扇门上，仅凭人脸即可开门；只有未满 14 周岁的儿童仍需输入密码。",
    ),
}


@dataclass(frozen=True, slots=True)
class Notice:
    """One version of the notice; `texts` holds one text for each of `LANGUAGES`, in that order."""

    id: str
    texts: tuple[str, ...]

    def text(self, language: str) -> str:
        """The notice in one of `LANGUAGES`."""
        return self.texts[LANGUAGES.index(language)]


@dataclass(frozen=True, slots=True)
class Terms:
    """Everything a consent rests on. `model_sha256` (32 bytes) is that of the embedding model's file."""

    notice: Notice
    purpose: str
    retention: str
    model_sha256: bytes
    threshold_class: str

    @property
    def parts(self) -> tuple[bytes, ...]:
        """Five hashes of 32 bytes: notice, purpose, retention, model, threshold class."""
        texts = ((self.notice.id, *self.notice.texts), (self.purpose,), (self.retention,))
        raw = [tuple(text.encode() for text in group) for group in texts]
        return tuple(_part(*each) for each in (*raw, (self.model_sha256,), (self.threshold_class.encode(),)))

    @property
    def hash(self) -> bytes:
        """32 bytes that stand for exactly these terms."""
        return hash_of(self.parts)


def hash_of(parts: tuple[bytes, ...]) -> bytes:
    """The hash of terms whose parts have these hashes (see `Terms.parts`)."""
    return hashlib.blake2b(b"".join(parts), digest_size=HASH_BYTES, person=_OF_TERMS).digest()


def read_notice(folder: Path = _NOTICES) -> Notice:
    """The notice that came with this installation, its blanks not filled in yet. Raises StoreFault."""
    try:
        texts = tuple((folder / f"{NOTICE_ID}.{language}.txt").read_text("utf-8") for language in LANGUAGES)
    except (OSError, UnicodeDecodeError) as cause:
        msg = "the notice about face data cannot be read; without it nobody can be enrolled"
        raise StoreFault(msg) from cause
    return Notice(NOTICE_ID, texts)


def terms_of(door: Config, model_sha256: bytes, notice: Notice | None = None) -> Terms:
    """The terms in force at `door`. Raises StoreFault."""
    blank = notice if notice is not None else read_notice()
    strength = describe(door.vault.key_place)
    try:
        texts = tuple(_filled(text, at, strength, door.lock.tier) for at, text in enumerate(blank.texts))
    except (KeyError, ValueError) as cause:
        msg = "the notice about face data is damaged; without it nobody can be enrolled"
        raise StoreFault(msg) from cause
    return Terms(Notice(blank.id, texts), PURPOSE, RETENTION, model_sha256, threshold_class(door))


def threshold_class(door: Config) -> str:
    """What the threshold follows from at `door`, in words: the false-open budget, and what a face is worth."""
    vault = door.vault
    return (
        f"at most {_number(vault.false_opens_per_year)} false opens a year "
        f"at {_number(vault.strangers_per_day)} strangers a day; {door.lock.tier}"
    )


def _number(value: float) -> str:
    """`value` in as few digits as tell it from every other number, so that no two budgets read alike."""
    return repr(float(value)).removesuffix(".0")


def _filled(text: str, language: int, strength: Strength, tier: str) -> str:
    lines = "\n".join(f"- {sentence}" for sentence in strength.sentences(LANGUAGES[language]))
    return string.Template(text).substitute(strength=lines, worth=_WORTH[tier][language])


def _part(*raw: bytes) -> bytes:
    digest = hashlib.blake2b(digest_size=HASH_BYTES, person=_OF_PART)
    for each in raw:
        digest.update(len(each).to_bytes(4, "little") + each)
    return digest.digest()
