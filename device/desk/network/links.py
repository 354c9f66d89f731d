"""What counts as the local network of a door: its own links, and addresses that are never routed beyond a house.

Rules kept here:
- A link is what the kernel reaches without a router (/proc/net/route, /proc/net/ipv6_route). So a house whose IPv6
  addresses are known to the whole world is still a house.
- A route that takes in a large part of the world (a tunnel's 0.0.0.0/1) is no link of a house and makes nobody local.

Sources: RFC 1918 and RFC 4193 (private addresses), RFC 3927 and RFC 4291 (link-local, loopback);
the columns and flags of the two tables, include/uapi/linux/route.h and ipv6_route.h.
"""

from __future__ import annotations

import ipaddress
import struct
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

HOUSE: Final[tuple[Network, ...]] = tuple(
    ipaddress.ip_network(each)
    for each in (
        *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "127.0.0.0/8"),
        *("fc00::/7", "fe80::/10", "::1/128"),
    )
)
_IPV4, _IPV6 = Path("proc/thread-self/net/route"), Path("proc/thread-self/net/ipv6_route")
_UP, _GATEWAY, _REJECT, _LOCAL = 0x1, 0x2, 0x200, 0x80000000
_WIDEST: Final = {4: 8, 6: 32}  # bits of the prefix: a larger part of the world than that is no house


def on_link(root: Path = Path("/")) -> tuple[Network, ...]:
    """The networks that this machine reaches without a router; a table that is not there says nothing."""
    found = [*_read(root / _IPV4, _of_ipv4), *_read(root / _IPV6, _of_ipv6)]
    return tuple(dict.fromkeys(each for each in found if each.prefixlen >= _WIDEST[each.version]))


def is_local(address: str, links: Iterable[Network]) -> bool:
    """Whether `address` is of one of the `links`, or of no network beyond a house."""
    try:
        there = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(there.version == each.version and there in each for each in (*HOUSE, *links))


def _of_ipv4(words: list[str]) -> Network | None:
    # Interface, destination, gateway, flags, three numbers, mask; addresses in the machine's order.
    flags = int(words[3], 16)
    if not flags & _UP or flags & (_GATEWAY | _REJECT):
        return None
    at, mask = (struct.pack("=I", int(words[column], 16)) for column in (1, 7))
    return ipaddress.IPv4Network((at, int.from_bytes(mask).bit_count()))


def _of_ipv6(words: list[str]) -> Network | None:
    # Destination, its prefix, source, its prefix, next hop, metric, two counts, flags, interface.
    flags, hop = int(words[8], 16), int(words[4], 16)
    if not flags & _UP or flags & (_GATEWAY | _REJECT | _LOCAL) or hop:
        return None
    return ipaddress.IPv6Network((bytes.fromhex(words[0]), int(words[1], 16)))


def _read(path: Path, row: Callable[[list[str]], Network | None]) -> list[Network]:
    try:
        lines = path.read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return []
    found = []
    for line in lines:
        try:
            network = row(line.split())
        except (ValueError, IndexError, struct.error):
            continue  # the heading of the first table, and whatever else is no route
        if network is not None and not network.is_multicast:
            found.append(network)
    return found
