"""The socket of the resident's page, for a door whose door.toml has one: made by systemd, handed to desk.

Rules kept here:
- The package brings no socket of a network. A door that nobody may call has no unit for it.
- desk gets the socket as it is, waiting for calls, and no right to open another: its own unit stays without a network.
- Its address and port are those of door.toml, and of nothing else.
- Who calls from beyond a house is not answered, armed or not: the kernel drops what comes from any other address before
  the socket sees it, and what would go there. A kernel without these filters (CONFIG_CGROUP_BPF) drops nothing; then
  `doorctl audit --network` alone sees such a caller.

Sources: systemd.socket(5); systemd.resource-control(5): the address filters of a service do not hold for a socket that
was handed to it, which is why those of desk can stay shut, and those of a socket unit hold for whoever is handed it.
"""

from __future__ import annotations

from pathlib import Path

from device.config.tables import Config, PageTable
from device.desk.network.links import HOUSE
from device.edges import Room
from device.handover import PAGE

SOCKET = Path("etc/systemd/system/doorward-page.socket")
DROP_IN = Path(f"etc/systemd/system/doorward-{Room.DESK}.service.d/50-setup.conf")
_HEAD = "# Written by `doorctl setup` from door.toml: the resident's page.\n"
_DESK = f"""{_HEAD}[Unit]
Wants={SOCKET.name}
After={SOCKET.name}

[Service]
Sockets={SOCKET.name}
"""


def files(config: Config) -> dict[Path, str | None]:
    """Both files below the door's root; None where there must be none."""
    served = config.page.served and config.lock.board != "sim"
    return {SOCKET: _socket(config.page) if served else None, DROP_IN: _DESK if served else None}


def listens_at(page: PageTable) -> str:
    """ListenStream= for `page`: every address of the machine, by IPv4 and IPv6, or the one that was chosen."""
    if not page.address:
        return str(page.port)
    return f"[{page.address}]:{page.port}" if ":" in page.address else f"{page.address}:{page.port}"


def _socket(page: PageTable) -> str:
    return f"""{_HEAD}
[Unit]
Description=Doorward: browsers call desk
ConditionPathExists=/etc/doorward/door.toml
PartOf=doorward.target

[Socket]
ListenStream={listens_at(page)}
Service=doorward-{Room.DESK}.service
# By this name desk knows what it is (device/handover.py), and no other room takes it.
FileDescriptorName={PAGE}
# An address that comes with the network may come later than the door.
FreeBind=yes
Backlog=64
TriggerLimitIntervalSec=60
TriggerLimitBurst=6
# Addresses of a house, and no others. Where telephones have others, such as IPv6 ones that the world knows, add them:
# `systemctl edit {SOCKET.name}`, [Socket], IPAddressAllow=2001:db8:1:2::/64.
IPAddressDeny=any
IPAddressAllow={" ".join(map(str, HOUSE))}
"""
