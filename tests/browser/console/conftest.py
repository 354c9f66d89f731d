"""A console for the tests of a file."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.console_site import Served, furnished, served


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("console") / "fleet"
    furnished(folder)
    with served(folder) as running:
        yield running
