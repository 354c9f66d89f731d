"""Start keeper: `python -m device.keeper`, under its unit or doorsim."""

from __future__ import annotations

import sys

from device.edges import Room
from device.keeper import start
from device.keeper.loop import Keeper
from device.keeper.retired import RetiredKeeper
from device.process import main
from device.service import Service
from device.urgency import come_first


def build(service: Service) -> Keeper | RetiredKeeper:
    """Keeper's work; what follows the start comes first."""
    work = start.build(service)
    come_first(Room.KEEPER)
    return work


if __name__ == "__main__":
    sys.exit(main(Room.KEEPER, build))
