"""How strong a deletion is: what each place for the epoch key lets an attacker open, as plain data.

Rules kept here:
- One table for the notice, the receipt and `doorctl audit`: nobody says it in words of their own.
- How the root key is sealed the door cannot see: door.toml says it, and says the weaker answer if it says nothing.
- A row claims nothing that docs/keys.md does not name a test for, or mark as not tested.

The question behind each column is about one record: can it be opened? "Stolen card": what is enrolled now, from the
disk alone, away from this door's board and TPM. "Live files", "older files", "older image": what was erased, in this
door again, from the state folder as it is now, a copy of it from before, an image of the whole disk from before.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, IntEnum, unique

LANGUAGES = ("en", "zh")  # in which residents are told


@unique
class KeyPlace(IntEnum):
    """Where the epoch key lives, and how its root key is sealed. The numbers go into receipts: keep them."""

    FILE_HOST_KEY = 1  # a file; the root key is a credential sealed with systemd's host key, on the same disk
    FILE_TPM2_CREDENTIAL = 2  # a file; the root key is a credential sealed by this board's TPM
    TPM_NV = 3  # a rewritable index of this board's TPM


@unique
class Answer(Enum):
    """Whether a record can be opened."""

    SHUT = "stays shut"
    OPENS = "opens"


@dataclass(frozen=True, slots=True)
class Strength:
    """The answers for one place."""

    place: KeyPlace
    stolen_card: Answer
    live_files: Answer
    older_files: Answer
    older_image: Answer

    @property
    def deletion_is_final(self) -> bool:
        """Whether no copy of the disk, however old, brings an erased record back."""
        return {self.live_files, self.older_files, self.older_image} == {Answer.SHUT}

    def sentences(self, language: str = "en") -> tuple[str, str, str, str]:
        """The answers for a person, in the order of the columns, in one of `LANGUAGES`."""
        answers = (self.stolen_card, self.live_files, self.older_files, self.older_image)
        return tuple(  # type: ignore[return-value] # four of each, above and below
            sentence.format(_SAID[language][answer]) for sentence, answer in zip(_ASKED[language], answers, strict=True)
        )


_ASKED = {
    "en": (
        "Whoever steals the memory card alone: what is enrolled {}.",
        "What was erased, with the files of today: {}.",
        "What was erased, with an older copy of the files: {}.",
        "What was erased, with an older image of the whole disk: {}.",
    ),
    "zh": (
        "只偷走存储卡的人：已登记的模板{}。",
        "已删除的模板，凭现在的文件：{}。",
        "已删除的模板，凭以前复制的文件：{}。",
        "已删除的模板，凭以前整个磁盘的镜像：{}。",
    ),
}
_SAID = {
    "en": {answer: answer.value for answer in Answer},
    "zh": {Answer.SHUT: "打不开", Answer.OPENS: "能打开"},
}
_TABLE = {
    each.place: each
    for each in (
        Strength(KeyPlace.FILE_HOST_KEY, Answer.OPENS, Answer.SHUT, Answer.OPENS, Answer.OPENS),
        Strength(KeyPlace.FILE_TPM2_CREDENTIAL, Answer.SHUT, Answer.SHUT, Answer.OPENS, Answer.OPENS),
        Strength(KeyPlace.TPM_NV, Answer.SHUT, Answer.SHUT, Answer.SHUT, Answer.SHUT),
    )
}


def describe(place: KeyPlace) -> Strength:
    """What `place` keeps shut."""
    return _TABLE[place]


def place_of(key_store: str, root_key_sealed_with: str) -> KeyPlace:
    """The place that door.toml names: `key_store` is "file" or "tpm-nv", the other one "host" or "tpm2"."""
    if key_store == "tpm-nv":
        return KeyPlace.TPM_NV
    return KeyPlace.FILE_TPM2_CREDENTIAL if root_key_sealed_with == "tpm2" else KeyPlace.FILE_HOST_KEY
