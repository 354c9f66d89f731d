"""What a room as a real process owes to whoever starts it: its sockets or nothing, and no other user at them."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from device import wire
from device.edges import Room, edges_into
from device.service import EXIT_FAULT, EXIT_REFUSED
from tests.support.room_process import CHECKOUT, Peer, RoomProcess, room_process, short_root, write_config

NOBODY_UID = 65534
LISTENERS = (Room.EYE, Room.VAULT, Room.KEEPER, Room.REPORT, Room.DESK)
CONFIG = {
    Room.EYE: '[camera]\nbackend = "none"\n',
    Room.VAULT: "",
    Room.KEEPER: "",
    Room.REPORT: "",
    Room.DESK: "",
    Room.LOCK: '[lock]\nboard = "sim"\n',
}


@pytest.fixture
def root() -> Iterator[Path]:
    with short_root() as folder:
        for room in (Room.VAULT, Room.KEEPER, Room.LOCK):
            key = folder / "credentials" / room / f"{room}.key"
            key.parent.mkdir(parents=True)
            key.write_bytes(os.urandom(32))
        yield folder


def started_by_hand(room: Room, root: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """The room as somebody would start it who read no manual: no sockets are handed over."""
    write_config(root, CONFIG[room])
    handed_over = ("LISTEN_", "NOTIFY_SOCKET", "WATCHDOG_USEC")
    plain = {name: value for name, value in os.environ.items() if not name.startswith(handed_over)}
    return subprocess.run(
        [sys.executable, "-m", f"device.{room}"],
        env=plain
        | {"DOORWARD_ROOT": str(root), "CREDENTIALS_DIRECTORY": str(root / "credentials" / room)}
        | {"PYTHONPATH": str(CHECKOUT)}
        | environ,
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("room", LISTENERS)
def test_room_without_its_sockets_says_so_and_is_not_started_again(room: Room, root: Path) -> None:
    done = started_by_hand(room, root)
    assert done.returncode == EXIT_REFUSED
    names = ", ".join(edge.connector for edge in edges_into(room))
    assert done.stderr == f"{room}: {room} was started without its sockets for {names}; start it through its units\n"


def test_sockets_that_were_meant_for_another_process_are_not_taken(root: Path) -> None:
    done = started_by_hand(Room.KEEPER, root, LISTEN_PID="1", LISTEN_FDS="3", LISTEN_FDNAMES="lock:vault:desk")
    assert done.returncode == EXIT_REFUSED
    assert "without its sockets" in done.stderr


def test_lock_without_a_board_is_a_fault_that_is_tried_again(root: Path) -> None:
    done = started_by_hand(Room.LOCK, root)
    assert done.returncode == EXIT_FAULT
    assert done.stderr.startswith("lock: the simulated board is not there")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("room", [*LISTENERS, Room.LOCK])
def test_room_with_a_wrong_door_toml_says_which_setting(room: Room, root: Path) -> None:
    path = root / "etc" / "doorward" / "door.toml"
    path.parent.mkdir(parents=True)
    path.write_text('[door]\nid = "no id"\n')
    if room is Room.DESK:
        pytest.skip("desk reads no configuration")
    with room_process(room, root, wait=False) as running:
        assert running.wait() == EXIT_REFUSED
        assert running.stderr == f"{room}: [door] id must be 16 hexadecimal digits, not 'no id'\n"


@pytest.mark.parametrize("room", LISTENERS)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_room_ends_in_order_when_it_is_told_to(room: Room, number: signal.Signals, root: Path) -> None:
    write_config(root, CONFIG[room])
    with room_process(room, root) as running:
        assert running.kill(number) == 0
        assert "STOPPING=1" in running.notifications(5.0)
        assert "Traceback" not in running.stderr


# ---- another user


def knock_as_nobody(path: Path, datagram: bytes) -> str:
    """Connect to `path` as another user, in a child, and say `datagram`; what came of it."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setresgid(NOBODY_UID, NOBODY_UID, NOBODY_UID)
            os.setresuid(NOBODY_UID, NOBODY_UID, NOBODY_UID)
            sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            sock.settimeout(20.0)
            try:
                sock.connect(str(path))
            except PermissionError:
                os.write(writer, b"no way in")
                os._exit(0)
            try:
                sock.send(datagram)
                os.write(writer, b"answered" if sock.recv(9000) else b"closed")
            except OSError:
                os.write(writer, b"closed")
        finally:
            os._exit(0)
    os.close(writer)
    os.waitpid(child, 0)
    with os.fdopen(reader, "rb") as words:
        return words.read().decode()


def open_for_everybody(room: RoomProcess) -> None:
    """Take the first wall away, the permissions of folders and sockets: what is tested is the second."""
    for folder in (room.root, room.root / "run", room.paths.run, room.paths.run / room.room):
        folder.chmod(0o711)
    for path in (room.paths.run / room.room).glob("*.sock"):
        path.chmod(0o777)


@pytest.mark.parametrize("room", [Room.KEEPER, Room.VAULT, Room.EYE, Room.DESK])
def test_another_user_is_turned_away_unheard_and_lock_raises_the_alarm(room: Room, root: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")
    write_config(root, CONFIG[room])
    with room_process(room, root) as running:
        lock = running.connect(Room.LOCK)
        for edge in edges_into(room):
            path = running.paths.socket(room, edge.connector)
            assert knock_as_nobody(path, b"\x01\x61") == "no way in", "the folder alone keeps others out"
        open_for_everybody(running)
        for edge in edges_into(room):
            path = running.paths.socket(room, edge.connector)
            assert knock_as_nobody(path, wire.pack(wire.AskStatus())) == "closed"
            assert heard_of_a_breach(lock)
            assert f"a stranger (uid {NOBODY_UID}) knocked at the socket of {edge.connector}" in running.stderr
        assert running.process is not None
        assert running.process.poll() is None, "the room lives, and lock's own connection with it"


def heard_of_a_breach(lock: Peer) -> bool:
    while (msg := lock.receive(20.0)) is not None:
        if msg == wire.Breach():
            return True
    return False


def test_stranger_at_reports_socket_is_turned_away(root: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")
    write_config(root, "")
    with room_process(Room.REPORT, root) as running:
        open_for_everybody(running)
        path = running.paths.socket(Room.REPORT, Room.LOCK)
        assert knock_as_nobody(path, wire.pack(wire.Occurrence(wire.OccurrenceKind.STARTED))) == "closed"
        assert "a stranger" in running.stderr
