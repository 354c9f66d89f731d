"""The names of the rooms, for whoever needs no more of the house than that.

Rules kept here:
- Nothing else stands here: what passes between rooms is `device.edges`, which loads every message, and that takes a
  third of the time in which a command such as `doorsim up` starts.
"""

from __future__ import annotations

from enum import StrEnum, unique


@unique
class Room(StrEnum):
    """The six processes, and the command line on the door."""

    EYE = "eye"
    VAULT = "vault"
    KEEPER = "keeper"
    LOCK = "lock"
    REPORT = "report"
    DESK = "desk"
    DOORCTL = "doorctl"


PROCESSES = (Room.KEEPER, Room.LOCK, Room.VAULT, Room.EYE, Room.REPORT, Room.DESK)  # in starting order
