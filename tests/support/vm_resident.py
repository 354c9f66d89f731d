"""A door on a booted machine with one resident, who has a PIN: several files of tests share it, one after the other.

To boot it, start it and move in takes longer than most tests. Each file finds it well and shut, and leaves it able to
open for that PIN; what a file breaks on purpose, it mends.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from tests.support.vm import booted
from tests.support.vm_door import OnMachine

SLOT: Final = 12
PIN: Final = "482913"
RIGHT: Final = f"{SLOT}#{PIN}#"
WRONG: Final = f"{SLOT}#482914#"
UNLOCK_MS: Final = 10_000  # long enough for something to happen meanwhile


@contextmanager
def with_a_resident() -> Iterator[OnMachine]:
    """The door, set up and moved into; gone with the block."""
    with booted() as machine:
        door = OnMachine(machine, unlock_ms=UNLOCK_MS)
        door.set_up()
        door.move_in(SLOT, PIN)
        yield door
