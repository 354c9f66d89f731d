"""What desk carries while somebody tries out faces: one command line, one word of vault for each try.

Rules kept here:
- One command line at a time. Another one hears that the door is serving somebody else.
- When that command line leaves, vault is told to end at once; when vault leaves or does not answer, the person is told.
- What vault still says about tries that nobody waits for any more is told to nobody. What it says without ever having
  been asked breaks the table of messages.
"""

from __future__ import annotations

from dataclasses import dataclass

from device import wire
from device.desk import timeouts
from device.desk.errands import BUSY, Rooms
from device.edges import Room
from device.errors import NotPermitted
from device.link import Link
from device.wire import Result


@dataclass(slots=True)
class Trying:
    """Who tries out faces, and what vault was asked and has not answered. Times are CLOCK_MONOTONIC seconds."""

    rooms: Rooms
    _asker: Link | None = None
    _on: bool = False  # vault has said that they are tried out
    _ends_s: float | None = None  # until when vault has to answer the asker
    _owed: int = 0  # answers of vault that are still to come

    @property
    def under_way(self) -> bool:
        """Whether nobody else may begin."""
        return self._asker is not None or self._owed > 0

    def asked(self, link: Link, now_s: float, *, on: bool, free: bool) -> None:
        """`link` wants to begin or to end; `free`: nobody enrols."""
        if self._asker is not link and (self.under_way or (on and not free)):
            link.send(wire.Ended(BUSY))
        elif self._asker is not link and not on:
            link.send(wire.TryStands(on=False, asked=True))  # there is nothing to end
        elif self._ask(on=on):
            self._asker, self._ends_s = link, now_s + timeouts.RECORD_S
        else:
            self._asker, self._on, self._ends_s = None, False, None
            link.send(wire.Ended(Result.FAULT))

    def told(self, msg: wire.TryStands | wire.Tried) -> None:
        """Vault's word. Raises NotPermitted for what nobody had asked for."""
        if isinstance(msg, wire.Tried):
            self._tried(msg)
            return
        if msg.on if not msg.asked else not self._owed:
            raise NotPermitted("vault told how the tries stand, which nobody had asked for")
        self._owed -= msg.asked
        if self._owed or not self._asker:
            return  # another answer is still to come and counts, or nobody waits for this one
        asker, self._on, self._ends_s = self._asker, msg.on, None
        if not msg.on:
            self._asker = None
        asker.send(msg)

    def _tried(self, msg: wire.Tried) -> None:
        if self._asker and self._on:
            self._asker.send(msg)
        elif not self._owed:
            raise NotPermitted("vault told of a try, and nobody tries out faces")

    def asker_left(self, link: Link) -> None:
        """Nobody waits at `link` any more: if it tried out faces, that ends."""
        if self._asker is link:
            self._give_up()

    def vault_left(self) -> None:
        """Vault owes nothing any more, and has forgotten all about it."""
        asker, self._asker, self._on, self._ends_s, self._owed = self._asker, None, False, None, 0
        if asker:
            asker.send(wire.Ended(Result.FAULT))

    def deadline(self) -> float | None:
        """When vault has to have answered."""
        return self._ends_s

    def tick(self, now_s: float) -> None:
        """Tell whoever has waited too long."""
        if self._asker and self._ends_s is not None and now_s >= self._ends_s:
            self._asker.send(wire.Ended(Result.FAULT))
            self._give_up()

    def _give_up(self) -> None:
        self._asker, self._on, self._ends_s = None, False, None
        self._ask(on=False)

    def _ask(self, *, on: bool) -> bool:
        sent = self.rooms.send(Room.VAULT, wire.TryFaces(on))
        self._owed += sent
        return sent
