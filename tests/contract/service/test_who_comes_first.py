"""lock and keeper as real processes: the loop of each comes first, and no thread of theirs, nor any other room."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from device.edges import Room
from tests.support.door import door_up
from tests.support.room_process import room_process, short_root, write_config


def policies(pid: int) -> dict[bool, list[str]]:
    """How the kernel runs each thread of a process, that of its loop (True) and all others."""
    names = {os.SCHED_OTHER: "ordinary", os.SCHED_RR: "first"}
    found: dict[bool, list[str]] = {True: [], False: []}
    for task in Path(f"/proc/{pid}/task").iterdir():
        thread = int(task.name)
        found[thread == pid].append(names[os.sched_getscheduler(thread) & ~os.SCHED_RESET_ON_FORK])
    return found


def may_come_first() -> bool:
    child = os.fork()
    if not child:
        try:
            os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
        except OSError:
            os._exit(1)
        os._exit(0)
    return os.waitpid(child, 0)[1] == 0


permitted = pytest.mark.skipif(not may_come_first(), reason="this system lets nobody come first")


@pytest.fixture
def root() -> Iterator[Path]:
    with short_root() as folder:
        credentials = folder / "credentials" / Room.KEEPER
        credentials.mkdir(parents=True)
        (credentials / "keeper.key").write_bytes(b"p" * 32)
        yield folder


@permitted
def test_keepers_loop_comes_first_and_the_thread_that_stretches_pins_does_not(root: Path) -> None:
    write_config(root, '[camera]\nbackend = "none"\n')
    with room_process(Room.KEEPER, root) as keeper:
        assert policies(keeper.pid) == {True: ["first"], False: ["ordinary"]}
        assert keeper.stop() == 0


@permitted
def test_of_a_whole_door_only_lock_and_keeper_come_first() -> None:
    with door_up() as home:
        pids = {Room(room): pid for room, pid in home.door.state()["pids"].items()}
        loops = {room for room, pid in pids.items() if policies(pid)[True] == ["first"]}
        threads = {policy for pid in pids.values() for policy in policies(pid)[False]}
    assert loops == {Room.LOCK, Room.KEEPER}
    assert threads <= {"ordinary"}
