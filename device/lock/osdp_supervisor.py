"""One OSDP reader from the moment its line is opened: whether it is well, what is typed on it, what it shows.

Rules kept here:
- Keys count only through a secure channel with our key, from the reader that was first seen since lock started, and
  while it sends no more than hands can. A reader that is gone, insecure, exchanged, babbling, open or without power is
  not well; it is well again by itself.
- An open housing and a failed supply are an alarm and no more: its keys go on counting, as with the door's own housing.
- What is not known yet is no alarm for START_S: a handshake takes a moment.
- A reader that sends too much is left alone for MUTED_S, then has to be calm for CALM_S before its keys count again.
- A reader that refuses a light, a tone or its status again and again is not asked for it any more: libosdp takes a
  refusal for the end of the channel, and a light is not worth a keypad.
- A line on which nothing can be done is opened anew, a libosdp that no longer sends (its clock is the wall's, and
  somebody set it back) is made anew.

`turn` does what is due and never waits; `osdp_worker` calls it from a thread.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto

from device.journal import log
from device.lock.osdp_commands import ASK_STATUS, DARK, Command, able, command_of
from device.lock.osdp_frames import Gate
from device.lock.osdp_line import SerialLine
from device.lock.osdp_panel import CardNumber, Done, Heard, Identity, Keys, Offline, Panel, Trouble
from device.lock.osdp_rhythm import Rhythm
from device.lock.state import Event, Key, NumberRead, Signal
from device.wire import Hint

START_S = 5.0
RETRY_S = 2.0
SILENT_S = 3.0  # libosdp asks again after one second; two that are lost in a row are a line that is down
STUCK_S = 15.0  # libosdp sends at least once a second while it may
MUTED_S = 10.0
CALM_S = 1.0
REPORTS_PER_S = 25  # people who know their PIN type about ten digits a second
_PATIENCE = 3  # how often a command may be refused before it is given up


@dataclass(frozen=True, slots=True)
class Stands:
    """Whether the reader is well, from now on."""

    well: bool


class _Is(Enum):
    """How the reader stands."""

    DOWN = auto()
    UP = auto()
    MUTED = auto()
    ON_TRIAL = auto()  # it is read again; nothing it sends counts


@dataclass(frozen=True, slots=True)
class Where:
    """The line a reader hangs on."""

    path: str
    baud: int
    address: int


@dataclass(eq=False)
class Supervisor:
    """The reader at `where`. `tell` hears what happened, `clock` is CLOCK_MONOTONIC in seconds."""

    where: Where
    key: bytes = field(repr=False)
    unlock_ms: int
    tell: Callable[[Event | Stands], None]
    clock: Callable[[], float]

    def __post_init__(self) -> None:
        """Nothing is opened yet: that is the first turn's."""
        gate = Gate(self.where.address)
        self._line = SerialLine(self.where.path, self.where.baud, gate, lambda: self._panel.handshaken, self.clock)
        self._panel = self._new_panel()
        self._rhythm = Rhythm(self.unlock_ms)
        self._state = _Is.DOWN
        self._pinned: Identity | None = None
        self._suspect = False  # it sent too much, and was not calm since
        self._due_s = float("-inf")  # at once: open the line, or begin anew
        self._started_s = self._second_s = self.clock()
        self._reports = 0
        self._refused: Counter[int] = Counter()
        self._asked = False  # whether it has told how it is
        self._troubled: dict[bool, bool] = {}
        self._told: bool | None = None
        self._said = ""

    def turn(self) -> None:
        """Do what is due."""
        if self._line.fd is not None or self._plugged(self.clock()):
            self._step(self.clock())
        self._play(self.clock())
        self._stand(self.clock())

    def show(self, signal: Signal, hint: Hint | None) -> None:
        """Play this from the next turn on."""
        if self._rhythm.ask(signal, hint, self.clock()) and self._asked and self._panel.secured:
            self._panel.forget()  # what still waits belongs to the signal before

    def fail(self, why: str) -> None:
        """A turn did not end in order: begin anew, with the line."""
        self._lost(self.clock(), why)
        self._stand(self.clock())

    def close(self) -> None:
        """Give the line back."""
        self._line.close()

    # ---- the line and the channel

    def _plugged(self, now_s: float) -> bool:
        if now_s >= self._due_s:
            try:
                self._line.open()
            except OSError as cause:
                self._lost(now_s, f"the OSDP line cannot be had: {cause.strerror or cause}")
            else:
                self._panel.restart()
                self._due_s = float("inf")
        return self._line.fd is not None

    def _step(self, now_s: float) -> None:
        if self._state in (_Is.DOWN, _Is.MUTED) and now_s >= self._due_s:
            self._panel.restart()
            self._begin(_Is.DOWN, float("inf"))
        self._panel.refresh()
        self._look(self.clock())

    def _look(self, now_s: float) -> None:
        """How the channel stands after a step."""
        if self._line.lost:
            self._lost(now_s, f"the OSDP line is gone: {self._line.lost}")
        elif self._state is not _Is.MUTED and now_s - self._line.wrote_s > STUCK_S:
            self._line.wrote_s = now_s
            self._panel = self._new_panel()
            self._down(now_s, "the OSDP reader is asked anew")
        elif not self._panel.secured:
            if self._state in (_Is.UP, _Is.ON_TRIAL):
                self._down(now_s, "the OSDP reader has no secure channel")
        elif now_s - self._line.heard_s > SILENT_S:
            self._down(now_s, "the OSDP reader is silent")
        elif self._state is _Is.DOWN and self._suspect:
            self._begin(_Is.ON_TRIAL, now_s + CALM_S)
        elif self._state is _Is.DOWN or (self._state is _Is.ON_TRIAL and now_s >= self._due_s):
            self._came(now_s)

    def _came(self, now_s: float) -> None:
        identity = self._panel.identity()
        if self._pinned is None:
            self._pinned = identity
        if identity != self._pinned:
            self._down(now_s, "another OSDP reader answers than the one that was there")
            return
        self._begin(_Is.UP, float("inf"))
        self._suspect = False
        self._say("the OSDP reader is there, with a secure channel")
        self._send(DARK)
        self._asked = self._refused[ASK_STATUS["command"]] >= _PATIENCE
        self._send(ASK_STATUS)

    def _down(self, now_s: float, why: str) -> None:
        self._panel.pause()
        self._begin(_Is.DOWN, now_s + RETRY_S)
        self._say(why)

    def _lost(self, now_s: float, why: str) -> None:
        self._line.close()
        self._begin(_Is.DOWN, now_s + RETRY_S)
        self._say(why)

    def _begin(self, state: _Is, due_s: float) -> None:
        self._state, self._due_s = state, due_s
        self._second_s, self._reports = self.clock(), 0

    def _new_panel(self) -> Panel:
        return Panel(self._line, self.where.address, self.key, self._heard)

    # ---- what it says

    def _heard(self, heard: Heard) -> None:
        now_s = self.clock()
        match heard:
            case Keys(keys, reported):
                if self._calm(now_s, reported):
                    for key in keys:
                        self.tell(Key(key))
            case CardNumber():
                if self._calm(now_s, 1):
                    self.tell(NumberRead())
            case Trouble(own, on):
                self._calm(now_s, 1)
                self._housing(own=own, on=on)
            case Offline():
                if self._state is not _Is.MUTED:
                    self._down(now_s, "the OSDP reader does not answer, or not with our key")
            case Done(command, well):
                self._asked |= command == ASK_STATUS["command"]
                self._refused[command] = 0 if well else self._refused[command] + 1

    def _housing(self, *, own: bool, on: bool) -> None:
        if on != self._troubled.get(own, False):
            self._troubled[own] = on
            self._say(f"the OSDP reader {'is open or its power failed' if on else 'is closed again'}")

    def _calm(self, now_s: float, reported: int) -> bool:
        """Whether what was just reported counts."""
        if now_s - self._second_s >= 1:
            self._second_s, self._reports = now_s, 0
        self._reports += reported
        if self._reports > REPORTS_PER_S and self._state in (_Is.UP, _Is.ON_TRIAL):
            self._panel.pause()
            self._begin(_Is.MUTED, now_s + MUTED_S)
            self._suspect = True
            self._say("the OSDP reader sends more than hands can and is not read")
        return self._state is _Is.UP

    # ---- what it shows

    def _play(self, now_s: float) -> None:
        for told in self._rhythm.due(now_s):
            self._send(command_of(told))

    def _send(self, command: Command) -> None:
        number = int(command["command"])
        if self._state is _Is.UP and able(number, self._panel.grade) and self._refused[number] < _PATIENCE:
            self._panel.send(command)

    # ---- how it stands

    def _stand(self, now_s: float) -> None:
        well = self._state is _Is.UP and not any(self._troubled.values())
        if self._pinned is None and now_s - self._started_s < START_S:
            return  # none was in use yet
        if well != self._told:
            self._told = well
            self.tell(Stands(well))

    def _say(self, what: str) -> None:
        if what != self._said:
            self._said = what
            log(what)
