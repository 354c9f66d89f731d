"""Start the desk: `python -m device.desk`."""

import sys

from device.desk.start import desk
from device.edges import Room
from device.process import main

if __name__ == "__main__":
    sys.exit(main(Room.DESK, desk))
