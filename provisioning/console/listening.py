"""The console's ear: a thread that hears the broker, as `doorward watch` does, and sends what managers send.

Rules kept here:
- It has no key of the authority and answers no door's question for a certificate: that is what `doorward watch` is for,
  under a certificate of its own. That a door asks, is shown.
- Without a broker the console works, and says that it hears nothing.
- What cannot be heard for a moment is tried again; a broker that does not let this manager listen is said once.
- A door's question is kept for the manager who answers it, one for each door of the fleet, until it is answered.
- Where doors join, one certificate is one connection too: requests are fetched and answered one after the other.
"""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass, field
from pathlib import Path

from nacl.public import PrivateKey

from device.errors import Fault, Refusal
from provisioning import claiming
from provisioning.console.live import Live
from provisioning.errors import FleetFault, FleetRefused
from provisioning.fleet import Fleet
from provisioning.labels import Where
from provisioning.line import Heard, Line
from provisioning.options import WAITS_S
from provisioning.store import Door
from provisioning.watching import TOPICS, Fact, Watch

_LOOK_S = 0.5
_QUESTION = re.compile(r"doorward/([0-9a-f]{16})/renew")


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
    _questions: dict[str, bytes] = field(default_factory=dict)
    _joining: threading.Lock = field(default_factory=threading.Lock)

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
        self._say(f"doorward/{door.id}/document", document)

    def question(self, door_id: str) -> bytes | None:
        """What a door asks its next certificate with; None if it has not asked since this program listens."""
        return self._questions.get(door_id)

    def answer(self, door: Door, answer: bytes) -> None:
        """Give a door its next certificate. Raises FleetRefused or FleetFault."""
        self._say(f"doorward/{door.id}/certificate", answer)
        self._questions.pop(door.id, None)
        self.live.take({"event": "answered", "id": door.id})

    def request(self, door_id: str) -> bytes:
        """What a door asks to join with. Raises FleetRefused or FleetFault."""
        with self._joining:
            return claiming.fetch(self.where, self.login, door_id)

    def admit(self, door_id: str, answer: bytes) -> None:
        """Give a door that was approved its answer. Raises FleetRefused or FleetFault."""
        with self._joining:
            claiming.put(self.where, self.login, door_id, answer)

    def _say(self, topic: str, content: bytes) -> None:
        if self._line is None:
            msg = "the console was started without a broker"
            raise FleetRefused(msg)
        if self.live.broker:
            msg = f"the broker {self.where.host}:{self.where.port} cannot be reached: {self.live.broker}"
            raise FleetFault(msg)
        self._line.say(topic, content, expiry_s=WAITS_S)

    def _run(self) -> None:
        assert self._line is not None  # noqa: S101  # `start` made it
        with self._line as line:
            watch = Watch(self.fleet, self.live.take, self.live.clock, key=self.key)
            line.open(patient=True)
            while not self._stop.is_set():
                try:
                    heard = line.next(_LOOK_S)
                    if heard is not None:
                        self._take(watch, heard)
                except (Fault, Refusal) as trouble:
                    self.live.take({"event": "lost", "why": str(trouble)})
                    return

    def _take(self, watch: Watch, heard: Heard) -> None:
        found = _QUESTION.fullmatch(heard.topic)
        if found is None:
            watch.take(heard)
        elif not heard.content:
            self._questions.pop(found[1], None)
            self.live.take({"event": "answered", "id": found[1]})
        else:

            def tell(fact: Fact) -> None:
                if fact["event"] == "asks":  # the watch knows the door
                    self._questions[found[1]] = heard.content
                self.live.take(fact)

            watch.tell = tell
            try:
                watch.take(heard)
            finally:
                watch.tell = self.live.take
