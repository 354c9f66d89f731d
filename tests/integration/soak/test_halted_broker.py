"""A broker that stood still is found again by the first try, and writes nothing that sounds like somebody's fault.

Mosquitto says `Protocol error` (EPROTO) of every failure of TLS below a connection, whoever ended it and why
(`net__handle_ssl` in its `lib/net_mosq.c`). It names nobody as long as nobody has said who they are.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from device.report.broker import Broker
from device.report.guarded import GuardedClient
from device.report.mqtt import MqttPublisher
from device.report.publisher import What
from tests.support.room_process import short_root
from tools.broker import INSTALL, PROGRAM
from tools.soak import broker as soak_broker
from tools.soak.broker import HOST, MANAGER, FleetBroker
from tools.soak.explained import EXPLAINED
from tools.soak.lines import Cause, Journal, Line, Secrets

DOOR = "00112233445566ff"
CLIENTS = (DOOR, f"manager/{MANAGER}")
KEEPALIVE_S = 2  # as a broker may want it; so its silence lasts seconds here, and not minutes
STANDS_STILL_S = 9.0  # the connection is given up after some 5 s, and from then on a handshake waits for the broker
PATIENCE_S = 30.0

pytestmark = pytest.mark.skipif(not Path(PROGRAM).exists(), reason=INSTALL)


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> Iterator[FleetBroker]:
    monkeypatch.setattr(soak_broker, "KEEPALIVE_S", KEEPALIVE_S)
    with short_root() as folder:
        folder.chmod(0o755)  # Mosquitto becomes another user
        made = FleetBroker(folder / "site")
        made.root.mkdir(mode=0o755)
        made.configure()
        made.admit(DOOR, folder / "tls")
        made.start()
        yield made
        made.stop()


def door_at(broker: FleetBroker) -> MqttPublisher:
    folder = broker.root.parent / "tls"

    def context() -> ssl.SSLContext:
        made = ssl.create_default_context(cafile=str(folder / "ca.pem"))
        made.load_cert_chain(folder / "door.pem", folder / "door.key")
        return made

    door = MqttPublisher(DOOR, Broker(HOST, broker.port, tls=True), chance=lambda: 0.0, make_context=context)
    door._keepalive_s = KEEPALIVE_S
    return door


def until(so: Callable[[], bool]) -> None:
    ends = time.monotonic() + PATIENCE_S
    while not so():
        assert time.monotonic() < ends, "it did not come to that"
        time.sleep(0.05)


def came(broker: FleetBroker, who: str) -> int:
    """How often it let `who` in."""
    return broker.log.read_text(encoding="utf-8").count(f" as {who} (")


def protocol_errors(broker: FleetBroker) -> list[str]:
    """What it wrote of them so far, without the moments. Whoever only looks whether it listens can leave one too."""
    lines = broker.log.read_text(encoding="utf-8").splitlines()
    return [line.partition(": ")[2] for line in lines if "Protocol error" in line]


def halted_and_found_again(broker: FleetBroker) -> str:
    """The door and its manager lose a broker that stands still, and come back; what it wrote from then on."""
    door, office = door_at(broker), broker.hears()
    try:
        door.start()
        until(lambda: all(came(broker, who) == 1 for who in CLIENTS))
        until(lambda: any(event.what is What.CONNECTED for event in door.events()))
        before = len(broker.log.read_text(encoding="utf-8"))
        broker.pause()
        time.sleep(STANDS_STILL_S)
        broker.resume()
        until(lambda: all(came(broker, who) > 1 for who in CLIENTS))
        until(lambda: any(event.what is What.CONNECTED for event in door.events()))
        return broker.log.read_text(encoding="utf-8")[before:]
    finally:
        broker.resume()
        door.stop()
        office.close()


def test_a_broker_that_stood_still_is_found_again_by_the_first_try(broker: FleetBroker) -> None:
    wrote = halted_and_found_again(broker)
    assert [wrote.count(f" as {who} (") for who in CLIENTS] == [1, 1], wrote


def test_fault_a_keepalive_that_counts_from_before_the_handshake_is_found(
    broker: FleetBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As paho counts it: whoever waited for the handshake longer than that leaves right behind the first word."""
    monkeypatch.setattr(GuardedClient, "_create_socket", GuardedClient._shaken)
    wrote = halted_and_found_again(broker)
    assert any(f"Client {who} disconnected: Protocol error." in wrote for who in CLIENTS), wrote


def test_who_leaves_in_the_middle_of_a_handshake_is_what_the_broker_calls_a_protocol_error(broker: FleetBroker) -> None:
    """As report does after five seconds, and who is killed then: the one such line that the soak explains."""
    before = len(protocol_errors(broker))
    with socket.create_connection((HOST, broker.port)) as left:
        outgoing = ssl.MemoryBIO()
        greeting = ssl.create_default_context().wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname=HOST)
        with pytest.raises(ssl.SSLWantReadError):
            greeting.do_handshake()
        broker.pause()
        left.sendall(outgoing.read())
    broker.resume()
    until(lambda: len(protocol_errors(broker)) > before)
    (text,) = set(protocol_errors(broker))
    journal = Journal(EXPLAINED, Secrets())
    journal.read(Line("broker", text, frozenset({Cause.BROKER})))
    assert not journal.unexplained, text
    journal.read(Line("broker", text.replace("<unknown>", DOOR), frozenset(Cause)))
    journal.read(Line("broker", text.replace("<unknown>", CLIENTS[1]), frozenset({Cause.ALWAYS, Cause.KILL})))
    assert len(journal.unexplained) == 2, "of the door it is a finding, and of the manager at a well broker"
