"""Machines for tests: booted once for a module, with the door's package in them and nothing set up yet."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.support.room_process import short_root
from tools.vm.__main__ import built_image
from tools.vm.machine import Machine
from tools.vm.say import VmFault


@contextmanager
def booted(*, broker_port: int = 0, tpm: Path | None = None) -> Iterator[Machine]:
    """A machine of today's checkout, ready for commands; gone with the block. A failing test is told its console."""
    try:
        image = built_image(door=True)
    except VmFault as fault:
        pytest.fail(str(fault), pytrace=False)
    with short_root() as folder:
        machine = Machine(image, folder, broker_port=broker_port, tpm=tpm)
        try:
            with machine:
                yield machine
        except BaseException as error:
            error.add_note(machine.console[-3000:])
            raise


def journal(machine: Machine, *units: str) -> str:
    """What these units, or all of them, wrote since the boot."""
    chosen = " ".join(f"-u {unit}" for unit in units)
    with suppress(VmFault):
        return machine.agent.ask(f"journalctl -b --no-pager -o short-monotonic {chosen}")
    return machine.console


def told(measured: str) -> None:
    """Write down what was measured; `make test-system` shows it beside the test."""
    sys.stdout.write(f"{measured}\n")
