"""`doorctl audit --network` at a door that is called: real packets on a cable, a process that passes for desk."""

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from device.config.tables import PageTable
from device.desk.audit.finding import State
from device.desk.network import audit
from device.edges import Room
from tools.egress.namespace import DOOR, STREET, Street

PORT = 8443
FAR_AWAY = "198.51.100.7"
LISTENS_S = 2.0
SERVES = f"""
import socket, sys
waits = socket.create_server(("", {PORT}))
print("waits", flush=True)
inside = []
while True:
    inside.append(waits.accept()[0])
    inside[-1].send(b"page")
"""


@pytest.fixture(scope="module")
def desk(outside: Street) -> Iterator[None]:
    """A process in the door's place that waits for calls; its command line says that it is desk."""
    outside.street.run_ip("addr", "add", f"{FAR_AWAY}/32", "dev", "lo")
    outside.door.run_ip("route", "add", "198.51.100.0/24", "via", STREET)
    command = [sys.executable, "-c", SERVES, "-m", f"device.{Room.DESK}", "x"]
    with outside.door.entered(), subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"waits\n"
        yield
        process.kill()


@contextmanager
def called(outside: Street, by: str) -> Iterator[None]:
    """Somebody in the street calls while the audit listens, and stays."""
    with outside.street.entered():
        caller = socket.socket()
    caller.settimeout(LISTENS_S * 5)

    def call() -> None:
        time.sleep(LISTENS_S / 4)
        caller.bind((by, 0))
        caller.connect((DOOR, PORT))
        caller.recv(4)

    line = threading.Thread(target=call)
    line.start()
    try:
        yield
    finally:
        line.join()
        caller.close()


def bad(outside: Street, by: str, page: PageTable) -> set[str]:
    """Which of the checks that a call concerns failed."""
    with called(outside, by), outside.door.entered():
        heard = audit.listen("", LISTENS_S, simulated=True, page=page)
    # The other checks look at the whole machine, on which other doors may be played.
    concerned = ("recording", "destinations", "rooms", "calls", "page")
    found = [each for each in audit.findings(heard) if each.name in concerned]
    assert page.port != PORT or by in next(each.sentence for each in found if each.name == "page")
    return {each.name for each in found if each.state is State.FAILED}


@pytest.mark.usefixtures("desk")
@pytest.mark.parametrize(
    ("by", "page", "failed"),
    [
        (STREET, PageTable(port=PORT), set[str]()),
        (STREET, PageTable(port=PORT + 1), {"rooms", "calls"}),
        (STREET, PageTable(), {"rooms", "calls"}),
        (FAR_AWAY, PageTable(port=PORT), {"page"}),
    ],
    ids=["its-page", "another-port", "no-page", "from-far-away"],
)
def test_a_call_is_expected_at_the_page_and_from_the_local_network_alone(
    outside: Street, by: str, page: PageTable, failed: set[str]
) -> None:
    assert bad(outside, by, page) == failed
