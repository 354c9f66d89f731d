"""The frame every process runs in: one loop around sockets, timers and signals.

Rules kept here:
- One thread around one selector. A room never waits anywhere else for another room.
- The watchdog is fed by the work loop alone, and only while `Work.healthy` says so.
- Told to end, a room ends at once, unless it said beforehand that it may have to `linger`. A failure never lingers.
- However the loop ends, `Work.stop` has its turn.

`device.work` is what a room brings, `device.peers` its connections, `device.process` what is around the loop:
`main` starts a room. `device.handover` is what systemd gives, `device.journal` what it is told. Sources:
systemd.socket(5), systemd.service(5).
"""

from __future__ import annotations

import math
import signal
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from device import wire
from device.edges import Room
from device.journal import Notifier, in_words, log
from device.link import Link
from device.paths import Paths, door_paths
from device.peers import Peers
from device.waiting import Callback, Waiting
from device.work import Work

EXIT_REFUSED = 78  # EX_CONFIG, sysexits.h: starting again will not help
EXIT_FAULT = 70  # EX_SOFTWARE: systemd starts the process anew
_LINGER_TURN_S = 0.1  # how often a room that lingers is asked whether it still has to


@dataclass(slots=True)
class Service:
    """One process: `Service(Room.EYE).run(work)` returns its exit code."""

    room: Room
    paths: Paths = field(default_factory=door_paths)
    peers: Peers = field(init=False)
    _selector: Waiting = field(default_factory=Waiting)
    _work: Work | None = None
    _stopping: bool = False
    _notify: Notifier = field(default_factory=Notifier)
    _pair: tuple[socket.socket, socket.socket] | None = None
    _served: bool = False
    _failed: bool = False
    _still: Callable[[], bool] | None = None

    def __post_init__(self) -> None:
        self.peers = Peers(self.room, self.paths, self._selector)

    @property
    def notifier(self) -> Notifier:
        """The way to whoever started this process."""
        return self._notify

    @property
    def served(self) -> bool:
        """Whether the start is over: from now on a refusal is no matter of set-up."""
        return self._served

    @property
    def page_socket(self) -> socket.socket | None:
        """Where browsers call, if it was handed over; not watched by the loop. Raises NotPermitted."""
        return self.peers.page_socket

    def run(self, work: Work) -> int:
        """Serve until SIGTERM or SIGINT. Faults and refusals end with one sentence on stderr."""
        self.take_up(work)
        try:
            self._catch_signals()
            self.peers.listen()
            self.peers.call(time.monotonic())
            self._notify.tell("READY=1")
            self._served = True
            while not self._stopping:
                self.turn()
            while not self._failed and self._still and self._still():
                self.turn(_LINGER_TURN_S)
        finally:
            self._end(work)
        return EXIT_FAULT if self._failed else 0

    def take_up(self, work: Work) -> None:
        """Serve `work` from now on; `run` begins with it."""
        self._work = self.peers.work = work

    def linger(self, still: Callable[[], bool]) -> None:
        """Told to end, serve on while `still()` says so; it has to come to an end by itself, and soon."""
        self._still = still

    def fail(self) -> None:
        """End the loop in order, with EXIT_FAULT. Safe from any thread."""
        self._failed = self._stopping = True
        if self._pair:
            with suppress(OSError):
                self._pair[1].send(b"\0")

    def _end(self, work: Work) -> None:
        self._notify.tell("STOPPING=1")
        try:
            work.stop()
        except Exception as error:  # noqa: BLE001 - what ended the loop must not be hidden by what its end brought
            log(f"{self.room} did not stop in order: {in_words(error)}")
            self._failed = True
        finally:
            self.peers.close()
            if self._pair:
                signal.set_wakeup_fd(-1)
                for end in self._pair:
                    end.close()
            self._notify.close()
            self._selector.close()

    def turn(self, timeout_s: float | None = None) -> None:
        """One turn of the loop: wait (at most `timeout_s`), deliver what came, call `tick` when it is due."""
        work = self._work
        if work is None:
            return
        for callback in self._rest(work, self._end_s(timeout_s)):
            callback()
        self.peers.call_again(time.monotonic())
        due = work.deadline()
        if due is not None and time.monotonic() >= due:
            work.tick()
        if work.healthy():
            self._notify.feed_watchdog()

    def link(self, peer: Room) -> Link | None:
        """The live connection to `peer`, if there is one."""
        return self.peers.links.get(peer)

    def send(self, peer: Room, msg: wire.Message) -> bool:
        """Send to `peer` if it is there; False if not."""
        link = self.peers.links.get(peer)
        return link.send(msg) if link else False

    def watch(self, fileno: int, callback: Callable[[], None]) -> None:
        """Call `callback` from the loop whenever `fileno` is readable."""
        self._selector.register(fileno, callback)

    def unwatch(self, fileno: int) -> None:
        """Stop watching `fileno`."""
        self._selector.unregister(fileno)

    # ---- waiting

    def _rest(self, work: Work, end_s: float) -> list[Callback]:
        """What is ready, or nothing at `end_s`; meanwhile the watchdog is fed.

        At a door where nobody is this is all that runs, day and night: nothing else is asked or reckoned here.
        """
        while True:
            now_s = time.monotonic()
            until_s = min(end_s, self._notify.feeding_s(now_s))
            ready = self._selector.select(None if until_s == math.inf else max(0.0, until_s - now_s))
            if ready or time.monotonic() >= end_s:
                return ready
            if work.healthy():
                self._notify.feed_watchdog()

    def _end_s(self, timeout_s: float | None) -> float:
        """Until when the loop may rest if nothing comes (CLOCK_MONOTONIC seconds)."""
        due = self._work.deadline() if self._work else None
        end_s = math.inf if due is None else due
        if timeout_s is not None:
            end_s = min(end_s, time.monotonic() + timeout_s)
        return min(end_s, self.peers.next_call_s())

    def _catch_signals(self) -> None:
        reader, writer = socket.socketpair()
        reader.setblocking(False)
        writer.setblocking(False)

        def woken() -> None:
            with suppress(OSError):
                reader.recv(64)

        def end(_number: int, _frame: object) -> None:
            self._stopping = True

        signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
        self._pair = (reader, writer)
        signal.signal(signal.SIGTERM, end)
        signal.signal(signal.SIGINT, end)
        self.watch(reader.fileno(), woken)
