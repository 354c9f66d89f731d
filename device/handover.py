"""What systemd hands to a process when it starts it: listening sockets by name, and keys.

Rules kept here:
- A socket is taken only under a name of its own, and only if it keeps datagrams apart: with another kind a datagram's
  size would not be its schema. What does not fit is refused by name, and the process does not start.
- One name alone is a socket of a network: `PAGE`, at which people's browsers call. It has to wait for calls already, so
  that no process of ours ever needs the right to open one.
- Nothing that was handed over is inherited any further.
- A key comes from the credentials folder or not at all: from no argument, no environment and no file of our own.

Sources: sd_listen_fds(3), systemd.exec(5) on LoadCredentialEncrypted=.
"""

from __future__ import annotations

import os
import socket

from device import reading
from device.errors import KeyFault, NotPermitted

PAGE = "page"  # FileDescriptorName= of doorward-page.socket
_LARGEST_KEY = 4096
_FIRST_LISTEN_FD = 3  # SD_LISTEN_FDS_START


def inherited_sockets() -> dict[str, socket.socket]:
    """The listening sockets handed over by systemd, by their FileDescriptorName= (sd_listen_fds(3)).

    Raises NotPermitted if one has no name of its own, or is no SOCK_SEQPACKET socket of the file system (`PAGE`: none
    of TCP that waits for calls).
    """
    if os.environ.get("LISTEN_PID") != str(os.getpid()):
        return {}
    count = os.environ.get("LISTEN_FDS", "0")
    names = [name for name in os.environ.get("LISTEN_FDNAMES", "").split(":") if name]
    if count != str(len(names)) or len(set(names)) != len(names):
        msg = f"{count} sockets were handed over with the names {', '.join(names) or 'of none'}; each needs its own"
        raise NotPermitted(msg)
    return {name: _listener(_FIRST_LISTEN_FD + i, name) for i, name in enumerate(names)}


def credential(name: str) -> bytes:
    """A key that systemd hands over as a credential (LoadCredentialEncrypted=). Raises KeyFault."""
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    if not folder:
        msg = f"the key {name} was not handed over; start this process through its unit"
        raise KeyFault(msg)
    try:
        return reading.whole(f"{folder}/{name}", _LARGEST_KEY)
    except OSError as cause:
        msg = f"the key {name} cannot be read"
        raise KeyFault(msg) from cause


def _listener(fd: int, name: str) -> socket.socket:
    try:
        sock = socket.socket(fileno=fd)
    except OSError as cause:
        msg = f"what was handed over as {name} is no socket"
        raise NotPermitted(msg) from cause
    if name == PAGE:
        if not _waits_for_browsers(sock):
            sock.close()
            msg = f"the socket handed over as {name} is not of the kind ListenStream=PORT"
            raise NotPermitted(msg)
    elif (sock.family, sock.type) != (socket.AF_UNIX, socket.SOCK_SEQPACKET):
        sock.close()
        msg = f"the socket handed over as {name} is not of the kind ListenSequentialPacket="
        raise NotPermitted(msg)
    sock.set_inheritable(False)
    return sock


def _waits_for_browsers(sock: socket.socket) -> bool:
    internet = sock.family in (socket.AF_INET, socket.AF_INET6) and sock.type == socket.SOCK_STREAM
    return internet and bool(sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))
