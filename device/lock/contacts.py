"""What the contacts of a door mean, the same on every board with lines of its own.

Rules kept here:
- Buttons and contacts close to ground. A button is news when it goes down; a contact at every change.
- A button that is down at the start was not pressed; a contact's first level is news.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from device.config.tables import LockTable
from device.lock.state import DoorMoved, Event, ExitRequested, FaceButton, TamperMoved

Meaning = Callable[[bool], list[Event]]


@dataclass(frozen=True, slots=True)
class Contact:
    """One input: its line, the level (closed or not) taken for known at the start, and what a new level means."""

    pin: str
    first: bool | None
    meaning: Meaning


def contacts_of(table: LockTable) -> tuple[Contact, ...]:
    """The inputs of the door in `table`."""
    return (
        Contact(table.face_button_pin, True, _on_press(FaceButton())),
        Contact(table.rex_pin, True, _on_press(ExitRequested())),
        Contact(table.door_switch_pin, None, _on_change(DoorMoved(open=False), DoorMoved(open=True))),
        Contact(table.tamper_pin, None, _on_change(TamperMoved(on=False), TamperMoved(on=True))),
    )


def _on_press(event: Event) -> Meaning:
    return lambda closed: [event] if closed else []


def _on_change(closed: Event, opened: Event) -> Meaning:
    return lambda is_closed: [closed if is_closed else opened]
