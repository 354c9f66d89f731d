"""Who listens: a manager's computer with a session that outlives its connections.

Rules kept here:
- It subscribes to what a manager may read, with QoS 1, and acknowledges what it has entered into the account.
- It never starts its session anew: what was sent while it, or the broker, was away has to come. A session that the
  broker has forgotten is told.
"""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Sequence
from itertools import cycle
from typing import Any

from paho.mqtt.client import Client, ConnectFlags, MQTTMessage, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from device.errors import BrokerFault
from device.report.broker import Broker
from tools.fleet_sim.account import Account, named

TOPICS = "doorward/#"
_STARTS_WITHIN_S = 20.0
_SESSION_S = 86_400


class Listener:
    """Hears everything doors say and enters reports and alarms into `account`."""

    def __init__(self, where: Sequence[Broker], account: Account, context: ssl.SSLContext | None) -> None:
        self.arrivals: list[float] = []  # of reports and alarms
        self.other = 0  # online and offline
        self.forgotten = 0
        self._account = account
        self._where = cycle(where)
        self._here = threading.Event()
        self._seen = False
        self._context = context
        self._client: Client | None = None

    def come(self) -> None:
        """Listen; returns once the broker has agreed. Raises BrokerFault if it does not."""
        session = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]  # paho forgot to annotate it
        session.SessionExpiryInterval = _SESSION_S
        self._here.clear()
        at = next(self._where)
        self._client = client = self._made()
        client.connect_async(at.host, at.port, 60, clean_start=False, properties=session)
        client.loop_start()
        if not self._here.wait(_STARTS_WITHIN_S):
            raise BrokerFault("the broker does not let anybody listen")

    def leave(self) -> None:
        """Hang up, if it is there; the broker is to keep what comes."""
        client, self._client = self._client, None
        if client is None:
            return
        client.disconnect()
        client.loop_stop()
        # Callbacks and client hold each other; let go, so that paho's sockets close now and not at some collection.
        client.on_connect = client.on_subscribe = client.on_message = None
        if (left := client.socket()) is not None:
            left.close()

    def _made(self) -> Client:
        client = Client(CallbackAPIVersion.VERSION2, client_id="manager/fleet", protocol=MQTTv5)
        if self._context is not None:
            client.tls_set_context(self._context)
        client.reconnect_delay_set(1, 1)
        client.on_connect = self._connected
        client.on_subscribe = self._subscribed
        client.on_message = self._message
        return client

    def _connected(
        self, client: Client, _userdata: Any, flags: ConnectFlags, _reason: Any, _properties: Properties | None
    ) -> None:
        if self._seen and not flags.session_present:
            self.forgotten += 1
        self._seen = True
        client.subscribe(TOPICS, qos=1)

    def _subscribed(self, *_: Any) -> None:
        self._here.set()

    def _message(self, _client: Client, _userdata: Any, message: MQTTMessage) -> None:
        now_s = time.monotonic()
        if message.topic.endswith(("/report", "/alarm")):
            self._account.hear(named(bytes(message.payload)), now_s)
            self.arrivals.append(now_s)
        else:
            self.other += 1
