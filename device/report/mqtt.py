"""MQTT 5 through paho, behind the `Publisher` port.

Rules kept here:
- paho's thread and paho's types stay in this file. Its callbacks put events into the mailbox and do nothing else.
- paho never owns a message across connections: what a lost connection left behind is thrown away before the next one,
  because the outbox sends it again. Otherwise two queues would disagree about what has arrived.
- A row counts as arrived when the broker has acknowledged it (QoS 1), not when it left.
- The door subscribes to its documents and its certificate, and its session outlives connections: what was sent while
  it was away comes when it is back. A document is acknowledged once lock has answered for it (`arrivals`).
- What the broker may send ahead, and how long a packet may be, is said to it, and kept by force (`guarded`).

The broker knows the door to be `online` (retained) once it has acknowledged that word; `offline` is the last will,
which a clean stop asks the broker to publish as well (DISCONNECT reason 0x04), so that there is one way to go offline.
Sources: MQTT 5.0 (OASIS, 2019) 3.1.2.4, 3.1.2.5, 3.1.2.11, 3.3.2.3.3, 3.8.3.1, 3.14.2.1; paho-mqtt 2.x `client.py`.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from typing import Any

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from device.errors import MessageRefused
from device.journal import log
from device.report import arrivals, broker
from device.report.arrivals import Arrivals
from device.report.broker import Broker
from device.report.envelope import OFFLINE, ONLINE, availability_topic
from device.report.guarded import LONGEST_PACKET, GuardedClient, MakeContext
from device.report.ledger import Ledger, NoLedger
from device.report.publisher import Event, Mailbox, What

EXPIRY_S = 7 * 86400
"""How long a broker keeps a message for somebody who is away: health older than a week helps nobody."""
SESSION_S = 30 * 86400
"""How long a broker keeps the door's place, and documents for it: as long as invitations in them may still be good."""
KEEPALIVE_S = (540, 660)
"""A ping about every ten minutes, spread over the doors. The broker gives up after 1.5 times as long."""
_GOODBYE_S = 2.0
_QUEUE = 2  # one row, and behind it the word "online"
_SAID_AT_MOST = 8  # different sentences about one connection


class MqttPublisher:
    """One connection to one broker for the door `door` (its id is the client id); over TLS with `make_context`."""

    def __init__(
        self,
        door: str,
        where: Broker,
        ledger: Ledger | None = None,
        chance: Callable[[], float] = random.random,
        make_context: MakeContext | None = None,
    ) -> None:
        self._door = door
        self._where = where
        self._ledger = ledger or NoLedger()
        self._chance = chance
        self._mailbox = Mailbox()
        self._arrivals = Arrivals(door)
        self._said: set[str] = set()  # about what came on this connection: a flood is no flood of log lines
        self._thread: threading.Thread | None = None
        self._row = 0  # under way; 0: none
        self._ready = False  # "online" was acknowledged on this connection
        self._online_id = 0
        self._failures = 0
        self._stopping = False
        self._keepalive_s = KEEPALIVE_S[0] + round(chance() * (KEEPALIVE_S[1] - KEEPALIVE_S[0]))
        self._client = self._configured(GuardedClient(door, make_context))

    def fileno(self) -> int:
        """Readable while `events` has something to return."""
        return self._mailbox.fileno()

    def start(self) -> None:
        """Connect in paho's own thread, and again whenever the connection is lost."""
        session = _properties(PacketTypes.CONNECT)
        session.SessionExpiryInterval = SESSION_S
        session.ReceiveMaximum = arrivals.MOST
        session.MaximumPacketSize = LONGEST_PACKET
        self._client.connect_async(
            self._where.host, self._where.port, self._keepalive_s, clean_start=False, properties=session
        )
        before = set(threading.enumerate())
        self._client.loop_start()
        self._thread = next((each for each in threading.enumerate() if each not in before), None)

    def publish(self, row: int, topic: str, payload: bytes, *, retain: bool = False) -> bool:
        """Hand one row to paho; False if there is no connection or a row is under way."""
        if not self._ready or self._row:
            return False
        self._row = row  # before the call: the acknowledgement may be faster than its return
        expiry = _properties(PacketTypes.PUBLISH)
        if not retain:
            expiry.MessageExpiryInterval = EXPIRY_S
        sent = self._client.publish(topic, payload, qos=1, retain=retain, properties=expiry)
        if sent.rc != MQTTErrorCode.MQTT_ERR_SUCCESS:
            self._row = 0
            return False
        self._ledger.note(topic, payload)
        return True

    def events(self) -> list[Event]:
        """The news since the last call, oldest first."""
        return self._mailbox.take()

    def settle(self, row: int) -> None:
        """Tell the broker that document `row` has been dealt with."""
        for packet in self._arrivals.settle(row):
            self._client.ack(packet, 1)

    def alive(self) -> bool:
        """Whether paho's thread runs, or was not started yet."""
        return self._thread is None or self._thread.is_alive()

    def stop(self) -> None:
        """Let the broker publish the last will, and end the thread."""
        self._stopping = True
        self._say_goodbye(self._client)
        if self._thread is not None:
            # Not loop_stop(): it would wait without limit for a thread that may hang in a connect().
            self._thread.join(_GOODBYE_S)
        # Without its callbacks paho does not hold us any more, and closes its sockets as soon as nobody holds it.
        client = self._client
        client.on_pre_connect = client.on_socket_open = client.on_connect = client.on_connect_fail = None
        client.on_publish = client.on_disconnect = client.on_subscribe = client.on_message = None
        self._mailbox.close()

    @staticmethod
    def _say_goodbye(client: Client) -> None:
        client.disconnect(ReasonCode(PacketTypes.DISCONNECT, "Disconnect with will message"))

    def _configured(self, client: GuardedClient) -> GuardedClient:
        client.manual_ack_set(True)
        client.max_inflight_messages_set(1)
        client.max_queued_messages_set(_QUEUE)
        client.will_set(availability_topic(self._door), OFFLINE, qos=1, retain=True)
        client.on_pre_connect = self._on_pre_connect
        client.on_socket_open = self._on_socket_open
        client.on_connect = self._on_connect
        client.on_connect_fail = self._on_connect_fail
        client.on_publish = self._on_publish
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message
        client.on_disconnect = self._on_disconnect
        client.pause_s = self._wait_s()
        return client

    # ---- called by paho's thread

    def _on_pre_connect(self, client: Client, _userdata: Any) -> None:
        client.drop_out_messages()
        self._arrivals.disconnected()
        self._said.clear()

    def _on_socket_open(self, _client: Client, _userdata: Any, _sock: Any) -> None:
        self._ledger.note(f"CONNECT client={self._door} will={availability_topic(self._door)}", OFFLINE)

    def _on_connect(
        self, client: Client, _userdata: Any, _flags: ConnectFlags, reason: ReasonCode, _properties: Properties | None
    ) -> None:
        if reason.is_failure:
            self._mailbox.put(Event(What.LOST, why=str(reason)))  # paho calls _on_disconnect next
            return
        if self._stopping:
            # stop() came in the middle of a reconnection, when paho does not listen to it.
            self._say_goodbye(client)
            return
        wish = SubscribeOptions(qos=1, retainAsPublished=True, retainHandling=SubscribeOptions.RETAIN_DO_NOT_SEND)
        client.subscribe([(at, wish) for at in (arrivals.topic(self._door), arrivals.certificate_topic(self._door))])
        topic = availability_topic(self._door)
        self._online_id = client.publish(topic, ONLINE, qos=1, retain=True).mid
        self._ledger.note(topic, ONLINE)

    def _on_publish(
        self, _client: Client, _userdata: Any, mid: int, reason: ReasonCode, _properties: Properties
    ) -> None:
        if mid == self._online_id:
            self._online_id = 0  # on a long connection this number comes again, as a row's
            self._ready, self._failures = True, 0
            self._mailbox.put(Event(What.CONNECTED))
            return
        row, self._row = self._row, 0
        what = What.DECLINED if reason.is_failure else What.ACCEPTED
        self._mailbox.put(Event(what, row, str(reason)))

    def _on_subscribe(
        self,
        _client: Client,
        _userdata: Any,
        _mid: int,
        reasons: list[ReasonCode],
        _properties: Properties | None,
    ) -> None:
        for refused in (reason for reason in reasons if reason.is_failure):
            self._say_once(f"the broker gives this door no documents or no certificate ({refused})")

    def _on_message(self, client: Client, _userdata: Any, message: MQTTMessage) -> None:
        try:
            content = bytes(message.payload)
            event = self._arrivals.take(_topic(message), content, message.mid, retained=message.retain)
        except MessageRefused as refused:
            self._say_once(f"a message from the broker was refused: {refused}")
            client.ack(message.mid, message.qos)  # or the broker would bring it again for ever
            return
        if event is not None:
            self._mailbox.put(event)

    def _say_once(self, sentence: str) -> None:
        if sentence not in self._said and len(self._said) < _SAID_AT_MOST:
            self._said.add(sentence)
            log(f"report: {sentence}")

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
        self._ready, self._row = False, 0
        self._failures += 1
        self._client.pause_s = self._wait_s()
        self._mailbox.put(Event(What.LOST, why=self._client.trouble or why))

    def _wait_s(self) -> float:
        # Drawn anew for every try: paho would double its waits without any randomness.
        return broker.wait_s(max(self._failures, 1), self._chance())


def _topic(message: MQTTMessage) -> str:
    try:
        return message.topic
    except UnicodeDecodeError:
        return ""


def _properties(packet: int) -> Properties:
    return Properties(packet)  # type: ignore[no-untyped-call]  # paho forgot to annotate it
