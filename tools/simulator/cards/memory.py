"""What a card keeps without power: number, keys, applications, files; and what it holds as delivered.

Rules kept here:
- Whatever is not here is gone when the card leaves the field: sessions, the selected application, writes to a backup
  file that were not committed.
- A new key is zeros, version 0. The PICC master key of a delivered DESFire is a DES key, which no AES command reaches.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, IntEnum

from tools.simulator.cards.aes import KEY_BYTES

PICC = 0  # the application number of the card itself
UID_BYTES = 7
SHORT_UID_BYTES = 4  # a MIFARE Classic of the first generation
MAX_FILES = 32
MAX_FILE_BYTES = 0xFFFFFF  # three bytes of length on the wire
MAX_KEYS = 14
FREE = 0xE  # an access right: without any key
NEVER = 0xF  # an access right: with no key at all

# The bits of key settings (AN12757 and MF2DL(H)x0, "key settings"); in the upper four: which key changes keys.
CHANGE_MASTER = 0x01  # the master key may be changed
LISTING = 0x02  # anybody may ask what there is
CREATING = 0x04  # anybody may create


class Kind(Enum):
    """The chips there are."""

    DESFIRE_EV1 = "desfire-ev1"
    DESFIRE_EV2 = "desfire-ev2"
    NTAG424 = "ntag424"
    UID_ONLY = "uid-only"


class Mode(IntEnum):
    """How a file's data travels."""

    PLAIN = 0
    MAC = 1
    FULL = 3


class Right(IntEnum):
    """Where in the 16 bits of access rights a right stands (NT4H2421Gx table 7): its lowest bit."""

    CHANGE = 0
    READ_WRITE = 4
    WRITE = 8
    READ = 12


@dataclass(frozen=True, slots=True)
class Key:
    """An AES-128 key and its version byte."""

    value: bytes = bytes(KEY_BYTES)
    version: int = 0


@dataclass(slots=True)
class DataFile:
    """A standard or backup data file; `rights` as they travel, four bits each."""

    data: bytes
    rights: int
    mode: Mode
    backup: bool = False

    def right(self, which: Right) -> int:
        """The key number, FREE or NEVER."""
        return self.rights >> which & 0xF


@dataclass(slots=True)
class Application:
    """Keys and files under one application number; `settings` are its key settings as they travel."""

    settings: int
    keys: list[Key]
    files: dict[int, DataFile] = field(default_factory=dict)


@dataclass(slots=True)
class Memory:
    """One card. `settings` are those of the PICC master key; an NTAG has one application and no such key."""

    kind: Kind
    uid: bytes
    settings: int = 0x0F  # as delivered: anybody may list and create
    applications: dict[int, Application] = field(default_factory=dict)


NTAG_APPLICATION = 1  # ours: the chip knows it by its ISO name only
_NTAG_KEYS = 5
# NFC Forum capability container of 23 bytes: NDEF file E104 (256 bytes, free), proprietary file E105 (128 bytes).
_CAPABILITIES = bytes.fromhex("001720010000FF0406E104010000000506E10500808283")


def blank(kind: Kind, uid: bytes) -> Memory:
    """A card as delivered (NT4H2421Gx section 8.2.3; a formatted DESFire has no application)."""
    memory = Memory(kind, uid)
    if kind is Kind.NTAG424:
        files = {
            1: DataFile(_CAPABILITIES.ljust(32, b"\x00"), 0xE000, Mode.PLAIN),
            2: DataFile(bytes(256), 0xEEE0, Mode.PLAIN),
            3: DataFile(bytes.fromhex("007E").ljust(128, b"\x00"), 0x2330, Mode.FULL),
        }
        memory.applications[NTAG_APPLICATION] = Application(0x0B, [Key()] * _NTAG_KEYS, files)
    return memory
