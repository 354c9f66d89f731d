"""The board of a Jetson, a Raspberry Pi or any other Linux machine through libgpiod 2.

Rules kept here:
- The bolt is claimed before everything else, with its secured level in one step (`gpiod_lines`).
- The release ends by a timer of its own thread (`timed_bolt`). What a line does when its owner is killed is the
  kernel's and the chip's affair: wire the relay so that a line nobody drives reads as locked.
- Contacts are debounced by the kernel, and their edges wake the loop. Edges say what happened in between, the level
  what is so now: an edge that was dropped is seen at the next look.
- Contacts are pulled up where the chip can; where it cannot (Jetson), resistors on the board do it (docs/wiring.md).

Never run on a board yet; the contract suites run it over a stand-in for the kernel's chips.
"""

from __future__ import annotations

import select
from contextlib import ExitStack
from datetime import timedelta

import gpiod
from gpiod.line import Bias, Clock, Direction, Edge

from device.config.tables import LockTable
from device.errors import BoltFault
from device.lock.board import SETTLE_S
from device.lock.board_lines import BoardLines
from device.lock.bolt import Wiring, coil_energised
from device.lock.contacts import Contact, contacts_of
from device.lock.feedback import Drive, Feedback
from device.lock.gpiod_lines import Chips, Line, claim, output, outputs
from device.lock.light_lines import LightLines
from device.lock.state import Event
from device.lock.timed_bolt import MakeTimer, TimedBolt, thread_timer

_AT_ONCE_S = float("-inf")
_INPUT = gpiod.LineSettings(
    direction=Direction.INPUT,
    edge_detection=Edge.BOTH,
    bias=Bias.PULL_UP,
    active_low=True,  # a contact closes to ground: closed is active
    debounce_period=timedelta(seconds=SETTLE_S),
    event_clock=Clock.MONOTONIC,
)


class GpiodBolt(TimedBolt):
    """A strike on one GPIO line. Raises BoltFault if the line is taken or missing."""

    def __init__(
        self, pin: str, *, active_high: bool, wiring: Wiring, chips: Chips, make_timer: MakeTimer = thread_timer
    ) -> None:
        super().__init__(wiring, make_timer)
        secured = coil_energised(wiring, released=False)
        self._line = output(chips, pin, on=secured, active_high=active_high)

    def _energise(self, on: bool) -> None:  # noqa: FBT001 - a level
        self._line.drive(on)

    def _owned(self) -> bool:
        return bool(self._line)

    def _give_back(self) -> None:
        self._line.give_back()


class GpiodBoard(BoardLines):
    """All lines of one door. Buttons pull to ground; the door switch closes to ground when the door is closed."""

    def __init__(self, table: LockTable, chips: Chips, make_timer: MakeTimer = thread_timer) -> None:
        with ExitStack() as held:  # what is held is given back, in reverse order: at `close`, or if a line is missing
            self.bolt = GpiodBolt(
                table.bolt_pin,
                active_high=table.bolt_active_high,
                wiring=Wiring(table.wiring),
                chips=chips,
                make_timer=make_timer,
            )
            held.callback(self.bolt.close)
            self._edges = select.epoll()
            held.callback(self._edges.close)
            self._lamp = self._output(table.lamp_pin, chips, held)
            held.callback(self._lamp.drive, False)
            self._feedback = Feedback(
                self._optional(table.buzzer_pin, chips, held),
                self._optional(table.status_led_pin, chips, held),
                table.unlock_ms,
            )
            held.callback(self._feedback.close)
            self._lights = self._lights_of(table, chips, held)
            held.callback(self._lights.close)
            self._contacts = [self._input(contact, chips, held) for contact in contacts_of(table)]
            self._held = held.pop_all()
        self._first_look_due = True

    def fileno(self) -> int:
        """Readable after any edge."""
        return self._edges.fileno()

    def events(self, now_s: float) -> list[Event]:
        """What the contacts did, edge by edge."""
        self._feedback.refresh(now_s)
        self._first_look_due = False
        try:
            return [event for contact in self._contacts for event in contact.news()]
        except Exception as cause:
            msg = f"a contact's line cannot be read: {cause}"
            raise BoltFault(msg) from cause

    def deadline(self) -> float | None:
        """When a beat begins or ends, and at once for the first look."""
        return _AT_ONCE_S if self._first_look_due else self._feedback.due_s()

    def lamp(self, *, on: bool) -> None:
        """Light or put out the lamp; wired to the sensor's power it is also the camera's switch."""
        try:
            self._lamp.drive(on)
        except Exception as cause:
            msg = f"the lamp's line cannot be driven: {cause}"
            raise BoltFault(msg) from cause

    def _output(self, pin: str, chips: Chips, held: ExitStack) -> Line:
        line = output(chips, pin, on=False)
        held.callback(line.give_back)
        return line

    def _optional(self, pin: str, chips: Chips, held: ExitStack) -> Drive | None:
        return self._output(pin, chips, held).drive if pin else None

    @staticmethod
    def _lights_of(table: LockTable, chips: Chips, held: ExitStack) -> LightLines:
        """All lines of one chip change in one call of the kernel."""
        if not table.lights:
            return LightLines(None)
        lines = outputs(chips, table.light_pins)
        held.callback(lines.give_back)
        return LightLines(lines.drive)

    def _input(self, contact: Contact, chips: Chips, held: ExitStack) -> _Watched:
        line = claim(chips, contact.pin, _INPUT)
        held.callback(line.give_back)
        self._edges.register(line.fileno(), select.EPOLLIN)
        return _Watched(line, contact)


class _Watched:
    """A contact and the level that was told last."""

    def __init__(self, line: Line, contact: Contact) -> None:
        self._line = line
        self._meaning = contact.meaning
        self._level = contact.first

    def news(self) -> list[Event]:
        events: list[Event] = []
        for level in self._line.levels():
            if level != self._level:
                self._level = level
                events += self._meaning(level)
        return events
