"""`doorctl audit --network`: what was heard, judged.

Rules kept here:
- Of the door's processes only report may own a conversation with anybody, and only with a permitted place. For them
  loopback counts like any other network.
- What other programs of the machine send outward must be permitted as well. Somebody else's call that the machine
  answers (a maintainer's SSH) is told and not judged: whoever runs the audit knows whether it is theirs. Where the
  recording does not show who began, it is a call only if somebody waits for calls there; else it is judged.
- desk may hold the socket of the residents' page and answer there, if door.toml has a page: at that port and address
  alone, and nobody from beyond the local network. Nothing else is taken out of what desk is judged by.
- A recording with losses fails.
- A room that could speak where this does not hear (`beyond`) fails: another kind of socket, or a namespace with more
  than loopback. Other programs there, and Bluetooth radios, are told and not judged.
- What cannot be seen is said every time.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from device.config.tables import PageTable
from device.desk.audit.finding import Finding, failed, ok, skipped
from device.desk.network import destinations as the_way
from device.desk.network import permitted as the_list
from device.desk.network.beyond import Beyond
from device.desk.network.capture import LOOPBACK, Capture, ListeningFault
from device.desk.network.destinations import Destinations, Going, destinations
from device.desk.network.owners import Held, Owners
from device.desk.network.packets import ACK, SYN, Packet
from device.desk.network.permitted import Called, Permitted, Place
from device.edges import Room

_Ends = tuple[Place, Place]  # of a conversation: the one here, the one far away

LOOK_EVERY_S: Final = 0.2
CANNOT_SHOW: Final = (
    "what stands inside TLS: only who spoke with whom, when, and how much",
    "what was sent before or after these seconds, or by other programs in network namespaces of their own",
    "that a permitted broker keeps to itself what it is told",
    "what a Bluetooth radio sends: only that there is one, and who holds a socket for it",
    "whose call it is that another machine of this network passes on to the residents' page",
    "a radio or a second computer beside the board that Linux does not know",
)


@dataclass(frozen=True, slots=True)
class Heard:
    """What an audit listened to."""

    packets: tuple[Packet, ...]
    allowed: Permitted
    owners: Owners
    trouble: str = ""
    beyond: Beyond = field(default_factory=Beyond)


def listen(broker: str, seconds: float, *, simulated: bool, page: PageTable | None = None) -> Heard:
    """Listen for `seconds`. Raises ConfigRefused, ListeningRefused, ListeningFault if it cannot even begin."""
    listed = the_list.permitted(broker, the_list.board_of(), page)
    capture = Capture()  # then: who may not listen should not wait for names to be looked up
    allowed = the_list.looked_up(listed)
    owners, beyond = Owners(simulated=simulated), Beyond(simulated=simulated)
    owners.look()
    beyond.look()
    began_ns = time.time_ns()
    with capture:
        ends = time.monotonic() + seconds
        while (left := ends - time.monotonic()) > 0:
            time.sleep(min(left, LOOK_EVERY_S))
            owners.look()
            beyond.look()
    try:
        capture.check()
        trouble = ""
    except ListeningFault as fault:
        trouble = str(fault)
    # The look-ups above are this program's, and the door has its own.
    return Heard(tuple(each for each in capture.packets if each.at_ns >= began_ns), allowed, owners, trouble, beyond)


def findings(heard: Heard) -> Iterator[Finding]:
    """Each check, for a person."""
    if heard.trouble:
        yield failed("recording", heard.trouble)
    else:
        yield ok("recording", f"{len(heard.packets)} packets, and none was missed")
    answered = _calls_from_outside(heard)
    way = destinations(_leaving(heard, answered), heard.allowed, heard.owners.of_itself())
    yield _destinations(heard, way)
    yield _names(way)
    yield from _rooms(heard)
    yield from _beyond(heard.beyond)
    yield _answered(heard, answered)
    if heard.allowed.page:
        yield _page(heard, heard.allowed.page, answered)


def facts(heard: Heard) -> dict[str, object]:
    """The same for a program."""
    answered = _calls_from_outside(heard)
    way = destinations(_leaving(heard, answered), heard.allowed, heard.owners.of_itself())
    return {
        "permitted": list(heard.allowed.lines),
        "packets": len(heard.packets),
        "went": [
            {
                "to": str(each.place),
                "interface": each.interface,
                "packets": each.packets,
                "way": each.going.name.lower(),
            }
            for each in way.went
        ],
        "names": list(way.names),
        "apart": {
            name: sorted(there) for name, there in sorted({**heard.beyond.apart, **_named(heard.beyond)}.items())
        },
        "callers": sorted(_callers(heard, heard.allowed.page, answered)) if heard.allowed.page else [],
        "radios": list(heard.beyond.radios),
        "radio_users": list(heard.beyond.radio_users),
        "processes": [
            {"who": held.who, "near": str(held.near), "far": str(held.far)}
            for held in sorted(heard.owners.of_rooms(), key=lambda held: (held.who, held.near, held.far))
        ],
    }


def _leaving(heard: Heard, answered: frozenset[_Ends]) -> Iterator[Packet]:
    for packet in heard.packets:
        near, far = the_way.source_of(packet), the_way.target_of(packet)
        if packet.interface == LOOPBACK:
            held = heard.owners.of(near, far)
            if held is not None and held.room is not None:
                yield packet
        elif (near, far) not in answered:
            yield packet


def _calls_from_outside(heard: Heard) -> frozenset[_Ends]:
    """Conversations (near end, far end) that the other side began, as far as the recording and the sockets show."""
    began: dict[_Ends, bool] = {}
    first: dict[_Ends, Packet] = {}
    for packet in heard.packets:
        if packet.protocol not in ("tcp", "udp") or packet.interface == LOOPBACK:
            continue
        source, target = the_way.source_of(packet), the_way.target_of(packet)
        ends = (source, target) if packet.outgoing else (target, source)
        first.setdefault(ends, packet)
        if packet.protocol == "tcp" and packet.flags & SYN:
            # The first segment of the two that carry SYN is the caller's, and has no ACK.
            began[ends] = packet.outgoing == bool(packet.flags & ACK)
    for ends, packet in first.items():
        # Of a connection that stood before, either side may speak first. By UDP, whoever is asked is asked first.
        silent = packet.protocol == "udp" and packet.outgoing
        began.setdefault(ends, not silent and heard.owners.listens(ends[0]) is not None)
    return frozenset(ends for ends, from_outside in began.items() if from_outside)


def _destinations(heard: Heard, way: Destinations) -> Finding:
    if way.forbidden:
        where = "; ".join(f"{each.line} from {_who(heard, each)}" for each in way.forbidden)
        return failed("destinations", f"packets went where none may go: {where}")
    went = [each for each in way.went if each.going is Going.PERMITTED]
    if not went:
        return ok("destinations", "nothing went out beside what keeps up the link")
    return ok("destinations", "; ".join(each.line for each in went))


def _who(heard: Heard, went: the_way.Went) -> str:
    for packet in heard.packets:
        if packet.outgoing and the_way.target_of(packet) == went.place:
            held = heard.owners.of(the_way.source_of(packet), went.place)
            if held is not None:
                return held.who
    return "a process that was not caught holding it"


def _names(way: Destinations) -> Finding:
    if way.names_forbidden:
        # ascii: a name can hold whatever a forger put there, and this line goes to a terminal.
        return failed("names", f"names were asked for that nobody may: {', '.join(map(ascii, way.names_forbidden))}")
    return ok("names", f"asked for: {', '.join(way.names)}" if way.names else "none was asked for")


def _rooms(heard: Heard) -> Iterator[Finding]:
    itself = heard.owners.of_itself()
    held = tuple(each for each in heard.owners.of_rooms() if frozenset((each.near, each.far)) not in itself)
    others = sorted({each.who for each in held if each.room is not Room.REPORT and not _of_page(heard, each)})
    if others:
        yield failed("rooms", f"only report may speak with a network, but a socket is held by {', '.join(others)}")
    elif any(_of_page(heard, each) for each in held):
        yield ok("rooms", "none but report holds a network socket, and desk that of the residents' page")
    else:
        yield ok("rooms", "none but report holds a network socket")
    mine = [each for each in held if each.room is Room.REPORT]
    strange = sorted({str(each.far if each.far.port else each.near) for each in mine if not _permitted(heard, each)})
    if strange:
        yield failed("report", f"report holds sockets for what is not permitted: {', '.join(strange)}")
    elif mine:
        yield ok("report", f"report speaks with {', '.join(sorted({str(each.far) for each in mine}))} and nobody else")
    else:
        yield skipped("report", "it held no connection while this listened")


def _beyond(beyond: Beyond) -> Iterator[Finding]:
    if beyond.strange:
        kinds = sorted(
            {
                f"{room} ({'Bluetooth' if beyond.is_bluetooth(at) else 'of no known kind'})"
                for room, at in beyond.strange
            }
        )
        yield failed("sockets", f"what no table of this network explains is held by {', '.join(kinds)}")
    else:
        yield ok("sockets", "every socket of the door's is local, or one that was judged here")
    yield _namespaces(beyond)
    if beyond.radios:
        users = ", ".join(map(ascii, beyond.radio_users)) or "nobody"
        yield skipped(
            "bluetooth", f"{', '.join(beyond.radios)} is there, and what it sends is not heard; used by {users}"
        )
    else:
        yield ok("bluetooth", "Linux knows no Bluetooth radio here")


def _namespaces(beyond: Beyond) -> Finding:
    if Room.REPORT in beyond.rooms_apart:
        return failed("namespaces", "report is in another network namespace, where this does not hear; run it in there")
    bad = sorted(f"{room} has {', '.join(sorted(there))}" for room, there in beyond.rooms_apart.items() if there)
    if bad:
        return failed("namespaces", f"a part of the door has a network where this does not hear: {'; '.join(bad)}")
    others = sorted(name for name, there in beyond.apart.items() if there)
    if others:
        return skipped("namespaces", f"not heard, in networks of their own: {', '.join(map(ascii, others))}")
    return ok("namespaces", "no network of another namespace was seen")


def _named(beyond: Beyond) -> dict[str, frozenset[str]]:
    return {str(room): there for room, there in beyond.rooms_apart.items()}


def _permitted(heard: Heard, held: Held) -> bool:
    # A socket of the resolver is not connected: its packets are judged one by one, among the destinations.
    unconnected = held.near.protocol == "udp" and not held.far.port and not held.listening
    return unconnected or heard.allowed.use(held.far) is not None


def _answered(heard: Heard, answered: frozenset[_Ends]) -> Finding:
    told: dict[str, None] = {}
    spoke = {(the_way.source_of(packet), the_way.target_of(packet)) for packet in heard.packets if packet.outgoing}
    for near, far in sorted(answered & spoke):
        held = heard.owners.listens(near)
        if held is not None and _of_page(heard, held, near):
            continue
        if held is not None and held.room is not None:
            return failed("calls", f"{held.who} answered {far.address} at port {near.port}: no part of the door may")
        who = held.who if held else "nobody that was seen"
        told[f"{far.address} called port {near.port}/{near.protocol}, answered by {who}"] = None
    if told:
        return skipped("calls", f"{'; '.join(told)}: you know whether that was you")
    return ok("calls", "nobody's call from outside was answered")


def _of_page(heard: Heard, held: Held, near: Place | None = None) -> bool:
    """Whether desk holds this socket for the residents' page; `near`: the end that was called there."""
    page = heard.allowed.page
    return page is not None and held.room is Room.DESK and page.at(held.near) and (near is None or page.at(near))


def _callers(heard: Heard, page: Called, answered: frozenset[_Ends]) -> frozenset[str]:
    """Addresses of those with whom desk spoke at the page."""
    spoke = {(the_way.source_of(packet), the_way.target_of(packet)) for packet in heard.packets if packet.outgoing}
    lines = {(near, far) for near, far in answered & spoke if page.at(near)}
    heard_at = {far.address for near, far in lines if (it := heard.owners.listens(near)) and _of_page(heard, it)}
    held_by = {held.far.address for held in heard.owners.of_rooms() if _of_page(heard, held) and held.far.port}
    return frozenset(heard_at | held_by)


def _page(heard: Heard, page: Called, answered: frozenset[_Ends]) -> Finding:
    callers = _callers(heard, page, answered)
    beyond = sorted(each for each in callers if not page.may_call(Place(each, 0, "tcp")))
    if beyond:
        return failed("page", f"it answered {', '.join(beyond)}, from beyond the local network")
    if callers:
        return ok("page", f"called by {', '.join(sorted(callers))}, and by nobody from beyond the local network")
    if any(_of_page(heard, held) and held.listening for held in heard.owners.of_rooms()):
        return ok("page", f"nobody called it; it waits at port {page.port}")
    return skipped("page", f"desk was not seen waiting at port {page.port}")
