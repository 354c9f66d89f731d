"""A browser for the tests of this folder, once for each file.

Not once for a worker: while Playwright runs, its event loop runs in this very thread, and the tests of other folders
that begin one of their own would find it taken.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.support.chromium import CHROMIUM, chromium


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("no Chromium here: apt-get install chromium")
    with chromium() as started:
        yield started
