"""paho's client with what it lacks against a broker that means harm.

Rules kept here:
- A packet longer than the door said it would take ends the connection before it is read: paho states a maximum and
  does not enforce it, and would gather up to 256 MiB.
- So does a message of QoS 2: the door subscribes with 1, and paho would keep such messages without bound.
- TLS is made up anew for every connection, and its handshake has the time of a connection attempt, no more.
- The reason of a lost connection is kept: with TLS 1.3 a broker refuses a certificate only after the handshake, and
  paho then says no more than "unspecified error".

Sources: MQTT 5.0 (OASIS, 2019) 1.5.5, 2.1.2, 3.3.1.2; RFC 8446, section 4.4.2.4; paho-mqtt 2.x `client.py`, whose
private methods are replaced here: tests/contract/mqtt plays a broker that does all of this.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable

from paho.mqtt.client import Client, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode

LONGEST_PACKET = 5120
"""A document of 4096 bytes, its topic, and properties somebody may have added."""
_PUBLISH_QOS_2 = 0x34
_TYPE_AND_QOS_2 = 0xF4

MakeContext = Callable[[], ssl.SSLContext]


class GuardedClient(Client):
    """A client of MQTT 5 for the client id `name`; with `make_context` (which may raise OSError) it speaks TLS."""

    def __init__(self, name: str, make_context: MakeContext | None = None) -> None:
        super().__init__(CallbackAPIVersion.VERSION2, client_id=name, protocol=MQTTv5)
        self.trouble = ""
        self._make_context = make_context

    def _create_socket(self) -> socket.socket:
        self.trouble = ""
        try:
            context = self._make_context() if self._make_context else None
            sock = socket.create_connection((self._host, self._port), timeout=self._connect_timeout)
            if context is None:
                return sock
            try:
                return context.wrap_socket(sock, server_hostname=self._host)
            except BaseException:
                sock.close()
                raise
        except OSError as cause:
            self.trouble = _said(cause)
            raise
        except ValueError as cause:  # a name that cannot be one
            self.trouble = _said(cause)
            raise OSError(self.trouble) from cause

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
