"""Short paths for sockets, one user for both ends, and a process that is afterwards as it was before."""

from __future__ import annotations

import signal
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from device import process
from device.paths import Paths


@pytest.fixture
def paths() -> Iterator[Paths]:
    """A door's folder with a name short enough for unix(7)."""
    with tempfile.TemporaryDirectory(prefix="dw") as folder:
        yield Paths(Path(folder))


@pytest.fixture(autouse=True)
def one_user(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ends of every socket belong to whoever runs the tests."""
    monkeypatch.setenv("DOORWARD_ONE_USER", "simulated")
    for name in ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "NOTIFY_SOCKET", "WATCHDOG_USEC"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def as_a_process(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """`run` and `main` change signal handlers, limits and hooks: let them, and put everything back."""
    monkeypatch.setattr(process, "harden", lambda: None)  # cannot be undone; test_hardening looks at it from outside
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    hook = threading.excepthook
    yield
    signal.set_wakeup_fd(-1)
    threading.excepthook = hook
    for number, handler in before.items():
        signal.signal(number, handler)
