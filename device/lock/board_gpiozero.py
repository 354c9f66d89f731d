"""The board of a Raspberry Pi through gpiozero: bolt, lamp, buttons and contacts on GPIO lines.

Rules kept here:
- The pin factory is handed in, never guessed: gpiozero falls back to other drivers with only a warning.
- The bolt's line is claimed as an output with its secured level in one step. Stock LGPIOPin claims low and writes
  afterwards, which would pull an active-low relay for a moment (gpiozero #1177); `lgpio_factory` closes that gap.
- The release ends by a timer of its own thread (`timed_bolt`). It guards against a stuck loop; against a killed process
  guard the relay's one-shot and `dtparam=strict_gpiod` in config.txt, because a Raspberry Pi keeps a line's last level.
- gpiozero's threads only wake the loop; levels are read and debounced there.
- Whatever a pin driver raises is a BoltFault: each brings errors of its own, and `lgpio.error` is a bare Exception.

Never run on a board yet; the contract suite runs it over gpiozero's MockFactory with a recording pin.
"""

from __future__ import annotations

import os
from contextlib import ExitStack, suppress
from typing import Any

from gpiozero import DigitalInputDevice, OutputDevice
from gpiozero.pins import Factory

from device.config.tables import LockTable
from device.errors import BoltFault
from device.lock.board import Settled
from device.lock.board_lines import BoardLines
from device.lock.bolt import Wiring, coil_energised
from device.lock.contacts import contacts_of
from device.lock.feedback import Drive, Feedback
from device.lock.light_lines import LightLines
from device.lock.state import Event
from device.lock.timed_bolt import MakeTimer, TimedBolt, thread_timer


class GpiozeroBolt(TimedBolt):
    """A strike on one GPIO line. Raises BoltFault if the line is taken or missing."""

    def __init__(
        self, pin: str, *, active_high: bool, wiring: Wiring, factory: Factory, make_timer: MakeTimer = thread_timer
    ) -> None:
        super().__init__(wiring, make_timer)
        try:
            self._line = OutputDevice(
                pin,
                active_high=active_high,
                initial_value=coil_energised(wiring, released=False),
                pin_factory=factory,
            )
        except Exception as cause:
            msg = f"the bolt's line {pin} cannot be claimed: {cause}"
            raise BoltFault(msg) from cause

    def _energise(self, on: bool) -> None:  # noqa: FBT001 - a level
        (self._line.on if on else self._line.off)()

    def _owned(self) -> bool:
        return not self._line.closed

    def _give_back(self) -> None:
        self._line.close()


class GpiozeroBoard(BoardLines):
    """All lines of one door. Buttons pull to ground; the door switch closes to ground when the door is closed."""

    def __init__(self, table: LockTable, factory: Factory, make_timer: MakeTimer = thread_timer) -> None:
        with ExitStack() as held:  # what is held is given back, in reverse order: at `close`, or if a line is missing
            self._wake_read, self._wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
            held.callback(os.close, self._wake_read)
            held.callback(os.close, self._wake_write)
            self.bolt = GpiozeroBolt(
                table.bolt_pin,
                active_high=table.bolt_active_high,
                wiring=Wiring(table.wiring),
                factory=factory,
                make_timer=make_timer,
            )
            held.callback(self.bolt.close)
            try:
                self._lamp = OutputDevice(table.lamp_pin, initial_value=False, pin_factory=factory)
                held.callback(self._lamp.close)
                held.callback(self._lamp.off)
                self._feedback = Feedback(
                    self._optional(table.buzzer_pin, factory, held),
                    self._optional(table.status_led_pin, factory, held),
                    table.unlock_ms,
                )
                held.callback(self._feedback.close)
                self._lights = self._lights_of(table, factory, held)
                held.callback(self._lights.close)
                self._contacts = tuple(
                    (self._contact(contact.pin, factory, held), Settled(level=contact.first), contact.meaning)
                    for contact in contacts_of(table)
                )
            except Exception as cause:
                msg = f"a line of the board cannot be claimed: {cause}"
                raise BoltFault(msg) from cause
            self._held = held.pop_all()
        self._wake()  # the first look at every contact

    def fileno(self) -> int:
        """Readable after any edge."""
        return self._wake_read

    def events(self, now_s: float) -> list[Event]:
        """Contacts that settled on a new level."""
        with suppress(BlockingIOError):
            os.read(self._wake_read, 4096)
        self._feedback.refresh(now_s)
        happened: list[Event] = []
        for contact, settled, meaning in self._contacts:
            settled.seen(_closed(contact), now_s)
            level = settled.settle(now_s)
            if level is not None:
                happened += meaning(level)
        return happened

    def deadline(self) -> float | None:
        """When the next contact may settle, or a beat begins or ends."""
        ends = [self._feedback.due_s(), *(settled.due_s for _, settled, _ in self._contacts)]
        return min((end for end in ends if end is not None), default=None)

    def lamp(self, *, on: bool) -> None:
        """Light or put out the lamp; wired to the sensor's power it is also the camera's switch."""
        try:
            self._lamp.value = on
        except Exception as cause:
            msg = f"the lamp's line cannot be driven: {cause}"
            raise BoltFault(msg) from cause

    @staticmethod
    def _optional(pin: str, factory: Factory, held: ExitStack) -> Drive | None:
        if not pin:
            return None
        line = OutputDevice(pin, initial_value=False, pin_factory=factory)
        held.callback(line.close)
        return lambda on: (line.on if on else line.off)()

    @staticmethod
    def _lights_of(table: LockTable, factory: Factory, held: ExitStack) -> LightLines:
        """They change in four calls, one right after the other."""
        if not table.lights:
            return LightLines(None)
        lines: list[OutputDevice] = []
        for pin in table.light_pins:
            lines.append(OutputDevice(pin, initial_value=False, pin_factory=factory))
            held.callback(lines[-1].close)

        def drive(levels: tuple[bool, ...]) -> None:
            for line, on in zip(lines, levels, strict=True):
                (line.on if on else line.off)()

        return LightLines(drive)

    def _contact(self, pin: str, factory: Factory, held: ExitStack) -> DigitalInputDevice:
        # No Button: each has a thread of its own for held keys, which wakes ten times a second while nobody is there.
        contact = DigitalInputDevice(pin, pull_up=True, pin_factory=factory)
        held.callback(contact.close)
        contact.when_activated = contact.when_deactivated = self._wake
        return contact

    def _wake(self) -> None:
        # A full pipe: the loop is awake already. A closed one: nobody is there to wake.
        with suppress(OSError):
            os.write(self._wake_write, b"\0")


def _closed(contact: DigitalInputDevice) -> bool:
    try:
        return bool(contact.is_active)
    except Exception as cause:
        msg = f"a contact's line cannot be read: {cause}"
        raise BoltFault(msg) from cause


def lgpio_factory(chip: int) -> Factory:
    """Gpiozero's lgpio factory for `chip`, claiming outputs with their first level in one call."""
    # Imported here: lgpio opens a FIFO in its working directory at import (LG_WD names a private one in the unit).
    import lgpio
    from gpiozero.pins.lgpio import LGPIOFactory, LGPIOPin

    class OneStepPin(LGPIOPin):  # type: ignore[misc] # gpiozero has no types
        def output_with_state(self, state: Any) -> None:
            lgpio.gpio_claim_output(self.factory._handle, self._number, int(bool(state)))  # noqa: SLF001 - its own attributes

    factory = LGPIOFactory(chip=chip)
    factory.pin_class = OneStepPin
    return factory
