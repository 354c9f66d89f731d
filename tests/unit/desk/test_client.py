"""doorctl's end of the line: nothing is believed that the desk may not say, and nothing waits for ever."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from device import wire
from device.desk import client, timeouts
from device.desk.acts import PersonalAct
from device.desk.client import DeskFault, DeskLine
from device.desk.under_way import NO_CONSENT
from device.edges import EDGES, Room, permitted
from device.errors import MessageRefused, NotPermitted
from device.paths import Paths
from device.wire import Hint, Purpose, Result
from tests.unit.desk.house import DOORCTL_EDGE, short_root


@pytest.fixture
def ends() -> Iterator[tuple[DeskLine, socket.socket]]:
    near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with DeskLine(near) as line, far:
        yield line, far


FOREIGN = [
    message
    for message in (wire.Erase(bytes(16)), wire.Breach(), wire.AskStatus(), wire.Done(bytes(16), Result.DONE))
    if type(message) not in permitted(DOORCTL_EDGE, Room.DESK)
]


@pytest.mark.parametrize("msg", FOREIGN)
def test_a_message_the_desk_may_not_send_is_refused(ends: tuple[DeskLine, socket.socket], msg: wire.Message) -> None:
    line, far = ends
    far.send(wire.pack(msg))
    with pytest.raises(MessageRefused, match="must not"):
        line.receive(5)


@pytest.mark.parametrize("data", [b"\0", b"\1\x65", bytes(8192), wire.pack(wire.Ended(Result.DONE)) + b"\0"])
def test_bytes_that_are_no_message_are_refused(ends: tuple[DeskLine, socket.socket], data: bytes) -> None:
    line, far = ends
    far.send(data)
    with pytest.raises(MessageRefused):
        line.receive(5)


def test_an_act_answered_by_a_status_is_refused(ends: tuple[DeskLine, socket.socket]) -> None:
    line, far = ends
    far.send(wire.pack(wire.Ack(1, Result.DONE)))
    with pytest.raises(MessageRefused, match="answered an act"):
        PersonalAct(line, Purpose.ERASE, NO_CONSENT, print).perform(0)


def test_a_desk_that_goes_away_is_noticed_while_asking_waiting_and_idling(
    ends: tuple[DeskLine, socket.socket],
) -> None:
    line, far = ends
    far.close()
    uses: tuple[Callable[[], object], ...] = (
        lambda: line.receive(5),
        lambda: line.idle(5),
        lambda: line.ask(wire.AskStatus(), 5),
    )
    for use in uses:
        with pytest.raises(DeskFault, match="closed the line"):
            use()


def test_a_desk_that_says_nothing_is_given_up(
    ends: tuple[DeskLine, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    line, far = ends
    monkeypatch.setattr(timeouts, "act_s", lambda _purpose: 0.0)
    monkeypatch.setattr(timeouts, "GRACE_S", 0.01)
    far.send(wire.pack(wire.EnrolHint(Hint.NOBODY)))
    told: list[str] = []
    with pytest.raises(DeskFault, match="in time"):
        PersonalAct(line, Purpose.ENROL, bytes(range(32)), told.append).perform(0)
    assert len(told) == 2, "what to do, and the hint that came"
    with pytest.raises(DeskFault, match="in time"):
        line.ask(wire.AskStatus(), 0.01)


def test_a_socket_this_user_may_not_open_says_sudo(monkeypatch: pytest.MonkeyPatch) -> None:
    class Forbidden(socket.socket):
        def connect(self, _address: object) -> None:
            raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(socket, "socket", Forbidden)
    with short_root() as root, pytest.raises(NotPermitted, match="sudo"):
        DeskLine.open(Paths(root))


def test_the_desk_waits_less_long_than_the_person_does() -> None:
    assert timeouts.GRACE_S > 0
    assert all(timeouts.act_s(purpose) > 0 for purpose in Purpose)


def test_the_only_edge_of_doorctl_is_the_desk() -> None:
    assert [edge.listener for edge in EDGES if edge.connector is Room.DOORCTL] == [Room.DESK]


@pytest.fixture
def crowded() -> Iterator[tuple[Paths, socket.socket, list[socket.socket]]]:
    """A desk whose queue of callers is full, and who stands in it."""
    with short_root() as root, socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as desk:
        path = Paths(root).socket(Room.DESK, Room.DOORCTL)
        path.parent.mkdir(parents=True)
        desk.bind(str(path))
        desk.listen(0)
        callers: list[socket.socket] = []
        with suppress(BlockingIOError):
            while True:
                callers.append(socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET))
                callers[-1].setblocking(False)
                callers[-1].connect(str(path))
        yield Paths(root), desk, callers
        for each in callers:
            each.close()


def test_where_many_call_at_once_a_command_waits_for_its_turn(
    crowded: tuple[Paths, socket.socket, list[socket.socket]],
) -> None:
    paths, desk, _ = crowded
    heard: list[socket.socket] = []
    soon = threading.Timer(0.1, lambda: heard.append(desk.accept()[0]))
    soon.start()
    with DeskLine.open(paths) as line:
        line.send(wire.AskStatus())
    soon.join()
    heard[0].close()


def test_who_waited_in_vain_is_not_told_that_no_door_runs(
    crowded: tuple[Paths, socket.socket, list[socket.socket]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "CONNECT_TIMEOUT_S", 0.1)
    with pytest.raises(DeskFault, match=r"^too many command lines wait for this door at once; please try again$"):
        DeskLine.open(crowded[0])
