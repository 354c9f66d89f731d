"""A software TPM for every test that asks for one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.swtpm import SoftwareTpm, software_tpm


@pytest.fixture
def tpm() -> Iterator[SoftwareTpm]:
    """One of its own, new, gone afterwards."""
    with software_tpm() as running:
        yield running
