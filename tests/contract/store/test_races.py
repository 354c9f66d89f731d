"""Several managers at once, as processes and as threads that meet at the worst moment."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from provisioning import store_joining, store_rows
from provisioning.errors import FleetFault, FleetRefused
from provisioning.store import Door, DoorState, Label, LabelState, Slot
from provisioning.store_sql import SqlStore
from provisioning.store_tables import DoorRow, LabelRow
from tests.contract.store.conftest import FRONT, Place
from tests.contract.store.test_doors import anything
from tests.contract.store.test_labels import EXPIRES, HASHES, MADE, labelled

ROOT = Path(__file__).parents[3]
CLAIMS, OFFERS, MANAGERS = 20, 40, 2


@contextmanager
def manager(place: Place) -> Iterator[subprocess.Popen[str]]:
    """A program that has the store open and waits."""
    command = [sys.executable, "-m", "tests.contract.store.manager", str(place.folder), place.url or ""]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        assert process.stdout.readline() == "ready\n"
        yield process
        process.stdin.close()


@pytest.fixture
def managers(place: Place) -> Iterator[list[subprocess.Popen[str]]]:
    with ExitStack() as stack:
        yield [stack.enter_context(manager(place)) for _ in range(MANAGERS)]


def all_say(managers: list[subprocess.Popen[str]], *lines: str) -> None:
    for process in managers:
        assert process.stdin is not None
        process.stdin.write("".join(f"{line}\n" for line in lines))
        process.stdin.flush()


def answers(managers: list[subprocess.Popen[str]], number: int) -> list[list[str]]:
    return [[process.stdout.readline().strip() for _ in range(number)] for process in managers if process.stdout]


def test_two_programs_never_get_the_same_version_or_serial(
    store: SqlStore, managers: list[subprocess.Popen[str]]
) -> None:
    all_say(managers, *[f"offer Front {1 + number % 2}" for number in range(OFFERS)])
    got = [tuple(map(int, line.split())) for lines in answers(managers, OFFERS) for line in lines]
    versions = [version for version, _serial in got]
    assert sorted(versions) == list(range(1, MANAGERS * OFFERS + 1))
    assert sorted(serial for _version, serial in got) == sorted([*range(1, OFFERS + 1)] * 2)
    assert store.door("Front").version == MANAGERS * OFFERS


def test_of_two_programs_with_the_same_label_one_is_refused(
    store: SqlStore, managers: list[subprocess.Popen[str]]
) -> None:
    for number in range(CLAIMS):
        name, door_id = f"door {number}", f"{number + 1:016x}"
        store.add_door(Door(name, door_id))
        store.add_label(name, HASHES[0].hex(), (MADE, EXPIRES), anything)
    all_say(managers, *[f"claim {number + 1:016x} {HASHES[0].hex()}" for number in range(CLAIMS)])
    both = list(zip(*answers(managers, CLAIMS), strict=True))
    for pair in both:
        assert sorted(said == "claimed" for said in pair) == [False, True], pair
        assert any(said.startswith("this label was used already") for said in pair), pair


# ---- the same with threads that meet between reading and writing, with the guard and without it


def unguarded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The seeded fault: SQLite is not locked before it is read, and no row is held."""
    real = sa.Connection.exec_driver_sql

    def careless(self: sa.Connection, statement: str, *rest: Any, **more: Any) -> Any:
        return None if statement == "BEGIN IMMEDIATE" else real(self, statement, *rest, **more)

    monkeypatch.setattr(sa.Connection, "exec_driver_sql", careless)
    monkeypatch.setattr(sa.Select, "with_for_update", lambda self: self)


class Meeting:
    """Where two who have read wait for each other; with the guard only one gets here, and goes on alone."""

    def __init__(self) -> None:
        self.barrier = threading.Barrier(2)

    def __call__(self, *_args: object) -> None:
        with suppress(threading.BrokenBarrierError):
            self.barrier.wait(0.4)


def both_do(act: Callable[[], object]) -> list[object]:
    """What two threads got, or were refused with."""
    got: list[object] = []

    def one() -> None:
        try:
            got.append(act())
        except (FleetRefused, FleetFault) as refused:
            got.append(str(refused))

    threads = [threading.Thread(target=one) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return got


@pytest.mark.parametrize("guarded", [True, False])
def test_a_version_is_taken_by_whoever_holds_the_door(
    place: Place, monkeypatch: pytest.MonkeyPatch, *, guarded: bool
) -> None:
    if not guarded:
        unguarded(monkeypatch)
    meeting = Meeting()
    got = both_do(lambda: place.opened().reserve_offer("Front", Slot(1, 0, 5), anything_after(meeting)).version)
    assert (sorted(map(str, got)) == ["1", "2"]) == guarded, got


def anything_after(meeting: Meeting) -> Callable[[Door], None]:
    return lambda _door: meeting()


@pytest.mark.parametrize("guarded", [True, False])
def test_a_label_is_used_by_whoever_holds_the_door(
    place: Place, store: SqlStore, monkeypatch: pytest.MonkeyPatch, *, guarded: bool
) -> None:
    labelled(store)
    if not guarded:
        unguarded(monkeypatch)
    meeting, real = Meeting(), store_joining._refuse_unusable

    def slow(label: Label, now_unix: int) -> None:
        real(label, now_unix)
        meeting()

    monkeypatch.setattr(store_joining, "_refuse_unusable", slow)
    got = both_do(lambda: place.opened().claim(FRONT, HASHES[0], MADE).state)
    assert (got.count(DoorState.CLAIMED) == 1) == guarded, got
    assert [label.state for label in store.labels("Front")] == [LabelState.USED]


@pytest.mark.parametrize("guarded", [True, False])
def test_a_label_that_is_revoked_at_this_moment_is_used_or_revoked_and_never_both(
    place: Place, store: SqlStore, monkeypatch: pytest.MonkeyPatch, *, guarded: bool
) -> None:
    labelled(store)
    if not guarded:
        unguarded(monkeypatch)
    meeting, real = Meeting(), store_joining._refuse_unusable

    def claiming(label: Label, now_unix: int) -> None:
        real(label, now_unix)
        meeting()

    def revoking(session: Session, _door_id: str) -> LabelRow | None:
        found = session.scalar(sa.select(LabelRow).where(LabelRow.state == LabelState.OPEN.value))
        meeting()
        if found is not None:
            found.state = LabelState.REVOKED.value
        return found

    monkeypatch.setattr(store_joining, "_refuse_unusable", claiming)
    monkeypatch.setattr(store_joining, "revoke_open", revoking)
    turns = iter(["claim", "revoke"])

    def one() -> object:
        opened = place.opened()
        return opened.claim(FRONT, HASHES[0], MADE) if next(turns) == "claim" else opened.revoke_label("Front")

    done = [said for said in both_do(one) if not isinstance(said, str)]
    assert (len(done) == 1) == guarded


@pytest.mark.parametrize("guarded", [True, False])
def test_a_name_is_given_once_to_whoever_came_first(
    place: Place, monkeypatch: pytest.MonkeyPatch, *, guarded: bool
) -> None:
    """Without the guard the database refuses the second all the same, though in its own words."""
    if not guarded:
        unguarded(monkeypatch)
    ids, meeting, real = iter(["11" * 8, "22" * 8]), Meeting(), store_rows.door

    def slow(row: DoorRow) -> Door:
        if row.name == "New":
            meeting()
        return real(row)

    monkeypatch.setattr(store_rows, "door", slow)
    got = both_do(lambda: place.opened().add_door(Door("New", next(ids))))
    assert (sorted(map(str, got)) == ["None", 'there is a door named "New" already']) == guarded, got
    monkeypatch.undo()
    assert [door.name for door in place.opened().doors()] == ["Front", "New"]
