"""A door on a booted machine with one resident, who has a PIN, and with a page: where many files of tests begin.

To boot it, start it and move in takes longer than most tests. So one machine does that and is frozen, and each who asks
goes on from there, with a disk and a TPM of its own. All of them have the same keys, the same resident and the same
start; what one of them does, no other sees. The page is shut until somebody types `012 #`, as it is by default.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from nacl.signing import SigningKey

from tests.support.door import Manager
from tests.support.vm import booted
from tests.support.vm_door import OnMachine
from tools.vm import host
from tools.vm.__main__ import built_image
from tools.vm.image import Image
from tools.vm.machine import PAGE_PORT, Frozen

SLOT: Final = 12
PIN: Final = "482913"
RIGHT: Final = f"{SLOT}#{PIN}#"
WRONG: Final = f"{SLOT}#482914#"
UNLOCK_MS: Final = 10_000  # long enough for something to happen meanwhile
_MORE: Final = f'[page]\nport = {PAGE_PORT}\nname = "door.local"\n'
_WHO: Final = "who.json"
# What the frozen machine was made by; another state of any of it is another machine.
_MADE_BY: Final = (
    *("tests/support/vm_resident.py", "tests/support/vm_door.py", "tests/support/vm.py", "tests/support/door.py"),
    *("tools/vm/machine.py", "provisioning/invitation.py"),
)


@contextmanager
def with_a_resident(*, broker_port: int = 0, page_port: int = 0) -> Iterator[OnMachine]:
    """The door, set up and moved into; gone with the block. `page_port`: of this computer, where its page is called."""
    begins = host.kept("resident", _key(), _make)
    who = json.loads((begins / _WHO).read_text(encoding="utf-8"))
    manager = Manager(SigningKey(bytes.fromhex(who["key"])), who["version"])
    with booted(broker_port=broker_port, page_port=page_port, begins=Frozen(begins)) as machine:
        yield OnMachine(machine, unlock_ms=UNLOCK_MS, more=_MORE, door_id=who["door_id"], manager=manager)


def _key() -> str:
    """A frozen machine is a day old at most: its clock leaps that far."""
    image: Image = built_image(door=True)
    day = datetime.now(UTC).date().isoformat()
    return host.digest([image.folder.name, day, *(host.CHECKOUT / name for name in _MADE_BY)])


def _make(into: Path) -> None:
    into.mkdir()
    with booted() as machine:
        door = OnMachine(machine, unlock_ms=UNLOCK_MS, more=_MORE)
        door.set_up()
        door.move_in(SLOT, PIN)
        who = {"door_id": door.door_id, "key": bytes(door.manager.key).hex(), "version": door.manager.version}
        (into / _WHO).write_text(json.dumps(who), encoding="utf-8")
        machine.freeze(into)
