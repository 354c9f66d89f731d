"""What libosdp says about a reader, and what of it counts: its own words, handed over one at a time."""

from __future__ import annotations

from typing import Any

import osdp
import pytest

from device.lock.osdp_panel import DEFAULT_KEY, Done, Heard, Offline, Panel, Trouble, _status

ADDRESS = 5
SAYS = osdp.EventNotification
REPORTS = osdp.StatusReportType


class Silence:
    """A line on which nobody answers."""

    id = 0

    def read(self, _max_bytes: int) -> bytes:
        return b""

    def write(self, content: bytes) -> int:
        return len(content)

    def flush(self) -> None:
        """Nothing is kept."""


class Listening:
    """A panel, and what it made of what libosdp said."""

    def __init__(self) -> None:
        self.heard: list[Heard] = []
        self.panel = Panel(Silence(), ADDRESS, DEFAULT_KEY[::-1], self.heard.append)

    def says(self, **told: Any) -> list[Heard]:
        self.heard.clear()
        self.panel._happened(0, told)
        assert told == {}, "what the library never frees holds nothing"
        return list(self.heard)

    def notifies(self, kind: int, first: int, second: int = 0) -> list[Heard]:
        return self.says(event=osdp.Event.Notification, type=kind, arg0=first, arg1=second)


def test_a_reader_is_given_up_when_libosdp_says_so_of_the_reader_and_of_nothing_else() -> None:
    listening = Listening()
    assert listening.notifies(SAYS.PeripheralDeviceStatus, 0) == [Offline()]
    assert listening.notifies(SAYS.PeripheralDeviceStatus, 1) == []
    assert listening.notifies(SAYS.SecureChannelStatus, 0) == []
    assert listening.notifies(SAYS.SecureChannelStatus, 1) == []


@pytest.mark.parametrize(("result", "well"), [(0, False), (1, True)])
def test_the_end_of_a_command_is_told_as_libosdp_tells_it(result: int, well: bool) -> None:
    listening = Listening()
    assert listening.notifies(SAYS.Command, osdp.Command.Status, result) == [Done(osdp.Command.Status, well)]


def test_a_reader_that_was_left_alone_by_us_is_not_given_up_and_its_commands_still_end() -> None:
    listening = Listening()
    listening.panel.pause()
    assert listening.notifies(SAYS.PeripheralDeviceStatus, 0) == []
    assert listening.notifies(SAYS.Command, osdp.Command.LED, 1) == [Done(osdp.Command.LED, well=True)]


@pytest.mark.parametrize("kind", [REPORTS.Local, REPORTS.Remote])
@pytest.mark.parametrize(("report", "on"), [(b"\0\0", False), (b"\1\0", True), (b"\0\1", True), (b"", False)])
def test_a_status_is_the_readers_own_or_that_of_what_hangs_on_it(kind: int, report: bytes, on: bool) -> None:
    assert _status(kind, report) == Trouble(own=kind == REPORTS.Local, on=on)


@pytest.mark.parametrize("kind", [REPORTS.Input, REPORTS.Output])
def test_contacts_and_outputs_of_a_reader_are_no_housing(kind: int) -> None:
    """Else somebody who closes a contact of the reader's would raise, or end, an alarm of the door."""
    assert _status(kind, b"\1\0") is None


def test_nothing_of_a_reader_counts_before_the_channel_stands() -> None:
    listening = Listening()
    assert listening.says(event=osdp.Event.Status, type=REPORTS.Local, report=b"\1\0") == []
    assert listening.says(event=osdp.Event.KeyPress, data=b"1") == []
    assert listening.says(event=osdp.Event.CardRead) == []
