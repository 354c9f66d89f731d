"""Machines for tests: booted once for a module, with the door's package in them and nothing set up yet."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.support.room_process import short_root
from tools.vm.__main__ import built_image
from tools.vm.machine import Frozen, Machine
from tools.vm.say import VmFault

RUNNING: list[Machine] = []
"""The machines that run now: a failing test is told what they said."""
_LAST_WORDS_S = 60.0  # for a machine that may answer nothing any more
_JOURNAL_BYTES, _CONSOLE_BYTES = 12_000, 4_000


@contextmanager
def booted(
    *,
    broker_port: int = 0,
    tpm: Path | None = None,
    counted: bool = True,
    page_port: int = 0,
    begins: Frozen | None = None,
) -> Iterator[Machine]:
    """A machine of today's checkout, ready for commands; gone with the block. A failing test is told its console.

    `counted`: its clock stands still while this computer is busy elsewhere, so that nothing in the machine is late.
    `begins`: where it begins instead of at power-on.
    """
    try:
        image = built_image(door=True)
    except VmFault as fault:
        pytest.fail(str(fault), pytrace=False)
    with short_root() as folder:
        machine = Machine(
            image, folder, broker_port=broker_port, page_port=page_port, tpm=tpm, counted=counted, begins=begins
        )
        try:
            with machine:
                RUNNING.append(machine)
                try:
                    yield machine
                except BaseException as error:  # while it was set up: pytest tells a test's own failure otherwise
                    error.add_note(journal(machine)[-_JOURNAL_BYTES:])
                    raise
                finally:
                    RUNNING.remove(machine)
        except BaseException as error:
            error.add_note(machine.console[-_CONSOLE_BYTES:])
            raise


def journal(machine: Machine, *units: str) -> str:
    """What these units, or all of them, wrote since the boot."""
    chosen = " ".join(f"-u {unit}" for unit in units)
    with suppress(VmFault):
        return machine.agent.ask(f"journalctl -b --no-pager -o short-monotonic {chosen}")
    return machine.console


def last_words(machine: Machine) -> dict[str, str]:
    """What a machine said to the end, by where it said it: its journal as far as it still answers, and its console."""
    try:
        said = machine.agent.ask("journalctl -b --no-pager -o short-monotonic -n 150", limit_s=_LAST_WORDS_S)
    except VmFault as fault:
        said = f"(its journal cannot be asked: {fault})"
    return {"journal": said[-_JOURNAL_BYTES:], "console": machine.console[-_CONSOLE_BYTES:]}


def told(measured: str) -> None:
    """Write down what was measured; `make test-system` shows it beside the test."""
    sys.stdout.write(f"{measured}\n")
