"""Messages about documents, the door's health, and the one alarm every room can raise.

Rules kept here:
- What goes towards the network (`Occurrence`) is too small to carry a template, a picture or a slot.
"""

from __future__ import annotations

from dataclasses import dataclass

from device.wire.base import U8, U32, DocumentBytes, Hash, Message, message
from device.wire.values import OccurrenceKind, Result


@message(0x60)
@dataclass(frozen=True, slots=True)
class Document(Message):
    """report or desk -> lock: a signed document, still to be verified."""

    content: DocumentBytes


@message(0x61)
@dataclass(frozen=True, slots=True)
class Ack(Message):
    """lock -> report or desk, desk -> doorctl: what became of a document; `version` is the newest one applied."""

    version: U32
    result: Result


@message(0x62)
@dataclass(frozen=True, slots=True)
class AskStatus(Message):
    """doorctl -> desk -> lock: how is the door?"""


@message(0x63)
@dataclass(frozen=True, slots=True)
class DoorStatus(Message):
    """lock -> desk -> doorctl: health only; nothing of it says that somebody is or was there."""

    eye: bool
    vault: bool
    keeper: bool
    report: bool
    camera_well: bool
    alarms: U8  # AlarmBits
    policy_version: U32
    document_key: Hash  # X25519: what the manager seals this door's documents to; public


@message(0x70)
@dataclass(frozen=True, slots=True)
class Occurrence(Message):
    """lock -> report: one way, never blocks, health of the door only."""

    kind: OccurrenceKind


@message(0x71)
@dataclass(frozen=True, slots=True)
class Breach(Message):
    """any room -> lock: a peer sent what it must never send; an alarm, not something to ignore."""
