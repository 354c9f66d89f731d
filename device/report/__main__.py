"""`python -m device.report`: started by doorward-report.service, or by doorsim."""

from __future__ import annotations

import secrets
import sys
import time
from collections.abc import Callable

from device import config
from device.edges import Room
from device.process import main
from device.report import alarm_tests, broker
from device.report.disk import room_in
from device.report.ledger import ledger_for
from device.report.loop import Report
from device.report.outbox import Outbox
from device.report.ports import Papers
from device.report.publisher import Nowhere, Publisher
from device.report.teller import Identity, Teller
from device.service import Service
from device.version import software_version


def build(service: Service) -> Report:
    """The work of this process, from door.toml. Raises ConfigRefused."""
    settings = config.load(service.paths.config)
    where = broker.parse(settings.report.broker)
    state = service.paths.state(Room.REPORT)
    publisher: Publisher = Nowhere()
    certificate: Callable[[], bool] = _nothing_ends
    papers: Papers | None = None
    if where is not None:
        # Only here: a door without a broker does not carry paho and ssl in its memory.
        from device.report.mqtt import MqttPublisher

        make_context = None
        if where.tls:
            from device.report.secured import Secured

            secured = Secured.of(service.paths, settings.door.id)
            make_context, certificate = secured.tls.context, secured.lasts
            papers = Papers(secured.joiner, secured.renewal)
        publisher = MqttPublisher(settings.door.id, where, ledger_for(service.paths), make_context=make_context)
    identity = Identity(settings.door.id, secrets.token_hex(4), software_version())
    teller = Teller(identity, settings.report.cadence_s, time.monotonic())
    rows, cadence_s = settings.report.outbox_rows, settings.report.cadence_s
    outbox = Outbox(state / "outbox.sqlite", rows + alarm_tests.room(rows, cadence_s))
    return Report(
        service,
        teller,
        outbox,
        publisher,
        storage=room_in(state),
        certificate=certificate,
        papers=papers,
    )


def _nothing_ends() -> bool:
    return True


if __name__ == "__main__":
    sys.exit(main(Room.REPORT, build))
