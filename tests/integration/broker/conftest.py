"""A site for each test: nobody's documents wait at somebody else's broker."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from provisioning.certificates import new_authority, new_key
from tests.support.ports import own_port
from tests.support.room_process import short_root
from tests.support.site import Site
from tools.broker import INSTALL, PROGRAM


@pytest.fixture
def unstarted() -> Iterator[Site]:
    """A site whose broker is neither configured nor started."""
    if not Path(PROGRAM).exists():
        pytest.skip(INSTALL)
    with short_root() as root:
        root.chmod(0o755)  # Mosquitto becomes another user
        site = Site(root, new_authority(new_key(), int(time.time())), own_port())
        (root / "log").touch()
        try:
            yield site
        finally:
            site.stop()


@pytest.fixture
def site(unstarted: Site) -> Site:
    """A site with a running broker."""
    unstarted.configure()
    unstarted.start()
    return unstarted
