"""What no recording hears, looked for in this machine's own /proc, with a process that passes for a room."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from device.desk.network.beyond import Beyond
from device.edges import Room

HOLDS = "import socket, sys; held = {}; print('held', flush=True); sys.stdin.read()"
LOCAL = "socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)"
NETLINK = "[n := socket.socket(socket.AF_NETLINK, socket.SOCK_RAW), n.bind((0, 0)), *socket.socketpair()]"
ELSEWHERE = "socket.socket(socket.AF_INET, socket.SOCK_STREAM)"  # made and not connected: in no table


@contextmanager
def passes_for(room: Room, held: str) -> Iterator[int]:
    """A process that holds what `held` makes; its command line says that it is `room`."""
    command = [sys.executable, "-c", HOLDS.format(held), "-m", f"device.{room}", "x"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        assert process.stdout.readline() == b"held\n"
        yield process.pid
        process.stdin.close()


def strange_of(pid: int, room: Room) -> set[int]:
    """Sockets of process `pid` that two looks found and no table explains."""
    looked = Beyond(simulated=True)
    looked.look()
    looked.look()
    links = subprocess.run(["ls", "-l", f"/proc/{pid}/fd"], capture_output=True, text=True, check=True).stdout
    return {inode for who, inode in looked.strange if who is room and f"socket:[{inode}]" in links}


def test_a_socket_that_is_in_no_table_is_found_and_a_local_one_is_not() -> None:
    with passes_for(Room.EYE, ELSEWHERE) as pid:
        assert len(strange_of(pid, Room.EYE)) == 1
    with passes_for(Room.EYE, LOCAL) as pid:
        assert strange_of(pid, Room.EYE) == set()


def test_this_machines_tables_have_the_columns_that_are_read() -> None:
    with passes_for(Room.VAULT, NETLINK) as pid:
        assert strange_of(pid, Room.VAULT) == set()
