"""A console for the tests of a file, and an office with a real broker for those that need doors that talk."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.console_site import Served, furnished, served
from tests.support.office import Office
from tests.support.ports import own_port
from tests.support.room_process import short_root
from tools.broker import INSTALL, PROGRAM


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("console") / "fleet"
    furnished(folder)
    with served(folder) as running:
        yield running


@pytest.fixture
def office() -> Iterator[Office]:
    if not Path(PROGRAM).exists():
        pytest.skip(INSTALL)
    with short_root() as root:
        root.chmod(0o755)
        made = Office(root, own_port(3))
        made.begin(made.now_unix - 86_400)
        try:
            made.start()
            yield made
        finally:
            made.stop()
