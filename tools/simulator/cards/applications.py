"""What a card tells of itself, and its applications: SelectApplication, CreateApplication, GetVersion and the like.

Rules kept here:
- As delivered anybody may list and create applications; if the card's settings say otherwise, nobody may, because the
  master key of a delivered card is a DES key, with which we have no session.
- Only AES applications can be created here, and none with ISO names: anything else is a PARAMETER_ERROR.
"""

from __future__ import annotations

from tools.simulator.cards.field import Answer, Asked, Field, require, split
from tools.simulator.cards.memory import CREATING, LISTING, MAX_KEYS, PICC, Application, Key, Kind, Memory, Mode
from tools.simulator.cards.status import Status

AID_BYTES = 3
_AES_KEYS = 0x80  # bits 7 and 6 of the second byte of settings; bits 3 to 0 are the number of keys
MAX_APPLICATIONS = 28  # DESFire EV1
CAPACITY_BYTES = 4096  # DESFire with "4K" in its name
BLOCK_BYTES = 32  # what memory is given out in

# Hardware and software as GetVersion tells them: maker NXP, type, subtype, version, size, protocol ISO 14443-4.
_VERSIONS = {
    Kind.DESFIRE_EV1: (bytes.fromhex("04010101001805"), bytes.fromhex("04010101041805")),
    Kind.DESFIRE_EV2: (bytes.fromhex("04010112001805"), bytes.fromhex("04010102011805")),
    Kind.NTAG424: (bytes.fromhex("04040230001105"), bytes.fromhex("04040201021105")),
}
_PRODUCTION = bytes(5) + bytes.fromhex("0126")  # no batch; week 1 of 2026, in BCD


def select_application(field: Field, asked: Asked) -> Answer:
    """5A."""
    require(len(asked.data) == AID_BYTES, Status.LENGTH)
    number = int.from_bytes(asked.data, "little")
    require(number == PICC or number in field.memory.applications, Status.APPLICATION_NOT_FOUND)
    field.select(number)
    return Answer()


def create_application(field: Field, asked: Asked) -> Answer:
    """CA: number, key settings, kind and number of keys."""
    header, rest = split(asked.data, AID_BYTES + 2)
    field.session.request(asked.ins, header, rest, field.session.usual)
    number, settings, keys = int.from_bytes(header[:3], "little"), header[3], header[4]
    require(field.selected == PICC, Status.PERMISSION_DENIED)
    require(field.memory.settings & CREATING, Status.AUTHENTICATION)
    count = keys ^ _AES_KEYS
    require(number != PICC and 1 <= count <= MAX_KEYS, Status.PARAMETER)
    require(number not in field.memory.applications, Status.DUPLICATE)
    require(len(field.memory.applications) < MAX_APPLICATIONS, Status.COUNT)
    require(free_bytes(field.memory) >= BLOCK_BYTES, Status.OUT_OF_MEMORY)
    field.memory.applications[number] = Application(settings, [Key()] * count)
    return field.good()


def get_application_ids(field: Field, asked: Asked) -> Answer:
    """6A: three bytes an application."""
    field.session.request(asked.ins, b"", asked.data, field.session.usual)
    require(field.selected == PICC, Status.PERMISSION_DENIED)
    require(field.memory.settings & LISTING, Status.AUTHENTICATION)
    numbers = b"".join(number.to_bytes(AID_BYTES, "little") for number in sorted(field.memory.applications))
    return field.framed(field.good(numbers))


def get_version(field: Field, asked: Asked) -> Answer:
    """60: hardware, software and production in three frames, under one MAC."""
    field.session.request(asked.ins, b"", asked.data, field.session.usual)
    hardware, software = _VERSIONS[field.memory.kind]
    answer = field.good(hardware + software + field.memory.uid + _PRODUCTION).data
    first, second = len(hardware), len(hardware + software)
    return field.in_frames([answer[:first], answer[first:second], answer[second:]])


def get_card_uid(field: Field, asked: Asked) -> Answer:
    """51: the number, enciphered, to whoever has proven a key."""
    require(field.session.key_no is not None, Status.AUTHENTICATION)
    field.session.request(asked.ins, b"", asked.data, field.session.usual)
    return field.good(field.memory.uid, Mode.FULL)


def get_free_memory(field: Field, asked: Asked) -> Answer:
    """6E: three bytes, lowest first."""
    field.session.request(asked.ins, b"", asked.data, field.session.usual)
    return field.good(free_bytes(field.memory).to_bytes(3, "little"))


def free_bytes(memory: Memory) -> int:
    """What is left: an application takes a block, a file its size in whole blocks, a backup file twice that."""
    used = 0
    for application in memory.applications.values():
        used += BLOCK_BYTES
        for each in application.files.values():
            used += file_bytes(len(each.data), backup=each.backup)
    return CAPACITY_BYTES - used


def file_bytes(length: int, *, backup: bool) -> int:
    """What a file of `length` bytes takes."""
    return -(-length // BLOCK_BYTES) * BLOCK_BYTES * (2 if backup else 1)
