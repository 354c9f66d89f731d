"""A power cut between a signed document on the disk and its version: nothing older is taken afterwards."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from functools import cache, partial
from pathlib import Path

import pytest

from device import document
from device.document import Telling
from device.edges import Room
from device.errors import StoreFault
from device.lock import durable
from device.lock.hours import Hours
from device.lock.policy import Policy, VersionFile
from device.lock.reporting import Reporting
from device.policy.methods import EVERYTHING, PIN_AND_CARD, Method
from device.policy.schedule import DoorPolicy, Interval, Schedule
from device.wire import Profile, Result
from tests.unit.lock.house import DOCUMENT_KEY, DOOR, MANAGER, sealed

KEY = bytes(MANAGER.verify_key)
ALWAYS = ((Interval(0, 1440),),) * 7
CHOICES = (Telling(), Telling(Profile.HOME), Telling(epsilon_milli=500))
POLICIES = (
    DoorPolicy("UTC", (Schedule(EVERYTHING & ~Method.FACE_WITH_PIN, ALWAYS),)),
    DoorPolicy("UTC", (Schedule(EVERYTHING & ~Method.FACE, ALWAYS),)),
    DoorPolicy("UTC", (Schedule(PIN_AND_CARD, ALWAYS),)),
)
BODIES: dict[str, tuple[document.Body, ...]] = {"choice": CHOICES, "policy": POLICIES}


class PowerCut(BaseException):
    """Nothing of the process goes on."""


@cache  # a policy is proven before it is signed, which takes its time
def travels(body: document.Body, version: int) -> bytes:
    content = document.sign(body, door_id=DOOR, version=version, issued_unix=1_900_000_000, key=MANAGER)
    return document.seal(content, door_id=DOOR, document_key=DOCUMENT_KEY.public)


def started(folder: Path) -> Policy:
    return Policy(DOOR, KEY, DOCUMENT_KEY, VersionFile(folder / "policy-version"))


def in_force(policy: Policy) -> tuple[object, object]:
    return policy.reporting.telling, policy.hours._policy


def cut_at(number: int, monkeypatch: pytest.MonkeyPatch, act: Callable[[], object]) -> bool:
    """Let the power go at file operation `number` of `act`; whether there were as many."""
    left = number

    def counted(real: Callable[..., object]) -> Callable[..., object]:
        def operation(*args: object, **named: object) -> object:
            nonlocal left
            left -= 1
            if left < 0:
                raise PowerCut
            return real(*args, **named)

        return operation

    with monkeypatch.context() as wired, suppress(PowerCut):
        wired.setattr(os, "fsync", counted(os.fsync))
        wired.setattr(Path, "replace", counted(Path.replace))
        wired.setattr(Path, "open", counted(Path.open))
        act()
        return False
    return True


@pytest.mark.parametrize("kind", sorted(BODIES))
def test_after_a_power_cut_at_any_moment_what_is_in_force_is_never_followed_by_something_older(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """3 is applied; 5 comes, and the power goes; then 4, which nobody had brought before."""
    first, older, newer = BODIES[kind]
    cuts, went_through = 0, False
    while not went_through:
        folder = tmp_path / str(cuts)
        door = started(folder)
        assert door.received(travels(first, 3), Room.DESK) == (Result.DONE, ())
        before = in_force(door)
        went_through = not cut_at(cuts, monkeypatch, partial(door.received, travels(newer, 5), Room.DESK))
        again = started(folder)
        came = in_force(again) != before
        assert again.version == (5 if came else 3)
        assert again.received(travels(older, 4), Room.DESK) == (Result.STALE if came else Result.DONE, ())
        assert again.received(travels(newer, 5), Room.DESK)[0] is (Result.STALE if came else Result.DONE)
        assert newer in in_force(again)
        cuts += 1
    assert cuts > 6, "two files, each written, synced and renamed"


def version_file_full(folder: Path, kind: str) -> Policy:
    """A door that has 5 in force and could not store its version."""
    door = started(folder)
    first, _, newer = BODIES[kind]
    assert door.received(travels(first, 3), Room.DESK) == (Result.DONE, ())
    (folder / "policy-version.new").mkdir()
    assert door.received(travels(newer, 5), Room.DESK) == (Result.FAULT, ())
    return door


@pytest.mark.parametrize("kind", sorted(BODIES))
@pytest.mark.parametrize("restarted", [False, True])
def test_a_version_that_cannot_be_stored_lets_nothing_older_in(kind: str, tmp_path: Path, *, restarted: bool) -> None:
    door = version_file_full(tmp_path, kind)
    if restarted:
        door = started(tmp_path)
    held = in_force(door)
    for older in (travels(BODIES[kind][1], 4), sealed(4)):
        assert door.received(older, Room.DESK) == (Result.STALE, ())
    assert in_force(door) == held
    (tmp_path / "policy-version.new").rmdir()
    assert door.received(travels(BODIES[kind][2], 5), Room.DESK) == (Result.DONE, ()), "it may be sent again"
    assert VersionFile(tmp_path / "policy-version").load() == 5


def test_seeded_fault_a_door_that_asks_the_version_file_alone_is_caught(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Policy, "_begun", property(lambda door: door.managers.chain.version))
    for kind in BODIES:
        with pytest.raises(AssertionError):
            test_a_version_that_cannot_be_stored_lets_nothing_older_in(kind, tmp_path / kind, restarted=False)
        with pytest.raises(AssertionError):
            test_after_a_power_cut_at_any_moment_what_is_in_force_is_never_followed_by_something_older(
                kind, tmp_path / f"cut-{kind}", monkeypatch
            )


def test_a_file_that_cannot_be_believed_has_no_version(tmp_path: Path) -> None:
    """Or whoever could damage a file could bar every document to come."""
    door = started(tmp_path)
    for body, version in ((CHOICES[1], 3), (POLICIES[1], 4)):
        assert door.received(travels(body, version), Room.DESK) == (Result.DONE, ())
    for name in ("reporting", "policy"):
        (tmp_path / name).write_bytes((tmp_path / name).read_bytes()[:-1])
    again = started(tmp_path)
    assert (again.reporting.version, again.hours.version, again.version) == (0, 0, 4)
    assert isinstance(again.reporting, Reporting)
    assert isinstance(again.hours, Hours)


def test_a_choice_that_the_disk_did_not_take_has_no_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    door = started(tmp_path)

    def full(_path: Path, _content: bytes, _what: str) -> None:
        msg = "the disk is full"
        raise StoreFault(msg)

    with monkeypatch.context() as disk:
        disk.setattr(durable, "store", full)
        assert door.received(travels(CHOICES[1], 5), Room.DESK) == (Result.FAULT, ())
    assert door.reporting.version == 0
    assert door.received(travels(CHOICES[2], 4), Room.DESK) == (Result.DONE, ())
