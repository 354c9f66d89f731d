"""A card reader behind PC/SC: a USB reader and the system's pcscd. Lock's side of it; the waiting is `pcsc_worker`'s.

Rules kept here:
- Nothing here waits for pcscd, the reader or a card: the loop that has to secure the bolt only reads what was reported
  and leaves orders.
- A reader that is gone or of another name, a pcscd that died or hangs, a missing package: not `well`, and well again by
  itself when the cause is. A call that takes longer than it may counts as hanging from then on.
- Reports of an exchange that is over are dropped: what a card says late is said to nobody.
- One command at a time: another one before the answer is not sent.
- No log line holds anything a card said.

docs/wiring.md names readers. No real reader was tried: tests run the real pcscd with a virtual reader.
"""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from contextlib import suppress

from device.journal import log
from device.lock.pcsc_calls import System
from device.lock.pcsc_worker import Came, Down, Left, Replied, Report, Up, Worker
from device.lock.state import CardCame, CardLeft, CardReplied, Event, Signal
from device.wire import Hint

START_S = 5.0  # pcscd starts with its first client, and a USB reader after it: no alarm at every start of lock
AGAIN_S = 1.0  # how often a hanging call is looked at


class PcscReader:
    """A `Part`: the reader whose name begins with `name`."""

    def __init__(self, name: str, system: System) -> None:
        self._reports: deque[Report] = deque()
        self._bell = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._guard = threading.Lock()  # between ringing the bell and giving it back
        self._closed = False
        self._up = self._hangs = self._settled = False
        self._settled_s = time.monotonic() + START_S
        self._again_s = 0.0
        self._number: int | None = None  # of the exchange under way
        self._asked = False
        self._said = ""
        self._worker = Worker(name, system, self._told)

    @property
    def well(self) -> bool:
        """Whether the reader is there and pcscd answers. In its first START_S nothing is held against it."""
        return (self._up or not self._settled) and not self._hangs

    def fileno(self) -> int | None:
        """The bell that the thread rings."""
        return None if self._closed else self._bell

    def events(self, now_s: float) -> list[Event]:
        """What the cards did."""
        if self._closed:
            return []
        with suppress(BlockingIOError):
            os.eventfd_read(self._bell)
        happened: list[Event] = []
        while self._reports:
            happened += self._meaning(self._reports.popleft())
        self._settled = self._settled or now_s >= self._settled_s
        self._hangs = now_s >= self._worker.due_s
        if self._hangs:
            self._again_s = now_s + AGAIN_S
            self._say("pcscd hangs, and with it the card reader")
            if self._number is not None:
                self._worker.order(self._number, None)
                happened += self._over()
        elif self._up:
            self._say("the card reader is there")
        return happened

    def deadline(self) -> float | None:
        """When the thread must have got on, or when the start is over."""
        if self._closed:
            return None
        end_s = self._again_s if self._hangs else self._worker.due_s
        return end_s if self._settled else min(end_s, self._settled_s)

    def show(self, signal: Signal, hint: Hint | None) -> None:
        """PC/SC has no words for lights and tones; each make has its own."""

    def card(self, command: bytes | None) -> None:
        """Say `command` to the card, None: let it go. Without a card nothing happens."""
        if self._number is None:
            return
        if command is None:
            self._worker.order(self._number, None)
            self._number = None
        elif not self._asked:
            self._asked = True
            self._worker.order(self._number, command)

    def close(self) -> None:
        """Give the reader back; at once, even while a call is stuck."""
        if self._closed:
            return
        with self._guard:
            self._closed = True
        self._worker.stop()
        os.close(self._bell)

    def _told(self, report: Report) -> None:
        """Called in the worker's thread."""
        with self._guard:
            if not self._closed:
                self._reports.append(report)
                os.eventfd_write(self._bell, 1)

    def _meaning(self, report: Report) -> list[Event]:
        match report:
            case Up():
                self._up = self._settled = True
            case Down(why):
                self._up = False
                self._say(why)
            case Came(number):
                self._number, self._asked = number, False
                return [CardCame()]
            case Replied(number, apdu) if number == self._number:
                self._asked = False
                return [CardReplied(apdu)]
            case Left(number) if number == self._number:
                return self._over()
            case _:
                pass  # of an exchange that is over here
        return []

    def _over(self) -> list[Event]:
        self._number = None
        return [CardLeft()]

    def _say(self, what: str) -> None:
        if what != self._said:
            self._said = what
            log(what)
