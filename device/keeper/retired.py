"""keeper once its door has ended: nothing is left to check, and every question is answered with no.

Rules kept here:
- It is built where the mark is found (`sealing.retired`), before any record, count or card is read. What is still there
  is destroyed first, and there is no way from here back to a keeper that checks.
- Every question gets the answer that a wrong PIN gets, so that nobody who tries the door learns more than that.
- lock hears that nothing is left once nothing is: when it comes, and whenever it asks.
"""

from __future__ import annotations

from dataclasses import dataclass

from device import wire
from device.edges import Room
from device.errors import NotPermitted
from device.keeper.loop import Switchboard
from device.link import Link
from device.sealing.retired import Destroying
from device.wire import Outcome, Result


@dataclass(slots=True)
class RetiredKeeper:
    """The Work of keeper at a door that has ended."""

    out: Switchboard
    destroying: Destroying
    _alarm_owed: bool = False

    def connected(self, link: Link) -> None:
        """Lock hears it first."""
        if link.peer is Room.LOCK:
            if self._alarm_owed:
                self._alarm_owed = not self.out.send(Room.LOCK, wire.Breach())
            self._tell()
            self.out.send(Room.LOCK, wire.Occupied(many=False, some=False))

    def received(self, link: Link, msg: wire.Message) -> None:
        """One message. Raises NotPermitted for what no keeper is asked."""
        match msg:
            case wire.CheckPin(nonce):
                self.out.send(Room.LOCK, wire.Verdict(nonce, 0, Outcome.REFUSED, wire.NOBODY))
            case (
                wire.ProvePin(nonce)
                | wire.SetPin(nonce)
                | wire.ChangeCards(nonce)
                | wire.ProveResident(nonce)
                | wire.CardShown(nonce)
            ):
                self.out.send(Room.LOCK, wire.Answer(nonce, Outcome.REFUSED))
            case wire.SlotOffer():
                self.out.send(Room.LOCK, wire.OfferKept(msg.slot, msg.serial, Result.REFUSED))
            case wire.HasCredential(slot):
                self.out.send(Room.VAULT, wire.CredentialAnswer(slot, wire.NO_TENANCY, wire.NO_END))
            case wire.Retire():
                self._tell()
            case wire.CardAnswer() | wire.CardGone():
                pass  # of a card that was refused already
            case _:
                text = f"keeper has no use for a {type(msg).__name__} of {link.peer}"
                raise NotPermitted(text)

    def disconnected(self, link: Link) -> None:
        """Nothing is owed to anybody."""

    def breached(self, room: Room) -> None:
        """Somebody broke the table; if lock cannot be told now, it is told when it comes back."""
        self._alarm_owed = not self.out.send(Room.LOCK, wire.Breach())

    def deadline(self) -> float | None:
        """When to try again to destroy what could not be destroyed."""
        return self.destroying.due_s

    def tick(self) -> None:
        """Try again."""
        if self.destroying.tick():
            self._tell()

    def healthy(self) -> bool:
        """There is nothing that could hang."""
        return True

    def stop(self) -> None:
        """Nothing to put away."""

    def _tell(self) -> None:
        if self.destroying.done:
            self.out.send(Room.LOCK, wire.Retired(attested=False))
