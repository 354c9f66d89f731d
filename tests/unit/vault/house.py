"""A house around one vault: the other rooms as lists of what they were sent, over the real wire format and edges."""

from __future__ import annotations

import secrets
import socket
from collections import defaultdict
from pathlib import Path
from typing import TypeVar

import numpy as np

from device import edges, wire
from device.edges import Edge, Room
from device.errors import NotPermitted
from device.sealing.files import Files
from device.sealing.keys import FileKeyStore
from device.sealing.store import Binding, SealedStore
from device.service import Link
from device.vault.faces import Faces
from device.vault.loop import Vault
from device.vault.recognition import Recogniser
from device.vault.record import Vector
from device.wire import NO_TENANCY, Attack, LookMode, Message, Outcome, Purpose, Result
from tests.unit.sealing.simulated_disk import SimulatedDisk
from tests.unit.vault.tails import fixed

MODEL = b"m" * 32
BINDING = Binding(b"one door", "face", MODEL)
ROOT_KEY = b"r" * 32
FOLDER = Path("/state")
THRESHOLD = 0.5
FRAMES = 3
CONSENT = b"c" * 32
SECOND = 1_000_000_000
M = TypeVar("M", bound=Message)


def unit(seed: int) -> Vector:
    """A random direction: two of them have a cosine near 0 in 128 dimensions."""
    vector = np.random.default_rng(seed).normal(size=128)
    return (vector / np.linalg.norm(vector)).astype(np.float32)


def at_cosine(vector: Vector, cosine: float, seed: int = 999) -> Vector:
    """A unit vector whose cosine with `vector` is `cosine`."""
    base = vector.astype(np.float64)
    other = unit(seed).astype(np.float64)
    other -= (other @ base) * base
    other /= np.linalg.norm(other)
    mixed: Vector = (cosine * base + np.sqrt(1 - cosine**2) * other).astype(np.float32)
    return mixed


def nonce() -> bytes:
    return secrets.token_bytes(16)


def tenancy_of(slot: int, tenant: int = 1) -> bytes:
    """The name of the offer under which the `tenant`-th tenant of `slot` moved in."""
    return slot.to_bytes(8, "little") + tenant.to_bytes(8, "little")


def edge_between(one: Room, other: Room) -> Edge:
    return next(edge for edge in edges.EDGES if {edge.listener, edge.connector} == {one, other})


class House:
    """One vault, driven by hand. `away`: rooms that are not connected."""

    def __init__(self, disk: Files | None = None, folder: Path = FOLDER, *, asks_keeper: bool = True) -> None:
        self.disk: Files = disk if disk is not None else SimulatedDisk()
        self.folder = folder
        self.now_ns = 1000 * SECOND
        self.tenancies: dict[int, bytes] = {}  # what keeper holds: the slots with a working PIN
        self.asks_keeper = asks_keeper  # keeper answers by itself
        self.thresholds = fixed(THRESHOLD)
        self.sent: dict[Room, list[Message]] = defaultdict(list)
        self.asked: set[bytes] = set()  # the approaches that this lock waits for an answer to
        self.unasked: list[Message] = []  # answers that this lock had not asked for: it would raise the alarm
        self.up: dict[Room, Link] = {}
        self._sockets = socket.socketpair()
        self.vault = self._boot()

    def close(self) -> None:
        for sock in self._sockets:
            sock.close()

    def restart(self) -> None:
        """The vault process ends and starts anew on the same disk."""
        self.vault.stop()
        self.asked.clear()
        self.up.clear()
        self.sent.clear()
        self.vault = self._boot()

    def _boot(self) -> Vault:
        keys = FileKeyStore(self.folder / "epoch.key", ROOT_KEY, self.disk)
        store = SealedStore.open(self.folder, keys, BINDING, self.disk)
        recogniser = Recogniser(MODEL[:8], self.thresholds)
        return Vault(self, Faces(store), recogniser, FRAMES, now_ns=lambda: self.now_ns, today=lambda: 20_000)

    # ---- the part of Service that vault uses

    def send(self, peer: Room, msg: Message) -> bool:
        if peer not in self.up:
            return False
        assert type(msg) in edges.permitted(edge_between(Room.VAULT, peer), Room.VAULT)
        self.sent[peer].append(wire.unpack(wire.pack(msg)))
        if isinstance(msg, wire.Verdict | wire.EnrolmentEnded):
            if msg.nonce in self.asked:
                self.asked.remove(msg.nonce)
            else:
                self.unasked.append(msg)
        if isinstance(msg, wire.HasCredential) and self.asks_keeper:
            self.say(Room.KEEPER, wire.CredentialAnswer(msg.slot, self.tenancies.get(msg.slot, NO_TENANCY)))
        return True

    # ---- what a test does

    def connect(self, *rooms: Room) -> None:
        for room in rooms or (Room.LOCK, Room.EYE, Room.DESK, Room.KEEPER):
            self.up[room] = Link(room, edge_between(Room.VAULT, room), self._sockets[0], Room.VAULT)
            self.vault.connected(self.up[room])

    def disconnect(self, room: Room) -> None:
        if room is Room.LOCK:
            self.asked.clear()
        self.vault.disconnected(self.up.pop(room))

    def say(self, room: Room, msg: Message) -> bool:
        """`room` sends `msg`; False if that cost it the connection."""
        link = self.up[room]
        assert type(msg) in edges.permitted(link.edge, room)
        try:
            self.vault.received(link, wire.unpack(wire.pack(msg)))
        except NotPermitted:
            self.disconnect(room)
            self.vault.breached(room)
            return False
        return True

    def wait(self, seconds: float) -> None:
        """Time passes, as the service's loop would let it."""
        end = self.now_ns + int(seconds * SECOND)
        due = self.vault.deadline()
        if due is not None and due * SECOND <= end:
            self.now_ns = max(self.now_ns, round(due * SECOND))
            self.vault.tick()
        self.now_ns = end

    # ---- what keeper and lock do

    def move_in(self, slot: int, tenant: int = 1) -> None:
        """The `tenant`-th tenant of `slot` sets a PIN; keeper knows it, vault is not told here."""
        self.tenancies[slot] = tenancy_of(slot, tenant)

    def tell(self, slot: int) -> None:
        """Keeper tells vault what it now holds for `slot`."""
        self.say(Room.KEEPER, wire.CredentialAnswer(slot, self.tenancies.get(slot, NO_TENANCY)))

    def lose_pin(self, slot: int) -> None:
        """Keeper cancels the PIN of `slot`, and says so."""
        del self.tenancies[slot]
        self.say(Room.KEEPER, wire.LastCredentialGone(slot))

    def window(self, mode: LookMode = LookMode.ENROL, name: bytes | None = None) -> bytes:
        """Somebody pressed the button and lock names the approach; its nonce."""
        name = name if name is not None else nonce()
        self.asked.add(name)
        self.say(Room.LOCK, wire.Window(name, mode))
        return name

    def close_window(self) -> None:
        self.say(Room.LOCK, wire.Close())

    def grant(self, purpose: Purpose, slot: int, seconds: float = 60) -> bytes:
        name = nonce()
        self.say(Room.KEEPER, wire.Grant(name, purpose, self.now_ns + int(seconds * SECOND), slot))
        return name

    def probe(self, face: Vector, **changes: object) -> wire.Verdict:
        """Lock opens an approach and eye sends one good probe of `face`, except for `changes`; the one verdict then."""
        fields: dict[str, object] = {
            "nonce": nonce(),
            "frame_ns": self.now_ns - SECOND // 10,
            "frames": 3,
            "attack": Attack.NOT_TESTED,
            "model": MODEL[:8],
            "embedding": face.astype("<f4").tobytes(),
        }
        before = len(self.got(Room.LOCK, wire.Verdict))
        name = {**fields, **changes}["nonce"]
        assert isinstance(name, bytes)
        self.window(LookMode.RECOGNISE, name)
        self.say(Room.EYE, wire.Probe(**{**fields, **changes}))  # type: ignore[arg-type] # a test's free choice of fields
        verdicts = self.got(Room.LOCK, wire.Verdict)
        assert len(verdicts) == before + 1
        return verdicts[-1]

    def recognised(self, face: Vector) -> int | None:
        """The slot that `face` opens, asked after a pause long enough for the limit of failures."""
        self.wait(30)
        verdict = self.probe(face)
        return verdict.slot if verdict.outcome is Outcome.ACCEPTED else None

    def sample(self, face: Vector, index: int, window: bytes, **changes: object) -> bool:
        fields: dict[str, object] = {
            "nonce": window,
            "frame_ns": self.now_ns,
            "index": index,
            "attack": Attack.NOT_TESTED,
            "model": MODEL[:8],
            "embedding": face.astype("<f4").tobytes(),
        }
        return self.say(Room.EYE, wire.Sample(**{**fields, **changes}))  # type: ignore[arg-type] # likewise

    def show(self, face: Vector, window: bytes) -> None:
        """Eye sends all the frames of `face` that an enrolment needs, under `window`."""
        for index in range(FRAMES):
            self.sample(at_cosine(face, 0.95, seed=100 + index), index, window)

    def begin(self, slot: int = 11) -> bytes:
        """Somebody with a PIN on `slot` has shown it and asked to enrol; their grant."""
        if slot not in self.tenancies:
            self.move_in(slot)
        grant = self.grant(Purpose.ENROL, slot)
        self.say(Room.DESK, wire.Enrol(grant, CONSENT))
        return grant

    def capture(self, face: Vector, slot: int = 11) -> bytes:
        """Everything of an enrolment but the second PIN; its grant."""
        grant = self.begin(slot)
        self.show(face, self.window())
        self.close_window()
        return grant

    def confirm(self, slot: int = 11) -> bytes:
        """The PIN of `slot` is shown once more; the second grant."""
        return self.grant(Purpose.ENROL, slot)

    def enrol(self, slot: int, face: Vector) -> Result:
        """The whole enrolment of `face`; how it ended."""
        grant = self.capture(face, slot)
        self.confirm(slot)
        return self.result(grant)

    def act(self, kind: type[wire.Erase | wire.Pause | wire.Resume], slot: int) -> Result:
        grant = self.grant(Purpose[kind.__name__.upper()], slot)
        self.say(Room.DESK, kind(grant))
        return self.result(grant)

    # ---- what a test asks

    def got(self, room: Room, kind: type[M]) -> list[M]:
        return [msg for msg in self.sent[room] if isinstance(msg, kind)]

    def result(self, grant: bytes) -> Result:
        """The one answer desk got for `grant`."""
        results = [done.result for done in self.got(Room.DESK, wire.Done) if done.grant == grant]
        assert len(results) == 1
        return results[0]

    def unanswered(self, grant: bytes) -> bool:
        return not any(done.grant == grant for done in self.got(Room.DESK, wire.Done))

    def ready(self) -> tuple[bool, bool]:
        """What lock was told last: (recognise, enrol)."""
        last = self.got(Room.LOCK, wire.FaceReady)[-1]
        return last.recognise, last.enrol
