"""An office for each test: a fleet whose doors join at a real broker."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from nacl.pwhash import argon2id

from provisioning import keys
from tests.support.office import Office
from tests.support.ports import own_port
from tests.support.room_process import short_root
from tools.broker import INSTALL, PROGRAM

DAY_S = 86_400
AGO_S = 310 * DAY_S  # a certificate of a year from then is due for the next one, whichever id the door has: 304 days


@pytest.fixture
def store() -> str | None:
    """Where the fleet is kept besides its folder; a test that wants a database says so."""
    return None


@pytest.fixture
def office(monkeypatch: pytest.MonkeyPatch, store: str | None) -> Iterator[Office]:
    """Its authority is older than a certificate that is due for renewal."""
    if not Path(PROGRAM).exists():
        pytest.skip(INSTALL)
    monkeypatch.setattr(keys, "AT_REST", keys.Hardness(argon2id.OPSLIMIT_MIN, argon2id.MEMLIMIT_MIN))
    with short_root() as root:
        root.chmod(0o755)  # Mosquitto becomes another user
        made = Office(root, own_port(3), store=store)
        made.begin(made.now_unix - AGO_S - DAY_S)
        try:
            made.start()
            yield made
        finally:
            made.stop()
