"""Record every packet of this network namespace, all interfaces at once.

Rules kept here:
- What the kernel had to drop is counted: a recording with losses proves nothing, and says so.
- A packet on loopback passes twice, out and in; it is kept once.
- Only root may listen; anybody else is told so in one sentence.

A packet socket in cooked mode (packet(7), SOCK_DGRAM) gives every interface alike, from the network header on. Numbers
that Python has no name for are Linux's: linux/if_packet.h, asm-generic/socket.h.
"""

from __future__ import annotations

import contextlib
import select
import socket
import struct
import threading
import time
from typing import Final, Self

from device.desk.network import packets
from device.desk.network.packets import Packet
from device.errors import Fault, Refusal

LOOPBACK: Final = "lo"
_LARGEST: Final = 1 << 17  # a packet of 64 KiB is the largest that segmentation offload hands over
_BUFFER_BYTES: Final = 1 << 25
_POLL_S: Final = 0.1
_SOL_PACKET, _PACKET_STATISTICS = 263, 6
_SO_TIMESTAMPNS, _SO_RCVBUFFORCE = 35, 33
_TIMESPEC = struct.Struct("@qq")
_STATISTICS = struct.Struct("@II")


class ListeningRefused(Refusal, PermissionError):
    """This user may not listen to the network."""


class ListeningFault(Fault, OSError):
    """The network cannot be listened to."""


class Capture:
    """Records from its opening to its end, in a thread of its own; `packets` grows meanwhile.

    It belongs to the network namespace of the thread that opens it. Raises ListeningRefused, ListeningFault.
    """

    def __init__(self) -> None:
        self.packets: list[Packet] = []
        self._lost = 0
        self._fault: OSError | None = None
        self._stop = threading.Event()
        self._socket = _opened()
        self._thread = threading.Thread(target=self._record, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._count_lost()
        self._socket.close()

    @property
    def lost(self) -> int:
        """How many packets passed that are not in `packets`; final once the recording has ended."""
        return self._lost

    def settle(self, quiet_s: float = 0.1, limit_s: float = 5.0) -> None:
        """Return when nothing has passed for `quiet_s`, or after `limit_s`."""
        ends = time.monotonic() + limit_s
        known = -1
        while known != len(self.packets) and time.monotonic() < ends:
            known = len(self.packets)
            time.sleep(quiet_s)

    def check(self) -> None:
        """Raises ListeningFault if something was missed."""
        if self._fault is not None:
            msg = f"listening to the network broke off: {self._fault.strerror}"
            raise ListeningFault(msg)
        if self._lost:
            msg = f"{self._lost} packets passed faster than they could be kept, so this recording shows nothing"
            raise ListeningFault(msg)

    def _record(self) -> None:
        try:
            while not self._stop.is_set():
                if select.select([self._socket], [], [], _POLL_S)[0]:
                    self._take()
            # What had come in by the moment of the end belongs to the recording.
            while select.select([self._socket], [], [], 0)[0]:
                self._take()
        except OSError as cause:
            self._fault = cause

    def _take(self) -> None:
        content, told, _flags, sender = self._socket.recvmsg(_LARGEST, socket.CMSG_SPACE(_TIMESPEC.size))
        interface, ethertype, direction = sender[:3]
        outgoing = direction == socket.PACKET_OUTGOING
        if interface == LOOPBACK and not outgoing:
            return
        at_ns = time.time_ns()
        for level, kind, data in told:
            if (level, kind) == (socket.SOL_SOCKET, _SO_TIMESTAMPNS) and len(data) == _TIMESPEC.size:
                seconds, nanoseconds = _TIMESPEC.unpack(data)
                at_ns = seconds * 1_000_000_000 + nanoseconds
        self.packets.append(packets.read(content, ethertype, at_ns, interface, outgoing=outgoing))

    def _count_lost(self) -> None:
        with contextlib.suppress(OSError):
            told = self._socket.getsockopt(_SOL_PACKET, _PACKET_STATISTICS, _STATISTICS.size)
            self._lost += _STATISTICS.unpack(told)[1]


def _opened() -> socket.socket:
    try:
        sock = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x0003))  # ETH_P_ALL
    except PermissionError as cause:
        msg = "listening to the network needs root; try again with sudo"
        raise ListeningRefused(msg) from cause
    except OSError as cause:
        msg = f"this machine cannot be listened to: {cause.strerror}"
        raise ListeningFault(msg) from cause
    sock.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
    with contextlib.suppress(OSError):  # a smaller buffer loses more, and losses are counted
        sock.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _BUFFER_BYTES)
    return sock
