"""Who makes room where all places are taken: fair shares among the addresses that call. Pure.

Rules kept here:
- Whoever holds the most gives way to whoever holds less, until all hold alike. So a caller with one place of an address
  never loses it to callers who want many.
- Where all hold alike, whoever holds nothing gets the place that was held longest, once it was held long enough to be
  used. So places that are only held keep nobody away for long, from however many addresses.
- An address is what the kernel says of a line, and nothing that a caller says. It is kept for as long as the place is,
  in memory alone, and told to nobody.

An address is no person: a household behind one router has one, and whoever wants to can have many.
"""

from __future__ import annotations

import ipaddress
from collections import Counter
from collections.abc import Iterable, Mapping


def address_of(host: str) -> str:
    """The caller's address in one way of writing, IPv4 within IPv6 as IPv4; empty for what is no address."""
    try:
        found = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return ""
    return str((found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None) or found)


def gives_way(held: Mapping[str, int], newcomer: str) -> str | None:
    """Which address has to give up a place for one more of `newcomer`; None if none has so many more.

    `held`: places by address.
    """
    most = max(held, key=lambda address: held[address], default=None)
    if most is None or held[most] - 1 < held.get(newcomer, 0) + 1:
        return None
    return most


def place_for(newcomer: str, places: Iterable[tuple[str, float]], used_s: float) -> int | None:
    """Which place `newcomer` gets where all are taken, by its number; None if none gives way.

    `places`: who holds each, and for how many seconds by now, the longest first. `used_s`: how long one is for sure.
    """
    listed = list(places)
    held = Counter(address for address, _ in listed)
    giving = gives_way(held, newcomer)
    if giving is None and newcomer not in held and listed and listed[0][1] >= used_s:
        return 0
    return next((number for number, (address, _) in enumerate(listed) if address == giving), None)
