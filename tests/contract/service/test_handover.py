"""The sockets that systemd hands over: by name, of the right kind, all of them, or one sentence and no start."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from device import handover, process, wire
from device.edges import Room, edges_into
from device.errors import NotPermitted
from device.handover import inherited_sockets
from device.paths import Paths
from device.service import EXIT_REFUSED, Service
from tests.contract.service.frame import Recorder, bound, close

FIRST = 200  # instead of 3, which pytest uses
HandOver = Callable[..., None]


@pytest.fixture
def hand_over(monkeypatch: pytest.MonkeyPatch) -> Iterator[HandOver]:
    """Put file descriptors where systemd puts them, and say so in the environment."""
    monkeypatch.setattr(handover, "_FIRST_LISTEN_FD", FIRST)
    used: list[int] = []

    def give(names: str, *fds: int, pid: int | None = None, count: str | None = None) -> None:
        for index, fd in enumerate(fds):
            os.dup2(fd, FIRST + index, inheritable=True)
            used.append(FIRST + index)
        monkeypatch.setenv("LISTEN_PID", str(os.getpid() if pid is None else pid))
        monkeypatch.setenv("LISTEN_FDS", str(len(fds)) if count is None else count)
        monkeypatch.setenv("LISTEN_FDNAMES", names)

    yield give
    for fd in used:
        with suppress(OSError):  # its socket object may have closed it
            os.close(fd)


def sockets_of(room: Room, paths: Paths) -> dict[str, socket.socket]:
    return {str(edge.connector): bound(paths, edge) for edge in edges_into(room)}


def test_every_edge_is_served_on_the_socket_with_its_name(hand_over: HandOver, paths: Paths) -> None:
    made = sockets_of(Room.KEEPER, paths)
    hand_over(":".join(made), *(sock.fileno() for sock in made.values()))
    keeper, work = Service(Room.KEEPER, paths), Recorder()
    keeper.take_up(work)
    keeper.peers.listen()
    for name in reversed(made):
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as end:
            end.connect(str(paths.socket(Room.KEEPER, name)))
            keeper.turn(timeout_s=0)
            assert work.seen[-1] == ("connected", Room(name))
    close(keeper)
    for sock in made.values():
        sock.close()


def test_what_was_handed_over_is_not_inherited_further(hand_over: HandOver, paths: Paths) -> None:
    made = sockets_of(Room.REPORT, paths)
    hand_over("lock", made["lock"].fileno())
    (given,) = inherited_sockets().values()
    assert not given.get_inheritable()
    given.close()
    made["lock"].close()


def test_the_sockets_of_another_process_are_not_ours(hand_over: HandOver, paths: Paths) -> None:
    with bound(paths, edges_into(Room.REPORT)[0]) as sock:
        hand_over("lock", sock.fileno(), pid=1)
        assert inherited_sockets() == {}


def test_none_handed_over_is_none(hand_over: HandOver) -> None:
    hand_over("")
    assert inherited_sockets() == {}


@pytest.mark.parametrize(
    ("names", "count"),
    [("", "1"), ("lock", "2"), ("lock:lock", "2"), ("lock:vault", "1"), ("lock", "x"), ("lock", ""), ("lock", "-1")],
)
def test_names_that_do_not_fit_the_sockets_are_refused(
    hand_over: HandOver, paths: Paths, names: str, count: str
) -> None:
    with bound(paths, edges_into(Room.REPORT)[0]) as sock:
        hand_over(names, sock.fileno(), sock.fileno(), count=count)
        with pytest.raises(NotPermitted, match="each needs its own"):
            inherited_sockets()


@pytest.mark.parametrize("kind", ["stream", "datagram", "internet", "file"])
def test_another_kind_of_socket_is_refused(hand_over: HandOver, kind: str) -> None:
    """On a byte stream two messages would run together: the size would not be the schema any more."""
    made = {
        "stream": lambda: socket.socket(socket.AF_UNIX, socket.SOCK_STREAM),
        "datagram": lambda: socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM),
        "internet": lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM),
    }
    if kind == "file":
        with open(os.devnull) as file:  # noqa: PTH123 - any file descriptor
            hand_over("lock", file.fileno())
    else:
        with made[kind]() as sock:
            hand_over("lock", sock.fileno())
    with pytest.raises(NotPermitted, match="lock is no"):
        inherited_sockets()


def start(room: Room, paths: Paths, monkeypatch: pytest.MonkeyPatch) -> tuple[int, Recorder]:
    work = Recorder()
    monkeypatch.setenv("DOORWARD_ROOT", str(paths.root))
    return process.main(room, lambda _service: work), work


@pytest.mark.usefixtures("as_a_process")
def test_a_room_without_its_sockets_says_which_and_stays_down(
    paths: Paths, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    code, work = start(Room.KEEPER, paths, monkeypatch)
    said = capfd.readouterr().err
    assert code == EXIT_REFUSED
    assert said.count("\n") == 1
    assert all(name in said for name in ("lock", "vault", "desk", "start it through its units"))
    assert work.stopped == 1, "what was built is put into its safe state all the same"


@pytest.mark.usefixtures("as_a_process")
def test_a_socket_under_a_name_of_no_edge_is_refused_by_name(
    hand_over: HandOver, paths: Paths, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    with bound(paths, edges_into(Room.REPORT)[0]) as sock:
        hand_over("eye", sock.fileno())
        code, work = start(Room.REPORT, paths, monkeypatch)
    assert (code, work.stopped) == (EXIT_REFUSED, 1)
    assert "report was given a socket named eye" in capfd.readouterr().err


def test_nobody_hands_a_socket_to_lock() -> None:
    assert edges_into(Room.LOCK) == ()
    assert wire.Verdict in {msg for edge in edges_into(Room.KEEPER) for msg in edge.to_connector}


def of_the_network(*, waits: bool) -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.bind(("127.0.0.1", 0))
    if waits:
        sock.listen()
    return sock


def test_desk_alone_is_handed_the_socket_at_which_browsers_call(hand_over: HandOver, paths: Paths) -> None:
    made = sockets_of(Room.DESK, paths)
    with of_the_network(waits=True) as page:
        hand_over(":".join((*made, "page")), *(sock.fileno() for sock in made.values()), page.fileno())
        desk = Service(Room.DESK, paths)
        desk.take_up(Recorder())
        assert desk.page_socket is not None
        assert desk.page_socket.getsockname() == page.getsockname()
        desk.peers.listen()
        watched = desk._selector.watched
        assert desk.page_socket.fileno() not in watched, "the loop of desk is never woken by the network"
        assert len(watched) == len(made)
        close(desk)
    for sock in made.values():
        sock.close()


@pytest.mark.usefixtures("as_a_process")
@pytest.mark.parametrize("room", [Room.REPORT, Room.KEEPER, Room.VAULT, Room.EYE])
def test_no_other_room_takes_a_socket_of_the_network(
    hand_over: HandOver, paths: Paths, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], room: Room
) -> None:
    with of_the_network(waits=True) as page:
        hand_over("page", page.fileno())
        code, _ = start(room, paths, monkeypatch)
    assert code == EXIT_REFUSED
    assert f"{room} was given a socket named page" in capfd.readouterr().err


@pytest.mark.parametrize("kind", ["waits for nobody", "a file system's", "a datagram's"])
def test_a_page_socket_of_another_kind_is_refused(hand_over: HandOver, paths: Paths, kind: str) -> None:
    made = {
        "waits for nobody": lambda: of_the_network(waits=False),
        "a file system's": lambda: bound(paths, edges_into(Room.REPORT)[0]),
        "a datagram's": lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM),
    }
    with made[kind]() as sock:
        hand_over("page", sock.fileno())
        with pytest.raises(NotPermitted, match="page is not of the kind"):
            inherited_sockets()
