"""The showroom's server: on this machine alone, until somebody ends it.

Rules kept here:
- 127.0.0.1 and nothing else, on a port that is ours before anybody is told of it.
- Ctrl-C, a termination and a closed terminal end it in order: server, terminal, door, broker, folder.
"""

from __future__ import annotations

import contextlib
import secrets
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import uvicorn

from device.errors import Refusal
from tools.simulator.showroom.app import Room, app
from tools.simulator.showroom.feed import Feed
from tools.simulator.showroom.guard import Rules
from tools.simulator.showroom.house import Wishes, house
from tools.simulator.showroom.leaving import Reader

_HOST = "127.0.0.1"
_GRACE_S = 1  # an open page reads its events for ever, and is not waited for longer


class PortTaken(Refusal, OSError):
    """Somebody else listens there."""


@dataclass(frozen=True, slots=True)
class Open:
    """Where the showroom is, and the folder of its door, for `doorsim --root`."""

    url: str
    root: str


def serve(wishes: Wishes, port: int, *, drawn: bool, opened: Callable[[Open], None]) -> None:
    """Build the house, serve it, and return when it was ended. `opened` is called once it answers.

    Raises Refusal, Fault, OSError.
    """
    with _ends_in_order(), _listening(port) as sock, house(wishes) as built:
        number: int = sock.getsockname()[1]
        rules = Rules(number, secrets.token_urlsafe(24))
        feed = Feed(built, Reader(built.fleet, built.alarm_key))
        config = uvicorn.Config(
            app(Room(built, feed, rules, drawn)),
            log_level="warning",
            access_log=False,
            server_header=False,
            date_header=False,
            ws="none",
            timeout_graceful_shutdown=_GRACE_S,
        )
        server = _Server(config, lambda: opened(Open(f"http://{_HOST}:{number}/", str(built.door.root))), feed)
        server.run(sockets=[sock])


class _Server(uvicorn.Server):
    """uvicorn's, which says when it answers, and lets the pages go before it waits for them."""

    def __init__(self, config: uvicorn.Config, opened: Callable[[], None], feed: Feed) -> None:
        super().__init__(config)
        self._opened, self._feed = opened, feed

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._opened()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._feed.stop()
        await super().shutdown(sockets)


@contextlib.contextmanager
def _listening(port: int) -> Iterator[socket.socket]:
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind((_HOST, port))
        except OSError as cause:
            raise PortTaken(f"port {port} of this machine is taken; leave --port out, or name another") from cause
        yield sock


@contextlib.contextmanager
def _ends_in_order() -> Iterator[None]:
    """Let a termination unwind as Ctrl-C does. uvicorn hands on, when it has ended, what it was sent."""

    def end(_number: int, _frame: Any) -> None:
        sys.exit(0)

    before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
