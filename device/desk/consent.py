"""What a resident agrees to, and the hash that binds it.

Rules kept here:
- A consent names everything it rests on: the notice word by word in every language it is shown in, the purpose, the
  retention, and the model that makes the template. If one byte of that changes, the hash changes.
- The parts are hashed with their lengths, so that no text can move from one part into the next.
- The hash says nothing about the person: everybody who agrees to the same notice has the same one.

Pure; `read_notice` alone reads files, those that came with the installation. BLAKE2b is RFC 7693, with 32 bytes and the
personalisation "doorward-consent".
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from device.errors import StoreFault

NOTICE_ID = "notice-1"
PURPOSE = "Opening this door."
RETENTION = "Until you erase it."
LANGUAGES = ("en", "zh")

_NOTICES = Path(__file__).with_name("notices")
_PERSON = b"doorward-consent"  # exactly the 16 bytes BLAKE2b has for it


@dataclass(frozen=True, slots=True)
class Notice:
    """One version of the notice; `texts` holds one text for each of `LANGUAGES`, in that order."""

    id: str
    texts: tuple[str, ...]

    def text(self, language: str) -> str:
        """The notice in one of `LANGUAGES`."""
        return self.texts[LANGUAGES.index(language)]


def read_notice(folder: Path = _NOTICES) -> Notice:
    """The notice that came with this installation. Raises StoreFault."""
    try:
        texts = tuple((folder / f"{NOTICE_ID}.{language}.txt").read_text("utf-8") for language in LANGUAGES)
    except (OSError, UnicodeDecodeError) as cause:
        msg = "the notice about face data cannot be read; without it nobody can be enrolled"
        raise StoreFault(msg) from cause
    return Notice(NOTICE_ID, texts)


def consent_hash(notice: Notice, purpose: str, retention: str, model_sha256: bytes) -> bytes:
    """32 bytes that stand for exactly this consent. `model_sha256` (32 bytes) is that of the embedding model's file."""
    digest = hashlib.blake2b(digest_size=32, person=_PERSON)
    for part in (notice.id, *notice.texts, purpose, retention):
        raw = part.encode()
        digest.update(len(raw).to_bytes(4, "little") + raw)
    digest.update(len(model_sha256).to_bytes(4, "little") + model_sha256)
    return digest.digest()
