"""`doorctl`: the door's command line.

Rules kept here:
- What is not built yet is not listed.
- An answer that cannot be written (a full disk) is one sentence, like everything that goes wrong.
- A command's code is loaded when somebody asks for that command, or for the list: on a small board loading all of it
  takes longer than most commands do.
"""

from __future__ import annotations

import errno
import importlib
import io
import os
import sys
from collections.abc import Iterator, Mapping, MutableMapping
from typing import Final, cast

import click

# Name -> the module that has it, below device.desk, and what it is called there.
COMMANDS: Final = {
    "apply": ("upkeep.cli", "apply"),
    "audit": ("audit.cli", "audit"),
    "consent": ("papers.cli", "consent"),
    "decommission": ("ending.cli_clear", "decommission"),
    "enrol": ("cli_acts", "enrol"),
    "erase": ("cli_acts", "erase"),
    "export-identity": ("upkeep.cli", "export_identity"),
    "join": ("joining.cli", "join"),
    "page": ("page.cli", "page"),
    "pause": ("cli_acts", "pause"),
    "receipt": ("papers.cli", "receipt"),
    "rekey": ("upkeep.cli", "rekey"),
    "renew": ("cli_acts", "renew"),
    "resume": ("cli_acts", "resume"),
    "retire": ("ending.cli", "retire"),
    "secure-bolt": ("upkeep.cli", "secure_bolt"),
    "selftest": ("upkeep.cli", "selftest"),
    "setup": ("setup.cli", "setup"),
    "status": ("upkeep.cli", "status"),
    "try-attacks": ("trying.cli", "try_attacks"),
    "upgrade": ("upkeep.cli_upgrade", "upgrade"),
}

_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EIO})


class WhenAsked(Mapping[str, click.Command]):
    """The commands by name, each loaded when it is asked for."""

    def __getitem__(self, name: str) -> click.Command:
        """The command of that name. Raises KeyError."""
        module, called = COMMANDS[name]
        found: click.Command = getattr(importlib.import_module(f"device.desk.{module}"), called)
        return found

    def __iter__(self) -> Iterator[str]:
        """Their names, which load nothing."""
        return iter(COMMANDS)

    def __len__(self) -> int:
        """How many there are."""
        return len(COMMANDS)


@click.group(
    # click asks for a mapping that it could add to, and does not.
    commands=cast("MutableMapping[str, click.Command]", WhenAsked()),
    context_settings={"help_option_names": ["-h", "--help"]},
)
def cli() -> None:
    """Ask this door something, or let it do something for you.

    \b
    Example: doorctl status
    """


def main() -> None:
    """Run doorctl; exits."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # The notice is in two scripts; a terminal that lacks one shows escapes instead of failing.
            stream.reconfigure(errors="backslashreplace")
    try:
        cli(prog_name="doorctl")
    except OSError as cause:
        if cause.errno not in _FULL:
            raise
        # What fails in a command has its sentence there: this is the answer itself.
        sys.stderr.write(f"The answer could not be written: {cause.strerror}. What was asked for may have been done.\n")
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python would try once more, and complain
        sys.exit(1)


if __name__ == "__main__":
    main()
