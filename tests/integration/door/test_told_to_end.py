"""lock is told to end while somebody is on the way in, as an upgrade or a shutdown does: they go through first."""

import signal

from device import wire
from device.desk.client import DeskLine
from device.edges import Room
from tests.support.door import OPENED, PATIENCE_S, Home, door_up

SLOT, PIN = 12, "482913"
UNLOCK_MS = 15_000  # far longer than anything here takes


def lock_answers(home: Home) -> None:
    """Some lock has worked through everything that was sent to it before."""
    with DeskLine.open(home.paths) as line:
        assert isinstance(line.ask(wire.AskStatus(), PATIENCE_S), wire.DoorStatus)


def test_whoever_was_let_in_goes_through_and_then_the_next_lock_takes_over() -> None:
    with door_up(unlock_ms=UNLOCK_MS) as home:
        home.well()
        home.move_in(SLOT, PIN)
        before = home.door.state()["pids"]["lock"]
        assert home.types(f"{SLOT}#{PIN}#") == OPENED
        home.door.kill(Room.LOCK, signal.SIGTERM)
        for _ in range(2):  # one that ends may still answer the first time
            lock_answers(home)
        now = home.door.state()
        assert (now["granted"], now["pids"]["lock"]) == (True, before)
        home.goes_in()
        home.until(lambda now: now["pids"]["lock"] not in (0, before), "the next lock")
        home.well()
        assert home.types(f"{SLOT}#{PIN}#") == OPENED
