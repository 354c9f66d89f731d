"""A simulated card behind the real pcscd: the card's side of vsmartcard's virtual reader (vpcd).

Protocol (virtualsmartcard/doc/api): the reader listens, the card connects; a message is a length (u16, big-endian) and
that many bytes. A message of one byte is a control: 0 power off, 1 power on, 2 reset, 4 asks for the ATR. Every other
is a command APDU. The ATR and APDUs are answered, the first three controls are not.

Rules kept here:
- A connection is a card in the field; it is closed when the card goes, by `remove` or because the card itself is gone.
- Power and reset are a field reset: the card forgets what it keeps only in the field.
- What the reader sends is the card's to judge; a connection that ends within a message is the end, not an error.
"""

from __future__ import annotations

import socket
import struct
import threading
from contextlib import suppress
from typing import Self

from device.errors import Fault
from tools.simulator.cards.card import SimulatedCard
from tools.simulator.cards.status import CardFileRefused, CardGone

PORT = 0x8C7B  # 35963, where /etc/reader.conf.d/vpcd has the first of two readers; the second is one above
_LENGTH = struct.Struct(">H")
_POWER_OFF_ON_RESET = {b"\x00", b"\x01", b"\x02"}
_GET_ATR = b"\x04"
_CONNECT_S = 5.0


class ReaderFault(Fault, OSError):
    """There is no virtual reader to hold a card to."""


def serve(connection: socket.socket, card: SimulatedCard) -> None:
    """Answer on `connection` until either side goes; closes it. Raises CardFileRefused."""
    with connection, suppress(ConnectionError, CardGone):
        while (message := _receive(connection)) is not None:
            if message in _POWER_OFF_ON_RESET:
                card.reset()
            elif message == _GET_ATR:
                _send(connection, card.atr)
            else:
                _send(connection, card.process(message))


class VirtualReader:
    """A card that can be held to the virtual reader and taken away; as a context manager it is held while inside."""

    def __init__(self, card: SimulatedCard, port: int = PORT, host: str = "127.0.0.1") -> None:
        self.card = card
        self._address = (host, port)
        self._connection: socket.socket | None = None
        self._thread: threading.Thread | None = None
        self._refusal: CardFileRefused | None = None

    def serve_forever(self) -> None:
        """Hold the card to the reader until one of them goes. Raises ReaderFault or CardFileRefused."""
        serve(self._connect(), self.card)

    def insert(self) -> None:
        """Hold the card to the reader, and return. Raises ReaderFault."""
        self.remove()
        self.card.reset()
        self._connection = self._connect()
        self._thread = threading.Thread(target=self._hold, args=(self._connection,), daemon=True)
        self._thread.start()

    def remove(self) -> None:
        """Take the card away; harmless if it is not there. Raises CardFileRefused if its file could not be written."""
        if self._connection is not None and self._thread is not None:
            with suppress(OSError):  # the other side was faster
                self._connection.shutdown(socket.SHUT_RDWR)
            self._thread.join()
        self._connection = self._thread = None
        refusal, self._refusal = self._refusal, None
        if refusal is not None:
            raise refusal

    @property
    def inserted(self) -> bool:
        """Whether the card is in the field: neither taken away nor gone by itself."""
        return self._thread is not None and self._thread.is_alive()

    def __enter__(self) -> Self:
        self.insert()
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()

    def _hold(self, connection: socket.socket) -> None:
        try:
            serve(connection, self.card)
        except CardFileRefused as refusal:  # the reader sees a card that goes; who holds it is told by `remove`
            self._refusal = refusal

    def _connect(self) -> socket.socket:
        try:
            connection = socket.create_connection(self._address, _CONNECT_S)
        except OSError as cause:
            msg = f"no virtual card reader listens on port {self._address[1]}: is pcscd running with vsmartcard-vpcd?"
            raise ReaderFault(msg) from cause
        connection.settimeout(None)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection


def _send(connection: socket.socket, data: bytes) -> None:
    connection.sendall(_LENGTH.pack(len(data)) + data)


def _receive(connection: socket.socket) -> bytes | None:
    """The next message; None at the end."""
    length = _exactly(connection, _LENGTH.size)
    return None if length is None else _exactly(connection, *_LENGTH.unpack(length))


def _exactly(connection: socket.socket, length: int) -> bytes | None:
    data = b""
    while len(data) < length:
        _acknowledge(connection)
        part = connection.recv(length - len(data))
        if not part:
            return None
        data += part
    return data


def _acknowledge(connection: socket.socket) -> None:
    """Acknowledge what arrives at once: vpcd sends a length, and its data only after the kernel's word for it.

    Without this every APDU waits for the 40 ms after which Linux acknowledges unasked; the kernel forgets it, tcp(7).
    """
    if connection.family == socket.AF_INET:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
