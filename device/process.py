"""A room as a process: closed to onlookers, its work built, and every end of it one sentence and an exit code.

Rules kept here:
- No core dumps, no ptrace of a process that holds secrets, before anything secret is read.
- An error nobody foresaw, in the loop or in a thread, ends the process (systemd starts it anew) after `Work.stop`.
- Refused while starting, a process stays down until somebody repairs the cause; once it served, it is started again.
- A door that has not joined is no failure: it is waited for (`device.unjoined`).

Source: systemd.service(5).
"""

from __future__ import annotations

import ctypes
import resource
import threading
from collections.abc import Callable

from device import unjoined
from device.edges import Room
from device.errors import NotJoined, Refusal
from device.journal import in_words, log
from device.service import EXIT_FAULT, EXIT_REFUSED, Service
from device.work import Work

_PR_SET_DUMPABLE = 4


def harden() -> None:
    """No core dump and no ptrace by others of the same user. Best effort: the units enforce it as well."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


def main(room: Room, build: Callable[[Service], Work]) -> int:
    """Start `room`: build its work, serve, and turn every failure into one sentence and an exit code."""
    service = Service(room)

    def thread_ended(ended: threading.ExceptHookArgs) -> None:
        if ended.exc_value:
            log(f"{room}: {in_words(ended.exc_value)}, in a thread")
        service.fail()

    threading.excepthook = thread_ended
    harden()  # before anything secret is read
    try:
        return service.run(_built(service, build))
    except Refusal as refusal:
        log(f"{room}: {in_words(refusal)}")
        return EXIT_FAULT if service.served else EXIT_REFUSED
    except Exception as error:  # noqa: BLE001 - the last place before the interpreter, which would print the text
        log(f"{room}: {in_words(error)}")
        return EXIT_FAULT


def _built(service: Service, build: Callable[[Service], Work]) -> Work:
    """The room's work; a door that has not joined is waited for, and the journal says what is missing."""
    try:
        return build(service)
    except NotJoined as not_yet:
        log(f"{service.room}: {not_yet}")
    unjoined.wait(service.paths.config, service.notifier)
    return build(service)
