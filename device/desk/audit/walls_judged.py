"""Each wall of a room, judged: a sentence that it stands, or what is missing of it.

Rules kept here:
- Pure: what was seen comes in, findings go out. A wall of which nothing was seen is not said to stand.
- One finding a wall, and every gap of it named.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from device.desk.audit import walls_expected
from device.desk.audit.finding import Finding, failed, ok, skipped
from device.desk.audit.walls_expected import Expected, Node
from device.desk.audit.walls_inside import Answers
from device.desk.audit.walls_process import Network, Seen
from device.desk.network.permitted import Place
from device.edges import Room


@dataclass(frozen=True, slots=True)
class Stands:
    """How a room stands: its processes, their networks, and what was tried from its place (or why nothing was)."""

    room: Room
    uids: frozenset[int]
    gids: frozenset[int]
    more_groups: frozenset[int]
    processes: tuple[Seen, ...]
    networks: tuple[Network, ...]
    calls: frozenset[Place]  # where it waits for calls of the network
    core_limit: str  # as its unit has it
    swap_barred: bool
    reload: bool  # the unit on the disk is not the one that systemd knows
    answers: Answers | str


def findings(stands: Stands, expected: Expected, nodes: Iterable[Node]) -> tuple[Finding, ...]:
    """All walls of one room."""
    return (
        user(stands),
        network(stands, expected),
        memory(stands),
        *((sockets(stands), devices(stands, expected, nodes), reach(stands)) if _tried(stands) else _untried(stands)),
    )


def user(stands: Stands) -> Finding:
    """Its own user, nothing but its own groups, no capability, no way to get one."""
    gaps = []
    for each in stands.processes:
        if not each.uids <= stands.uids or not each.uids:
            gaps.append(f"runs as user {_numbers(each.uids)}")
        strangers = (each.gids | each.groups) - stands.gids - stands.more_groups
        if strangers:
            gaps.append(f"is in group {_numbers(strangers)}")
        if each.capabilities:
            gaps.append(f"has or could get capabilities ({each.capabilities:x})")
        if not each.no_new_privileges:
            gaps.append("may gain privileges by what it starts")
    if stands.reload:
        gaps.append("has a unit that was changed since systemd read it: run systemctl daemon-reload and restart it")
    return _finding(stands, "user", gaps, "a user and a group of its own, no capability, and no way to get one")


def network(stands: Stands, expected: Expected) -> Finding:
    """A network namespace of its own with nothing but loopback; nobody can call it, but desk at the page's socket."""
    page = {each for each in stands.calls if expected.may_wait(stands.room, each)}
    strangers = stands.calls - page
    gaps = [f"waits for calls at {_places(strangers)}"] if strangers else []
    if stands.room in walls_expected.NETWORKED:
        return _finding(stands, "network", gaps, "it may speak with the network, and waits for nobody's call")
    for each in stands.networks:
        if not each.own:
            gaps.append("stands in the network of the machine")
        if each.interfaces:
            gaps.append(f"has a network: {', '.join(sorted(each.interfaces))}")
        if each.routes:
            gaps.append(f"has a route over {', '.join(sorted(each.routes))}")
        if each.own and each.listens:
            gaps.append(f"waits for calls at {', '.join(sorted(map(ascii, each.listens)))}")
    well = "a network of its own with loopback alone: no interface, no route"
    if page:
        well += f"; it was handed the socket of the residents' page, {_places(page)}, and can open none itself"
    return _finding(stands, "network", gaps, well)


def memory(stands: Stands) -> Finding:
    """No core dump, nobody reads it, nothing of it is swapped out."""
    gaps = []
    if stands.core_limit != "0":
        gaps.append(f"has a unit that permits core dumps (LimitCORE={stands.core_limit or 'unknown'})")
    for each in stands.processes:
        if each.core_limits != ("0", "0"):
            gaps.append("may leave a core dump")
        if each.dumpable:
            gaps.append("lets others of its user read its memory, and the kernel hand it to a dump program")
        if each.swap_kb != 0:
            gaps.append("has memory in swap" if each.swap_kb else "does not say what of it is in swap")
    if not stands.swap_barred:
        gaps.append("could be swapped out: give it MemorySwapMax=0 and the kernel its memory controller, or swapoff")
    return _finding(
        stands, "memory", gaps, "no core dump, not to be read by others, none of it in swap nor to come there"
    )


def sockets(stands: Stands) -> Finding:
    """Which sockets it can make, under its own filters; and that it can trace nobody."""
    answers = _answers(stands)
    gaps = [] if all(each.filtered for each in stands.processes) else ["has a thread without a filter of system calls"]
    if answers.hidden:
        # Without its filters on, whatever could be made says nothing.
        if gaps:
            return _finding(stands, "sockets", gaps, "")
        return skipped(f"{stands.room} sockets", f"it is filtered, but how cannot be tried: {answers.hidden}")
    allowed = walls_expected.FAMILIES if stands.room in walls_expected.NETWORKED else frozenset()
    strangers = sorted(frozenset(answers.families) - allowed)
    if strangers:
        gaps.append(f"can make sockets of {', '.join(strangers)}")
    if answers.traces:
        gaps.append("may trace other processes")
    made = ", ".join(sorted(allowed & frozenset(answers.families)))
    return _finding(stands, "sockets", gaps, f"tried: local sockets{f' and {made}' if made else ''}, no other kind")


def devices(stands: Stands, expected: Expected, nodes: Iterable[Node]) -> Finding:
    """Which devices its control group lets through, and which of them it can open."""
    answers, known = _answers(stands), {node.path: node for node in nodes}
    if not answers.asked:
        return failed(
            f"{stands.room} devices",
            f"{stands.room} cannot even open /dev/null or make a local socket, so the trial says nothing",
        )
    opened = [known[path] for path in answers.devices if path in known]
    passed = [known[path] for path in answers.group_devices if path in known]
    gaps = [f"can open {node.path}" for node in opened if not expected.may_open(stands.room, node)]
    gaps += [
        f"is let through to {node.path} by its control group"
        for node in passed
        if not expected.may_pass(stands.room, node) and node not in opened
    ]
    own = sorted(node.path for node in opened if node.path.rpartition("/")[2] not in walls_expected.COMMON)
    return _finding(stands, "devices", gaps, f"of all that are here it can open {', '.join(own) or 'none'}")


def reach(stands: Stands) -> Finding:
    """Of what belongs to other rooms, and to nobody but root, nothing opens; nor does their memory."""
    answers = _answers(stands)
    gaps = [f"can open {name}" for name in answers.files]
    if answers.memory:
        gaps.append("can read the memory of another room")
    return _finding(stands, "reach", gaps, "tried: no other room's folder, keys or memory can be read")


def listeners(found: Mapping[str, str], wanted: Mapping[str, str]) -> Finding:
    """The local sockets of the door, path -> whose and in which mode, against those that its table of edges has."""
    gaps = [f"{path!a} should not be there" for path in sorted(found.keys() - wanted.keys())]
    gaps += [f"nobody listens at {path}" for path in sorted(wanted.keys() - found.keys())]
    gaps += [
        f"{path} is {found[path]} instead of {wanted[path]}"
        for path in sorted(found.keys() & wanted.keys())
        if found[path] != wanted[path]
    ]
    if gaps:
        return failed("doors of rooms", "; ".join(gaps))
    return ok("doors of rooms", f"{len(found)} sockets, each open to the one room that may connect, and no other")


def _tried(stands: Stands) -> bool:
    return isinstance(stands.answers, Answers)


def _answers(stands: Stands) -> Answers:
    assert isinstance(stands.answers, Answers)  # noqa: S101 - `findings` asks `_tried` first
    return stands.answers


def _untried(stands: Stands) -> tuple[Finding, ...]:
    return tuple(failed(f"{stands.room} {wall}", str(stands.answers)) for wall in ("sockets", "devices", "reach"))


def _finding(stands: Stands, wall: str, gaps: list[str], well: str) -> Finding:
    name = f"{stands.room} {wall}"
    if gaps:
        return failed(name, f"{stands.room} {'; '.join(dict.fromkeys(gaps))}")
    return ok(name, well)


def _places(found: Iterable[Place]) -> str:
    return ", ".join(map(str, sorted(found)))


def _numbers(found: Iterable[int]) -> str:
    return ", ".join(map(str, sorted(found))) or "nobody"
