"""Who makes room where all places are taken: fair shares among the addresses that call. Pure.

Rules kept here:
- Whoever holds the most gives way to whoever holds less, until all hold alike. So a caller with one place of an address
  never loses it to callers who want many.
- An address is what the kernel says of a line, and nothing that a caller says. It is kept for as long as the place is,
  in memory alone, and told to nobody.

An address is no person: a household behind one router has one, and whoever wants to can have many.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping


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
