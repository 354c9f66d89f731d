"""`tools.broker` for tests: skipped by name, with the command that installs mosquitto, where it is missing."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.ports import own_port
from tools.broker import INSTALL, PROGRAM, Mosquitto, Seen
from tools.broker import Witness as Subscriber

__all__ = ["Mosquitto", "Seen", "Subscriber", "running_broker"]


@contextmanager
def running_broker(folder: Path, *, started: bool = True, extra: str = "") -> Iterator[Mosquitto]:
    """A broker for the time of a `with` block; the test is skipped, with the command to run, if there is none."""
    if not Path(PROGRAM).exists():
        pytest.skip(INSTALL)
    broker = Mosquitto(folder / "broker", own_port(), extra)
    try:
        if started:
            broker.start()
        yield broker
    finally:
        broker.stop()
