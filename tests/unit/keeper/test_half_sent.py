"""A grant of which only one half arrives, and a stop in the middle: nobody is told of what is not there."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from device import wire
from device.edges import Room
from device.keeper.loop import Keeper
from device.wire import Outcome, Purpose
from tests.unit.keeper.bench import DAY, PIN, Door, HandWorker, House

NOTICE = (Purpose.ENROL, Purpose.RENEW, Purpose.PAGE)  # which only desk can show
WRONG = "905217"


@dataclass
class Breaking(House):
    """Rooms that are there, of which some vanish in the moment in which they are sent something."""

    deaf: set[Room] = field(default_factory=set)

    def send(self, peer: Room, msg: wire.Message) -> bool:
        return peer not in self.deaf and super().send(peer, msg)


def with_deaf(home: Door, *rooms: Room) -> Door:
    """The same door with all rooms there, of which `rooms` hear nothing."""
    home.house = Breaking(deaf=set(rooms))
    home.keeper = Keeper(home.house, home.guard, home.worker)
    for room in (Room.LOCK, Room.VAULT, Room.DESK):
        home.come(room)
    return home


@pytest.mark.parametrize("purpose", Purpose)
def test_a_grant_that_vault_did_not_get_is_refused_and_desk_gets_no_ticket_for_it(home: Door, purpose: Purpose) -> None:
    assert with_deaf(home, Room.VAULT).proof(PIN, purpose) is Outcome.REFUSED
    assert home.house.to(Room.DESK) == []


@pytest.mark.parametrize("purpose", Purpose)
def test_a_ticket_that_desk_did_not_get_matters_where_a_notice_has_to_be_shown(home: Door, purpose: Purpose) -> None:
    wanted = Outcome.REFUSED if purpose in NOTICE else Outcome.ACCEPTED
    assert with_deaf(home, Room.DESK).proof(PIN, purpose) is wanted


@pytest.mark.parametrize("purpose", Purpose)
def test_where_both_hear_it_every_grant_and_its_ticket_have_one_nonce(home: Door, purpose: Purpose) -> None:
    assert with_deaf(home).proof(PIN, purpose) is Outcome.ACCEPTED
    (grant,), (ticket,) = home.house.to(Room.VAULT), home.house.to(Room.DESK)
    assert isinstance(grant, wire.Grant)
    assert isinstance(ticket, wire.GrantTicket)
    assert grant.nonce == ticket.nonce


# ---- stopped


def right_but_not_settled(home: Door) -> None:
    """A wrong try, then the PIN, whose second write has not been made yet."""
    assert not home.type_in(WRONG)
    home.say(wire.CheckPin(home.nonce(), 12, PIN, DAY))
    home.worker.one()
    assert home.guard.throttle.counts().slots == {}


def test_a_stop_before_the_second_write_makes_it(home: Door) -> None:
    right_but_not_settled(home)
    home.keeper.stop()
    home.boot()
    assert home.guard.throttle.counts().slots == {}


class Stuck(HandWorker):
    """A worker that does not end in time: it may still be writing."""

    def stop(self) -> bool:
        return False


def test_a_stop_beside_a_worker_that_is_still_writing_touches_no_file_of_its(tmp_path: Path) -> None:
    home = Door(tmp_path / "keeper")
    home.worker = Stuck()
    home.keeper = Keeper(home.house, home.guard, home.worker)
    for room in (Room.LOCK, Room.VAULT, Room.DESK):
        home.come(room)
    home.move_in()
    right_but_not_settled(home)
    before = (home.state / "attempts").read_bytes()
    assert home.worker.todo
    work, _ = home.worker.todo
    home.keeper.stop()
    assert (home.state / "attempts").read_bytes() == before
    work()
    assert (home.state / "attempts").read_bytes() != before, "its own write is not cut short"
    home.guard.file.close()
