"""A house around one vault: the other rooms as lists of what they were sent, over the real wire format and edges."""

from __future__ import annotations

import socket
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import numpy as np

from device import attestation, edges, wire
from device.attestation import Paper
from device.consent import Terms
from device.edges import Edge, Room
from device.errors import NotPermitted
from device.link import Link
from device.sealing.files import Files
from device.sealing.keys import FileKeyStore
from device.sealing.store import SealedStore
from device.strength import KeyPlace
from device.vault.enrolling import Enrolling
from device.vault.expiry import Expiry
from device.vault.faces import Faces
from device.vault.loop import Vault
from device.vault.recognition import Recogniser
from device.vault.record import Vector
from device.vault.signing import Signer, signing_key
from device.wire import NO_END, NO_TENANCY, Attack, LookMode, Message, Outcome, Purpose, Result
from tests.unit.sealing.simulated_disk import SimulatedDisk
from tests.unit.vault.tails import fixed
from tests.unit.vault.values import (
    BINDING,
    COVERED_MODEL,
    FOLDER,
    FRAMES,
    GRACE_NS,
    MODEL,
    ROOT_KEY,
    SECOND,
    SIGNER,
    TERMS,
    THRESHOLD,
    TODAY,
    at_cosine,
    nonce,
    tenancy_of,
)

M = TypeVar("M", bound=Message)


def edge_between(one: Room, other: Room) -> Edge:
    return next(edge for edge in edges.EDGES if {edge.listener, edge.connector} == {one, other})


class House:
    """One vault, driven by hand. `away`: rooms that are not connected."""

    def __init__(self, disk: Files | None = None, folder: Path = FOLDER, *, asks_keeper: bool = True) -> None:
        self.disk: Files = disk if disk is not None else SimulatedDisk()
        self.folder = folder
        self.now_ns = 1000 * SECOND
        self.unix_s = TODAY * 86_400.0
        self.terms = TERMS  # in force at the next start
        self.face_alone = True  # what they say of a face, likewise
        self.lights = False  # whether the light challenge is fitted, likewise
        self.tenancies: dict[int, bytes] = {}  # what keeper holds: the slots with a working PIN
        self.ends: dict[int, int] = {}  # and when the places of some of them end
        self.asks_keeper = asks_keeper  # keeper answers by itself
        self.thresholds = fixed(THRESHOLD)
        self.covered = COVERED_MODEL  # what templates of covered faces mean, at the next start
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

    def restart_under(self, terms: Terms) -> None:
        """The terms change; vault starts anew, and everybody connects."""
        self.terms = terms
        self.restart()
        self.connect()

    def _boot(self) -> Vault:
        keys = FileKeyStore(self.folder / "epoch.key", ROOT_KEY, self.disk)
        store = SealedStore.open(self.folder, keys, BINDING, self.disk)
        recogniser = Recogniser(MODEL[:8], self.thresholds, self.face_alone, self.lights, self.covered[:8])
        signer = Signer(BINDING.door, signing_key(ROOT_KEY), self.terms, KeyPlace.FILE_HOST_KEY)
        faces = Faces(store, self.terms.hash, Expiry(GRACE_NS), self.covered)
        return Vault(
            self,
            faces,
            recogniser,
            signer,
            FRAMES,
            self.face_alone,
            now_ns=lambda: self.now_ns,
            unix_s=lambda: self.unix_s,
        )

    # ---- the part of Service that vault uses

    def send(self, peer: Room, msg: Message) -> bool:
        if peer not in self.up:
            return False
        assert type(msg) in edges.permitted(edge_between(Room.VAULT, peer), Room.VAULT)
        self.sent[peer].append(wire.unpack(wire.pack(msg)))
        if isinstance(msg, wire.Verdict | wire.EnrolmentEnded | wire.ClaimAnswer):
            if msg.nonce in self.asked:
                self.asked.remove(msg.nonce)
            else:
                self.unasked.append(msg)
        if isinstance(msg, wire.HasCredential) and self.asks_keeper:
            self.tell(msg.slot)
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
        """Time passes by both clocks, as the service's loop would let it."""
        end = self.now_ns + int(seconds * SECOND)
        while (due := self.vault.deadline()) is not None and due * SECOND <= end:
            self._pass_to(max(self.now_ns, round(due * SECOND)))
            self.vault.tick()
        self._pass_to(end)

    def _pass_to(self, now_ns: int) -> None:
        self.unix_s += (now_ns - self.now_ns) / SECOND
        self.now_ns = now_ns

    # ---- what keeper and lock do

    def move_in(self, slot: int, tenant: int = 1) -> None:
        """The `tenant`-th tenant of `slot` sets a PIN; keeper knows it, vault is not told here."""
        self.tenancies[slot] = tenancy_of(slot, tenant)

    def tell(self, slot: int) -> None:
        """Keeper tells vault what it now holds for `slot`."""
        tenancy, ends_unix = self.tenancies.get(slot, NO_TENANCY), self.ends.get(slot, NO_END)
        self.say(Room.KEEPER, wire.CredentialAnswer(slot, tenancy, ends_unix))

    def lose_pin(self, slot: int) -> None:
        """Keeper cancels the PIN of `slot`, and says so."""
        del self.tenancies[slot]
        self.say(Room.KEEPER, wire.LastCredentialGone(slot))

    def window(self, mode: LookMode = LookMode.ENROL, name: bytes | None = None, claim: int = wire.NOBODY) -> bytes:
        """Somebody pressed the button, perhaps after a flat number, and lock names the approach; its nonce."""
        name = name if name is not None else nonce()
        self.asked.add(name)
        self.say(Room.LOCK, wire.Window(name, mode, claim))
        return name

    def claims(self, slot: int) -> bool:
        """Somebody typed a flat number and pressed the button: whether vault says that a look is worth it."""
        name = nonce()
        self.asked.add(name)
        self.say(Room.LOCK, wire.AskClaim(name, slot))
        return next(answer.awake for answer in self.got(Room.LOCK, wire.ClaimAnswer) if answer.nonce == name)

    def close_window(self) -> None:
        self.say(Room.LOCK, wire.Close())

    def grant(self, purpose: Purpose, slot: int, seconds: float = 60) -> bytes:
        name = nonce()
        self.say(Room.KEEPER, wire.Grant(name, purpose, self.now_ns + int(seconds * SECOND), slot))
        return name

    def probe(self, face: Vector, **changes: object) -> wire.Verdict:
        """Lock opens an approach and eye sends one good probe of `face`, except for `changes`; the one verdict then.

        claim: the slot that was typed before.
        """
        claim = changes.pop("claim", wire.NOBODY)
        fields: dict[str, object] = {
            "nonce": nonce(),
            "frame_ns": self.now_ns - SECOND // 10,
            "frames": 3,
            "attack": Attack.NOT_TESTED,
            "model": (COVERED_MODEL if changes.get("covered") else MODEL)[:8],
            "embedding": face.astype("<f4").tobytes(),
        }
        before = len(self.got(Room.LOCK, wire.Verdict))
        name = {**fields, **changes}["nonce"]
        assert isinstance(name, bytes)
        assert isinstance(claim, int)
        self.window(LookMode.RECOGNISE, name, claim)
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
            "model": (COVERED_MODEL if changes.get("covered") else MODEL)[:8],
            "embedding": face.astype("<f4").tobytes(),
        }
        return self.say(Room.EYE, wire.Sample(**{**fields, **changes}))  # type: ignore[arg-type] # likewise

    def show(self, face: Vector, window: bytes, *, covered: bool = False) -> None:
        """Eye sends all the frames of `face` that an enrolment needs, under `window`."""
        for index in range(FRAMES):
            self.sample(at_cosine(face, 0.95, seed=100 + index), index, window, covered=covered)

    def begin(self, slot: int = 11, *, under_14: bool = False, covered: bool = False, again: bool = False) -> bytes:
        """Somebody with a PIN on `slot` has shown it, agreed, and asked to enrol; their grant."""
        if slot not in self.tenancies:
            self.move_in(slot)
        grant = self.grant(Purpose.ENROL, slot)
        self.say(Room.DESK, wire.Enrol(grant, self.terms.hash, under_14, covered, again))
        return grant

    def capture(self, face: Vector, slot: int = 11, *, under_14: bool = False, covered: bool = False) -> bytes:
        """Everything of an enrolment but the second PIN; its grant."""
        grant = self.begin(slot, under_14=under_14, covered=covered)
        window = self.window(LookMode.ENROL_COVERED if covered else LookMode.ENROL)
        self.show(face, window, covered=covered)
        self.close_window()
        return grant

    def confirm(self, slot: int = 11) -> bytes:
        """The PIN of `slot` is shown once more; the second grant."""
        return self.grant(Purpose.ENROL, slot)

    def enrol(self, slot: int, face: Vector, *, under_14: bool = False, covered: bool = False) -> Result:
        """The whole enrolment of `face`; how it ended."""
        grant = self.capture(face, slot, under_14=under_14, covered=covered)
        self.confirm(slot)
        return self.result(grant)

    def act(self, kind: type[wire.Erase | wire.Pause | wire.Resume], slot: int) -> Result:
        grant = self.grant(Purpose[kind.__name__.upper()], slot)
        self.say(Room.DESK, kind(grant))
        return self.result(grant)

    def renew(self, slot: int, consent: bytes | None = None) -> Result:
        """The resident of `slot` agrees to the terms in force, or to those with the hash `consent`."""
        grant = self.grant(Purpose.RENEW, slot)
        self.say(Room.DESK, wire.Renew(grant, self.terms.hash if consent is None else consent))
        return self.result(grant)

    def rekey(self) -> Result:
        name = nonce()
        self.say(Room.DESK, wire.Rekey(name))
        return self.result(name)

    # ---- what a test asks

    @property
    def enrolling(self) -> Enrolling | None:
        """The enrolment under way."""
        return self.vault.enrolments._current

    def template(self, slot: int) -> Vector:
        """The template of `slot`, awake or not, turned back: as eye made it."""
        faces = self.vault.faces
        return faces._rotation.undo(np.frombuffer(faces._records[slot].template, dtype="<f4"))

    def papers(self) -> list[Paper]:
        """Everything vault signed and handed to desk, in order; each signature is checked."""
        found = [attestation.verify(msg.content) for msg in self.got(Room.DESK, wire.Attestation)]
        assert {each.door_key for each in found} <= {SIGNER.door_key}
        return [each.paper for each in found]

    def got(self, room: Room, kind: type[M]) -> list[M]:
        return [msg for msg in self.sent[room] if isinstance(msg, kind)]

    def results(self, grant: bytes) -> list[Result]:
        """What desk was answered for `grant`."""
        return [done.result for done in self.got(Room.DESK, wire.Done) if done.grant == grant]

    def result(self, grant: bytes) -> Result:
        """The one answer desk got for `grant`."""
        (result,) = self.results(grant)
        return result

    def unanswered(self, grant: bytes) -> bool:
        return not self.results(grant)

    def claim_first(self) -> bool:
        """Whether lock was told last to ask for a claim."""
        return self.got(Room.LOCK, wire.FaceReady)[-1].claim_first

    def ready(self) -> tuple[bool, bool]:
        """What lock was told last: (recognise, enrol)."""
        last = self.got(Room.LOCK, wire.FaceReady)[-1]
        return last.recognise, last.enrol


@contextmanager
def another_house(disk: Files | None = None) -> Iterator[House]:
    """A house of its own, everybody connected: for a seeded fault, or for many of them in one test."""
    house = House(disk)
    try:
        house.connect()
        yield house
    finally:
        house.close()
