"""TCP ports of a test's own, where several workers and several test runs share one machine."""

import os
import socket
from itertools import count

# Below what Linux hands out to connections (ip_local_port_range begins at 32768): a server that starts late, or anew,
# finds its port as free as it was. Each worker of a test run has a share of its own.
PORTS = range(20_000, 32_000)
WORKERS = 16
_SHARE = len(PORTS) // WORKERS
_taken = count(os.getpid())  # two runs on one machine begin at different places


def own_port(in_a_row: int = 1) -> int:
    """A free port, with those behind it where `in_a_row` are wanted: no connection and no other worker takes them."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % WORKERS
    while True:
        port = PORTS[worker * _SHARE + next(_taken) * in_a_row % (_SHARE - in_a_row)]
        if all(_free(port + each) for each in range(in_a_row)):
            return port


def _free(port: int) -> bool:
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do
        try:
            sock.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
