"""Who may knock: the listener asks the kernel for the user at the other end."""

from __future__ import annotations

import os
import pwd
import socket

import pytest

from device import peers
from device.edges import PROCESSES, Room
from device.link import peer_uid, permitted_uids
from device.paths import Paths
from device.peers import MOST_LINES
from tests.contract.service.frame import Frame, ended

STRANGER = 64_123


def accounts(monkeypatch: pytest.MonkeyPatch, **uids: int) -> None:
    """A machine with these users, and no others of ours."""

    def getpwnam(name: str) -> pwd.struct_passwd:
        return pwd.struct_passwd((name, "x", uids[name.removeprefix("doorward-")], 0, "", "/", "/bin/false"))

    monkeypatch.setattr(pwd, "getpwnam", getpwnam)
    monkeypatch.delenv("DOORWARD_ONE_USER")


def test_the_kernel_says_who_is_there() -> None:
    one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with one, other:
        assert peer_uid(one) == os.getuid()


def test_a_room_is_heard_under_its_own_user(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    accounts(monkeypatch, lock=os.getuid(), vault=STRANGER, desk=STRANGER)
    keeper = Frame(Room.KEEPER, paths)
    keeper.call(Room.LOCK)
    assert keeper.work.seen == [("connected", Room.LOCK)]
    keeper.close()


def test_another_user_is_turned_away_before_a_word_and_it_is_an_alarm(
    paths: Paths, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    accounts(monkeypatch, lock=STRANGER, vault=os.getuid(), desk=STRANGER)
    keeper = Frame(Room.KEEPER, paths)
    stranger = keeper.call(Room.LOCK)
    keeper.turn()
    assert keeper.work.seen == [("breached", Room.LOCK)]
    assert ended(stranger)
    assert keeper.service.link(Room.LOCK) is None
    assert "a stranger" in capfd.readouterr().err
    keeper.call(Room.VAULT)
    assert keeper.service.link(Room.VAULT), "the right user at the right socket"
    keeper.close()


def test_a_stranger_does_not_push_out_the_peer_that_is_there(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    keeper = Frame(Room.KEEPER, paths)
    lock = keeper.call(Room.LOCK)
    accounts(monkeypatch, lock=STRANGER, vault=STRANGER, desk=STRANGER)
    keeper.call(Room.LOCK)
    assert not ended(lock)
    assert keeper.service.link(Room.LOCK)
    keeper.close()


def test_without_its_account_a_room_is_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    accounts(monkeypatch)
    assert [permitted_uids(room) for room in PROCESSES] == [frozenset()] * len(PROCESSES)


def test_the_command_line_is_root_and_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    accounts(monkeypatch, doorctl=STRANGER)
    assert permitted_uids(Room.DOORCTL) == {0}


def test_each_room_has_one_user_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    accounts(monkeypatch, **{str(room): 900 + index for index, room in enumerate(PROCESSES)})
    assert [permitted_uids(room) for room in PROCESSES] == [{900 + index} for index in range(len(PROCESSES))]


@pytest.mark.parametrize("value", ["", "1", "yes", "true", "Simulated"])
def test_one_user_for_all_is_switched_on_by_one_word_only(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    accounts(monkeypatch, lock=STRANGER)
    monkeypatch.setenv("DOORWARD_ONE_USER", value)
    assert permitted_uids(Room.LOCK) == {STRANGER}
    monkeypatch.setenv("DOORWARD_ONE_USER", "simulated")
    assert permitted_uids(Room.LOCK) == {os.getuid()}


def hold(desk: Frame, lines: int) -> list[socket.socket]:
    """So many command lines call, and say nothing."""
    return [desk.call(Room.DOORCTL) for _ in range(lines)]


def test_of_command_lines_that_are_merely_held_so_many_stay_and_the_next_is_hung_up_on(paths: Paths) -> None:
    desk = Frame(Room.DESK, paths)
    held = hold(desk, MOST_LINES)
    assert not any(ended(line) for line in held)
    assert all(ended(line) for line in hold(desk, 3))
    assert desk.work.count("breached") == 0, "it is no alarm"
    lock = desk.call(Room.LOCK)
    assert not ended(lock), "the rooms are heard all the same"
    held[0].close()
    desk.turn()
    assert not ended(hold(desk, 1)[0]), "who left made room"
    desk.close()


def test_without_that_limit_lines_would_be_adopted_without_end(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    """The fault seeded: what the room did before, until it had no descriptor left and its loop no rest."""
    monkeypatch.setattr(peers, "MOST_LINES", 10**6)
    desk = Frame(Room.DESK, paths)
    assert not any(ended(line) for line in hold(desk, MOST_LINES + 3))
    desk.close()
