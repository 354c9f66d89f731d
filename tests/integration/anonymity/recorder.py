"""Everything between a door and its broker, byte by byte: a TCP relay on loopback that writes down what passes.

What leaves the door is cut into MQTT packets by their own lengths (MQTT 5.0, 2.1), so that what TLS would put into
records is seen as it was written: paho writes each packet by itself.
"""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from tests.support.ports import own_port

PUBLISH = 3


@dataclass(frozen=True)
class Packet:
    """One packet from the door: the kind of MQTT packet and its whole length in bytes."""

    kind: int
    length: int


@dataclass
class Connection:
    """One connection of the door, as long as it lasted."""

    door: socket.socket
    broker: socket.socket
    sent: bytearray = field(default_factory=bytearray)

    def written(self) -> list[bytes]:
        """What the door wrote, packet by packet; one that is not complete yet is left out."""
        found, data = [], bytes(self.sent)
        while data:
            length, used = _remaining(data)
            if used == 0 or len(data) < used + length:
                break
            found.append(data[: used + length])
            data = data[used + length :]
        return found

    def packets(self) -> list[Packet]:
        """The kind and the length of each."""
        return [Packet(each[0] >> 4, len(each)) for each in self.written()]

    def cut(self) -> None:
        """The network is gone: both ends see it."""
        for end in (self.door, self.broker):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


def _remaining(data: bytes) -> tuple[int, int]:
    """The remaining length of the packet at the start, and how many bytes come before that; (0, 0) if torn."""
    length = 0
    for place, byte in enumerate(data[1:5]):
        length |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:
            return length, 2 + place
    return 0, 0


class Recorder:
    """The relay. The door is given `url` as its broker."""

    def __init__(self, broker_port: int) -> None:
        self.port = own_port()
        self.connections: list[Connection] = []
        self._broker_port = broker_port
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self._spawn(self._accept)

    @property
    def url(self) -> str:
        """What stands in door.toml."""
        return f"mqtt://127.0.0.1:{self.port}"

    def cut(self) -> None:
        """Cut every connection; new ones are taken."""
        for each in self.connections:
            each.cut()

    def close(self) -> None:
        """No more."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()
        for thread in self._threads:
            thread.join(5.0)
        for each in self.connections:
            each.door.close()
            each.broker.close()

    def _spawn(self, work: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                door, _ = self._listener.accept()
            except OSError:
                return
            try:
                broker = socket.create_connection(("127.0.0.1", self._broker_port))
            except OSError:
                door.close()
                continue
            connection = Connection(door, broker)
            self.connections.append(connection)
            self._spawn(self._pass, connection, door, broker, connection.sent)
            self._spawn(self._pass, connection, broker, door, bytearray())

    @staticmethod
    def _pass(connection: Connection, source: socket.socket, sink: socket.socket, kept: bytearray) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                kept += data
                sink.sendall(data)
        connection.cut()


@contextmanager
def recording(broker_port: int) -> Iterator[Recorder]:
    """A relay in front of the broker at `broker_port`, for the time of a `with` block."""
    recorder = Recorder(broker_port)
    try:
        yield recorder
    finally:
        recorder.close()
