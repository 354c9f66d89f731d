"""A process of a door that has not joined: it says so once, and waits.

Rules kept here:
- Nothing is opened, listened to or read while it waits, but the two configuration files.
- It is no failure: the process counts as started, feeds its watchdog and ends like any other at a signal.
- It ends as soon as the door has an id, or a configuration that is wrong for another reason: that has its own sentence.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from device import config
from device.errors import ConfigRefused, NotJoined
from device.journal import Notifier

LOOK_S = 1.0  # nobody notices a second while a door is being mounted, and the watchdog has ten


def wait(configuration: Path, notify: Notifier, pause: Callable[[float], None] = time.sleep) -> None:
    """Return once the door at `configuration` may have joined."""
    notify.tell("READY=1\nSTATUS=waits for this door to join (doorctl join)")
    while _nameless(configuration):
        pause(LOOK_S)
        notify.feed_watchdog()


def _nameless(configuration: Path) -> bool:
    try:
        config.load(configuration)
    except NotJoined:
        return True
    except ConfigRefused:
        return False
    return False
