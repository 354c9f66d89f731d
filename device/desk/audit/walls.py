"""The walls between the rooms, on the machine that runs: looked at, and tried from where each process stands.

Rules kept here:
- Every process of a room's control group is looked at; from the place of its main process everything forbidden is tried
  (`walls_inside`), and none of it is felt by the door.
- What stands now counts, not what a unit promises; where only the unit can say it (core dumps before the process has
  begun), the unit as systemd has it counts as well.
- A simulated door has no such walls: all its rooms run as one user. That is said, and nothing is concluded from it.

What this cannot show: that the kernel keeps what it promises, and what root does. And it shows this moment: a process
that is started anew stands behind the walls of the unit as it is then.
"""

from __future__ import annotations

import grp
import os
import pwd
import stat
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from device.config.tables import Config
from device.desk.audit import walls_inside, walls_judged, walls_process
from device.desk.audit.finding import Finding, failed, ok, skipped
from device.desk.audit.folders import STATEFUL, TRY_SUDO
from device.desk.audit.walls_expected import Expected, nodes
from device.desk.audit.walls_inside import Answers, Questions, Target, Unanswered
from device.desk.audit.walls_judged import Stands
from device.desk.network.owners import Owners
from device.desk.network.permitted import Place
from device.edges import EDGES, PROCESSES, Room
from device.link import permitted_uids
from device.paths import Paths

SIMULATED: Final = (
    "this door is a simulated one: its rooms run as one user and without systemd, so there are no walls of the "
    "operating system to look at"
)
NO_SYSTEMD: Final = "systemd does not run this machine, so nothing confines the rooms that could be looked at"
_RUNS_SYSTEMD: Final = Path("/run/systemd/system")  # sd_booted(3)
_SYSTEMCTL: Final = "/usr/bin/systemctl"
_PATIENCE_S: Final = 60.0
_ASKED: Final = ("ActiveState", "MainPID", "ControlGroup", "LimitCORE", "NeedDaemonReload")
_TPM_GROUP: Final = "tss"


@dataclass(frozen=True, slots=True)
class Unit:
    """What systemd says of a room's unit, by the names of its properties."""

    active: bool  # it has said that it is ready; before that it has not yet shut what it shuts itself
    pid: int
    cgroup: str
    core_limit: str
    reload: bool

    @classmethod
    def parse(cls, text: str) -> Unit:
        """From what `systemctl show` prints."""
        said = dict(line.partition("=")[::2] for line in text.splitlines())
        number = said.get("MainPID", "0")
        return cls(
            active=said.get("ActiveState") == "active",
            pid=int(number) if number.isdigit() else 0,
            cgroup=said.get("ControlGroup", ""),
            core_limit=said.get("LimitCORE", ""),
            reload=said.get("NeedDaemonReload") == "yes",
        )


def findings(paths: Paths, door: Config | None) -> Iterator[Finding]:
    """Every wall of every room, or why none can be looked at."""
    if paths.root != Path("/"):
        yield skipped("walls", SIMULATED)
    elif not _RUNS_SYSTEMD.exists():
        yield skipped("walls", NO_SYSTEMD)
    elif os.geteuid() != 0:
        yield failed("walls", TRY_SUDO)
    else:
        yield from _real(paths, Expected.of(door))


def _real(paths: Paths, expected: Expected) -> Iterator[Finding]:
    units = {room: _unit(room) for room in PROCESSES}
    owners = Owners()
    owners.look()
    calls = {
        room: frozenset(held.near for held in owners.of_rooms() if held.room is room and held.listening)
        for room in PROCESSES
    }
    here = tuple(nodes())
    for room, unit in units.items():
        if not (unit.active and unit.pid):
            yield failed(f"{room} walls", f"{room} does not run, or is just starting: nothing can be said of its walls")
            continue
        others = tuple(each.pid for other, each in units.items() if other is not room and each.pid)
        questions = Questions(tuple(node.path for node in here), tuple(_forbidden(paths, room)), others)
        try:
            stands = _stands(room, unit, questions, expected, calls[room])
        except OSError as cause:
            yield failed(f"{room} walls", f"{room} ended while it was looked at, or cannot be: {cause.strerror}")
            continue
        yield from walls_judged.findings(stands, expected, here)
    for room in (*STATEFUL, Room.DESK):
        yield only_its_own(room, paths.state(room), permitted_uids(room))
    try:
        yield walls_judged.listeners(_listening(paths), wanted(paths))
    except OSError as cause:
        yield failed("doors of rooms", f"the kernel's table of local sockets cannot be read: {cause.strerror}")


def only_its_own(room: Room, folder: Path, uids: frozenset[int]) -> Finding:
    """Whether everything in the state folder of `room` is a plain file or folder of its own user."""
    name = f"{room} state"
    try:
        found = [(path, path.lstat()) for path in folder.rglob("*")]
    except FileNotFoundError:
        return skipped(name, f"{room} was writing while it was looked at; try again")
    except OSError as cause:
        return failed(name, f"{folder} cannot be looked at: {cause.strerror}")
    plain = (stat.S_IFREG, stat.S_IFDIR)
    strangers = [path for path, each in found if each.st_uid not in uids or stat.S_IFMT(each.st_mode) not in plain]
    if strangers:
        # Its kind and not its name: the names of records are theirs.
        return failed(name, f"in the folder of {room} lies what is no plain file of its own user")
    return ok(name, "nothing but plain files of its own user")


def wanted(paths: Paths) -> dict[str, str]:
    """The sockets of a door by path, and whose each is: open to the connector alone."""
    found = {}
    for edge in EDGES:
        uids = permitted_uids(edge.connector)
        owner = str(min(uids)) if uids else "nobody"
        found[str(paths.socket(edge.listener, edge.connector))] = f"of user {owner}, mode 0600"
    return found


def _stands(room: Room, unit: Unit, questions: Questions, expected: Expected, calls: frozenset[Place]) -> Stands:
    uids = permitted_uids(room)
    gids = frozenset(pwd.getpwuid(uid).pw_gid for uid in uids)
    # Before the child joins them: it would be one of them.
    pids = walls_process.members(unit.cgroup, walls_inside.CGROUPS) or (unit.pid,)
    processes = tuple(map(walls_process.seen, pids))
    main = next(each for each in processes if each.pid == unit.pid)
    return Stands(
        room=room,
        uids=uids,
        gids=gids,
        more_groups=expected.groups(room, _tpm_groups()),
        processes=processes,
        networks=tuple(map(walls_process.network, pids)),
        calls=calls,
        core_limit=unit.core_limit,
        swap_barred=walls_process.swap_barred(unit.cgroup, walls_inside.CGROUPS),
        reload=unit.reload,
        answers=_tried(
            Target(unit.pid, unit.cgroup, min(main.uids), min(main.gids), tuple(sorted(main.groups))), questions
        ),
    )


def _tried(target: Target, questions: Questions) -> Answers | str:
    try:
        return walls_inside.ask(target, questions)
    except Unanswered as why:
        return str(why)


def _forbidden(paths: Paths, room: Room) -> Iterator[tuple[str, str]]:
    """What `room` must not open, and how a finding calls it: names of records stay unsaid."""
    for other in (*STATEFUL, Room.DESK):
        if other is not room:
            yield from ((str(path), f"the folder of {other}") for path in _all_below(paths.state(other)))
    for other in PROCESSES:
        if other is not room:
            credentials = Path(f"/run/credentials/doorward-{other}.service")
            yield from ((str(path), f"the keys of {other}") for path in _all_below(credentials))
    for path in (Path("/etc/credstore.encrypted"), Path("/var/lib/systemd/credential.secret")):
        yield from ((str(each), "the sealed keys of the machine") for each in _all_below(path))


def _all_below(path: Path) -> list[Path]:
    return [path, *path.rglob("*")] if path.exists() else []


def _listening(paths: Paths) -> dict[str, str]:
    # systemd made them, in the network namespace of the machine, whoever holds them now.
    found = {}
    for path in walls_process.listening(1):
        if path.startswith(f"{paths.run}/"):
            try:
                each = Path(path).lstat()
            except OSError:
                found[path] = "without a file"
                continue
            found[path] = f"of user {each.st_uid}, mode {stat.S_IMODE(each.st_mode):04o}"
    return found


def _unit(room: Room) -> Unit:
    command = (_SYSTEMCTL, "show", f"doorward-{room}.service", *(f"--property={name}" for name in _ASKED))
    done = subprocess.run(command, capture_output=True, text=True, timeout=_PATIENCE_S, check=False)
    return Unit.parse(done.stdout)


def _tpm_groups() -> frozenset[int]:
    try:
        return frozenset({grp.getgrnam(_TPM_GROUP).gr_gid})
    except KeyError:
        return frozenset()
