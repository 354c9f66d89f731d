"""Somebody took desk over from the network: what they see and can do while residents use the page, and what not.

desk is stopped, and the test speaks in its place, to keeper and to vault, whatever it likes: more than any fault in the
web server could. (In the simulator all rooms run under one user; on a door only desk's user gets this far.)
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, fields

import pytest

from device import wire
from device.edges import EDGES, Edge, Room
from device.wire import HeldFace, Hint, Message, Outcome, Purpose, Result
from tests.integration.door.conftest import PIN, SLOT
from tests.integration.door.test_enemies import impostor
from tests.support.door import (
    EACH_A_SAMPLE,
    NOTED,
    OPENED,
    PATIENCE_S,
    REFUSED,
    Home,
    door_up,
    folder_of,
    resident_pictures,
    stranger_pictures,
)
from tests.support.room_process import Peer

NEIGHBOUR, THEIR_PIN = 7, "60581739"
CODE = 246813


def edge(listener: Room) -> Edge:
    return next(each for each in EDGES if (each.listener, each.connector) == (listener, Room.DESK))


@dataclass
class TakenOver:
    """Whoever sits in desk's place, and every message they were ever sent."""

    home: Home
    keeper: Peer
    vault: Peer
    heard: list[Message] = field(default_factory=list)

    def hears(self, peer: Peer, *kinds: type[Message]) -> Message:
        """The next message of one of those kinds; all that come before are kept as well."""
        while (msg := peer.receive(PATIENCE_S)) is not None:
            self.heard.append(msg)
            if isinstance(msg, kinds):
                return msg
        pytest.fail(f"{kinds} did not come: {self.home.told()}")

    def ticket(self, slot: int, pin: str) -> wire.GrantTicket:
        """Somebody opens their page at the keypad, as ever; what desk gets of it."""
        self.home.types("012#")
        self.home.types(f"{slot}#{pin}#{CODE}#")
        ticket = self.hears(self.keeper, wire.GrantTicket)
        assert isinstance(ticket, wire.GrantTicket)
        return ticket

    def asks(self, msg: Message, *answers: type[Message]) -> Message:
        self.vault.send(msg)
        return self.hears(self.vault, *answers)


@pytest.fixture
def taken() -> Iterator[TakenOver]:
    """SLOT has a face, NEIGHBOUR none; both are at home."""
    with door_up(page="port = 8443", window_s=4) as home:
        home.move_in(SLOT, PIN)
        home.move_in(NEIGHBOUR, THEIR_PIN)
        assert home.enrol(SLOT, PIN, *resident_pictures()).facts["result"] == "done"
        home.well()
        home.door.stop(Room.DESK)
        home.until(lambda now: now["processes"][Room.DESK] == "down", "desk stopped")
        keeper, vault = (impostor(home, edge(room)) for room in (Room.KEEPER, Room.VAULT))
        try:
            yield TakenOver(home, keeper, vault)
        finally:
            keeper.close()
            vault.close()


def test_it_can_do_nothing_for_anybody_who_does_not_sit_there(taken: TakenOver) -> None:
    made_up = secrets.token_bytes(16)
    assert taken.asks(wire.AskHeld(made_up), wire.Held, wire.SittingOver) == wire.SittingOver(made_up)
    for order in (
        wire.Erase(made_up),
        wire.Pause(made_up),
        wire.Resume(made_up),
        wire.Enrol(made_up, bytes(32), False),
    ):
        assert taken.asks(order, wire.Done) == wire.Done(made_up, Result.NO_GRANT)
    assert len(taken.home.records(Room.VAULT)) == 1


def test_of_whoever_sits_there_it_sees_what_the_page_shows_and_neither_slot_nor_secret(taken: TakenOver) -> None:
    ticket = taken.ticket(SLOT, PIN)
    assert (ticket.purpose, ticket.page_code) == (Purpose.PAGE, CODE)
    held = taken.asks(wire.AskHeld(ticket.nonce), wire.Held)
    assert isinstance(held, wire.Held)
    assert held.face is HeldFace.AWAKE
    neighbour = taken.ticket(NEIGHBOUR, THEIR_PIN)
    told = taken.asks(wire.AskHeld(neighbour.nonce), wire.Held)
    assert isinstance(told, wire.Held)
    assert told.face is HeldFace.NONE
    everything = b"".join(wire.pack(msg) for msg in taken.heard)
    assert {type(msg) for msg in taken.heard} <= {wire.GrantTicket, wire.Held}
    assert not [each.name for msg in taken.heard for each in fields(msg) if each.name in ("slot", "digits", "pin")]
    assert PIN.encode() not in everything
    assert THEIR_PIN.encode() not in everything
    assert len(everything) < 512, "a template has as many bytes by itself"
    assert CODE.to_bytes(4, "little") in everything, "what it was sent would be found"


def test_it_may_let_a_face_rest_for_whoever_sits_there_and_keeps_none_without_the_pin(taken: TakenOver) -> None:
    home, ticket = taken.home, taken.ticket(SLOT, PIN)
    assert taken.asks(wire.Pause(ticket.nonce), wire.Done) == wire.Done(ticket.nonce, Result.DONE)
    neighbour = taken.ticket(NEIGHBOUR, THEIR_PIN)
    agreed = bytes.fromhex(home.doorctl("consent", "show").facts["consent_hash"])
    home.door.show(folder_of(home.root / "somebody", stranger_pictures()), fps=EACH_A_SAMPLE)
    taken.vault.send(wire.Enrol(neighbour.nonce, agreed, under_14=False))  # as if they had agreed
    hints: list[Message] = []

    def asked() -> bool:
        with suppress(TimeoutError):
            while (msg := taken.vault.receive(0.2)) is not None:
                hints.append(msg)
        return any(isinstance(msg, wire.Done) or msg == wire.EnrolHint(Hint.CONFIRM_WITH_PIN) for msg in hints)

    home.press_until(asked, "an end of the enrolment, or the question for the PIN")
    assert wire.EnrolHint(Hint.CONFIRM_WITH_PIN) in hints, hints
    assert len(home.records(Room.VAULT)) == 1, "nothing is kept before the PIN was shown again at the door"


def test_it_opens_nothing_and_who_tries_is_an_alarm(taken: TakenOver) -> None:
    home, ticket = taken.home, taken.ticket(SLOT, PIN)
    before = home.door.state()["releases"]
    taken.vault.send(wire.Verdict(ticket.nonce, 0, Outcome.ACCEPTED, SLOT))
    assert taken.vault.receive(PATIENCE_S) is None, "the line is cut"
    taken.keeper.send(wire.Verdict(ticket.nonce, 0, Outcome.ACCEPTED, SLOT))
    assert taken.keeper.receive(PATIENCE_S) is None
    assert not any(each.listener is Room.LOCK for each in EDGES), "and lock has no line that anybody could call"
    assert home.door.state()["releases"] == before
    assert home.types(f"{SLOT}#{PIN}#") == OPENED, "the door works without desk"
    home.goes_in()
    assert home.types(f"{SLOT}#905217#") == REFUSED
    home.door.start(Room.DESK)
    assert "breach" in home.well()["alarms"]
    assert home.types("012#") == NOTED
