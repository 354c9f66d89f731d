"""Debian's mosquitto on a free loopback port, and a witness that keeps everything it sees.

Rules kept here:
- The broker listens on loopback alone, on a port of its own: one that Debian started for others is left in peace.
- It is a child of whoever starts it and is ended by its own handle.
- The witness knows nothing of the door: it subscribes to everything and keeps the bytes as they came.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from getpass import getuser
from pathlib import Path
from typing import Any, Self

from paho.mqtt.client import Client, MQTTMessage, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from device.errors import BrokerFault

PROGRAM = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
INSTALL = "mosquitto is not installed; run: sudo apt-get update && sudo apt-get install -y mosquitto"
STARTS_WITHIN_S = 10.0
POLL_S = 0.02


def free_port() -> int:
    """A TCP port that was free a moment ago."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


@dataclass
class Mosquitto:
    """A broker with its files in `folder`. What it keeps for absent subscribers survives `stop` and `start`."""

    folder: Path
    port: int = field(default_factory=free_port)
    extra: str = ""  # further lines of mosquitto.conf
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """What stands in door.toml."""
        return f"mqtt://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        """What the broker said so far."""
        path = self.folder / "mosquitto.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def start(self) -> None:
        """Return once it accepts connections. Raises BrokerFault if it is not installed or does not start."""
        if not Path(PROGRAM).exists():
            raise BrokerFault(INSTALL)
        self.folder.mkdir(parents=True, exist_ok=True)
        config = self.folder / "mosquitto.conf"
        config.write_text(
            f"listener {self.port} 127.0.0.1\n"
            "allow_anonymous true\n"
            "persistence true\n"
            f"persistence_location {self.folder}/\n"
            f"user {getuser()}\n"  # started by root it would become another user, who may not write in our folder
            "log_type all\n"
            f"{self.extra}"
        )
        with (self.folder / "mosquitto.log").open("ab") as log:
            self.process = subprocess.Popen([PROGRAM, "-c", str(config)], stdout=log, stderr=log)
        ends = time.monotonic() + STARTS_WITHIN_S
        while not self._listens():
            if self.process.poll() is not None or time.monotonic() > ends:
                message = f"mosquitto did not start: {self.log}"
                raise BrokerFault(message)
            time.sleep(POLL_S)

    def stop(self) -> None:
        """End it; it writes what it keeps for absent subscribers."""
        if self.process is not None:
            self.process.terminate()
            try:
                self.process.wait(STARTS_WITHIN_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
            self.process = None

    def _listens(self) -> bool:
        with socket.socket() as sock:
            return sock.connect_ex(("127.0.0.1", self.port)) == 0


@dataclass(frozen=True)
class Seen:
    """One message as the broker delivered it; `expiry_s` is what is left of its message expiry interval."""

    topic: str
    payload: bytes
    qos: int
    retain: bool
    expiry_s: int | None
    at_s: float = field(compare=False)  # CLOCK_MONOTONIC


class Witness:
    """Subscribes to everything. The broker keeps messages for it while it, or the broker, is away."""

    def __init__(self, broker: Mosquitto, topics: str = "#", name: str = "witness") -> None:
        self.seen: list[Seen] = []
        self._news = threading.Condition()
        self._ready = False
        self._topics = topics
        self._client = Client(CallbackAPIVersion.VERSION2, client_id=name, protocol=MQTTv5)
        self._client.reconnect_delay_set(1, 1)
        self._client.on_connect = self._connected
        self._client.on_subscribe = self._subscribed
        self._client.on_message = self._message
        session = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]  # paho forgot to annotate it
        session.SessionExpiryInterval = 3600
        self._client.connect_async("127.0.0.1", broker.port, 60, clean_start=False, properties=session)

    def __enter__(self) -> Self:
        self._client.loop_start()
        self._wait(lambda: self._ready, 10.0, "the subscription")
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()
        # Callbacks and client hold each other; let go, so that paho's sockets close now and not at some collection.
        self._client.on_connect = self._client.on_subscribe = self._client.on_message = None
        if (left := self._client.socket()) is not None:
            left.close()  # paho's thread may end in the middle of a reconnection, its socket open

    def wait_for(self, wanted: Callable[[list[Seen]], bool], timeout_s: float = 20.0) -> list[Seen]:
        """Everything seen so far, as soon as `wanted` is true of it. Raises BrokerFault after `timeout_s`."""
        self._wait(lambda: wanted(self.seen), timeout_s, "a message")
        return list(self.seen)

    def on(self, ending: str) -> list[Seen]:
        """What was seen on topics with this ending."""
        return [each for each in self.seen if each.topic.endswith(ending)]

    def _wait(self, wanted: Callable[[], bool], timeout_s: float, what: str) -> None:
        with self._news:
            if not self._news.wait_for(wanted, timeout_s):
                message = f"{what} did not come within {timeout_s} s: {self.seen}"
                raise BrokerFault(message)

    def _connected(self, client: Client, _userdata: Any, _flags: Any, _reason: Any, _properties: Any) -> None:
        client.subscribe(self._topics, qos=2)

    def _subscribed(self, _client: Client, _userdata: Any, _mid: int, _reasons: Any, _properties: Any) -> None:
        with self._news:
            self._ready = True
            self._news.notify_all()

    def _message(self, _client: Client, _userdata: Any, message: MQTTMessage) -> None:
        expiry = getattr(message.properties, "MessageExpiryInterval", None)
        seen = Seen(message.topic, bytes(message.payload), message.qos, message.retain, expiry, time.monotonic())
        with self._news:
            self.seen.append(seen)
            self._news.notify_all()
