"""Messages about documents, the door's health, and the one alarm every room can raise.

Rules kept here:
- What goes towards the network (`Occurrence`) is too small to carry a template, a picture or a slot.
- That the door is open, and how often it was, goes towards the network only as far as a signed document says so:
  `DoorState` and `DailyCount` leave lock under no other profile, and no opening does (ADR 0017).
"""

from __future__ import annotations

from dataclasses import dataclass

from device.wire.base import U8, U32, DocumentBytes, Hash, Message, Noisy, message
from device.wire.values import Ending, OccurrenceKind, Profile, Result


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
    ending: Ending
    ends_in_s: U32  # of running time, while the end is announced; 0 otherwise


@message(0x70)
@dataclass(frozen=True, slots=True)
class Occurrence(Message):
    """lock -> report: one way, never blocks, health of the door only."""

    kind: OccurrenceKind


@message(0x71)
@dataclass(frozen=True, slots=True)
class Breach(Message):
    """any room -> lock: a peer sent what it must never send; an alarm, not something to ignore."""


@message(0x72)
@dataclass(frozen=True, slots=True)
class Reporting(Message):
    """lock -> report: what the signed choice in force lets it tell. A count or a state that was told before is over.

    `alarm_key`: the X25519 key that reasons of alarms are sealed to, NO_ALARM_KEY if nobody is to open them.
    """

    profile: Profile
    alarm_key: Hash


@message(0x73)
@dataclass(frozen=True, slots=True)
class DoorKeys(Message):
    """lock -> report: the newest document applied, and what this door's documents are sealed to; both public."""

    version: U32
    document_key: Hash


@message(0x74)
@dataclass(frozen=True, slots=True)
class DoorState(Message):
    """lock -> report, while the profile is HOME and under no other: how the door stands now."""

    granted: bool
    open: bool


@message(0x75)
@dataclass(frozen=True, slots=True)
class DailyCount(Message):
    """lock -> report: openings of the last day with noise (`device.lock.daily_count`); it may be below zero."""

    noisy: Noisy
