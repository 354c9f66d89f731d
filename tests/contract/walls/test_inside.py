"""The trial of the walls takes on what a living process has, and finds each gap: here with processes made for it."""

from __future__ import annotations

import errno
import os
import signal
import socket
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from device.desk.audit import walls_filters, walls_inside
from device.desk.audit.walls_filters import FiltersHidden
from device.desk.audit.walls_inside import Answers, Questions, Target, Unanswered

NOBODY = 65534
_LOAD_WORD, _JUMP_EQUAL, _RETURN = 0x20, 0x15, 0x06  # linux/bpf_common.h
_ALLOW, _REFUSE = 0x7FFF0000, 0x00050000 | errno.EAFNOSUPPORT  # seccomp(2)
_FAMILY_OFFSET = 16  # of the first argument in struct seccomp_data, its low half first
SOCKET_CALL = {"x86_64": 41, "aarch64": 198}.get(os.uname().machine, 0)
# No socket of AF_INET; every other call passes.
NO_INET = b"".join(
    struct.pack("=HBBI", *each)
    for each in (
        (_LOAD_WORD, 0, 0, 0),
        (_JUMP_EQUAL, 0, 3, SOCKET_CALL),
        (_LOAD_WORD, 0, 0, _FAMILY_OFFSET),
        (_JUMP_EQUAL, 0, 1, socket.AF_INET),
        (_RETURN, 0, 0, _REFUSE),
        (_RETURN, 0, 0, _ALLOW),
    )
)
Living = Callable[..., int]


@pytest.fixture
def living() -> Iterator[Living]:
    """Start a process that waits, under these filters; its number. It ends with the test."""
    children: list[int] = []

    def start(*filters: bytes) -> int:
        ready, told = os.pipe()
        child = os.fork()
        if not child:
            try:
                walls_filters.put_on(filters)
                os.write(told, b"1")
                signal.pause()
            finally:
                os._exit(1)
        children.append(child)
        os.close(told)
        assert os.read(ready, 1) == b"1"
        os.close(ready)
        return child

    yield start
    for child in children:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


@pytest.fixture
def shown(living: Living) -> None:
    """Skips where filters cannot be read at all."""
    if os.geteuid() != 0 or not SOCKET_CALL:
        pytest.skip("reading another process's filters needs root, and a processor whose call numbers are known here")
    try:
        walls_filters.read(living(NO_INET))
    except FiltersHidden as why:
        pytest.skip(f"this computer does not let filters be read: {why}")


@pytest.fixture
def group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Stands for a control group: a file that takes the number of whoever joins."""
    if os.geteuid() != 0:
        pytest.skip("taking another process's place needs root")
    (tmp_path / "group").mkdir()
    (tmp_path / "group" / "cgroup.procs").touch()
    monkeypatch.setattr(walls_inside, "CGROUPS", tmp_path)
    return "/group"


def asked(pid: int, group: str, *files: Path, uid: int = NOBODY, others: tuple[int, ...] = ()) -> Answers:
    """The answers from the place of `pid`; skips where this computer lets nobody take it."""
    questions = Questions(("/dev/null", "/dev/none"), tuple((str(path), path.name) for path in files), others)
    try:
        return walls_inside.ask(Target(pid, group, uid, uid, (uid,)), questions)
    except Unanswered as why:
        if "place could not be taken" in str(why):
            pytest.skip(f"this computer lets nobody join a process's namespaces: {why}")
        raise


@pytest.mark.usefixtures("shown")
def test_filters_are_read_as_they_were_put_on_the_oldest_first(living: Living) -> None:
    other = struct.pack("=HBBI", _RETURN, 0, 0, _ALLOW)
    assert walls_filters.read(living(NO_INET, other)) == (NO_INET, other)
    assert walls_filters.read(living()) == ()


@pytest.mark.usefixtures("shown")
def test_a_process_lives_on_after_its_filters_were_read(living: Living) -> None:
    pid = living(NO_INET)
    assert walls_filters.read(pid) == walls_filters.read(pid)
    status = Path(f"/proc/{pid}/status").read_text()
    assert "TracerPid:\t0" in status


def test_of_a_process_that_is_gone_nothing_is_said() -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    with pytest.raises(FiltersHidden):
        walls_filters.read(ended.pid)


@pytest.mark.usefixtures("shown")
def test_the_trial_stands_behind_the_filters_of_the_process(living: Living, group: str) -> None:
    behind, free = asked(living(NO_INET), group), asked(living(), group)
    assert (behind.filters, behind.hidden) == (1, "")
    assert "AF_INET" not in behind.families
    assert "AF_INET" in free.families, "without the filter the trial finds the gap"
    assert free.traces


def test_the_trial_is_the_user_of_the_process(living: Living, group: str) -> None:
    secret, free = Path("/etc/shadow"), Path("/etc/passwd")
    answers = asked(living(), group, secret, free)
    assert answers.files == ("passwd",)
    assert asked(living(), group, secret, free, uid=0).files == ("shadow", "passwd"), "as root the trial finds the gap"
    assert answers.asked
    assert answers.devices == ("/dev/null",)


def test_another_ones_memory_is_tried(living: Living, group: str) -> None:
    other = living()
    assert asked(living(), group, others=(other,)).memory == ()
    assert asked(living(), group, uid=0, others=(other,)).memory == (other,), "as its own user the trial finds the gap"


def test_it_joins_the_control_group_before_it_asks(living: Living, group: str) -> None:
    asked(living(), group)
    assert (walls_inside.CGROUPS / "group" / "cgroup.procs").read_text() == "0"


def test_without_a_control_group_there_is_no_answer_and_a_sentence(
    living: Living, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(walls_inside, "CGROUPS", tmp_path / "none")
    with pytest.raises(Unanswered, match="place could not be taken"):
        walls_inside.ask(Target(living(), "/group", NOBODY, NOBODY, ()), Questions((), (), ()))


def test_a_child_that_ends_without_a_word_is_no_answer(living: Living, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walls_inside, "_inside", lambda *_: os._exit(0))
    with pytest.raises(Unanswered, match="nothing was heard"):
        walls_inside.ask(Target(living(), "/group", NOBODY, NOBODY, ()), Questions((), (), ()))
