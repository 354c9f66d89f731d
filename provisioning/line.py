"""A manager's connection to a broker.

Rules kept here:
- TLS 1.3, and a broker that the fleet's own authority vouches for; the manager's certificate says who is there.
- A subscription that the broker refuses is the end: to listen on would be to hear nothing and call it quiet.
- What was said counts when the broker has acknowledged it. What was lost on the way is an error, and said so.
- A lost connection comes back by itself, after 1 to 30 seconds; what the broker keeps for everybody comes again then.
- paho's thread puts messages into a queue and does nothing else. The queue has a bound, and so has a packet, by force:
  paho states a maximum and does not enforce it. Nobody floods this computer.

Files, in the folder that `doorward ca manager` wrote: `manager.pem`, `manager.key`, `ca.pem`.
Sources: MQTT 5.0 (OASIS, 2019) 3.1.2.11, 3.3.2.3; paho-mqtt 2.x.
"""

from __future__ import annotations

import queue
import socket
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from paho.mqtt.client import Client, MQTTMessage, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from provisioning.errors import FleetFault, FleetRefused

PATIENCE_S = 10.0
LONGEST_PACKET = 8192
_MOST_WAITING = 10_000
_AGAIN_S = (1, 30)
_PUBLISH_QOS_2, _TYPE_AND_QOS_2 = 0x34, 0xF4  # MQTT 5.0, 3.3.1.2
_TAKEN_OVER = "Session taken over"


@dataclass(frozen=True, slots=True)
class Heard:
    """A message; without a topic it is news of the connection itself: `why` it was lost, or "" when it is back."""

    topic: str = ""
    content: bytes = b""
    retained: bool = False
    why: str = ""
    final: bool = False  # and it is not tried again


class _Client(Client):
    """paho's client, which leaves a socket open whose handshake failed, and believes a broker in everything else."""

    def __init__(self, context: ssl.SSLContext) -> None:
        super().__init__(CallbackAPIVersion.VERSION2, client_id="manager", protocol=MQTTv5)
        self._own = context

    def _create_socket(self) -> socket.socket:
        sock = socket.create_connection((self._host, self._port), timeout=self._connect_timeout)
        try:
            return self._own.wrap_socket(sock, server_hostname=self._host)
        except BaseException:
            sock.close()
            raise

    def _sock_recv(self, bufsize: int) -> bytes:
        if bufsize > LONGEST_PACKET:
            msg = f"a packet of {bufsize} bytes"
            raise ConnectionError(msg)
        return super()._sock_recv(bufsize)

    def _packet_handle(self) -> MQTTErrorCode:
        if self._in_packet["command"] & _TYPE_AND_QOS_2 == _PUBLISH_QOS_2:
            return MQTTErrorCode.MQTT_ERR_PROTOCOL  # nobody asked for it, and paho would keep it without bound
        return super()._packet_handle()


class Line:
    """The manager whose certificate lies in `folder`, at `host`:`port`, listening to `topics`."""

    def __init__(self, host: str, port: int, folder: Path, topics: Sequence[str] = ()) -> None:
        self._where = (host, port)
        self._topics = tuple(topics)
        self._heard: queue.Queue[Heard] = queue.Queue(_MOST_WAITING)
        self._changed = threading.Condition()
        self._answers: dict[int, ReasonCode | None] = {}
        self._ready = False
        self._why = ""
        self._refused = False
        self._client = client = _Client(_context(folder))
        client.reconnect_delay_set(*_AGAIN_S)
        client.on_connect = self._on_connect
        client.on_connect_fail = self._on_connect_fail
        client.on_subscribe = self._on_subscribe
        client.on_publish = self._on_publish
        client.on_message = self._on_message
        client.on_disconnect = self._on_disconnect

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def open(self, *, patient: bool = False) -> None:
        """Connect. Raises FleetFault if the broker does not let the manager in; `patient`: try on instead."""
        limits = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]  # paho forgot to annotate it
        limits.MaximumPacketSize = LONGEST_PACKET
        host, port = self._where
        try:
            # By itself, because only here paho says why a handshake failed.
            self._client.connect(host, port, clean_start=True, properties=limits)
        except (OSError, ValueError) as cause:
            self._why = _said(cause)
            if not patient:
                raise self._unreached() from cause
            self._put(Heard(why=self._why))
        self._client.loop_start()
        if not patient:
            self._await(lambda: self._ready or bool(self._why), PATIENCE_S)
            if not self._ready:
                raise self._unreached()

    def next(self, timeout_s: float) -> Heard | None:
        """The next message or news of the connection, None if there is none in time.

        Raises FleetFault if the broker does not let this manager listen.
        """
        try:
            heard = self._heard.get(timeout=timeout_s)
        except queue.Empty:
            return None
        if heard.final:
            raise FleetFault(heard.why)
        return heard

    def say(self, topic: str, content: bytes, *, retain: bool = False, expiry_s: int | None = None) -> None:
        """Publish, and wait for the broker's word. Raises FleetFault."""
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]  # as above
        if expiry_s is not None:
            properties.MessageExpiryInterval = expiry_s
        with self._changed:
            number = self._client.publish(topic, content, qos=1, retain=retain, properties=properties).mid
            self._answers.setdefault(number, None)
        self._await(lambda: self._answers[number] is not None, PATIENCE_S)
        with self._changed:
            answer = self._answers.pop(number)
        if answer is None:
            msg = f"the broker {self._name} did not confirm in {PATIENCE_S:g} seconds; whether it arrived is not known"
            raise FleetFault(msg)
        if answer.is_failure:
            msg = f"the broker {self._name} did not take it: {str(answer).lower()}; does it know this manager?"
            raise FleetFault(msg)

    def close(self) -> None:
        """Say goodbye."""
        self._client.disconnect()
        self._client.loop_stop()
        client = self._client
        client.on_connect = client.on_connect_fail = client.on_subscribe = client.on_publish = None
        client.on_message = client.on_disconnect = None
        if (left := client.socket()) is not None:
            left.close()

    @property
    def _name(self) -> str:
        return f"{self._where[0]}:{self._where[1]}"

    def _unreached(self) -> FleetFault:
        if self._refused:
            return FleetFault(self._why)
        return FleetFault(f"the broker {self._name} cannot be reached: {self._why or 'it does not answer'}")

    def _await(self, wanted: Callable[[], bool], patience_s: float) -> None:
        ends = time.monotonic() + patience_s
        with self._changed:
            while not wanted() and (left_s := ends - time.monotonic()) > 0:
                self._changed.wait(left_s)

    # ---- called by paho's thread

    def _on_connect(self, client: Client, _data: Any, _flags: Any, reason: ReasonCode, _properties: Any) -> None:
        if reason.is_failure:
            return  # paho calls _on_disconnect next
        if self._topics:
            client.subscribe([(topic, _options()) for topic in self._topics])
        else:
            self._up()

    def _on_subscribe(self, _client: Client, _data: Any, _mid: int, reasons: Any, _properties: Any) -> None:
        refused = [(topic, why) for topic, why in zip(self._topics, reasons, strict=False) if why.is_failure]
        if not refused:
            self._up()
            return
        topic, why = refused[0]
        sentence = (
            f"the broker {self._name} does not let this manager hear {topic}: {str(why).lower()}; look at its rights"
        )
        with self._changed:
            self._refused, self._why = True, sentence
            self._changed.notify_all()
        self._put(Heard(why=sentence, final=True))

    def _up(self) -> None:
        with self._changed:
            self._ready, self._why = True, ""
            self._changed.notify_all()
        self._put(Heard())

    def _on_publish(self, _client: Client, _data: Any, mid: int, reason: ReasonCode, _properties: Any) -> None:
        with self._changed:
            self._answers[mid] = reason
            self._changed.notify_all()

    def _on_message(self, _client: Client, _data: Any, message: MQTTMessage) -> None:
        try:
            topic = message.topic
        except UnicodeDecodeError:
            return
        self._put(Heard(topic, bytes(message.payload), bool(message.retain)))

    def _on_disconnect(self, _client: Client, _data: Any, _flags: Any, reason: ReasonCode, _properties: Any) -> None:
        said = str(reason)
        if said == _TAKEN_OVER:
            said = "the same certificate is in use elsewhere; give each program one of its own"
        self._lost(said.lower() if said != "Unspecified error" else "it hung up; does it know this certificate?")

    def _on_connect_fail(self, _client: Client, _data: Any) -> None:
        self._lost("it does not answer")

    def _lost(self, why: str) -> None:
        if self._refused:
            return  # that the connection ends afterwards is no further news
        with self._changed:
            told = self._ready or not self._why
            self._ready, self._why = False, why
            self._changed.notify_all()
        if told:  # once for each time it is away
            self._put(Heard(why=why))

    def _put(self, heard: Heard) -> None:
        try:
            self._heard.put_nowait(heard)
        except queue.Full:
            return  # what came first was not shown yet: it stays


def _options() -> SubscribeOptions:
    return SubscribeOptions(qos=1, retainAsPublished=True)


def _context(folder: Path) -> ssl.SSLContext:
    """The manager's TLS. Raises FleetRefused."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    try:
        context.load_verify_locations(cadata=(folder / "ca.pem").read_text("ascii"))
        context.load_cert_chain(folder / "manager.pem", folder / "manager.key", password="")
    except (OSError, ValueError) as cause:
        msg = (
            f"there is no certificate of a manager in {folder} ({_said(cause)}); `doorward ca manager NAME --out "
            "FOLDER` writes what is needed"
        )
        raise FleetRefused(msg) from cause
    return context


def _said(cause: Exception) -> str:
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"its certificate is not accepted: {cause.verify_message.rstrip('.').lower()}"
    if isinstance(cause, ssl.SSLError):
        return f"TLS failed: {(cause.reason or 'unknown reason').lower().replace('_', ' ')}"
    if isinstance(cause, OSError):
        return (cause.strerror or str(cause) or "it hung up").lower()
    return str(cause)
