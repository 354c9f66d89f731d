"""The door's MQTT publisher without a thread: thousands of them in one loop.

Rules kept here:
- What the door says to a broker, keeps, forgets and draws at random is `device.report.mqtt` as it is. Replaced is what
  cannot wait here: TCP's and TLS's handshakes, which paho makes in its thread, and the thread itself.
- The times are paho's: five seconds for either handshake, then as long a wait as the publisher has drawn.
- Phases: a door waits, connects, shakes hands over TLS, talks. Whatever fails brings it back to waiting.
"""

from __future__ import annotations

import os
import random
import socket
import ssl
import time
from collections.abc import Callable, Sequence
from enum import Enum, auto, unique
from itertools import cycle
from typing import Any

from paho.mqtt.client import Client
from paho.mqtt.enums import MQTTErrorCode
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from device.report.broker import Broker
from device.report.guarded import GuardedClient, MakeContext
from device.report.mqtt import MqttPublisher
from tools.fleet_sim.account import Notes
from tools.fleet_sim.poll import READ, WRITE, Poll

HANDSHAKE_S = 5.0  # paho's connect_timeout
MISC_S = 20.0  # how often paho is asked whether a ping is due; its own loop asks every second
_IN_PROGRESS = 115  # EINPROGRESS


@unique
class Phase(Enum):
    """Where a door's connection stands."""

    ASLEEP = auto()  # nobody has asked for one yet
    WAITS = auto()
    CONNECTS = auto()
    SHAKES = auto()
    TALKS = auto()


class LoopClient(GuardedClient):
    """The guarded client, which takes a connected socket instead of making one, and leaves waiting to others."""

    def __init__(self, door: str) -> None:
        self.wanted = False
        self.ready: socket.socket | None = None
        super().__init__(door)

    def loop_start(self) -> MQTTErrorCode:
        """No thread: somebody is asked to connect."""
        self.wanted = True
        return MQTTErrorCode.MQTT_ERR_SUCCESS

    def _create_socket(self) -> socket.socket:
        self.trouble = ""
        sock, self.ready = self.ready, None
        if sock is None:
            message = "a connection was asked for before there was one"
            raise OSError(message)
        return sock


class LoopPublisher(MqttPublisher):
    """The door's publisher on `poll`. Attempts to connect and successes go into `notes`."""

    def __init__(
        self,
        door: str,
        where: Sequence[Broker],
        poll: Poll,
        notes: Notes,
        make_context: MakeContext | None = None,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._own = LoopClient(door)
        super().__init__(door, where[0], chance=chance)
        self._addresses = cycle(where)
        self._poll = poll
        self._make_tls = make_context
        self._notes = notes
        self._phase = Phase.ASLEEP
        self._sock: socket.socket | None = None
        self._mask = 0
        self._next_s = 0.0
        self.woken: Callable[[], None] = lambda: None  # something happened outside of a turn

    @property
    def online(self) -> bool:
        """Whether the broker knows the door to be there."""
        return self._ready

    def due_s(self) -> float | None:
        """When the connection wants its turn, None before the start."""
        if self._phase is Phase.ASLEEP:
            return 0.0 if self._own.wanted else None
        return self._next_s

    def turn(self, now_s: float) -> None:
        """The moment has come: for an attempt, for the end of one that got no answer, or for a ping."""
        match self._phase:
            case Phase.ASLEEP | Phase.WAITS:
                self._connect(now_s)
            case Phase.CONNECTS | Phase.SHAKES:
                self._failed(now_s, "timed out")
            case Phase.TALKS:
                self._next_s = now_s + MISC_S
                self._own.loop_misc()
                self.tidy(now_s)

    def tidy(self, now_s: float) -> None:
        """After anything was said: write what paho could not, and see whether the connection still stands."""
        if self._phase is not Phase.TALKS:
            return
        if self._own.want_write():
            self._own.loop_write()
        if self._own.socket() is None:
            self._wait(now_s)
        elif self._sock is not None:
            self._look_for(self._sock, READ | WRITE if self._own.want_write() else READ)

    # ---- the way to a connection

    def _configured(self, client: GuardedClient) -> GuardedClient:
        own = super()._configured(self._own)
        own.on_socket_close = lambda _client, _userdata, sock: self._poll.drop(sock.fileno())
        return own

    def _on_publish(
        self, _client: Client, _userdata: Any, mid: int, reason: ReasonCode, _properties: Properties
    ) -> None:
        before = self._ready
        super()._on_publish(_client, _userdata, mid, reason, _properties)
        if self._ready and not before:
            self._notes.came.append(time.monotonic())

    def _connect(self, now_s: float) -> None:
        self._notes.tried.append(now_s)
        self._phase, self._next_s, self._where = Phase.CONNECTS, now_s + HANDSHAKE_S, next(self._addresses)
        self._sock = sock = socket.socket()
        sock.setblocking(False)
        trouble = sock.connect_ex((self._where.host, self._where.port))
        if trouble not in {0, _IN_PROGRESS}:
            self._failed(now_s, os.strerror(trouble))
            return
        self._mask = WRITE
        self._poll.add(sock.fileno(), WRITE, self._on_socket)

    def _on_socket(self, mask: int) -> None:
        now_s = time.monotonic()
        try:
            if self._phase is Phase.CONNECTS:
                self._connected(now_s)
            elif self._phase is Phase.SHAKES:
                self._shake(now_s)
            elif self._phase is Phase.TALKS:
                self._talk(mask, now_s)
        except OSError as cause:
            self._failed(now_s, cause.strerror or str(cause))
        self.woken()

    def _connected(self, now_s: float) -> None:
        sock = self._held()
        trouble = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if trouble:
            self._failed(now_s, os.strerror(trouble))
        elif self._make_tls is None:
            self._talk_on(sock, now_s)
        else:
            fileno = sock.fileno()
            self._poll.drop(fileno)
            over = self._make_tls().wrap_socket(sock, server_hostname=self._where.host, do_handshake_on_connect=False)
            self._phase, self._sock, self._next_s = Phase.SHAKES, over, now_s + HANDSHAKE_S
            self._mask = READ
            self._poll.add(over.fileno(), READ, self._on_socket)
            self._shake(now_s)

    def _shake(self, now_s: float) -> None:
        sock = self._held()
        assert isinstance(sock, ssl.SSLSocket)  # noqa: S101  # the phase says so
        try:
            sock.do_handshake()
        except ssl.SSLWantReadError:
            self._look_for(sock, READ)
        except ssl.SSLWantWriteError:
            self._look_for(sock, WRITE)
        else:
            self._talk_on(sock, now_s)

    def _held(self) -> socket.socket:
        if self._sock is None:
            message = "the connection is gone"
            raise OSError(message)
        return self._sock

    def _talk_on(self, sock: socket.socket, now_s: float) -> None:
        self._phase, self._next_s = Phase.TALKS, now_s + MISC_S
        self._own.ready = sock
        self._own.reconnect()
        self.tidy(now_s)

    def _talk(self, mask: int, now_s: float) -> None:
        if mask & ~WRITE:
            self._own.loop_read()
            # TLS may hold what no descriptor shows any more.
            while isinstance(sock := self._own.socket(), ssl.SSLSocket) and sock.pending():
                self._own.loop_read()
        self.tidy(now_s)

    def _failed(self, now_s: float, why: str) -> None:
        if self._sock is not None and self._phase is not Phase.TALKS:
            self._poll.drop(self._sock.fileno())
            self._sock.close()
        self._own.trouble = why
        self._on_connect_fail(self._own, None)
        self._wait(now_s)

    def _wait(self, now_s: float) -> None:
        self._phase, self._sock, self._next_s = Phase.WAITS, None, now_s + self._own.pause_s

    def _look_for(self, sock: socket.socket, mask: int) -> None:
        if mask != self._mask:
            self._mask = mask
            self._poll.change(sock.fileno(), mask)
