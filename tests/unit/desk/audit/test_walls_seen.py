"""What the kernel tells of a process is read as it is, out of a /proc made by hand; a line that lacks is no wall."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from device import config
from device.desk.audit import walls, walls_expected, walls_process
from device.desk.audit.finding import Finding, State
from device.desk.audit.walls import Unit
from device.desk.audit.walls_expected import Expected
from device.desk.audit.walls_process import LOOPBACK
from device.edges import EDGES, PROCESSES, Room
from device.paths import Paths

ME = os.getuid()
STATUS = """Name:\tpython
Uid:\t801\t801\t801\t801
Gid:\t901\t901\t901\t901
Groups:\t901 117
VmSwap:\t       0 kB
CapInh:\t0000000000000000
CapPrm:\t0000000000000000
CapEff:\t0000000000000000
CapBnd:\t0000000000000000
CapAmb:\t0000000000000000
NoNewPrivs:\t1
Seccomp:\t2
Seccomp_filters:\t30
"""
LIMITS = "Limit                     Soft Limit           Hard Limit           Units\n"
CORE = "Max core file size        {}                    {}                    bytes\n"
DEV = "Inter-|   Receive  |  Transmit\n face |bytes\n{}"
IFACE = "  {}: 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n"
ROUTE = "Iface\tDestination\tGateway\tFlags\n{}"
UNIX = "Num       RefCount Protocol Flags    Type St Inode Path\n"
PID = 70


@dataclass
class Kernel:
    """A machine with its first process and one of a room's."""

    root: Path
    place: Path = field(init=False)

    def __post_init__(self) -> None:
        self.place = self.root / str(PID)
        for pid, space in ((1, "net:[1]"), (PID, "net:[2]")):
            folder = self.root / str(pid)
            (folder / "ns").mkdir(parents=True)
            (folder / "ns" / "net").symlink_to(space)
            (folder / "net").mkdir()
        self.write("status", STATUS)
        self.write(f"task/{PID}/status", STATUS)
        self.write(f"task/{PID + 1}/status", STATUS)
        self.write("limits", LIMITS + CORE.format(0, 0))
        self.write("environ", "")
        self.write("net/dev", DEV.format(IFACE.format(LOOPBACK)))
        self.write("net/route", ROUTE.format(""))
        self.write("net/ipv6_route", f"{'0' * 32} 00 {'0' * 32} 00 {'0' * 32} ffffffff 00000001 00000000 00200200 lo\n")

    def write(self, name: str, text: str) -> None:
        path = self.place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    @property
    def seen(self) -> walls_process.Seen:
        return walls_process.seen(PID, self.root)

    @property
    def network(self) -> walls_process.Network:
        return walls_process.network(PID, self.root)


@pytest.fixture
def kernel(tmp_path: Path) -> Kernel:
    return Kernel(tmp_path)


def test_a_process_is_read_as_it_is(kernel: Kernel) -> None:
    seen = kernel.seen
    assert (set(seen.uids), set(seen.gids), set(seen.groups)) == ({801}, {901}, {901, 117})
    assert (seen.capabilities, seen.no_new_privileges, seen.filtered) == (0, True, True)
    assert (seen.swap_kb, seen.core_limits) == (0, ("0", "0"))


def test_a_process_may_be_dumped_where_its_files_are_not_roots(kernel: Kernel) -> None:
    assert kernel.seen.dumpable == (ME != 0)


def test_the_same_is_read_of_a_living_process() -> None:
    me = walls_process.seen(os.getpid())
    assert me.uids == {ME}
    assert me.swap_kb is not None
    assert not me.filtered or me.no_new_privileges


@pytest.mark.parametrize("name", ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"])
def test_a_capability_in_any_set_of_any_thread_counts(kernel: Kernel, name: str) -> None:
    kernel.write(f"task/{PID + 1}/status", STATUS.replace(f"{name}:\t0000000000000000", f"{name}:\t0000000000200000"))
    assert kernel.seen.capabilities == 1 << 21


@pytest.mark.parametrize("line", STATUS.splitlines()[1:-1])
def test_a_line_that_is_not_there_is_no_standing_wall(kernel: Kernel, line: str) -> None:
    text = STATUS.replace(f"{line}\n", "")
    for name in ("status", f"task/{PID + 1}/status"):
        kernel.write(name, text)
    seen = kernel.seen
    assert (
        not seen.uids
        or not seen.gids
        or not seen.groups
        or seen.swap_kb is None
        or seen.capabilities
        or not seen.no_new_privileges
        or not seen.filtered
    )


@pytest.mark.parametrize(("word", "attribute"), [("NoNewPrivs:\t1", "no_new_privileges"), ("Seccomp:\t2", "filtered")])
def test_one_thread_without_it_counts(kernel: Kernel, word: str, attribute: str) -> None:
    kernel.write(f"task/{PID + 1}/status", STATUS.replace(word, word[:-1] + "0"))
    assert getattr(kernel.seen, attribute) is False


def test_a_core_limit_is_both_of_its_numbers(kernel: Kernel) -> None:
    kernel.write("limits", LIMITS + CORE.format(0, "unlimited"))
    assert kernel.seen.core_limits == ("0", "unlimited")
    kernel.write("limits", LIMITS)
    assert not kernel.seen.core_limits


def test_a_namespace_of_its_own_with_loopback_alone_is_shut(kernel: Kernel) -> None:
    assert kernel.network.shut


def test_a_tunnel_that_the_kernel_lays_everywhere_is_no_network_until_it_has_a_route(kernel: Kernel) -> None:
    kernel.write("net/dev", DEV.format(IFACE.format(LOOPBACK) + IFACE.format("tunl0")))
    assert kernel.network.shut
    kernel.write("net/route", ROUTE.format("tunl0\t00000000\t00000000\t0001\n"))
    assert not kernel.network.shut


def test_an_interface_a_route_or_the_machines_own_namespace_is_seen(kernel: Kernel) -> None:
    kernel.write("net/dev", DEV.format(IFACE.format(LOOPBACK) + IFACE.format("eth0")))
    assert kernel.network.interfaces == {"eth0"}
    kernel.write("net/ipv6_route", "0 00 0 00 0 00000400 00000001 00000000 00000001     eth0\n")
    assert kernel.network.routes == {"eth0"}
    (kernel.place / "ns" / "net").unlink()
    (kernel.place / "ns" / "net").symlink_to("net:[1]")
    assert not kernel.network.own


def test_only_sockets_that_wait_for_calls_are_told(kernel: Kernel) -> None:
    kernel.write(
        "net/unix",
        f"{UNIX}0000: 00000002 00000000 00010000 0005 01 7 /run/doorward/eye/lock.sock\n"
        "0000: 00000003 00000000 00000000 0005 03 8 /run/doorward/eye/lock.sock\n"
        "0000: 00000002 00000000 00010000 0001 01 9 @hidden\n"
        "0000: 00000002 00000000 00010000 0001 01 9\n",
    )
    assert kernel.network.listens == {
        "/run/doorward/eye/lock.sock",
        "@hidden",
        "a socket without a name (kind 1)",
    }


def test_every_process_of_a_group_and_of_those_below_counts(tmp_path: Path) -> None:
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "a/cgroup.procs").write_text("5\n7\n")
    (tmp_path / "a/b/cgroup.procs").write_text("6\n")
    assert walls_process.members("/a", tmp_path) == (5, 6, 7)


@pytest.mark.parametrize(
    ("limit", "swaps", "barred"),
    [("0", "x", True), ("max", "x", False), (None, "", True), (None, "x", False), ("4096", "x", False)],
)
def test_swap_is_barred_by_the_group_or_where_there_is_none(
    tmp_path: Path, limit: str | None, swaps: str, barred: bool
) -> None:
    (tmp_path / "swaps").write_text(f"Filename\n{swaps}")
    if limit is not None:
        (tmp_path / "memory.swap.max").write_text(f"{limit}\n")
    assert walls_process.swap_barred("/", tmp_path, tmp_path) is barred


def test_what_systemd_says_of_a_unit() -> None:
    well = "MainPID=70\nControlGroup=/system.slice/x\nLimitCORE=0\nNeedDaemonReload=no\nActiveState=active\n"
    assert Unit.parse(well) == Unit(active=True, pid=70, cgroup="/system.slice/x", core_limit="0", reload=False)
    assert Unit.parse(well.replace("=no", "=yes")).reload
    assert not Unit.parse(well.replace("=active", "=activating")).active
    assert Unit.parse("") == Unit(active=False, pid=0, cgroup="", core_limit="", reload=False)


# ---- the state folders


def state_of(folder: Path) -> Finding:
    return walls.only_its_own(Room.KEEPER, folder, frozenset({ME}))


def test_a_folder_with_its_own_plain_files_passes(tmp_path: Path) -> None:
    (tmp_path / "records").mkdir()
    (tmp_path / "records" / "one").touch()
    assert state_of(tmp_path).state is State.OK
    assert state_of(tmp_path / "none").state is State.OK, "nothing was stored yet"


def test_a_foreign_file_a_link_or_a_pipe_is_caught_and_its_name_stays_unsaid(tmp_path: Path) -> None:
    (tmp_path / "secret-name").symlink_to("/etc/passwd")
    found = state_of(tmp_path)
    assert found.state is State.FAILED
    assert "secret-name" not in found.sentence
    (tmp_path / "secret-name").unlink()
    os.mkfifo(tmp_path / "pipe")
    assert state_of(tmp_path).state is State.FAILED
    (tmp_path / "pipe").unlink()
    (tmp_path / "file").touch()
    assert walls.only_its_own(Room.KEEPER, tmp_path, frozenset({ME + 1})).state is State.FAILED


# ---- what there is to expect


def expected(more: str) -> Expected:
    return Expected.of(config.parse(f'[door]\nid = "00112233445566aa"\n{more}'))


def test_the_settings_say_who_may_open_the_tpm_and_the_keypad() -> None:
    assert Expected.of(None) == Expected()
    assert expected("") == Expected(tpm="/dev/tpmrm0"), "which nobody may open"
    assert expected('[vault]\nkey_store = "tpm-nv"\n').tpm_rooms == {Room.VAULT}
    assert expected('[keeper]\nkey_store = "tpm-nv"\n').tpm_rooms == {Room.KEEPER}
    assert expected('[lock]\nkeypad = "/dev/input/by-path/one"\n').keypad == "/dev/input/by-path/one"


def test_a_keypad_is_the_device_that_its_name_leads_to(tmp_path: Path) -> None:
    (tmp_path / "event3").touch()
    (tmp_path / "keypad").symlink_to(tmp_path / "event3")
    found = replace(config.parse('[door]\nid = "00112233445566aa"\n'))
    found = replace(found, lock=replace(found.lock, keypad=str(tmp_path / "keypad")))
    assert Expected.of(found).keypad == str(tmp_path / "event3")


def test_only_the_room_whose_key_lies_in_the_tpm_is_in_its_group() -> None:
    tpm = expected('[vault]\nkey_store = "tpm-nv"\n')
    assert tpm.groups(Room.VAULT, frozenset({117})) == {117}
    assert all(tpm.groups(room, frozenset({117})) == frozenset() for room in PROCESSES if room is not Room.VAULT)


def test_the_nodes_of_this_machine_have_the_class_of_the_kernel() -> None:
    found = {node.path: node.kind for node in walls_expected.nodes()}
    assert found["/dev/null"] in ("mem", "")


def test_every_edge_is_one_socket_open_to_its_connector() -> None:
    paths = Paths(Path("/"))
    wanted = walls.wanted(paths)
    assert len(wanted) == len(EDGES)
    assert wanted[str(paths.socket(Room.DESK, Room.DOORCTL))] == "of user 0, mode 0600"


def test_of_a_simulated_door_it_says_that_there_is_nothing_to_see(tmp_path: Path) -> None:
    (found,) = walls.findings(Paths(tmp_path), None)
    assert (found.state, found.sentence) == (State.SKIPPED, walls.SIMULATED)


DOOR = Paths(Path("/"))


def test_a_machine_without_systemd_is_no_silent_pass(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walls, "_RUNS_SYSTEMD", tmp_path / "none")
    (found,) = walls.findings(DOOR, None)
    assert (found.state, found.sentence) == (State.SKIPPED, walls.NO_SYSTEMD)


@pytest.fixture
def systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A machine that systemd runs, and root who asks."""
    monkeypatch.setattr(walls, "_RUNS_SYSTEMD", tmp_path)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    return monkeypatch


def test_who_may_not_look_is_told_to_try_as_root(systemd: pytest.MonkeyPatch) -> None:
    systemd.setattr(os, "geteuid", lambda: 1000)
    (found,) = walls.findings(DOOR, None)
    assert found.state is State.FAILED
    assert "sudo" in found.sentence


@pytest.mark.parametrize("said", ["", "ActiveState=activating\nMainPID=70\n", "ActiveState=failed\nMainPID=0\n"])
def test_a_room_that_does_not_run_is_no_room_behind_its_walls(systemd: pytest.MonkeyPatch, said: str) -> None:
    systemd.setattr(walls, "_unit", lambda _room: Unit.parse(said))
    systemd.setattr(walls, "_listening", walls.wanted)
    found = {each.name: each.state for each in walls.findings(DOOR, None)}
    assert {f"{room} walls" for room in PROCESSES} == {name for name, each in found.items() if each is State.FAILED}


def test_a_room_that_ends_meanwhile_and_a_table_that_cannot_be_read_fail(systemd: pytest.MonkeyPatch) -> None:
    def hidden(_paths: Paths) -> dict[str, str]:
        raise PermissionError(13, "Permission denied")

    gone = Unit(active=True, pid=2**22 + 1, cgroup="/none", core_limit="0", reload=False)  # above the largest pid
    systemd.setattr(walls, "_unit", lambda _room: gone)
    systemd.setattr(walls, "_listening", hidden)
    systemd.setattr(walls, "permitted_uids", lambda _room: frozenset())
    found = {each.name: each.state for each in walls.findings(DOOR, None)}
    wanted = {f"{room} walls" for room in PROCESSES} | {"doors of rooms"}
    assert wanted == {name for name, each in found.items() if each is State.FAILED}
