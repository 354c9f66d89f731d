"""keeper when its door ends: it marks and goes; the next one has nothing, and says no to everybody."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from device import wire
from device.edges import EDGES, Room
from device.errors import NotPermitted, StoreFault
from device.keeper.loop import Keeper
from device.keeper.pin import derive
from device.keeper.retired import RetiredKeeper
from device.link import Link
from device.sealing.keys import FileKeyStore
from device.sealing.retired import DONE, MARK, Destroying, End
from device.wire import Outcome, Proof, Purpose, Result, Secret
from tests.unit.keeper.bench import PIN, ROOT_KEY, Door

NONCE = bytes(range(16))


@dataclass
class House:
    """Whoever listens to keeper."""

    sent: list[tuple[Room, wire.Message]] = field(default_factory=list)

    def send(self, peer: Room, msg: wire.Message) -> bool:
        edge = next(edge for edge in EDGES if edge.listener is Room.KEEPER and edge.connector is peer)
        assert type(msg) in edge.to_connector
        self.sent.append((peer, msg))
        return True

    def link(self, _peer: Room) -> Link | None:
        return None

    def heard(self) -> list[wire.Message]:
        found = [msg for _, msg in self.sent]
        self.sent.clear()
        return found


@pytest.fixture
def lock() -> Iterator[Link]:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    edge = next(edge for edge in EDGES if edge.listener is Room.KEEPER and edge.connector is Room.LOCK)
    with ours, theirs:
        yield Link(Room.LOCK, edge, ours, Room.KEEPER)


def retiring(door: Door, retire: Callable[[], None]) -> Keeper:
    return Keeper(door.house, door.guard, door.worker, retire=retire)


def ended(home: Door) -> tuple[RetiredKeeper, House]:
    """The keeper that starts after the door of `home` has ended."""
    end, house = End(home.state, ("records",)), House()
    end.begin()
    keys = FileKeyStore(home.state / "epoch.key", derive(ROOT_KEY, b"doorward ring"))
    return RetiredKeeper(house, Destroying(end, keys, "keeper")), house


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.rglob("*") if path.is_file()}


def test_a_keeper_that_is_told_gives_up_its_folder_once(home: Door, lock: Link) -> None:
    given_up: list[int] = []
    before = files(home.state)
    retiring(home, lambda: given_up.append(1)).received(lock, wire.Retire(all_gone=False))
    assert given_up == [1]
    assert files(home.state) == before, "what is there the next process destroys"


def test_a_disk_that_takes_no_mark_leaves_a_keeper(home: Door, lock: Link) -> None:
    def full() -> None:
        msg = "the file retired cannot be written: No space left on device"
        raise StoreFault(msg)

    keeper = retiring(home, full)
    keeper.received(lock, wire.Retire(all_gone=False))
    assert keeper.healthy()
    assert home.guard.book.slots() == (12,)


def test_nothing_is_left_and_every_question_gets_the_answer_of_a_wrong_pin(home: Door, lock: Link) -> None:
    keeper, house = ended(home)
    assert files(home.state) == {MARK, DONE}
    keeper.connected(lock)
    assert house.heard() == [wire.Retired(attested=False), wire.Occupied(many=False, some=False)]
    keeper.received(lock, wire.CheckPin(NONCE, 12, PIN, wire.NO_DAY))
    (verdict,) = house.heard()
    assert isinstance(verdict, wire.Verdict)
    assert (verdict.nonce, verdict.outcome, verdict.slot) == (NONCE, Outcome.REFUSED, wire.NOBODY)
    for question in (
        wire.ProvePin(NONCE, Purpose.ERASE, 12, PIN),
        wire.ProveResident(NONCE, 12, PIN),
        wire.SetPin(NONCE, Proof.INVITATION, Secret.PIN, 12, "939512911369", PIN),
        wire.ChangeCards(NONCE, wire.CardChange.ADD, 12, PIN),
        wire.CardShown(NONCE),
    ):
        keeper.received(lock, question)
        assert house.heard() == [wire.Answer(NONCE, Outcome.REFUSED)]
    offer = wire.SlotOffer(12, 9, 2_000_000_000, wire.NO_END, wire.NO_TIMETABLE, bytes(16), bytes(range(32)))
    keeper.received(lock, offer)
    assert house.heard() == [wire.OfferKept(12, 9, Result.REFUSED)]
    keeper.received(lock, wire.HasCredential(12))
    assert house.heard() == [wire.CredentialAnswer(12, wire.NO_TENANCY, wire.NO_END)]
    keeper.received(lock, wire.Retire(all_gone=False))
    assert house.heard() == [wire.Retired(attested=False)]
    with pytest.raises(NotPermitted):
        keeper.received(lock, wire.Breach())
    assert files(home.state) == {MARK, DONE}


def test_lock_hears_nothing_of_an_end_that_is_not_over(home: Door, lock: Link) -> None:
    keeper, house = ended(home)
    keeper.destroying.done = False
    keeper.connected(lock)
    keeper.received(lock, wire.Retire(all_gone=False))
    assert wire.Retired(attested=False) not in house.heard()
