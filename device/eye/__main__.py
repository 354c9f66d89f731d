"""Start eye: `python -m device.eye`."""

import sys

from device import config, service
from device.edges import Room
from device.eye.camera import make
from device.eye.loop import EyeWork
from device.eye.priority import give_way
from device.eye.sight import Sight, refuse_stretched
from device.paths import door_paths, models_dir


def build(running: service.Service) -> EyeWork:
    """Networks first, so that a refused model is known before the door counts on eye; then the camera, not opened."""
    give_way()
    settings = config.load(door_paths().config)
    refuse_stretched(settings.camera)
    sight = Sight.load(settings.eye, models_dir())
    return EyeWork(running, make(settings.camera), sight, settings, alive=running.notifier.feed_watchdog)


if __name__ == "__main__":
    sys.exit(service.main(Room.EYE, build))
