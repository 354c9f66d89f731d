"""A real vault process with the test as all of its neighbours: keeper who knows the tenants, eye who sees their faces.

Nothing here knows how vault keeps anything: what is enrolled is asked over the wire (`awake`, `opens`).
"""

import os
import secrets
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from device import config, consent, manifest, wire
from device.edges import Room
from device.manifest import Job
from device.meaning import meaning
from device.paths import models_dir
from device.wire import Attack, LookMode, Message, Purpose, Result
from tests.support.room_process import Peer, RoomProcess, room_process, short_root, write_config

Face = NDArray[np.float32]
PATIENCE_S = 20.0
FRAMES = 3


def face(seed: int) -> Face:
    """A random direction in 128 dimensions: two of them are strangers."""
    vector = np.random.default_rng(seed).normal(size=wire.EMBEDDING_DIM)
    return (vector / np.linalg.norm(vector)).astype(np.float32)


@dataclass
class VaultAtWork:
    """The process, its neighbours, and who lives behind which slot. `ends`: when the places of some of them end."""

    process: RoomProcess
    tenancies: dict[int, bytes] = field(default_factory=dict)
    ends: dict[int, int] = field(default_factory=dict)
    _peers: dict[Room, Peer] = field(default_factory=dict)
    _heard: dict[Room, list[Message]] = field(default_factory=dict)

    # ---- the process

    def boot(self) -> None:
        """Start it and be all of its neighbours."""
        if self.process.process is None or self.process.process.poll() is not None:
            self.process.start()
        self._heard = {room: [] for room in (Room.LOCK, Room.EYE, Room.DESK, Room.KEEPER)}
        self._peers = {room: self.process.connect(room) for room in (Room.LOCK, Room.EYE, Room.DESK)}
        self._peers[Room.KEEPER] = self.process.accept(Room.KEEPER)

    def kill(self) -> None:
        """Kill -9; what it had said before stays heard."""
        self.process.kill()
        self.drain()
        for peer in self._peers.values():
            peer.close()

    # ---- talking to it

    def drain(self) -> None:
        """Hear everything that was said so far; as keeper, answer for the tenants."""
        for room, peer in self._peers.items():
            while True:
                try:
                    data = peer.sock.recv(wire.MAX_DATAGRAM, socket.MSG_DONTWAIT)
                except OSError:
                    break
                if not data:
                    break
                msg = wire.unpack(data)
                self._heard[room].append(msg)
                if isinstance(msg, wire.HasCredential):
                    self.tell(msg.slot)

    def until(self, room: Room, fits: type[Message], since: int = 0, **fields: object) -> Message:
        """The first message of this kind with these fields that `room` hears. Raises TimeoutError.

        `since`: of how many messages it has heard before (`so_far`) none counts.
        """
        ends = time.monotonic() + PATIENCE_S
        while time.monotonic() < ends:
            self.drain()
            for msg in self._heard[room][since:]:
                if isinstance(msg, fits) and all(getattr(msg, name) == value for name, value in fields.items()):
                    return msg
            assert self.process.process is not None
            assert self.process.process.poll() is None, self.process.stderr
            time.sleep(0.002)
        text = f"{room} heard no such {fits.__name__}\n{self.process.stderr}"
        raise TimeoutError(text)

    def so_far(self, room: Room) -> int:
        """How many messages `room` has heard."""
        self.drain()
        return len(self._heard[room])

    def heard(self, room: Room, kind: type[Message]) -> list[Message]:
        """What `room` heard of this kind since the start."""
        return [msg for msg in self._heard[room] if isinstance(msg, kind)]

    def say(self, room: Room, msg: Message) -> None:
        """`room` sends `msg`."""
        self._peers[room].send(msg)

    def tell(self, slot: int) -> None:
        """Keeper's word on `slot`."""
        tenancy = self.tenancies.get(slot, wire.NO_TENANCY)
        self.say(Room.KEEPER, wire.CredentialAnswer(slot, tenancy, self.ends.get(slot, wire.NO_END)))

    # ---- what people do

    def grant(self, purpose: Purpose, slot: int) -> bytes:
        """Somebody showed the PIN of `slot`."""
        name = secrets.token_bytes(16)
        self.say(Room.KEEPER, wire.Grant(name, purpose, time.monotonic_ns() + 60_000_000_000, slot))
        return name

    def seen(self, slot: int, who: Face, *, again: bool = False, covered: bool = False) -> bytes:
        """Everything of an enrolment, or of another sitting (`again`), but the second PIN; its grant."""
        self.tenancies.setdefault(slot, secrets.token_bytes(16))
        keeper, lock = self.so_far(Room.KEEPER), self.so_far(Room.LOCK)
        grant = self.grant(Purpose.ENROL, slot)
        self.until(Room.KEEPER, wire.HasCredential, since=keeper, slot=slot)
        self.say(Room.DESK, wire.Enrol(grant, self.terms, under_14=False, covered=covered, again=again))
        self.until(Room.LOCK, wire.FaceReady, since=lock, enrol=True)
        window = secrets.token_bytes(16)
        mode = LookMode.ENROL_COVERED if covered else LookMode.ENROL
        self.say(Room.LOCK, wire.Window(window, mode, wire.NOBODY))
        # Two sockets have no common order: lock asks something that is answered after the window was heard of.
        self._asked()
        for index in range(FRAMES):
            raw, now_ns = who.astype("<f4").tobytes(), time.monotonic_ns()
            means = self.means(covered=covered)
            self.say(Room.EYE, wire.Sample(window, now_ns, index, Attack.NOT_TESTED, means, raw, covered))
        self.until(Room.LOCK, wire.EnrolmentEnded, nonce=window, result=Result.CONFIRM)
        self.say(Room.LOCK, wire.Close())
        return grant

    def enrol(self, slot: int, who: Face, *, covered: bool = False) -> None:
        """A whole enrolment."""
        grant = self.seen(slot, who, covered=covered)
        self.grant(Purpose.ENROL, slot)
        self.until(Room.DESK, wire.Done, grant=grant, result=Result.DONE)

    def awake(self, slot: int) -> bool:
        """Whether `slot` has a face that would be compared."""
        name = secrets.token_bytes(16)
        self.say(Room.LOCK, wire.AskClaim(name, slot))
        answer = self.until(Room.LOCK, wire.ClaimAnswer, nonce=name)
        assert isinstance(answer, wire.ClaimAnswer)
        return answer.awake

    def settled(self, *slots: int) -> None:
        """Return when keeper was asked about these slots, and its answers were heard."""
        for slot in slots:
            self.until(Room.KEEPER, wire.HasCredential, slot=slot)
        self._asked()

    def opens(self, who: Face, *, covered: bool = False) -> int:
        """The slot that this face is recognised as; 0 for nobody."""
        window = secrets.token_bytes(16)
        self.say(Room.LOCK, wire.Window(window, LookMode.RECOGNISE, wire.NOBODY))
        self._asked()
        raw, means = who.astype("<f4").tobytes(), self.means(covered=covered)
        self.say(Room.EYE, wire.Probe(window, time.monotonic_ns(), 3, Attack.NOT_TESTED, means, raw, covered))
        verdict = self.until(Room.LOCK, wire.Verdict, nonce=window)
        assert isinstance(verdict, wire.Verdict)
        self.say(Room.LOCK, wire.Close())
        return verdict.slot

    def _asked(self) -> None:
        name = secrets.token_bytes(16)
        self.say(Room.LOCK, wire.AskClaim(name, wire.NOBODY))
        self.until(Room.LOCK, wire.ClaimAnswer, nonce=name)

    # ---- what the door rests on

    @property
    def model(self) -> bytes:
        """sha256 of the embedder."""
        return manifest.load(models_dir()).for_job(Job.EMBED).sha256

    def means(self, *, covered: bool) -> bytes:
        """What an embedding of a bare or of a covered face means here, as eye tells it."""
        return meaning(manifest.load(models_dir())).model_id(covered=covered)

    @property
    def terms(self) -> bytes:
        """The hash of the terms in force."""
        return consent.terms_of(config.load(self.process.paths.config), self.model).hash

    @property
    def folder(self) -> Path:
        """Vault's state folder."""
        return self.process.paths.state(Room.VAULT)


@contextmanager
def vault_at_work(settings: str = "") -> Iterator[VaultAtWork]:
    """A new vault, up and answered by the test. `settings`: lines of its [vault] table."""
    with short_root() as root:
        write_config(root, f"[eye]\nenrol_frames = {FRAMES}\n[vault]\n{settings}\n")
        key = root / "credentials" / "vault" / "vault.key"
        key.parent.mkdir(parents=True)
        key.write_bytes(os.urandom(32))
        with room_process(Room.VAULT, root) as process:
            vault = VaultAtWork(process)
            vault.boot()
            yield vault
