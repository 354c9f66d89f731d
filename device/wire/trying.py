"""Messages for trying out attacks at the door: somebody at root's terminal holds up a print, a screen, their own face.

Rules kept here:
- What is told of a try is eye's verdict and nothing else: no slot, no score, no time.
- None of them can be sent by eye or lock, and none leads to a Verdict that opens.
"""

from __future__ import annotations

from dataclasses import dataclass

from device.wire.base import Message, message
from device.wire.values import Attack


@message(0x90)
@dataclass(frozen=True, slots=True)
class TryFaces(Message):
    """doorctl -> desk -> vault: begin to try out faces, or end it. Answered by TryStands, or Ended if it cannot be."""

    on: bool


@message(0x91)
@dataclass(frozen=True, slots=True)
class TryStands(Message):
    """vault -> desk -> doorctl: whether faces are tried out now. `asked`: this is the answer, else it ended by itself.

    While it lasts vault compares nobody and refuses every approach.
    """

    on: bool
    asked: bool


@message(0x92)
@dataclass(frozen=True, slots=True)
class Tried(Message):
    """vault -> desk -> doorctl: one approach is over; what eye held the face for."""

    attack: Attack
