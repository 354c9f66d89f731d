"""What lock asks of vault and keeper once the door has ended, until nothing is left of its residents. Pure.

Rules kept here:
- Each is asked as soon as it is there, and again every minute, until it has said that nothing is left.
- The receipt is asked for only when both have said so, and lock itself has nothing left: it speaks for the whole door.
- Nothing of this is kept on disk. Whoever starts anew asks anew, and who has nothing left says so at once.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from device import wire
from device.edges import Room

AGAIN_NS = 60_000_000_000
ASKED = (Room.KEEPER, Room.VAULT)


@dataclass(slots=True)
class Farewell:
    """Who has nothing left (`gone`; lock is one of them), and whether the receipt is signed. CLOCK_MONOTONIC."""

    gone: set[Room] = field(default_factory=set)
    attested: bool = False
    due_ns: int = 0

    def heard(self, room: Room, said: wire.Retired) -> None:
        """`room` has nothing left."""
        self.gone.add(room)
        self.attested |= said.attested and room is Room.VAULT
        self.due_ns = 0

    def came(self) -> None:
        """Somebody is there who was not: ask at once."""
        self.due_ns = 0

    def due(self, now_ns: int) -> bool:
        """Whether there is something to do now."""
        due_ns = self.deadline_ns()
        return due_ns is not None and now_ns >= due_ns

    def deadline_ns(self) -> int | None:
        """When to ask; None when there is nothing left to ask for."""
        return None if self.attested and self.gone == {Room.LOCK, *ASKED} else self.due_ns

    def questions(self, now_ns: int) -> tuple[tuple[Room, wire.Retire], ...]:
        """Whom to ask now, and what."""
        if not self.due(now_ns):
            return ()
        self.due_ns = now_ns + AGAIN_NS
        waiting = tuple((room, wire.Retire(all_gone=False)) for room in ASKED if room not in self.gone)
        if waiting or Room.LOCK not in self.gone:
            return waiting
        return ((Room.VAULT, wire.Retire(all_gone=True)),)
