"""The thread that talks to pcscd, and so may wait: for a card, for a reader, for a pcscd that hangs.

Rules kept here:
- All calls of one `System` are made by this one thread. It hears orders from a queue and tells reports to the loop.
- Whatever goes wrong is a report and a pause of REST_S, never a dead thread and never a busy one: a card that comes and
  goes ten times a second is talked to once a second at most.
- A card is talked to once; then it has to leave the reader before it counts again. So does one that lies there when the
  reader, or pcscd, comes back.
- An exchange has a number, and an order for another one is dropped: nothing meant for one card reaches the next.
- A card that nobody talks to for IDLE_S is let go.
- `due_s` says when the thread should have got on with what it does: the loop looks at it, because a thread that is
  stuck in a call cannot tell.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue

from device.errors import Fault
from device.lock.pcsc_calls import UNAWARE, CardFault, ReaderFault, System, has_card, visit
from device.wire import MAX_APDU

REST_S = 1.0
WAIT_MS = 1000  # how long the thread sleeps before it looks whether it shall end
GLANCE_S = 0.25  # how often it looks whether a card that nobody talks to is still there
IDLE_S = 15.0
CALL_S = 5.0  # a card answers within a second; a reader that tries again and again takes a few
STOP_S = 0.2
TRIES = 3  # to wake one card: it may be half in the field at first
MIN_ANSWER = 2  # SW1, SW2
_NAMED = 4  # readers that a log line names


@dataclass(frozen=True, slots=True)
class Up:
    """The reader is there."""


@dataclass(frozen=True, slots=True)
class Down:
    """It is not, or not usable: `why`."""

    why: str


@dataclass(frozen=True, slots=True)
class Came:
    """A card is there; the exchange `number` begins."""

    number: int


@dataclass(frozen=True, slots=True)
class Replied:
    """The card's answer to the last order."""

    number: int
    apdu: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Left:
    """The exchange is over: the card left, or was let go."""

    number: int


Report = Up | Down | Came | Replied | Left


@dataclass(frozen=True, slots=True)
class _Order:
    number: int
    command: bytes | None = field(repr=False)


class _Stopped(Exception):
    """Not an error: the way out of every loop below."""


class Worker:
    """The thread of the reader whose name begins with `name`; it runs from the start. `tell` is called from it."""

    def __init__(self, name: str, system: System, tell: Callable[[Report], None]) -> None:
        self._name = name
        self._system = system
        self._tell = tell
        self._number = 0
        self._orders: SimpleQueue[_Order | None] = SimpleQueue()
        self.due_s = time.monotonic() + CALL_S
        self._thread = threading.Thread(target=self._run, name="pcsc", daemon=True)
        self._thread.start()

    def order(self, number: int, command: bytes | None) -> None:
        """Say `command` to the card of the exchange `number`, None: let it go."""
        self._orders.put(_Order(number, command))

    def stop(self) -> None:
        """End after the call under way, and wait for that for STOP_S at most; later the thread ends when it can."""
        self._orders.put(None)
        self._thread.join(STOP_S)

    # ---- everything below runs in the thread

    def _run(self) -> None:
        with suppress(_Stopped):  # no end but this one: if the thread ever died, `due_s` would tell
            while True:
                try:
                    self._serve()
                except Fault as fault:
                    self._tell(Down(str(fault)))
                except _Stopped:
                    raise
                except Exception as cause:  # noqa: BLE001 - what a binding raises must not end the door's card reader
                    self._tell(Down(f"the reader cannot be used: {type(cause).__name__}"))
                self._rest()

    def _serve(self) -> None:
        try:
            self._takes(0)
            self._system.open()
            reader = self._found()
            state = self._look(reader, UNAWARE, 0)
            self._tell(Up())
            met, tried = visit(state), 0
            while True:
                state = self._look(reader, state, WAIT_MS)
                self._hear(0)
                if not has_card(state) or visit(state) == met:
                    tried = 0
                    continue
                tried += 1
                if self._exchange(reader, state) or tried >= TRIES:
                    met = visit(state)
                self._rest()
        finally:
            self._takes(0)
            self._system.close()

    def _found(self) -> str:
        self._takes(0)
        there = self._system.readers()
        fitting = sorted(name for name in there if name.startswith(self._name))
        if not fitting:
            names = ", ".join(repr(name) for name in there[:_NAMED]) or "none at all"
            raise ReaderFault(f"no card reader is called {self._name!r}; there are: {names}")
        return fitting[0]

    def _exchange(self, reader: str, state: int) -> bool:
        """Let keeper talk to the card; False if the card could not even be woken."""
        self._takes(0)
        try:
            self._system.connect(reader)
        except CardFault:
            return False
        self._number += 1
        self._tell(Came(self._number))
        try:
            self._talk(reader, state)
        except CardFault:
            pass
        finally:
            self._tell(Left(self._number))
            self._takes(0)
            with suppress(Fault):
                self._system.disconnect()
        return True

    def _talk(self, reader: str, state: int) -> None:
        until_s = time.monotonic() + IDLE_S
        while time.monotonic() < until_s:
            order = self._hear(GLANCE_S)
            if order is None:
                now = self._look(reader, state, 0)
                if not has_card(now) or visit(now) != visit(state):
                    return
                continue
            if order.number != self._number:
                continue
            if order.command is None:
                return
            self._takes(0)
            answer = self._system.transmit(order.command)
            if not MIN_ANSWER <= len(answer) <= MAX_APDU:
                return
            self._tell(Replied(self._number, answer))
            until_s = time.monotonic() + IDLE_S

    def _look(self, reader: str, known: int, for_ms: int) -> int:
        self._takes(for_ms / 1000)
        return self._system.look(reader, known, for_ms)

    def _hear(self, for_s: float) -> _Order | None:
        """The next order within `for_s`. Raises _Stopped."""
        self._takes(for_s)
        try:
            order = self._orders.get(timeout=for_s)
        except Empty:
            return None
        if order is None:
            raise _Stopped
        return order

    def _rest(self) -> None:
        until_s = time.monotonic() + REST_S
        while (left_s := until_s - time.monotonic()) > 0:
            self._hear(left_s)  # an order of an exchange that is over

    def _takes(self, wait_s: float) -> None:
        """What comes next waits for `wait_s` and may be slow besides."""
        self.due_s = time.monotonic() + wait_s + CALL_S
