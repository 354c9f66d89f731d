"""A room comes back to its peers by itself: at once, then ever less often, and at least once a second."""

from __future__ import annotations

import itertools
import socket
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from device import service, wire
from device.edges import Room, edges_out_of
from device.paths import Paths
from device.peers import Outgoing
from device.service import Service
from tests.contract.service.frame import Recorder, bound, close, edge_between

PATIENCE = [0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 1.0, 1.0]  # seconds between tries
EYE_TO_VAULT = edge_between(Room.EYE, Room.VAULT)


@dataclass
class Clock:
    """Stands still until it is moved."""

    now_s: float = 1000.0

    def monotonic(self) -> float:
        return self.now_s


@dataclass
class Eye:
    """Eye's frame, whose only peer to connect to is vault."""

    service: Service
    work: Recorder
    clock: Clock
    paths: Paths

    def tries(self, seconds: float, step_s: float = 0.005) -> list[float]:
        """When it tried to connect within the next `seconds`, from now."""
        out = self.service.peers.outgoing[0]
        found, start = [], self.clock.now_s
        while self.clock.now_s < start + seconds:
            before = out.tries
            self.service.turn(timeout_s=0)
            if out.tries != before:
                found.append(round(self.clock.now_s - start, 3))
            self.clock.now_s += step_s
        return found


@pytest.fixture
def eye(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> Iterator[Eye]:
    clock = Clock()
    monkeypatch.setattr(service, "time", clock)
    running, work = Service(Room.EYE, paths), Recorder()
    running.take_up(work)
    running.peers.outgoing = [Outgoing(edge) for edge in edges_out_of(Room.EYE)]
    yield Eye(running, work, clock, paths)
    close(running)


def test_the_tries_grow_apart_and_never_beyond_a_second(eye: Eye) -> None:
    tries = eye.tries(5.0)
    gaps = [later - earlier for earlier, later in itertools.pairwise(tries)]
    assert tries[0] == 0.0
    assert gaps[: len(PATIENCE)] == pytest.approx(PATIENCE[: len(gaps)], abs=0.006)
    assert max(gaps) <= 1.006


def test_the_loop_sleeps_until_the_next_try_and_no_longer(eye: Eye) -> None:
    eye.service.turn(timeout_s=0)
    assert eye.service._end_s(None) - eye.clock.now_s == pytest.approx(PATIENCE[0])
    assert eye.service._end_s(0.001) - eye.clock.now_s == pytest.approx(0.001)


def test_a_peer_that_comes_is_found_and_one_that_was_restarted_is_found_again(eye: Eye) -> None:
    eye.tries(0.5)
    assert eye.work.seen == []
    for _ in range(3):
        listener = bound(eye.paths, EYE_TO_VAULT)
        eye.tries(1.1)
        assert eye.service.link(Room.VAULT)
        end, _ = listener.accept()
        probe = wire.Guidance(bytes(16), wire.Hint.NOBODY)
        assert eye.service.send(Room.VAULT, probe)
        assert wire.unpack(end.recv(64)) == probe
        end.close()
        listener.close()
        eye.service.turn(timeout_s=0)
        assert eye.service.link(Room.VAULT) is None
    assert [event for event, _ in eye.work.seen] == ["connected", "disconnected"] * 3


def test_a_peer_that_accepts_and_hangs_up_is_not_called_in_a_tight_loop(eye: Eye) -> None:
    listener = bound(eye.paths, EYE_TO_VAULT)
    listener.setblocking(False)
    accepted = 0
    for _ in range(1000):  # five seconds
        eye.tries(0.005)
        try:
            listener.accept()[0].close()
            accepted += 1
        except BlockingIOError:
            pass
    listener.close()
    assert 4 <= accepted <= len(PATIENCE) + 3


def test_a_peer_that_speaks_again_is_called_as_quickly_as_the_first_time(
    paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    monkeypatch.setattr(service, "time", clock)
    lock = Service(Room.LOCK, paths)
    lock.take_up(Recorder())
    out = Outgoing(edge_between(Room.LOCK, Room.KEEPER), tries=5)
    lock.peers.outgoing = [out]
    listener = bound(paths, out.edge)
    lock.turn(timeout_s=0)
    end, _ = listener.accept()
    assert out.tries == 6
    end.send(wire.pack(wire.Answer(bytes(16), wire.Outcome.REFUSED)))
    lock.turn(timeout_s=0)
    assert out.tries == 0
    for sock in (end, listener):
        sock.close()
    close(lock)


def test_a_full_waiting_line_is_waited_out(eye: Eye) -> None:
    listener = bound(eye.paths, EYE_TO_VAULT)
    listener.listen(0)
    first = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    first.connect(str(eye.paths.socket(Room.VAULT, Room.EYE)))
    eye.tries(0.5)
    assert eye.service.link(Room.VAULT) is None, "the queue is full: not connected, and not stuck"
    listener.accept()[0].close()
    eye.tries(1.1)
    assert eye.service.link(Room.VAULT)
    first.close()
    listener.close()
