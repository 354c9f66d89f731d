"""One showroom for the tests of this folder, each of which leaves it locked, shut and under power."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

import tools.broker
from tests.support.chromium import Visit, visit
from tests.support.showroom import Showroom, showroom


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Showroom]:
    if not Path(tools.broker.PROGRAM).exists():
        pytest.skip(tools.broker.INSTALL)
    with showroom(tmp_path_factory.mktemp("showroom"), "--cadence-s", "2") as opened:
        yield opened


@pytest.fixture
def visited(browser: Browser) -> Iterator[Visit]:
    with visit(browser) as started:
        yield started
        started.quiet()
