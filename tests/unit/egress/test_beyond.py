"""What /proc tells of sockets and networks that no recording hears, in a /proc made by hand."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from device.desk.audit.finding import Finding, State
from device.desk.network import audit, beyond, permitted
from device.desk.network.audit import Heard
from device.desk.network.beyond import Beyond
from device.desk.network.owners import Owners
from device.edges import Room

HERE, THERE = "net:[1]", "net:[2]"
LOOPBACK, CABLE = ("lo",), ("lo", "eth1")
UNIX = "Num       RefCount Protocol Flags    Type St Inode Path\n"
RADIO = "sk               RefCnt Rmem   Wmem   User   Inode  Parent\n"
TCP = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"


@dataclass
class Kernel:
    """A machine whose audit runs in HERE, with the tables of each namespace."""

    root: Path

    def __post_init__(self) -> None:
        self.process(1, "init", (), HERE, LOOPBACK)
        (self.root / "thread-self").symlink_to("1")

    def process(
        self, pid: int, name: str, sockets: tuple[int, ...], space: str = HERE, interfaces: tuple[str, ...] = LOOPBACK
    ) -> None:
        """`name` is a room, or any other program."""
        folder = self.root / str(pid)
        (folder / "fd").mkdir(parents=True)
        (folder / "ns").mkdir()
        (folder / "comm").write_text(name + "\n")
        words = ("python", "-m", f"device.{name}") if name in set(Room) else (name,)
        (folder / "cmdline").write_text("".join(f"{word}\0" for word in words))
        (folder / "status").write_text("Name:\tx\nUid:\t4294967000\t1\t1\t1\n")
        (folder / "ns" / "net").symlink_to(space)
        for number, inode in enumerate(sockets):
            (folder / "fd" / str(number)).symlink_to(f"socket:[{inode}]")
        (folder / "fd" / "77").symlink_to("/dev/null")
        shared = self.root / space
        (shared / "net").mkdir(parents=True, exist_ok=True)
        (folder / "net").symlink_to(shared / "net")
        rows = "".join(f"  {each}:  1 2 3\n" for each in interfaces)
        (shared / "net" / "dev").write_text("Inter-|   Receive\n face |bytes\n" + rows)

    def unix(self, space: str, *inodes: int) -> None:
        rows = "".join(f"0: 2 0 10000 5 01 {inode} /run/doorward/x.sock\n" for inode in inodes)
        (self.root / space / "net" / "unix").write_text(UNIX + rows)

    def tcp(self, space: str, *inodes: int) -> None:
        rows = "".join(f" 0: 0100007F:1F90 00000000:0000 0A 0:0 0:0 0 0 0 {inode} 1\n" for inode in inodes)
        (self.root / space / "net" / "tcp").write_text(TCP + rows)

    def radio(self, table: str, *inodes: int) -> None:
        rows = "".join(f"0 2 0 0 0 {inode} 0 \n" for inode in inodes)
        (self.root / HERE / "net" / table).write_text(RADIO + rows)

    def looked(self, times: int = 2) -> Beyond:
        found = Beyond(self.root, self.root / "sys")
        for _ in range(times):
            found.look()
        return found


@pytest.fixture
def kernel(tmp_path: Path) -> Kernel:
    return Kernel(tmp_path)


def findings(found: Beyond) -> dict[str, Finding]:
    heard = Heard((), permitted.permitted("", permitted.Board()), Owners(simulated=True), beyond=found)
    return {each.name: each for each in audit.findings(heard)}


def test_a_door_of_local_sockets_alone_is_well(kernel: Kernel) -> None:
    kernel.process(10, "vault", (100,))
    kernel.unix(HERE, 100)
    found = findings(kernel.looked())
    assert {found[name].state for name in ("sockets", "namespaces", "bluetooth")} == {State.OK}


def test_a_unix_socket_that_init_made_and_handed_into_another_namespace_is_local(kernel: Kernel) -> None:
    kernel.process(10, "vault", (100, 101), THERE)
    kernel.unix(HERE, 100)
    kernel.unix(THERE, 101)
    found = findings(kernel.looked())
    assert (found["sockets"].state, found["namespaces"].state) == (State.OK, State.OK)


@pytest.mark.parametrize("space", [HERE, THERE])
@pytest.mark.parametrize("room", ["eye", "vault", "keeper", "lock", "report", "desk"])
def test_a_socket_that_no_table_explains_fails(kernel: Kernel, room: str, space: str) -> None:
    kernel.process(10, room, (100,), space)
    found = findings(kernel.looked())["sockets"]
    assert (found.state, room in found.sentence) == (State.FAILED, True)


def test_a_network_socket_in_another_namespace_fails(kernel: Kernel) -> None:
    kernel.process(10, "eye", (100,), THERE)
    kernel.tcp(THERE, 100)
    assert findings(kernel.looked())["sockets"].state is State.FAILED


def test_seeded_fault_an_audit_that_believes_every_table_misses_it(
    kernel: Kernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(beyond, "_LOCAL", {**beyond._LOCAL, "tcp": 9})
    with pytest.raises(AssertionError):
        test_a_network_socket_in_another_namespace_fails(kernel)


def test_a_network_socket_of_this_namespace_is_judged_elsewhere(kernel: Kernel) -> None:
    kernel.process(10, "report", (100,))
    kernel.tcp(HERE, 100)
    assert kernel.looked().strange == ()


def test_a_socket_that_was_there_in_one_look_only_is_no_finding(kernel: Kernel) -> None:
    """It was made between two files that were read."""
    kernel.process(10, "report", (100,))
    found = kernel.looked(1)
    kernel.tcp(HERE, 100)
    found.look()
    assert found.strange == ()


def test_bluetooth_is_called_by_its_name(kernel: Kernel) -> None:
    kernel.process(10, "report", (100,))
    kernel.process(11, "bluetoothd", (101,))
    kernel.radio("l2cap", 100)
    kernel.radio("hci", 101)
    (kernel.root / "sys" / "class" / "bluetooth" / "hci0").mkdir(parents=True)
    found = kernel.looked()
    assert found.radio_users == ("bluetoothd", "report")
    told = findings(found)
    assert (told["sockets"].state, "report (Bluetooth)" in told["sockets"].sentence) == (State.FAILED, True)
    assert (told["bluetooth"].state, "hci0" in told["bluetooth"].sentence) == (State.SKIPPED, True)


def test_a_room_with_a_cable_in_its_own_namespace_fails(kernel: Kernel) -> None:
    kernel.process(10, "vault", (), THERE, CABLE)
    found = findings(kernel.looked())["namespaces"]
    assert (found.state, "vault has eth1" in found.sentence) == (State.FAILED, True)


def test_a_report_that_cannot_be_heard_fails(kernel: Kernel) -> None:
    kernel.process(10, "report", (), THERE)
    assert findings(kernel.looked())["namespaces"].state is State.FAILED


def test_a_container_is_told_and_not_judged(kernel: Kernel) -> None:
    kernel.process(10, "container", (), THERE, CABLE)
    found = findings(kernel.looked())["namespaces"]
    assert (found.state, "container" in found.sentence) == (State.SKIPPED, True)


def test_another_door_on_a_machine_with_several_is_not_this_one(kernel: Kernel) -> None:
    kernel.process(10, "report", (100,), THERE)
    found = Beyond(kernel.root, kernel.root / "sys", simulated=True)
    for _ in range(2):
        found.look()
    assert (found.strange, found.rooms_apart) == ((), {})


def test_a_room_is_known_by_its_user_where_its_command_line_says_nothing(
    kernel: Kernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(beyond, "permitted_uids", lambda room: frozenset({4294967000} if room is Room.KEEPER else ()))
    kernel.process(10, "python3", (100,))
    assert kernel.looked().strange == ((Room.KEEPER, 100),)


def test_tables_that_are_no_tables_are_no_finding_and_no_crash(kernel: Kernel) -> None:
    kernel.process(10, "eye", ())
    for name in ("unix", "netlink", "tcp", "hci", "dev"):
        (kernel.root / HERE / "net" / name).write_text("head\nx\n\x00 y z\n" * 3)
    assert kernel.looked().strange == ()
