"""paho's client with what it lacks against a broker that means harm, and for a thread that rests.

Rules kept here:
- A packet longer than the door said it would take ends the connection before it is read: paho states a maximum and
  does not enforce it, and would gather up to 256 MiB.
- So does a message of QoS 2: the door subscribes with 1, and paho would keep such messages without bound.
- TLS is made up anew for every connection, and its handshake has the time of a connection attempt, no more.
- A keep-alive counts from the end of the handshake. paho counts it from before, and hangs up behind its own CONNECT
  where a busy broker that wants a short keep-alive was slow to shake hands.
- The reason of a lost connection is kept: with TLS 1.3 a broker refuses a certificate only after the handshake, and
  paho then says no more than "unspecified error".
- paho's thread wakes for the socket, for what is to be sent, and ten times a keep-alive to see whether a ping is due;
  paho would wake every second for ever. So a ping is late by a tenth at most (the broker waits for half a keep-alive
  more), and a broker that falls silent is given up as much later.
- A pause before the next try is one wait, which a goodbye ends. paho would sleep in steps of one second.

Sources: MQTT 5.0 (OASIS, 2019) 1.5.5, 2.1.2, 3.1.2.10, 3.3.1.2; RFC 8446, section 4.4.2.4; paho-mqtt 2.x `client.py`,
whose private methods are replaced here: tests/contract/mqtt plays a broker that does all of this.
"""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable

from paho.mqtt.client import Client, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

LONGEST_PACKET = 5120
"""A document of 4096 bytes, its topic, and properties somebody may have added."""
_PUBLISH_QOS_2 = 0x34
_TYPE_AND_QOS_2 = 0xF4
_LOOKS_A_KEEPALIVE = 10
_LOOK_AT_LEAST_S = 1.0  # paho's own, which a broker that asks for a shorter keep-alive cannot make shorter

MakeContext = Callable[[], ssl.SSLContext]


class GuardedClient(Client):
    """A client of MQTT 5 for the client id `name`; with `make_context` (which may raise OSError) it speaks TLS.

    `pause_s` is how long it waits before it tries again, whenever that is next; paho's own delays are not asked.
    """

    def __init__(self, name: str, make_context: MakeContext | None = None) -> None:
        super().__init__(CallbackAPIVersion.VERSION2, client_id=name, protocol=MQTTv5)
        self.trouble = ""
        self.pause_s = _LOOK_AT_LEAST_S
        self._make_context = make_context
        self._goodbye = threading.Event()

    def disconnect(self, reasoncode: ReasonCode | None = None, properties: Properties | None = None) -> MQTTErrorCode:
        """Say goodbye, for good; a pause under way ends with the thread."""
        code = super().disconnect(reasoncode, properties)
        self._goodbye.set()
        return code

    def _loop(self, timeout: float = _LOOK_AT_LEAST_S) -> MQTTErrorCode:
        # Asked every time: a broker may name another keep-alive in its answer.
        return super()._loop(max(timeout, self.keepalive / _LOOKS_A_KEEPALIVE))

    def _reconnect_wait(self) -> None:
        if self._goodbye.wait(self.pause_s):
            self.loop_stop()  # from its own thread it only says so: the next look at it ends the loop

    def _create_socket(self) -> socket.socket:
        self.trouble = ""
        try:
            sock = self._shaken()
        except OSError as cause:
            self.trouble = _said(cause)
            raise
        except ValueError as cause:  # a name that cannot be one
            self.trouble = _said(cause)
            raise OSError(self.trouble) from cause
        with self._msgtime_mutex:
            self._last_bytes_received = self._last_msg_out = time.monotonic()
        return sock

    def _shaken(self) -> socket.socket:
        """A connection, its handshake done where there is one."""
        context = self._make_context() if self._make_context else None
        sock = socket.create_connection((self._host, self._port), timeout=self._connect_timeout)
        if context is None:
            return sock
        try:
            return context.wrap_socket(sock, server_hostname=self._host)
        except BaseException:
            sock.close()
            raise

    def _sock_recv(self, bufsize: int) -> bytes:
        if bufsize > LONGEST_PACKET:
            self.trouble = f"it sent a packet of {bufsize} bytes, and the door takes {LONGEST_PACKET}"
            raise ConnectionError(self.trouble)
        try:
            return super()._sock_recv(bufsize)
        except BlockingIOError:
            raise  # nothing to read yet
        except OSError as cause:
            self.trouble = _said(cause)
            raise

    def _packet_handle(self) -> MQTTErrorCode:
        if self._in_packet["command"] & _TYPE_AND_QOS_2 == _PUBLISH_QOS_2:
            self.trouble = "it sent a message in a way the door did not ask for"
            return MQTTErrorCode.MQTT_ERR_PROTOCOL
        return super()._packet_handle()


def _said(cause: Exception) -> str:
    """What went wrong, in a few words for the log."""
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"the broker's certificate is not accepted: {cause.verify_message.rstrip('.').lower()}"
    if isinstance(cause, ssl.SSLError):
        return f"TLS failed: {(cause.reason or 'unknown reason').lower().replace('_', ' ')}"
    if isinstance(cause, OSError):
        return cause.strerror or str(cause) or "it hung up"
    return str(cause)
