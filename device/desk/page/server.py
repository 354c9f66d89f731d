"""The server behind the resident's page: a thread of its own beside the desk's loop, and no more of the desk than that.

Rules kept here:
- It is there only where door.toml has a page and its socket was handed over; desk itself opens none.
- While the page is shut, callers are shown out (`listening`), and the web's libraries are not even loaded until it is
  opened for the first time.
- Whatever happens in this thread ends in this thread: the loop goes on, doorctl is served, the watchdog is fed. A
  server that falls over is started again after a pause.
- TLS 1.2 or newer, with the door's own certificate (`certificate`), looked at before each opening.
- Of what callers send nothing gets into the journal, and no address either.
"""

from __future__ import annotations

import asyncio
import logging
import select
import socket
import ssl
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from device import config
from device.config.tables import PageTable
from device.desk.page import certificate
from device.desk.page.counter import Counter
from device.desk.page.listening import Porter
from device.errors import ConfigRefused
from device.journal import in_words, log
from device.paths import models_dir
from device.service import Service

if TYPE_CHECKING:  # loaded when the page is opened, and not before
    from uvicorn import Server

PAUSE_S = 5.0
KEEP_ALIVE_S = 5
GOODBYE_S = 2
MOST_HEAD_BYTES = 16384


@dataclass(slots=True)
class PageServer:
    """What the desk's loop opens and shuts (`counter.Served`). `listener` waits for calls already."""

    page: PageTable
    listener: socket.socket
    pem: Path
    config_file: Path
    pause_s: float = PAUSE_S
    _counter: Counter | None = None
    _wake: tuple[socket.socket, socket.socket] = field(default_factory=socket.socketpair)
    _server: Server | None = None

    def start(self) -> None:
        """Begin to answer calls, shut."""
        threading.Thread(target=self._run, name="page", daemon=True).start()

    def open(self, counter: Counter) -> None:
        """The page may be served from now on."""
        self._counter = counter
        self._rouse()

    def close(self) -> None:
        """It may not be served any more."""
        self._counter = None
        if server := self._server:
            server.should_exit = True

    # ---- in the thread

    def _run(self) -> None:
        while self.listener.fileno() >= 0:  # closed, nobody calls any more
            try:
                certificate.ready(self.pem, self.page.name, time.time())  # so that its fingerprint can be told before
                if (counter := self._counter) is None:
                    self._show_out()
                else:
                    self._serve(counter)
            except BaseException as error:  # noqa: BLE001 - not even an exit of this thread may become the desk's
                if self.listener.fileno() < 0:
                    return
                log(f"the page: {in_words(error)}; it is tried again")
                time.sleep(self.pause_s)

    def _rouse(self) -> None:
        with suppress(OSError):
            self._wake[1].send(b"\0")

    def _show_out(self) -> None:
        """Until the page is opened."""
        woken, _, _ = select.select([self.listener, self._wake[0]], [], [])
        if self._wake[0] in woken:
            self._wake[0].recv(64)
        elif self._counter is None:
            with suppress(OSError):
                self.listener.setblocking(False)
                self.listener.accept()[0].close()

    def _serve(self, counter: Counter) -> None:
        """Until the page is shut."""
        tls = _tls(self.pem)
        with Porter(self.listener, lambda: self._counter is None) as porter, asyncio.Runner() as runner:
            runner.get_loop().set_exception_handler(_unforeseen)
            runner.run(self._until_shut(counter, tls, porter))

    async def _until_shut(self, counter: Counter, tls: ssl.SSLContext, porter: Porter) -> None:
        import uvicorn

        from device.desk.page.app import application
        from device.desk.page.site import Site

        logging.getLogger("uvicorn").disabled = True
        logging.getLogger("uvicorn.error").disabled = True  # it would repeat what a caller sent
        site = Site.of(self.page.name, self.config_file, models_dir())
        settings: Any = uvicorn.Config(
            application(counter, site),
            loop="asyncio",
            http="h11",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_keep_alive=KEEP_ALIVE_S,
            timeout_graceful_shutdown=GOODBYE_S,
            h11_max_incomplete_event_size=MOST_HEAD_BYTES,
        )
        settings.load()
        settings.ssl = tls
        self._server = server = uvicorn.Server(settings)
        try:
            if self._counter is not None:  # else it was shut meanwhile
                await server.serve(sockets=[porter])
        finally:
            self._server = None


def serving(service: Service) -> PageServer | None:
    """The server of this door's page, started and shut; None where there is no page. Never raises."""
    try:
        page = config.load(service.paths.config, without_id=True).page
    except ConfigRefused:
        return None  # whoever needs those settings says what is wrong with them
    listener = service.page_socket
    if not page.served:
        return None
    if listener is None:
        log("desk: door.toml has a page, but no socket was handed over for it; `doorctl setup` writes its unit")
        return None
    state = service.paths.state(service.room)
    server = PageServer(page, listener, certificate.file_of(state), service.paths.config)
    server.start()
    return server


def _tls(pem: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION
    context.load_cert_chain(pem)
    return context


def _unforeseen(_loop: asyncio.AbstractEventLoop, told: dict[str, Any]) -> None:
    error = told.get("exception")
    if error is not None and not isinstance(error, OSError):  # a caller who hangs up, or speaks no TLS, is no news
        log(f"the page: {in_words(error)}")
