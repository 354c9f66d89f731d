"""A disk that takes nothing any more, as a worn card that turned read-only: keeper opens for nobody, and says so.

A real keeper, whose writes the kernel refuses (RLIMIT_FSIZE): no file system has to be broken for it, and no root.
"""

import resource
from collections.abc import Iterator

import pytest

from device.service import EXIT_FAULT
from tests.integration.state.test_keeper_kills import OTHER, OTHER_PIN, SLOT, KeeperAtWork, keeper, pin_of

__all__ = ["keeper"]  # a fixture
SOME_BYTES = 4096  # room for what it logs, and for a quarter of a page


@pytest.fixture
def stuck(keeper: KeeperAtWork) -> Iterator[KeeperAtWork]:
    """It has let somebody in; from now on it can write no whole page."""
    keeper.boot()
    assert keeper.opens(SLOT, pin_of(0))
    resource.prlimit(keeper.process.pid, resource.RLIMIT_FSIZE, (SOME_BYTES, resource.RLIM_INFINITY))
    yield keeper
    keeper.boot()


@pytest.mark.parametrize("digits", [pin_of(0), "".join(reversed(pin_of(0)))], ids=["right", "wrong"])
def test_who_cannot_be_counted_is_refused_and_keeper_ends_with_the_reason_instead_of_refusing_everybody_in_silence(
    stuck: KeeperAtWork, digits: str
) -> None:
    said = len(stuck.process.stderr)
    assert not stuck.opens(SLOT, digits), "what cannot be counted is not looked at"
    assert stuck.process.wait() == EXIT_FAULT
    assert stuck.process.stderr[said:] == "keeper: the counts of wrong attempts cannot be saved: File too large\n"
    stuck.boot()
    assert stuck.opens(SLOT, pin_of(0)), "as soon as it can write, nobody has to wait for anything"
    assert stuck.opens(OTHER, OTHER_PIN)
