"""What a door with a broker beyond itself needs: TLS, and what leads to its certificate and to the next one.

Rules kept here:
- A door joins while it has a label, and only then. A label that cannot be read is said, and costs the joining alone.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from device.edges import Room
from device.errors import Fault, Refusal
from device.installing import Joining
from device.journal import log
from device.paths import Paths
from device.report.broker import Broker
from device.report.claim import MqttClaim
from device.report.joining import Joiner
from device.report.ledger import ledger_for
from device.report.renewal import Renewal
from device.report.tls import TlsFiles


@dataclass(frozen=True, slots=True)
class Secured:
    """The parts of the door `door` (16 hexadecimal digits)."""

    tls: TlsFiles
    joiner: Joiner | None
    renewal: Renewal

    @classmethod
    def of(cls, paths: Paths, door: str) -> Secured:
        """As its files say."""
        files = Joining(paths.state(Room.REPORT))
        tls = TlsFiles(files.tls, door)
        return cls(tls, _joiner(files, paths, door, tls), Renewal(files, door, time.time))

    def lasts(self) -> bool:
        """Whether the door has a certificate that is not about to end."""
        return self.tls.lasts(time.time())


def _joiner(files: Joining, paths: Paths, door: str, tls: TlsFiles) -> Joiner | None:
    try:
        label = files.label()
    except (Refusal, Fault) as trouble:
        log(f"report: the door cannot ask to join: {trouble}")
        return None
    if label is None:
        return None
    claim = None
    if label.claim_port:
        claim = MqttClaim(door, Broker(label.host, label.claim_port, tls=True), tls.nameless_context, ledger_for(paths))
    return Joiner(files, bytes.fromhex(door), claim, time.time)
