"""vault at a door that has ended: one receipt, and nothing else, from then on and after every power cut."""

from __future__ import annotations

import socket
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from nacl.signing import SigningKey

from device import attestation, wire
from device.attestation import EndOfDoor
from device.edges import EDGES, Room
from device.errors import NotPermitted
from device.link import Link
from device.sealing.keys import FileKeyStore
from device.sealing.retired import DONE, MARK, Destroying, End
from device.sealing.store import Binding, SealedStore
from device.strength import KeyPlace
from device.vault.retired import RECEIPT, Facts, RetiredVault
from device.vault.signing import signing_key
from tests.unit.sealing.simulated_disk import Loss, PowerCut, SimulatedDisk
from tests.unit.shared.strategies import example

FOLDER, ROOT, DOOR = Path("/state"), bytes(range(32)), bytes.fromhex("00112233445566aa")
FACTS = Facts(DOOR, KeyPlace.TPM_NV, KeyPlace.FILE_HOST_KEY)
DAY = 20_000


@dataclass
class Rooms:
    """Whoever listens to vault."""

    sent: list[tuple[Room, wire.Message]] = field(default_factory=list)

    def send(self, peer: Room, msg: wire.Message) -> bool:
        edge = next(edge for edge in EDGES if {edge.listener, edge.connector} == {Room.VAULT, peer})
        assert type(msg) in (edge.to_connector if edge.listener is Room.VAULT else edge.to_listener)
        self.sent.append((peer, msg))
        return True

    def heard(self, peer: Room) -> list[wire.Message]:
        found = [msg for room, msg in self.sent if room is peer]
        self.sent = [each for each in self.sent if each[0] is not peer]
        return found


@dataclass
class Ended:
    """A vault that starts now at a door that has ended, on `disk`."""

    disk: SimulatedDisk
    rooms: Rooms = field(default_factory=Rooms)
    keys_made: list[SigningKey] = field(default_factory=list)
    vault: RetiredVault = field(init=False)

    def __post_init__(self) -> None:
        end = End(FOLDER, disk=self.disk)
        keys = FileKeyStore(FOLDER / "epoch.key", ROOT, self.disk)
        self.vault = RetiredVault(
            self.rooms, Destroying(end, keys, "vault"), FACTS, self._sign, unix_s=lambda: DAY * 86_400.0
        )

    def _sign(self, paper: EndOfDoor) -> bytes:
        self.keys_made.append(signing_key(ROOT))
        return attestation.sign(paper, self.keys_made[-1])

    def told(self, peer: Room, msg: wire.Message) -> list[wire.Message]:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with ours, theirs:
            edge = next(edge for edge in EDGES if {edge.listener, edge.connector} == {Room.VAULT, peer})
            self.vault.received(Link(peer, edge, ours, Room.VAULT), msg)
        return self.rooms.heard(peer)


def lived_in() -> SimulatedDisk:
    disk = SimulatedDisk()
    keys = FileKeyStore(FOLDER / "epoch.key", ROOT, disk)
    SealedStore.open(FOLDER, keys, Binding(DOOR, "face"), disk).put(12, bytes(40))
    End(FOLDER, disk=disk).begin()
    return disk.after_power_cut(Loss.ALL, 0)


def test_the_receipt_is_signed_once_when_nothing_is_left_anywhere() -> None:
    door = Ended(lived_in())
    assert door.told(Room.DESK, wire.AskRetirement()) == [wire.AttestationCopy(b"")]
    assert door.told(Room.LOCK, wire.Retire(all_gone=False)) == [wire.Retired(attested=False)]
    assert door.vault.receipt == b"", "keeper may have something left"
    for _ in range(2):
        assert door.told(Room.LOCK, wire.Retire(all_gone=True)) == [wire.Retired(attested=True)]
    assert len(door.keys_made) == 1
    verified = attestation.verify(door.vault.receipt)
    assert verified.paper == EndOfDoor(DOOR, DAY, FACTS.faces, FACTS.pins)
    assert verified.door_key == bytes(signing_key(ROOT).verify_key)
    assert door.told(Room.DESK, wire.AskRetirement()) == [wire.AttestationCopy(door.vault.receipt)]
    assert door.disk.all_names() == {MARK, DONE, RECEIPT}


def test_nothing_is_recognised_enrolled_or_signed_any_more() -> None:
    door = Ended(lived_in())
    door.told(Room.LOCK, wire.Retire(all_gone=True))
    made = len(door.keys_made)
    grant, terms = bytes(16), bytes(32)
    assert door.told(Room.LOCK, wire.AskClaim(grant, 12)) == [wire.ClaimAnswer(grant, awake=False)]
    for act in (
        wire.Erase(grant),
        wire.Enrol(grant, terms, under_14=False),
        wire.Renew(grant, terms),
        wire.Rekey(grant),
    ):
        assert door.told(Room.DESK, act) == [wire.Done(grant, wire.Result.RETIRED)]
    assert door.told(Room.DESK, wire.TryFaces(on=True)) == [wire.TryStands(on=False, asked=True)]
    assert door.told(Room.DESK, wire.AskHeld(grant)) == [wire.SittingOver(grant)]
    assert door.told(Room.DESK, wire.SittingOver(grant)) == []
    (answer,) = door.told(Room.DESK, wire.AskRecord(bytes(16)))
    assert isinstance(answer, wire.RecordAnswer)
    assert (answer.named, answer.door_key) == (False, bytes(signing_key(ROOT).verify_key))
    assert len(door.keys_made) == made
    with pytest.raises(NotPermitted):
        door.told(Room.DESK, wire.Breach())


def test_desk_may_say_all_that_it_may_say_to_a_vault_without_an_alarm() -> None:
    """Somebody may sit at the page, or a command line wait, while the door ends."""
    edge = next(edge for edge in EDGES if {edge.listener, edge.connector} == {Room.VAULT, Room.DESK})
    door = Ended(lived_in())
    for kind in sorted(edge.to_listener, key=lambda each: each.code):
        door.told(Room.DESK, example(kind))


def test_a_start_with_the_receipt_on_disk_gives_it_again_and_makes_no_key() -> None:
    first = Ended(lived_in())
    first.told(Room.LOCK, wire.Retire(all_gone=True))
    again = Ended(first.disk.after_power_cut(Loss.ALL, 0))
    assert again.told(Room.LOCK, wire.Retire(all_gone=True)) == [wire.Retired(attested=True)]
    assert again.vault.receipt == first.vault.receipt
    assert again.keys_made == []


def test_a_power_cut_at_any_step_ends_with_one_whole_receipt() -> None:
    disk = lived_in()
    Ended(disk).told(Room.LOCK, wire.Retire(all_gone=True))
    for step in range(disk.steps + 1):
        for loss, seed in ((Loss.ALL, 0), (Loss.NOTHING, 0), (Loss.SOME, step)):
            cut = lived_in()
            cut.cut_at = step
            try:
                said = Ended(cut).told(Room.LOCK, wire.Retire(all_gone=True))
            except PowerCut:
                said = []
            after = Ended(cut.after_power_cut(loss, seed))
            if wire.Retired(attested=True) in said:
                assert after.vault.receipt, "what lock was told is on the disk"
            assert after.told(Room.LOCK, wire.Retire(all_gone=True)) == [wire.Retired(attested=True)]
            assert attestation.verify(after.vault.receipt).paper == EndOfDoor(DOOR, DAY, FACTS.faces, FACTS.pins)
            assert after.disk.all_names() == {MARK, DONE, RECEIPT}


def test_a_disk_that_takes_no_receipt_is_asked_again_and_lock_is_told_so() -> None:
    door = Ended(lived_in())
    door.disk.full = True
    assert door.told(Room.LOCK, wire.Retire(all_gone=True)) == [wire.Retired(attested=False)]
    door.disk.full = False
    assert door.told(Room.LOCK, wire.Retire(all_gone=True)) == [wire.Retired(attested=True)]
