"""Start keeper: `python -m device.keeper`, under its unit or doorsim."""

from __future__ import annotations

import sys

from device.edges import Room
from device.keeper.start import build
from device.service import main

if __name__ == "__main__":
    sys.exit(main(Room.KEEPER, build))
