"""paho's thread at rest: it wakes for the socket, for what is to be sent and for its pings, and misses none of them."""

import select
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

import pytest
from paho.mqtt.client import Client

from device.report import mqtt
from device.report.broker import Broker
from device.report.guarded import GuardedClient
from device.report.mqtt import MqttPublisher
from device.report.publisher import What
from tests.contract.mqtt.test_lost_connection import CONNACK, DOOR, PATIENCE_S, TOPIC, Session, until
from tests.support import at_rest

PINGREQ, PINGRESP = 0xC0, bytes((0xD0, 0))
WATCHED_S = 3.5
AT_MOST = 1  # of paho's own looks there would be three or four in that time


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with closing(socket.create_server(("127.0.0.1", 0))) as sock:
        sock.settimeout(PATIENCE_S)
        yield sock


@contextmanager
def started(port: int, chance: Callable[[], float] = lambda: 0.0) -> Iterator[MqttPublisher]:
    publisher = MqttPublisher(DOOR, Broker("127.0.0.1", port), chance=chance)
    publisher.start()
    try:
        yield publisher
    finally:
        publisher.stop()


@pytest.fixture
def free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as sock:
        port: int = sock.getsockname()[1]
        return port


def thread_of(publisher: MqttPublisher) -> threading.Thread:
    assert publisher._thread is not None
    return publisher._thread


def wakes(publisher: MqttPublisher) -> int:
    number = thread_of(publisher).native_id
    assert number is not None
    time.sleep(0.5)  # what it had to do just now is over
    return at_rest.within(WATCHED_S, lambda: at_rest.of_thread(number))


def connected(listener: socket.socket, publisher: MqttPublisher) -> Session:
    session = Session(listener)
    session.welcome()
    until(publisher, What.CONNECTED)
    return session


def test_a_connection_on_which_nothing_happens_wakes_nobody(listener: socket.socket) -> None:
    with started(listener.getsockname()[1]) as publisher:
        session = connected(listener, publisher)
        assert wakes(publisher) <= AT_MOST
        session.sock.close()


def test_seeded_fault_paho_alone_wakes_every_second(listener: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(GuardedClient, "_loop", Client._loop)
    with started(listener.getsockname()[1]) as publisher:
        session = connected(listener, publisher)
        assert wakes(publisher) > AT_MOST
        session.sock.close()


def test_a_broker_that_is_away_wakes_nobody_before_the_next_try(free_port: int) -> None:
    with started(free_port, chance=lambda: 0.99) as publisher:  # 8 s after the first failure
        until(publisher, What.LOST)
        assert wakes(publisher) <= AT_MOST


def test_seeded_fault_paho_alone_sleeps_in_steps_of_a_second(free_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(GuardedClient, "_reconnect_wait", Client._reconnect_wait)
    with started(free_port) as publisher:
        publisher._client.reconnect_delay_set(60, 60)
        until(publisher, What.LOST)
        assert wakes(publisher) > AT_MOST


def test_what_is_published_leaves_a_thread_at_rest_at_once(listener: socket.socket) -> None:
    with started(listener.getsockname()[1]) as publisher:
        session = connected(listener, publisher)
        time.sleep(1.0)
        began = time.monotonic()
        assert publisher.publish(1, TOPIC, b"x")
        topic, identifier = session.published()
        assert topic == TOPIC
        session.acknowledge(identifier)
        until(publisher, What.ACCEPTED)
        assert time.monotonic() - began < 10.0  # the next look would come after 54 s
        session.sock.close()


def test_a_goodbye_ends_a_pause(free_port: int) -> None:
    with started(free_port, chance=lambda: 0.99) as publisher:
        until(publisher, What.LOST)
        thread = thread_of(publisher)
        publisher.stop()
        thread.join(PATIENCE_S / 4)
        assert not thread.is_alive()


def test_a_goodbye_in_the_middle_of_a_failed_try_ends_the_thread_too(
    free_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    trying, said = threading.Event(), threading.Event()
    create = GuardedClient._create_socket

    def slow(client: GuardedClient) -> socket.socket:
        trying.set()
        said.wait(PATIENCE_S)
        return create(client)

    monkeypatch.setattr(GuardedClient, "_create_socket", slow)
    publisher = MqttPublisher(DOOR, Broker("127.0.0.1", free_port), chance=lambda: 0.0)
    publisher.start()
    thread = thread_of(publisher)
    assert trying.wait(PATIENCE_S)
    publisher._stopping = True
    publisher._say_goodbye(publisher._client)
    said.set()
    thread.join(PATIENCE_S / 4)
    assert not thread.is_alive()
    publisher.stop()


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """A keep-alive of two seconds, so that a look is due every second."""
    monkeypatch.setattr(mqtt, "KEEPALIVE_S", (2, 2))


@pytest.mark.usefixtures("soon")
def test_a_quiet_connection_is_kept_by_pings(listener: socket.socket) -> None:
    with started(listener.getsockname()[1]) as publisher:
        session = connected(listener, publisher)
        for _ in range(2):
            assert session.packet() == (PINGREQ, b"")
            session.sock.sendall(PINGRESP)
        assert publisher.publish(1, TOPIC, b"x"), "the door took a ping that was answered for a lost connection"
        session.sock.close()


@pytest.mark.usefixtures("soon")
def test_a_broker_that_no_longer_answers_pings_is_given_up(listener: socket.socket) -> None:
    with started(listener.getsockname()[1]) as publisher:
        session = connected(listener, publisher)
        assert session.packet() == (PINGREQ, b"")
        began = time.monotonic()
        until(publisher, What.LOST)
        assert time.monotonic() - began < 10.0
        session.sock.close()


def test_a_keep_alive_that_the_broker_names_counts(listener: socket.socket) -> None:
    """MQTT 5.0, 3.2.2.3.14: the door asked for nine minutes, and is told two seconds."""
    with started(listener.getsockname()[1]) as publisher:
        session = Session(listener, answered=False)
        session.sock.sendall(CONNACK[:1] + bytes((6, 0, 0, 3, 0x13, 0, 2)))
        session.welcome()
        until(publisher, What.CONNECTED)
        assert select.select([session.sock], [], [], PATIENCE_S)[0]
        assert session.packet() == (PINGREQ, b"")
        session.sock.close()
