"""How strong a deletion is: what each place for the epoch key lets an attacker open, as plain data.

Rules kept here:
- One table for the notice, the receipt and `doorctl audit`: nobody says it in words of their own.
- Where the door cannot know how its root key is sealed, the weaker answer is given.
- A row claims nothing that docs/keys.md does not name a test for, or mark as not tested.

The question behind each column is about one record: can it be opened? "Stolen card": what is enrolled now, from the
disk alone, away from this door's board and TPM. "Live files", "older files", "older image": what was erased, in this
door again, from the state folder as it is now, a copy of it from before, an image of the whole disk from before.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, IntEnum, unique


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

    def sentences(self) -> tuple[str, str, str, str]:
        """The answers for a person, in the order of the columns."""
        return (
            f"Whoever steals the memory card alone: what is enrolled {self.stolen_card.value}.",
            f"What was erased, with the files of today: {self.live_files.value}.",
            f"What was erased, with an older copy of the files: {self.older_files.value}.",
            f"What was erased, with an older image of the whole disk: {self.older_image.value}.",
        )


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


def weakest(key_store: str) -> Strength:
    """What can be promised knowing only `key_store` of door.toml ("file" or "tpm-nv")."""
    return describe(KeyPlace.TPM_NV if key_store == "tpm-nv" else KeyPlace.FILE_HOST_KEY)
