"""Where the packets of a recording went, and whether each was permitted to go there.

Rules kept here:
- The list is complete: every packet that went out stands in it, whatever it was.
- A packet is judged by its own addresses. An answer is one because it comes from, or goes to, the permitted end of the
  same conversation; whoever began it is not asked.
- Only what a kernel needs to have a link at all is permitted beside the list: finding neighbours, and joining groups.
- On loopback nothing leaves the device, but who talks to whom is told all the same. A process that holds both ends of
  a conversation there speaks with itself.
- On loopback the page answers; it calls nobody there either.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, unique
from typing import Final

from device.desk.network import names
from device.desk.network.capture import LOOPBACK
from device.desk.network.packets import ACK, SYN, Packet
from device.desk.network.permitted import Permitted, Place, Use

# RFC 4861 (133 to 137: routers and neighbours), RFC 3810 and 2710 (130 to 132 and 143: who listens to which group).
_NEIGHBOURS: Final = frozenset({130, 131, 132, 133, 134, 135, 136, 137, 143})


@unique
class Going(Enum):
    """What a packet's way is."""

    PERMITTED = "permitted"
    ANSWER = "an answer to a permitted place on this device"
    LINK = "keeping up the link"
    PAGE = "the page answering a caller on this device"
    ITSELF = "a process speaking with itself"
    FORBIDDEN = "not permitted"


@dataclass(frozen=True, slots=True)
class Went:
    """So many packets, with so many bytes of payload, went to `place`. `use`: what it is permitted for."""

    place: Place
    going: Going
    interface: str
    packets: int
    payload_bytes: int
    use: Use | None = None

    @property
    def line(self) -> str:
        """For a person."""
        why = self.use.value if self.use else self.going.value
        return f"{self.place} on {self.interface}: {self.packets} packets, {self.payload_bytes} bytes ({why})"


@dataclass(frozen=True, slots=True)
class Destinations:
    """Everything that went out, and every name that was asked for."""

    went: tuple[Went, ...]
    names: tuple[str, ...]
    names_forbidden: tuple[str, ...]

    @property
    def forbidden(self) -> tuple[Went, ...]:
        """What went where nothing may go."""
        return tuple(each for each in self.went if each.going is Going.FORBIDDEN)

    @property
    def well(self) -> bool:
        """Whether every packet and every name was permitted."""
        return not self.forbidden and not self.names_forbidden


def destinations(
    recorded: Iterable[Packet], allowed: Permitted, itself: frozenset[frozenset[Place]] = frozenset()
) -> Destinations:
    """The complete list for what was recorded; `itself`: loopback conversations between two ends of one process."""
    recorded = tuple(recorded)
    told = [names.spoken(packet) for packet in recorded]
    answered = [pair for each in told for pair in each.answered]
    # Not everybody's answers: an answer that comes from no permitted name server makes no address permitted.
    believed = [
        pair
        for packet, each in zip(recorded, told, strict=True)
        for pair in each.answered
        if allowed.use(source_of(packet)) is Use.NAMES
    ]
    allowed = allowed.knowing(believed) if answered else allowed
    packets: Counter[tuple[Place, Going, str, Use | None]] = Counter()
    payload: Counter[tuple[Place, Going, str, Use | None]] = Counter()
    asked: set[str] = set()
    for packet, each in zip(recorded, told, strict=True):
        if not packet.outgoing:
            continue
        asked.update(each.asked)
        going = judged(packet, allowed, itself)
        # These go to whichever port was drawn; the port would make a line of each connection.
        drawn = going in (Going.ANSWER, Going.PAGE, Going.ITSELF)
        place = Place(packet.target, 0, packet.protocol) if drawn else target_of(packet)
        key = (place, going, packet.interface, allowed.use(place))
        packets[key] += 1
        payload[key] += len(packet.payload)
    went = tuple(
        Went(place, going, interface, count, payload[place, going, interface, use], use)
        for (place, going, interface, use), count in sorted(packets.items(), key=lambda item: (item[0][2], item[0][0]))
    )
    return Destinations(went, tuple(sorted(asked)), tuple(sorted(asked - allowed.names)))


def judged(packet: Packet, allowed: Permitted, itself: frozenset[frozenset[Place]] = frozenset()) -> Going:
    """Whether `packet`, on its way out, may go where it goes."""
    if allowed.use(target_of(packet)):
        return Going.PERMITTED
    if packet.interface == LOOPBACK and allowed.use(source_of(packet)):
        return Going.ANSWER
    if packet.interface == LOOPBACK and _answers_as_page(packet, allowed):
        return Going.PAGE
    if packet.interface == LOOPBACK and frozenset((source_of(packet), target_of(packet))) in itself:
        return Going.ITSELF
    if packet.protocol in ("arp", "igmp") or (packet.protocol == "icmpv6" and packet.kind in _NEIGHBOURS):
        return Going.LINK
    return Going.FORBIDDEN


def _answers_as_page(packet: Packet, allowed: Permitted) -> bool:
    calls = packet.flags & SYN and not packet.flags & ACK
    return allowed.page is not None and allowed.page.at(source_of(packet)) and not calls


def target_of(packet: Packet) -> Place:
    """Where it goes."""
    return Place(packet.target, packet.target_port, packet.protocol)


def source_of(packet: Packet) -> Place:
    """Where it comes from."""
    return Place(packet.source, packet.source_port, packet.protocol)
