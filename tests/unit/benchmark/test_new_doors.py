"""What the benchmarks put before a door: records made in one go, a house full of people, a card by itself."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from device.config import load
from device.edges import Room
from device.keeper.attempt import Clock, Guard
from device.keeper.attempts import AttemptFile
from device.keeper.cards.counters import Counters
from device.keeper.cards.registered import unpack
from device.keeper.pin import Cost, derive, stretcher
from device.keeper.start import guard_at
from device.paths import Paths
from device.sealing.binding import Binding
from device.sealing.keys import FileKeyStore
from device.sealing.store import SealedStore
from tests.support.room_process import short_root
from tools.benchmark import tenants
from tools.benchmark.bare_card import BareDoor
from tools.benchmark.drawer import write_records
from tools.benchmark.figures import NotMeasured
from tools.simulator import layout
from tools.simulator.layout import Wishes

CHEAP = Cost(passes=1, memory_bytes=8192)
SLOT, PIN = 12, "482913"
BINDING = Binding(bytes(8), "pin")


# ---- records in one go


def test_records_made_in_one_go_are_what_the_store_reads(tmp_path: Path) -> None:
    keys, payloads = FileKeyStore(tmp_path / "epoch.key", bytes(32)), {7: b"seven", 3: b"three", 12: b"twelve"}
    write_records(tmp_path / "records", keys, BINDING, payloads, os.urandom(32))
    store = SealedStore.open(tmp_path / "records", keys, BINDING)
    assert store.records() == payloads
    assert store.refused == ()


def test_a_record_made_for_another_door_is_refused(tmp_path: Path) -> None:
    keys = FileKeyStore(tmp_path / "epoch.key", bytes(32))
    ((_, stored),) = write_records(tmp_path / "one", keys, Binding(b"elsewhere"[:8], "pin"), {3: b"x"}, bytes(32))
    ((entry, _),) = write_records(tmp_path / "records", keys, BINDING, {3: b"x"}, bytes(32))
    (tmp_path / "records" / entry.file_name).write_bytes(stored)
    assert len(SealedStore.open(tmp_path / "records", keys, BINDING).refused) == 1


# ---- a house full of people


class Full:
    """The folder of a door that was never on, and what keeper makes of it."""

    def __init__(self, root: Path, slots: int) -> None:
        self.paths = Paths(root)
        self.door = bytes.fromhex(layout.make(self.paths, Wishes()).door.id)
        tenants.move_in(self.paths, self.door, slots, SLOT, PIN)
        self.root_key = (layout.credentials(self.paths, Room.KEEPER) / "keeper.key").read_bytes()

    def guard(self) -> Guard:
        clock = Clock(time.monotonic_ns, time.time)
        return guard_at(self.paths.state(Room.KEEPER), self.door, self.root_key, clock, CHEAP)


@pytest.fixture
def fill(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int], Full]]:
    monkeypatch.setattr(tenants, "stretcher", lambda: stretcher(CHEAP))
    with short_root() as root:
        yield lambda slots: Full(root / "door", slots)


@pytest.mark.parametrize("slots", [4, 40])
def test_so_many_slots_are_taken_and_the_resident_is_one_of_them(fill: Callable[[int], Full], slots: int) -> None:
    full = fill(slots)
    guard = full.guard()
    assert (len(guard.book.slots()), guard.book.residents, guard.book.unreadable) == (slots, slots, 0)
    held = guard.book.held(SLOT)
    assert held is not None
    assert guard.verifiers.matches(SLOT, guard.stretch(PIN, held.salt), held.verifier)
    assert not guard.verifiers.matches(SLOT, guard.stretch("905217", held.salt), held.verifier)
    guard.file.close()
    assert load(full.paths.config).door.id == full.door.hex()


def test_all_others_have_two_cards_and_keeper_counts_each(fill: Callable[[int], Full]) -> None:
    full = fill(10)
    guard = full.guard()
    cards = [card for held in guard.book.everything().values() for card in unpack(held.cards)]
    assert len(cards) == len({card.uid for card in cards}) == 18
    counters = Counters(full.paths.state(Room.KEEPER) / "cards", derive(full.root_key, b"doorward counts"))
    counters.load()
    assert not counters.damaged
    assert all(counters.get(card.serial) for card in cards)
    counters.close()
    guard.file.close()


def test_nobody_has_mistyped_yet_which_takes_a_file(fill: Callable[[int], Full]) -> None:
    def admitted(guard: Guard) -> bool:
        guard.file.close()
        return guard.throttle.charge(SLOT, guard.clock.now_s(), known=True, residents=4).admitted

    full = fill(4)
    assert admitted(full.guard())
    (full.paths.state(Room.KEEPER) / "attempts").unlink()
    assert not admitted(full.guard()), "without it keeper takes all tries for spent"
    assert isinstance(full.guard().file, AttemptFile)


# ---- a card by itself


def test_a_bare_card_opens_again_and_again_and_every_part_takes_time(tmp_path: Path) -> None:
    door = BareDoor(tmp_path / "bare.card", tmp_path / "counters")
    for _ in range(3):
        crypto_ns, write_ns, card_ns = door.open()
        assert min(crypto_ns, write_ns, card_ns) > 0


def test_a_bare_card_that_does_not_open_is_not_measured(tmp_path: Path) -> None:
    """An older card is put back: the door's cryptography ran, and what it took is no opening's time."""
    door = BareDoor(tmp_path / "bare.card", tmp_path / "counters")
    shutil.copy(tmp_path / "bare.card", tmp_path / "older.card")
    door.open()
    door.open()
    shutil.copy(tmp_path / "older.card", tmp_path / "bare.card")
    with pytest.raises(NotMeasured):
        door.open()
