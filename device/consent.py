"""What a resident agrees to: the terms, and the hash that binds a face to them.

Rules kept here:
- The terms name everything an agreement rests on: the notice word by word in every language it is shown in, the
  purpose, the retention, the model that makes the template, and the class of the threshold it is compared under. If one
  byte of that changes, the hash changes, and every face that was enrolled under another hash sleeps until renewed.
- The notice is shown as it holds at this door: what its place for keys protects, how it tells a live face from a
  photograph, and what a face is worth here, stand in it and are hashed with it.
- Of attacks that were tried on the door it says what has to hold for a face alone, and not the counts, which stand on
  the sign: to try once more sends nobody's face to sleep, and a try-out that holds no more does.
- Texts are hashed with their lengths, so that none can move from one part into the next.
- The hash says nothing about the person: everybody who agrees to the same terms has the same one.

Shared by vault, which compares, and desk, which shows. Pure; `read_notice` alone reads files, those that came with the
installation. BLAKE2b is RFC 7693, with 32 bytes and the personalisations `doorward-consent` and `doorward-terms`.
"""

from __future__ import annotations

import hashlib
import string
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, unique
from pathlib import Path

from device.config.tables import Config
from device.errors import StoreFault
from device.strength import LANGUAGES, Strength, describe

__all__ = ["LANGUAGES", "Notice", "Terms", "read_notice", "terms_of"]

NOTICE_ID = "notice-4"
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


@unique
class Liveness(Enum):
    """How a door tells a live face from a photograph."""

    NONE = "none"  # it cannot
    LIGHT = "light"  # by two lights that change
    TRIED = "tried"  # by them, and so that a face alone may open: attacks were tried at this very door


_LIGHT_EN = (
    (
        "Two small white lights beside the camera change while you look, in an order\n  that nobody knows before, and "
        "the door compares how your face answers them.\n  A photograph on paper or on a screen answers in another way."
    ),
    (
        "The lights are weak, and change at most three times a second. Who does not\n  want them uses PIN or card, and "
        "does not press the face button."
    ),
    (
        "Where they tell nothing, in bright sun for instance, the door may ask you once\n  to turn your face to the "
        "brighter light. That opens nothing: it saves you\n  typing your flat number, and your PIN is asked for."
    ),
    "Nothing of this is kept or sent. Without a clear result nothing opens: then it\n  is PIN or card.",
    (
        "It does not stop a mask in the shape of your face, your twin, somebody who\n  controls camera and lights at "
        "that very moment, or force."
    ),
)
_LIGHT_ZH = (
    "您看镜头时，旁边两盏小白灯会变化，顺序事先无人知道；\n  门会比对您的面部如何反光。纸上或屏幕上的照片反光不同。",
    "灯光微弱，每秒最多变化三次。不想要灯光的人可用密码或门卡，\n  不按人脸按钮即可。",
    (
        "阳光太强等情况下灯光看不出结果，门可能请您把脸转向较亮的灯，只请一次。\n"
        "  这本身不开门：只省去输入房号，仍需输入您的密码。"
    ),
    "这些都不保存、不发送。检测结果不明确时不开门，请用密码或门卡。",
    "挡不住的有：按您脸形制作的面具、您的双胞胎、\n  当时同时控制摄像头和灯光的人，以及暴力胁迫。",
)
_ALIVE: dict[Liveness, tuple[tuple[str, ...], tuple[str, ...]]] = {
    Liveness.NONE: (
        ("This door cannot notice that a face is a photograph or a screen: it has no\n  test for that.",),
        ("这扇门无法识别照片或屏幕冒充的人脸：它没有这种检测。",),
    ),
    Liveness.LIGHT: (
        (*_LIGHT_EN, "Which attacks were tried at this door, how often, and what came of it, stands\n  on its sign."),
        (*_LIGHT_ZH, "在这扇门上试过哪些攻击、多少次、结果如何，写在门口的告示上。"),
    ),
    Liveness.TRIED: (
        (
            *_LIGHT_EN,
            (
                "At this door a print and a screen were held up at least 30 times each, and\n  none was taken for a "
                "live face: with 95 % confidence at most 12 in 100 such\n  tries would be. Its sign has the counts."
            ),
        ),
        (
            *_LIGHT_ZH,
            (
                "在这扇门上，打印照片和屏幕各举起过至少 30 次，没有一次被当作真人：\n  以 95 % 的置信度，100 "
                "次这样的尝试中最多 12 次会被当作真人。\n  次数写在门口的告示上。"
            ),
        ),
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
        texts = tuple(_filled(text, at, strength, door) for at, text in enumerate(blank.texts))
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


def liveness_of(door: Config) -> Liveness:
    """How `door` tells a live face from a photograph; its tier has to be the one that holds (`device.config.load`)."""
    if not door.lock.lights:
        return Liveness.NONE
    return Liveness.TRIED if door.lock.tier == "face" and door.lock.board != "sim" else Liveness.LIGHT


def _number(value: float) -> str:
    """`value` in as few digits as tell it from every other number, so that no two budgets read alike."""
    return repr(float(value)).removesuffix(".0")


def _filled(text: str, language: int, strength: Strength, door: Config) -> str:
    worth = _WORTH[door.lock.tier][language]
    alive = _listed(_ALIVE[liveness_of(door)][language])
    return string.Template(text).substitute(
        strength=_listed(strength.sentences(LANGUAGES[language])), liveness=alive, worth=worth
    )


def _listed(sentences: Iterable[str]) -> str:
    return "\n".join(f"- {sentence}" for sentence in sentences)


def _part(*raw: bytes) -> bytes:
    digest = hashlib.blake2b(digest_size=HASH_BYTES, person=_OF_PART)
    for each in raw:
        digest.update(len(each).to_bytes(4, "little") + each)
    return digest.digest()
