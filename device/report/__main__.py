"""`python -m device.report`: started by doorward-report.service, or by doorsim."""

from __future__ import annotations

import importlib.metadata
import secrets
import sys
import time

from device import config
from device.edges import Room
from device.report import broker
from device.report.ledger import ledger_for
from device.report.loop import Report
from device.report.outbox import Outbox
from device.report.publisher import Nowhere, Publisher
from device.report.teller import Identity, Teller
from device.service import Service, main


def build(service: Service) -> Report:
    """The work of this process, from door.toml. Raises ConfigRefused."""
    settings = config.load(service.paths.config)
    where = broker.parse(settings.report.broker)
    publisher: Publisher = Nowhere()
    if where is not None:
        # Only here: a door without a broker does not carry paho and ssl in its memory.
        from device.report.mqtt import MqttPublisher

        publisher = MqttPublisher(settings.door.id, where, ledger_for(service.paths))
    identity = Identity(settings.door.id, secrets.token_hex(4), software_version())
    teller = Teller(identity, settings.report.cadence_s, time.monotonic())
    outbox = Outbox(service.paths.state(Room.REPORT) / "outbox.sqlite", settings.report.outbox_rows)
    return Report(service, teller, outbox, publisher)


def software_version() -> str:
    """The installed distribution's version; "unknown" in a bare checkout."""
    try:
        return importlib.metadata.version("doorward")
    except importlib.metadata.PackageNotFoundError:
        return "unknown"


if __name__ == "__main__":
    sys.exit(main(Room.REPORT, build))
