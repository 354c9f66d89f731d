"""The power goes before every write of a one-time code's mark: it opened at most once, and what was marked stays so."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest

from device import codes, wire
from device.edges import Room
from device.keeper.attempt import Attempt, Clock, Guard
from device.keeper.book import Book
from device.keeper.changes import Proven
from device.keeper.line import Result
from device.keeper.match import Shown
from device.keeper.pin import Verifiers, stretcher
from device.keeper.record import Credential, Kind
from device.keeper.throttle import Counts, Throttle
from device.sealing.keys import FileKeyStore
from device.sealing.store import Binding, SealedStore
from device.wire import Outcome, Secret
from tests.unit.keeper.bench import CHEAP, DAY, DOOR, GUESTS, PIN, ROOT_KEY, Door
from tests.unit.keeper.test_power_cuts import LOSSES, Uncounted
from tests.unit.sealing.simulated_disk import Loss, PowerCut, SimulatedDisk

FOLDER = Path("/state")
NUMBER = 41


def door_on(disk: SimulatedDisk) -> Door:
    """A keeper that starts now, from what is on `disk`."""

    def found(clock: Clock) -> Guard:
        keys = FileKeyStore(FOLDER / "epoch.key", ROOT_KEY, disk)
        book = Book(SealedStore.open(FOLDER, keys, Binding(DOOR, "pin"), disk))
        throttle = Throttle(Counts(0, {}), clock.now_s())
        counts = Uncounted(Path("/nowhere"), bytes(32))
        return Guard(book, throttle, counts, Verifiers.of_door(ROOT_KEY), stretcher(CHEAP), clock)

    return Door(Path("/nowhere"), made=found)


def host() -> SimulatedDisk:
    """A door whose resident has a secret for guests, and no code was used yet."""
    disk = SimulatedDisk()
    door = door_on(disk)
    door.move_in()
    assert door.set_secret(Secret.GUESTS, PIN, GUESTS) is Outcome.ACCEPTED
    return disk.after_power_cut(Loss.ALL, 0)


def typed_until_the_cut(disk: SimulatedDisk, digits: str) -> bool:
    """Whether the door said yes before the power went."""
    door = door_on(disk)
    door.say(wire.CheckPin(door.nonce(), 12, digits, DAY))
    with contextlib.suppress(PowerCut):
        door.worker.run()
    return any(isinstance(msg, wire.Verdict) and msg.outcome is Outcome.ACCEPTED for msg in door.house.to(Room.LOCK))


def steps_of_one_code(digits: str) -> int:
    """How many steps on the disk the start and one code take."""
    disk = host()
    assert typed_until_the_cut(disk, digits)
    return disk.steps


def openings() -> dict[int, int]:
    """How often one code opened in all, by how many lives: cut at every step, with every loss, then typed again."""
    digits = codes.write(door_on(SimulatedDisk()).guests_key(), codes.Once(NUMBER))
    found: dict[int, int] = {}
    for at in range(steps_of_one_code(digits) + 1):
        for loss, seed in LOSSES:
            disk = host()
            disk.cut_at = at
            opened = 0
            with contextlib.suppress(PowerCut):
                opened = typed_until_the_cut(disk, digits)
            disk.cut_at = None
            after = disk.after_power_cut(loss, seed * 1000 + at)
            opened += typed_until_the_cut(after, digits)
            opened += typed_until_the_cut(after, digits)
            found[opened] = found.get(opened, 0) + 1
            assert door_on(after).type_in(PIN), "the resident's own PIN is never lost"
    return found


@pytest.mark.slow
def test_at_every_cut_a_code_opens_once_or_is_burnt() -> None:
    found = openings()
    assert set(found) <= {0, 1}
    assert found[0] > 0, "a cut between mark and answer burns the code"
    assert found[1] > 0


@pytest.mark.slow
def test_a_code_marked_after_the_answer_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    finish = Attempt.finish

    def marks_last(self: Attempt, result: Result) -> None:
        marks: list[Credential] = []

        def later(_self: Attempt, held: Credential) -> bool:
            marks.append(held)
            return True

        with monkeypatch.context() as patch:
            patch.setattr(Attempt, "_marked", later)
            finish(self, result)
        for held in marks:
            self.guard.book.keep(self.shown.claim, held)

    monkeypatch.setattr(Attempt, "finish", marks_last)
    assert max(openings()) > 1


def test_a_mark_that_is_not_durable_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    def in_memory(self: Attempt, held: Credential) -> bool:
        self.guard.book._held[self.shown.claim] = held
        return True

    monkeypatch.setattr(Attempt, "_marked", in_memory)
    assert max(openings()) > 1


def test_what_is_proven_names_the_marked_record() -> None:
    door = door_on(host())
    heard: list[Proven | None] = []
    digits = codes.write(door.guests_key(), codes.Once(NUMBER))
    shown = Attempt(door.guard, Shown(12, Kind.PIN, digits, day=DAY), heard.append)
    shown.finish(shown.begin()())
    (proven,) = heard
    assert proven
    assert proven.held.used(NUMBER)
    assert door.guard.book.held(12) == proven.held
