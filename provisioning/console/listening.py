"""The console's ear: a thread that hears the broker, as `doorward watch` does, and sends what managers send.

Rules kept here:
- It has no key of the authority and answers no door's question for a certificate: that is what `doorward watch` is for,
  under a certificate of its own. That a door asks, is shown.
- Without a broker the console works, and says that it hears nothing.
- What cannot be heard for a moment is tried again; a broker that does not let this manager listen is said once.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from pathlib import Path

from nacl.public import PrivateKey

from device.errors import Fault, Refusal
from provisioning.console.live import Live
from provisioning.errors import FleetFault, FleetRefused
from provisioning.fleet import Fleet
from provisioning.labels import Where
from provisioning.line import Line
from provisioning.options import WAITS_S
from provisioning.store import Door
from provisioning.watching import TOPICS, Watch

_LOOK_S = 0.5


@dataclass(slots=True)
class Ear:
    """Hears `where` for `fleet` with the certificate in `login`; `key` opens what doors seal."""

    fleet: Fleet
    where: Where
    login: Path
    live: Live
    key: PrivateKey | None = None
    _line: Line | None = None
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def check(self) -> None:
        """Raise FleetRefused if there is no certificate to go to the broker with."""
        self._line = Line(self.where.host, self.where.port, self.login, TOPICS)

    def start(self) -> None:
        """Begin to listen, after `check`; a broker that is away is waited for."""
        self.live.broker = "it has not answered yet"
        self._thread = threading.Thread(target=self._run, name="ear", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Say goodbye to the broker."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def send(self, door: Door, document: bytes) -> None:
        """Put a document for a door into the broker. Raises FleetRefused or FleetFault."""
        if self._line is None:
            msg = "the console was started without a broker"
            raise FleetRefused(msg)
        if self.live.broker:
            msg = f"the broker {self.where.host}:{self.where.port} cannot be reached: {self.live.broker}"
            raise FleetFault(msg)
        self._line.say(f"doorward/{door.id}/document", document, expiry_s=WAITS_S)

    def _run(self) -> None:
        assert self._line is not None  # noqa: S101  # `start` made it
        with self._line as line:
            watch = Watch(self.fleet, self.live.take, self.live.clock, key=self.key)
            line.open(patient=True)
            while not self._stop.is_set():
                try:
                    heard = line.next(_LOOK_S)
                    if heard is not None:
                        watch.take(heard)
                except (Fault, Refusal) as trouble:
                    self.live.take({"event": "lost", "why": str(trouble)})
                    return
