"""Where a door's packets may go: its broker, and the name and time services if they are used. Nothing else.

And who may call it: nobody, or, where it has a page for its residents, the local network at the port of that page.

Rules kept here:
- The list follows from door.toml and from how the board was set up for names and time. Nothing that was heard on the
  network adds to it, but for the addresses a permitted name was answered with.
- A name service is permitted only if there is a name to ask for: a broker or time server given as an address needs
  none.
- A time service is permitted only where an installer named one (NTP= in timesyncd.conf): a pool that nobody chose is
  not.
- To be called permits no call: where a page is called from is no place where packets may go by themselves.

Ports, IANA: mqtt 1883, secure-mqtt 8883, domain 53, ntp 123.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from enum import Enum, unique
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from device.config.tables import PageTable
from device.desk.network import links, names
from device.desk.network.links import Network
from device.errors import ConfigRefused

_PORTS: Final = {"mqtt": 1883, "mqtts": 8883}
_NTP: Final = 123
_RESOLVERS = ("etc/resolv.conf", "run/systemd/resolve/resolv.conf")
_TIME = ("etc/systemd/timesyncd.conf", "etc/systemd/timesyncd.conf.d")


@unique
class Use(Enum):
    """What a permitted place is for."""

    BROKER = "the broker"
    NAMES = "the name service"
    TIME = "the time service"


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """One end of a conversation: where, and by which protocol."""

    address: str
    port: int
    protocol: str

    def __str__(self) -> str:
        """As a person reads it."""
        if not self.port:
            return f"{self.address} ({self.protocol})" if self.address else f"({self.protocol})"
        address = f"[{self.address}]" if ":" in self.address else self.address
        return f"{address}:{self.port}/{self.protocol}"


@dataclass(frozen=True, slots=True)
class Board:
    """How the board is set up apart from door.toml: its name servers, search domains, time servers, and own links."""

    name_servers: tuple[str, ...] = ()
    search: tuple[str, ...] = ()
    time_servers: tuple[str, ...] = ()
    links: tuple[Network, ...] = ()


@dataclass(frozen=True, slots=True)
class Called:
    """The residents' page: the `port` and `address` (empty: every one) at which the `local` network may call it."""

    port: int
    address: str = ""
    local: tuple[Network, ...] = ()

    def at(self, near: Place) -> bool:
        """Whether `near`, an end on this machine, is that of the page."""
        return near.protocol == "tcp" and near.port == self.port and self.address in ("", near.address)

    def may_call(self, far: Place) -> bool:
        """Whether the one at `far` is of the local network."""
        return links.is_local(far.address, self.local)

    @property
    def line(self) -> str:
        """For a person."""
        where = f"{Place(self.address, self.port, 'tcp')}" if self.address else f"port {self.port}/tcp"
        return f"{where}: the residents' page, which the local network may call"


@dataclass(frozen=True, slots=True)
class Permitted:
    """The complete list. `names` may be asked for; `services` are names whose addresses are permitted at a port.

    `page`: where the local network may call this door, if it may.
    """

    places: dict[Place, Use] = field(default_factory=dict)
    names: frozenset[str] = frozenset()
    services: tuple[tuple[str, int, str, Use], ...] = ()
    page: Called | None = None

    def use(self, place: Place) -> Use | None:
        """What `place` is for, or None if nothing may go there."""
        return self.places.get(place)

    def knowing(self, answers: Iterable[tuple[str, str]]) -> Permitted:
        """The same list with the addresses of its names: pairs of a name and an address."""
        places = dict(self.places)
        for name, address in answers:
            for service, port, protocol, use in self.services:
                if name == service:
                    places[Place(address, port, protocol)] = use
        return replace(self, places=places)

    @property
    def lines(self) -> tuple[str, ...]:
        """For a person."""
        listed = [f"{place}: {use.value}" for place, use in sorted(self.places.items())]
        listed += [f"the name {name} may be asked for" for name in sorted(self.names)]
        listed = listed or ["nothing: this door has no broker"]
        return (*listed, *([self.page.line] if self.page else []))


def permitted(broker: str, board: Board, page: PageTable | None = None) -> Permitted:
    """The list for the setting `[report] broker`, the `board`, and the table `[page]`. Raises ConfigRefused."""
    wanted: list[tuple[str, int, str, Use]] = []
    if broker:
        try:
            parts = urlsplit(broker)
            host, port = parts.hostname or "", parts.port or _PORTS.get(parts.scheme, 0)
        except ValueError as cause:  # brackets with no address in them, a port that is none: report does not start
            msg = f'[report] broker must be "mqtts://HOST:PORT" or "mqtt://HOST:PORT", not {broker!r}'
            raise ConfigRefused(msg) from cause
        wanted.append(("127.0.0.1" if host == "localhost" else host, port, "tcp", Use.BROKER))
    wanted += [(server, _NTP, "udp", Use.TIME) for server in board.time_servers]
    places = {Place(_plain(host), port, protocol): use for host, port, protocol, use in wanted if _plain(host)}
    services = tuple(
        (host.lower().rstrip("."), port, protocol, use)
        for host, port, protocol, use in wanted
        if host and not _plain(host)
    )
    if services:
        for server in board.name_servers:
            places |= {Place(server, names.PORT, protocol): Use.NAMES for protocol in ("udp", "tcp")}
    asked = {name for name, *_ in services}
    # A resolver also tries the name below each search domain (resolv.conf(5)).
    asked |= {f"{name}.{domain}" for name in tuple(asked) for domain in board.search}
    called = Called(page.port, _plain(page.address), board.links) if page and page.served else None
    return Permitted(places, frozenset(asked), services, called)


def board_of(root: Path = Path("/")) -> Board:
    """How the board below `root` is set up; a file that is not there or cannot be read says nothing."""
    servers: list[str] = []
    search: list[str] = []
    for line in _lines(root / name for name in _RESOLVERS):
        match line.split():
            case ["nameserver", address, *_] if _plain(address.split("%")[0]):
                servers.append(_plain(address.split("%")[0]))
            case ["search" | "domain", *domains]:
                search += [each.lower().strip(".") for each in domains if each.strip(".")]
    time: list[str] = []
    where = [root / _TIME[0], *sorted((root / _TIME[1]).glob("*.conf"))]
    for line in _lines(where):
        if found := re.fullmatch(r"\s*NTP\s*=(.*)", line):
            # An empty assignment takes back what stood before (systemd.syntax(7)).
            time = time + found[1].split() if found[1].strip() else []
    once = [tuple(dict.fromkeys(each)) for each in (servers, search, time)]
    return Board(once[0], once[1], once[2], links.on_link(root))


def looked_up(allowed: Permitted) -> Permitted:
    """`allowed` with the addresses that its names have now; a name that has none adds nothing."""
    answers: list[tuple[str, str]] = []
    for name, port, _protocol, _use in allowed.services:
        try:
            found = socket.getaddrinfo(name, port)
        except OSError:
            continue
        answers += [(name, _plain(str(each[4][0]))) for each in found]
    return allowed.knowing(answers)


def _plain(host: str) -> str:
    """`host` as an address in its usual form, or nothing if it is a name."""
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        return ""


def _lines(paths: Iterable[Path]) -> list[str]:
    found: list[str] = []
    for path in paths:
        try:
            found += path.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            continue
    return found
