"""Lines to the console that somebody holds without a word: no address keeps another away, and nobody stays for good.

Over a real `doorward serve`. The seeded fault is a share as large as everything: then one address has it all.
"""

from __future__ import annotations

import asyncio
import socket
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from provisioning import fleet as fleets
from provisioning.console import lines
from provisioning.console.lines import MOST, MOST_EACH, Lines
from tests.support.console_site import PASSPHRASE, served

HERE, ELSEWHERE = "127.0.0.1", "127.0.0.2"
PATIENCE_S = 30.0


def called(port: int, source: str) -> socket.socket:
    return socket.create_connection((HERE, port), PATIENCE_S, source_address=(source, 0))


def answered(port: int, source: str) -> bytes:
    """The status of an answer; empty if there is none."""
    with called(port, source) as line:
        try:
            line.sendall(f"GET /sign-in HTTP/1.1\r\nHost: {HERE}:{port}\r\nConnection: close\r\n\r\n".encode())
            return line.recv(64)[9:12]
        except ConnectionError:
            return b""


def test_whoever_holds_every_line_of_their_share_keeps_nobody_elsewhere_away(tmp_path: Path) -> None:
    fleets.init(tmp_path / "fleet", PASSPHRASE)
    with served(tmp_path / "fleet") as console:
        port = int(console.url.rpartition(":")[2])
        with ExitStack() as held:
            for _ in range(MOST + 8):
                held.enter_context(called(port, ELSEWHERE))
            assert answered(port, HERE) == b"200"
            assert answered(port, ELSEWHERE) == b"", "they hold their share already"
        ends_s = time.monotonic() + PATIENCE_S
        while answered(port, ELSEWHERE) != b"200":
            assert time.monotonic() < ends_s, "lines that were let go are theirs again"


@pytest.mark.parametrize(("each", "taken"), [(MOST_EACH, MOST_EACH), (MOST, MOST)], ids=["as it is", "seeded fault"])
def test_no_address_has_more_than_its_share(each: int, taken: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "MOST_EACH", each)
    with ExitStack() as held, Lines(socket.create_server((HERE, 0), backlog=MOST + 8)) as listener:
        listener.setblocking(False)
        inside = []
        for _ in range(MOST):
            held.enter_context(called(listener.getsockname()[1], ELSEWHERE))
            try:
                inside.append(held.enter_context(listener.accept()[0]))
            except ConnectionAbortedError:
                continue
        assert len(inside) == taken
        inside[0].close()
        inside[0].close()
        held.enter_context(called(listener.getsockname()[1], ELSEWHERE))
        held.enter_context(listener.accept()[0])


def test_nobody_stays_longer_than_they_may(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "LONGEST_S", 0.1)

    async def story() -> bytes:
        with Lines(socket.create_server((HERE, 0))) as listener, called(listener.getsockname()[1], HERE) as line:
            taken, _ = listener.accept()
            with taken:
                line.setblocking(False)
                return await asyncio.wait_for(asyncio.get_running_loop().sock_recv(line, 1), PATIENCE_S)

    assert asyncio.run(story()) == b"", "hung up on, without a word"
