"""The claim port: how a door without a certificate hands in its request and is handed the answer.

Rules kept here:
- TLS as everywhere, and the broker must be vouched for by the authority on the label; only the door shows nothing yet.
- One topic is written and one is read, and both are the door's own by its client id.
- The request is retained, and so may the answer be: either side may be away. Nothing of them is secret (ADR 19).
- paho's thread puts events into the mailbox and does nothing else, as in `mqtt`.

Sources: MQTT 5.0 (OASIS, 2019) 3.1.2.4, 3.3.1.3, 3.8.3.1; paho-mqtt 2.x `client.py`.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from typing import Any

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from device.report import broker
from device.report.broker import Broker
from device.report.guarded import LONGEST_PACKET, GuardedClient, MakeContext
from device.report.ledger import Ledger, NoLedger
from device.report.publisher import Event, Mailbox, What

KEEPALIVE_S = 60
_GOODBYE_S = 2.0
_AHEAD = 4  # messages the broker may send before one is acknowledged
_UNREAD = 16  # answers that wait for the loop; a broker that sends faster is not listened to, and fills no memory


def request_topic(door: str) -> str:
    """Where the door's request stands."""
    return f"doorward/claim/{door}/request"


def answer_topic(door: str) -> str:
    """Where the answer is looked for."""
    return f"doorward/claim/{door}/answer"


class MqttClaim:
    """One connection to the claim port of a broker, for the door `door` (16 hexadecimal digits; its client id)."""

    def __init__(
        self,
        door: str,
        where: Broker,
        make_context: MakeContext,
        ledger: Ledger | None = None,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._door = door
        self._where = where
        self._ledger = ledger or NoLedger()
        self._chance = chance
        self._mailbox = Mailbox()
        self._request = b""
        self._request_id = 0
        self._failures = 0
        self._unread = 0
        self._thread: threading.Thread | None = None
        self._client = GuardedClient(door, make_context)
        self._client.on_connect = self._on_connect
        self._client.on_connect_fail = self._on_connect_fail
        self._client.on_publish = self._on_publish
        self._client.on_message = self._on_message
        self._client.on_disconnect = self._on_disconnect

    def fileno(self) -> int:
        """Readable while `events` has something to return."""
        return self._mailbox.fileno()

    def start(self, request: bytes) -> None:
        """Connect in paho's own thread, and again whenever the connection is lost."""
        self._request = request
        limits = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]  # paho forgot to annotate it
        limits.ReceiveMaximum = _AHEAD
        limits.MaximumPacketSize = LONGEST_PACKET
        self._client.pause_s = self._wait_s()
        where = self._where
        self._client.connect_async(where.host, where.port, KEEPALIVE_S, clean_start=True, properties=limits)
        before = set(threading.enumerate())
        self._client.loop_start()
        self._thread = next((each for each in threading.enumerate() if each not in before), None)

    def events(self) -> list[Event]:
        """The news since the last call, oldest first."""
        taken = self._mailbox.take()
        self._unread = 0
        return taken

    def alive(self) -> bool:
        """Whether paho's thread runs, or was not started yet."""
        return self._thread is None or self._thread.is_alive()

    def stop(self, *, answered: bool) -> None:
        """End the connection; with `answered` an empty message takes the request away first."""
        client = self._client
        if self._thread is not None:
            if answered:
                client.publish(request_topic(self._door), b"", qos=0, retain=True)
                self._ledger.note(request_topic(self._door), b"")
            client.disconnect()
            self._thread.join(_GOODBYE_S)
        client.on_connect = client.on_connect_fail = client.on_publish = None
        client.on_message = client.on_disconnect = None
        self._mailbox.close()

    # ---- called by paho's thread

    def _on_connect(
        self, client: Client, _userdata: Any, _flags: ConnectFlags, reason: ReasonCode, _properties: Properties | None
    ) -> None:
        if reason.is_failure:
            self._mailbox.put(Event(What.LOST, why=str(reason)))  # paho calls _on_disconnect next
            return
        client.subscribe(answer_topic(self._door), qos=1)
        topic = request_topic(self._door)
        self._request_id = client.publish(topic, self._request, qos=1, retain=True).mid
        self._ledger.note(topic, self._request)

    def _on_publish(
        self, _client: Client, _userdata: Any, mid: int, reason: ReasonCode, _properties: Properties
    ) -> None:
        if mid != self._request_id:
            return
        if reason.is_failure:
            self._mailbox.put(Event(What.LOST, why=f"it does not take the request: {reason}"))
            return
        self._failures = 0
        self._mailbox.put(Event(What.CONNECTED))

    def _on_message(self, _client: Client, _userdata: Any, message: MQTTMessage) -> None:
        if message.payload and self._unread < _UNREAD:  # an empty one is only the end of a retained answer
            self._unread += 1
            self._mailbox.put(Event(What.CERTIFICATE, content=bytes(message.payload)))

    def _on_disconnect(
        self,
        client: Client,
        _userdata: Any,
        _flags: DisconnectFlags,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        self._lost(str(reason))

    def _on_connect_fail(self, client: Client, _userdata: Any) -> None:
        self._lost("it does not answer")

    def _lost(self, why: str) -> None:
        self._failures += 1
        self._client.pause_s = self._wait_s()
        self._mailbox.put(Event(What.LOST, why=self._client.trouble or why))

    def _wait_s(self) -> float:
        return broker.wait_s(max(self._failures, 1), self._chance())
