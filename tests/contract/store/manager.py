"""A manager's program of its own: waits for each line on its input, does one thing for it, and says what came of it.

python -m tests.contract.store.manager FOLDER URL: lines "offer DOOR SLOT" and "claim ID HASH"; URL may be empty.
"""

from __future__ import annotations

import sys
from pathlib import Path

from provisioning import stores
from provisioning.errors import FleetRefused
from provisioning.store import Door, Slot
from provisioning.store_sql import SqlStore


def anything(_door: Door) -> None:
    """No reason to refuse."""


def done(store: SqlStore, verb: str, first: str, second: str) -> str:
    """What came of it: numbers, or the sentence of a refusal."""
    try:
        if verb == "claim":
            return store.claim(first, bytes.fromhex(second), 1_800_000_001).state.value
        reserved = store.reserve_offer(first, Slot(int(second), 0, 5), anything)
        return f"{reserved.version} {reserved.serial}"
    except FleetRefused as refused:
        return str(refused)


def main() -> None:
    """Serve standard input until it ends."""
    folder, url = sys.argv[1:]
    store = stores.opened(Path(folder), url or None)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    for line in sys.stdin:
        verb, first, second = line.split()
        sys.stdout.write(done(store, verb, first, second) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
