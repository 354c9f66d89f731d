"""keeper once its door has ended: nothing is left to check, and every question is answered with no.

Rules kept here:
- It is built where the mark is found (`sealing.retired`), before any record, count or card is read. What is still there
  is destroyed first, and there is no way from here back to a keeper that checks.
- Every question gets the answer that a wrong PIN gets, so that nobody who tries the door learns more than that.
- lock hears that nothing is left once nothing is: when it comes, and whenever it asks.
"""

from __future__ import annotations

from device import wire
from device.edges import Room
from device.errors import NotPermitted
from device.link import Link
from device.sealing.retired_room import RetiredRoom
from device.wire import Outcome, Result


class RetiredKeeper(RetiredRoom):
    """The Work of keeper at a door that has ended."""

    __slots__ = ()

    def _greet(self) -> None:
        self._tell()
        self.rooms.send(Room.LOCK, wire.Occupied(many=False, some=False))

    def received(self, link: Link, msg: wire.Message) -> None:
        """One message. Raises NotPermitted for what no keeper is asked."""
        match msg:
            case wire.CheckPin(nonce):
                self.rooms.send(Room.LOCK, wire.Verdict(nonce, 0, Outcome.REFUSED, wire.NOBODY))
            case (
                wire.ProvePin(nonce)
                | wire.SetPin(nonce)
                | wire.ChangeCards(nonce)
                | wire.ProveResident(nonce)
                | wire.CardShown(nonce)
            ):
                self.rooms.send(Room.LOCK, wire.Answer(nonce, Outcome.REFUSED))
            case wire.SlotOffer():
                self.rooms.send(Room.LOCK, wire.OfferKept(msg.slot, msg.serial, Result.REFUSED))
            case wire.HasCredential(slot):
                self.rooms.send(Room.VAULT, wire.CredentialAnswer(slot, wire.NO_TENANCY, wire.NO_END))
            case wire.Retire():
                self._tell()
            case wire.CardAnswer() | wire.CardGone():
                pass  # of a card that was refused already
            case _:
                text = f"keeper has no use for a {type(msg).__name__} of {link.peer}"
                raise NotPermitted(text)

    def _tell(self) -> None:
        if self.destroying.done:
            self.rooms.send(Room.LOCK, wire.Retired(attested=False))
