"""A real lock process with a signed policy in force, between neighbours that say yes, and a board that is this program.

Rules kept here:
- lock is `python -m device.lock` on a door.toml as doorsim makes it; frame, permits, machine, policy and bolt are its
  own. vault and keeper are `stand_in`s, each a process in the same frame. eye, desk and report are played from here.
- The board is this program, at the other end of lock's cable: it hands over a button or a key, and sees the coil.
- Processes and folder are gone afterwards, whatever happens.
"""

from __future__ import annotations

import os
import secrets
import select
import socket
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from nacl.signing import SigningKey

from device import document, wire
from device.edges import Room, edges_into
from device.lock.identity import DocumentKey
from device.paths import Paths
from device.policy.methods import PIN_AND_CARD, Method
from device.policy.schedule import DoorPolicy, Interval, Schedule
from tools.benchmark import stand_in
from tools.benchmark.figures import NotMeasured
from tools.benchmark.house import die_with_parent
from tools.simulator import layout
from tools.simulator.layout import Wishes

_M = TypeVar("_M", bound=wire.Message)
PATIENCE_S = 20.0
RESTS_S = 0.004  # everybody has gone back to sleep by then, as they sleep at a door
PIN_BUT_LAST = "482913"
MODEL = bytes(8)
EMBEDDING = struct.pack(f"<{wire.EMBEDDING_DIM}f", 1.0, *[0.0] * (wire.EMBEDDING_DIM - 1))
_WORDS = 1024
_WEEK = ((Interval(0, 720), Interval(721, 1440)),) * 7  # hours that have to be looked up, at every minute but one
POLICY = DoorPolicy("UTC", (Schedule(PIN_AND_CARD, ((Interval(0, 1440),),) * 7), Schedule(Method.FACE, _WEEK)))


@dataclass(slots=True)
class OneLock:
    """Lock, seen by its neighbours."""

    cable: socket.socket
    eye: socket.socket  # lock's connection to eye
    vault: socket.socket  # eye's connection to vault
    bare: socket.socket  # the echo
    chain: tuple[socket.socket, socket.socket]  # into the first of two relays, and out of the second

    def by_face_ns(self) -> int:
        """From a Probe handed to vault's socket to the coil. Raises NotMeasured."""
        self._rest()
        self.cable.send(b"face")
        look = _heard(self.eye, wire.Look)
        probe = _probe(look.nonce)
        self._rest()
        began = time.perf_counter_ns()
        self.vault.send(probe)
        took = self._coil_ns() - began
        self._walk_through()
        return took

    def by_pin_ns(self) -> int:
        """From the last key on lock's line to the coil. Raises NotMeasured."""
        for key in f"{stand_in.SLOT}#{PIN_BUT_LAST}":
            self._rest()
            self.cable.send(f"key {key}".encode("ascii"))
            self._told("show ")
        self._rest()
        began = time.perf_counter_ns()
        self.cable.send(b"key #")
        took = self._coil_ns() - began
        self._walk_through()
        return took

    def bare_ns(self) -> int:
        """A datagram of a Probe's size to a process that sends one of a Verdict's size back."""
        question = _probe(bytes(wire.NONCE_BYTES))
        time.sleep(RESTS_S)
        began = time.perf_counter_ns()
        self.bare.send(question)
        self.bare.recv(_WORDS)
        return time.perf_counter_ns() - began

    def three_hops_ns(self) -> int:
        """The same through two processes that only pass on: as many hops and wake-ups as from a Probe to the coil."""
        question, (into, out) = _probe(bytes(wire.NONCE_BYTES)), self.chain
        time.sleep(RESTS_S)
        began = time.perf_counter_ns()
        into.send(question)
        out.recv(_WORDS)
        return time.perf_counter_ns() - began

    def _coil_ns(self) -> int:
        while not self._words().startswith("coil 1"):
            pass
        return time.perf_counter_ns()

    def _walk_through(self) -> None:
        """The door opens and falls shut: the strike is secured at once."""
        self.cable.send(b"door open")
        self.cable.send(b"door closed")
        self._told("coil 0")

    def _told(self, beginning: str) -> None:
        while not self._words().startswith(beginning):
            pass

    def _words(self) -> str:
        try:
            words = self.cable.recv(_WORDS)
        except TimeoutError:
            words = b""
        if not words:
            msg = "lock did not do what it was asked to, or it ended"
            raise NotMeasured(msg)
        return words.decode("ascii")

    def _rest(self) -> None:
        """Wait until everybody sleeps, and throw away what lock said meanwhile."""
        time.sleep(RESTS_S)
        while ready := select.select([self.cable, self.eye], [], [], 0.0)[0]:
            for sock in ready:
                sock.recv(_WORDS)


def _probe(nonce: bytes) -> bytes:
    return wire.pack(wire.Probe(nonce, time.monotonic_ns(), 3, wire.Attack.NOT_TESTED, MODEL, EMBEDDING))


@contextmanager
def one_lock() -> Iterator[OneLock]:
    """Raises NotMeasured if it does not come up."""
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="dw-"))
        paths = Paths(Path(folder) / "d")
        manager, door = SigningKey.generate(), secrets.token_hex(8)
        layout.make(
            paths, Wishes(door_id=door, manager_key=bytes(manager.verify_key).hex(), tier="face", unlock_ms=500)
        )
        listeners = {
            (room, edge.connector): stack.enter_context(_listener(paths.socket(room, edge.connector)))
            for room in (Room.VAULT, Room.KEEPER, Room.EYE, Room.REPORT, Room.DESK)
            for edge in edges_into(room)
        }
        board = stack.enter_context(_listener(paths.board / "cable.sock"))
        for room in (Room.VAULT, Room.KEEPER):
            handed = [listeners[room, edge.connector] for edge in edges_into(room)]
            stack.enter_context(_process(paths, room, ["tools.benchmark.stand_in", room], handed))
        (near, far), into, between, out = (_pair(stack) for _ in range(4))
        for role, ends in (
            (stand_in.ECHO, [far]),
            (stand_in.RELAY, [into[1], between[0]]),
            (stand_in.RELAY, [between[1], out[0]]),
        ):
            stack.enter_context(_process(paths, Room.LOCK, ["tools.benchmark.stand_in", role], ends))
            for end in ends:
                end.close()  # here: its end is to be seen there
        stack.enter_context(_process(paths, Room.LOCK, ["device.lock"], []))
        cable = stack.enter_context(_accepted(board))
        cable.send(b"yours")
        eye = stack.enter_context(_accepted(listeners[Room.EYE, Room.LOCK]))
        desk = stack.enter_context(_accepted(listeners[Room.DESK, Room.LOCK]))
        eye.send(wire.pack(wire.CameraState(wire.CameraCondition.IDLE)))
        vault = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET))
        vault.connect(str(paths.socket(Room.VAULT, Room.EYE)))
        for end in (near, into[0], out[1]):
            end.settimeout(PATIENCE_S)
        root_key = (layout.credentials(paths, Room.LOCK) / "lock.key").read_bytes()
        _sign(desk, manager, bytes.fromhex(door), DocumentKey.of(root_key).public)
        yield OneLock(cable, eye, vault, near, (into[0], out[1]))


def _sign(desk: socket.socket, manager: SigningKey, door: bytes, document_key: bytes) -> None:
    signed = document.sign(POLICY, door_id=door, version=1, issued_unix=int(time.time()), key=manager)
    desk.send(wire.pack(wire.Document(document.seal(signed, door_id=door, document_key=document_key))))
    if _heard(desk, wire.Ack).result is not wire.Result.DONE:
        msg = "lock did not take the policy"
        raise NotMeasured(msg)


def _heard(sock: socket.socket, kind: type[_M]) -> _M:
    """The next message of this kind; others are passed over."""
    while True:
        try:
            data = sock.recv(wire.MAX_DATAGRAM)
        except TimeoutError:
            data = b""
        if not data:
            text = f"lock sent no {kind.__name__}, or it ended"
            raise NotMeasured(text)
        msg = wire.unpack(data)
        if isinstance(msg, kind):
            return msg


def _listener(path: Path) -> socket.socket:
    path.parent.mkdir(parents=True, exist_ok=True)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    sock.bind(str(path))
    sock.listen(8)
    sock.settimeout(PATIENCE_S)
    return sock


def _pair(stack: ExitStack) -> tuple[socket.socket, socket.socket]:
    near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    return stack.enter_context(near), stack.enter_context(far)


def _accepted(listener: socket.socket) -> socket.socket:
    try:
        sock, _ = listener.accept()
    except TimeoutError as cause:
        msg = "lock did not come up"
        raise NotMeasured(msg) from cause
    sock.settimeout(PATIENCE_S)
    return sock


@contextmanager
def _process(paths: Paths, room: Room, module: list[str], handed: list[socket.socket]) -> Iterator[None]:
    fds = [sock.fileno() for sock in handed]
    environ = {
        **os.environ,
        "DOORWARD_ROOT": str(paths.root),
        "DOORWARD_ONE_USER": "simulated",
        "CREDENTIALS_DIRECTORY": str(layout.credentials(paths, room)),
    }
    running = subprocess.Popen(
        [sys.executable, "-m", *module, *map(str, fds)],
        env=environ,
        pass_fds=fds,
        stdin=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=die_with_parent,  # noqa: PLW1509 - this program has one thread
    )
    try:
        yield
    finally:
        running.kill()
        running.wait()
