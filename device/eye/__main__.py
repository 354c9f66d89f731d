"""Start eye: `python -m device.eye`."""

import sys

from device import config
from device.edges import Room
from device.eye.camera import make
from device.eye.loop import EyeWork
from device.eye.priority import give_way
from device.eye.sight import Sight, refuse_stretched
from device.paths import door_paths, models_dir
from device.process import main
from device.service import Service


def build(running: Service) -> EyeWork:
    """Networks first, so that a refused model is known before the door counts on eye; then the camera, not opened."""
    give_way()
    settings = config.load(door_paths().config)
    refuse_stretched(settings.camera)
    lights = settings.lock.lights
    sight = Sight.load(settings.eye, models_dir(), settings.sign.view_deg if lights else None)
    watcher = sight if lights else None
    alive = running.notifier.feed_watchdog
    return EyeWork(running, make(settings.camera), sight, settings, alive=alive, watcher=watcher)


if __name__ == "__main__":
    sys.exit(main(Room.EYE, build))
