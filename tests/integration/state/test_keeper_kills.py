"""kill -9 of a real keeper: a PIN that is changed is the old one or the new, never neither; a code never opens twice.

Ten kills during a change of PIN, as of each change in `test_vault_kills.py`; fewer of a code, which is good once.
"""

import random
import secrets
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from device import codes, wire
from device.edges import Room
from device.wire import Message, Outcome, Proof, Result, Secret
from provisioning.invitation import new_invitation
from tests.support.room_process import Peer, RoomProcess, room_process, short_root, write_config

KILLS = 10
SLOT, OTHER = 12, 13
OTHER_PIN = "739164"
GUESTS = codes.secret("31415926535897")
DAY = 20_779
CODE_KILLS = 6
CODE_S = 0.25  # one Argon2id of 64 MiB and the mark
CHANGE_S = 0.4  # two Argon2id of 64 MiB and three writes; the strike falls somewhere in it
PATIENCE_S = 30.0


@dataclass
class KeeperAtWork:
    """A real keeper, with the test as its lock."""

    process: RoomProcess
    lock: Peer | None = None

    def boot(self) -> None:
        if self.process.process is None or self.process.process.poll() is not None:
            self.process.start()
        self.lock = self.process.connect(Room.LOCK)

    def kill(self) -> list[Message]:
        """Kill -9; what it had said before."""
        self.process.kill()
        assert self.lock
        heard: list[Message] = []
        while True:
            try:
                data = self.lock.sock.recv(wire.MAX_DATAGRAM, socket.MSG_DONTWAIT)
            except OSError:
                return heard
            if not data:
                return heard
            heard.append(wire.unpack(data))

    def asks(self, msg: Message) -> Message:
        """Lock asks; the answer."""
        assert self.lock
        self.lock.send(msg)
        while isinstance(answer := self.lock.receive(PATIENCE_S), wire.Occupied):
            pass  # told at the connection, asked or not
        assert answer is not None, self.process.stderr
        return answer

    def opens(self, slot: int, pin: str) -> bool:
        answer = self.asks(self.typed(slot, pin))
        assert isinstance(answer, wire.Verdict)
        return answer.outcome is Outcome.ACCEPTED

    def typed(self, slot: int, digits: str) -> wire.CheckPin:
        return wire.CheckPin(secrets.token_bytes(16), slot, digits, DAY)

    def sets(self, proof: Proof, slot: int, shown: str, new: str, secret: Secret = Secret.PIN) -> wire.SetPin:
        return wire.SetPin(secrets.token_bytes(16), proof, secret, slot, shown, new)

    def move_in(self, slot: int, pin: str) -> None:
        invitation, expires = new_invitation(), int(time.time()) + 86_400
        offer = wire.SlotOffer(slot, 1, expires, wire.NO_END, wire.NO_TIMETABLE, invitation.salt, invitation.verifier)
        assert self.asks(offer) == wire.OfferKept(slot, 1, Result.DONE)
        asked = self.sets(Proof.INVITATION, slot, invitation.digits, pin)
        assert self.asks(asked) == wire.Answer(asked.nonce, Outcome.ACCEPTED)


@pytest.fixture(scope="module")
def keeper() -> Iterator[KeeperAtWork]:
    with short_root() as root:
        write_config(root, "")
        key = Path(root / "credentials" / "keeper" / "keeper.key")
        key.parent.mkdir(parents=True)
        key.write_bytes(secrets.token_bytes(32))
        with room_process(Room.KEEPER, root) as process:
            running = KeeperAtWork(process)
            running.boot()
            running.move_in(SLOT, pin_of(0))
            running.move_in(OTHER, OTHER_PIN)
            yield running


def pin_of(kill: int) -> str:
    """The PIN before the kill number `kill`."""
    return f"48{kill:02d}13"


@pytest.mark.parametrize("kill", range(KILLS))
def test_change_of_pin_that_was_cut_short_leaves_the_old_pin_or_the_new_one(keeper: KeeperAtWork, kill: int) -> None:
    old, new = pin_of(kill), pin_of(kill + 1)
    asked = keeper.sets(Proof.PIN, SLOT, old, new)
    assert keeper.lock
    keeper.lock.send(asked)
    time.sleep(random.Random(kill).uniform(0.0, CHANGE_S))
    acknowledged = wire.Answer(asked.nonce, Outcome.ACCEPTED) in keeper.kill()
    keeper.boot()
    changed = keeper.opens(SLOT, new)
    assert changed or not acknowledged
    if not changed:
        assert keeper.opens(SLOT, old), "one of the two always opens"
        again = keeper.sets(Proof.PIN, SLOT, old, new)
        assert keeper.asks(again) == wire.Answer(again.nonce, Outcome.ACCEPTED)
    assert keeper.opens(OTHER, OTHER_PIN), "nobody else notices"
    assert "Traceback" not in keeper.process.stderr


@pytest.fixture(scope="module")
def host(keeper: KeeperAtWork) -> KeeperAtWork:
    """The other resident has a secret for guests."""
    asked = keeper.sets(Proof.PIN, OTHER, OTHER_PIN, GUESTS, Secret.GUESTS)
    assert keeper.asks(asked) == wire.Answer(asked.nonce, Outcome.ACCEPTED)
    return keeper


@pytest.mark.parametrize("kill", range(CODE_KILLS))
def test_one_time_code_that_was_cut_short_opens_at_most_once(host: KeeperAtWork, kill: int) -> None:
    digits = codes.write(codes.key(GUESTS, OTHER), codes.Once(kill))
    asked = host.typed(OTHER, digits)
    assert host.lock
    host.lock.send(asked)
    time.sleep(random.Random(kill).uniform(0.0, CODE_S))
    heard = [msg for msg in host.kill() if isinstance(msg, wire.Verdict) and msg.nonce == asked.nonce]
    opened = sum(msg.outcome is Outcome.ACCEPTED for msg in heard)
    host.boot()
    for _ in range(2):  # the PIN in between forgives: a fourth wrong try in a row would have to wait
        opened += host.opens(OTHER, digits)
        assert host.opens(OTHER, OTHER_PIN), "and the resident's own PIN is untouched"
    assert opened <= 1
    assert "Traceback" not in host.process.stderr
