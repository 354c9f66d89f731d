"""`doorctl`: the door's command line.

Rules kept here:
- What is not built yet is not listed.
- An answer that cannot be written (a full disk) is one sentence, like everything that goes wrong.
- A command's code is loaded when somebody asks for that command, or for the list: on a small board loading all of it
  takes longer than most commands do.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping, MutableMapping
from typing import Final, cast

import click

from device import terminal

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
    epilog=terminal.EXIT_CODES,
)
@terminal.says_version
def cli() -> None:
    """Ask this door something, or let it do something for you.

    Each command has --help, with an example, and --json.

    \b
    Example: doorctl status
    """


def main() -> None:
    """Run doorctl; exits."""
    terminal.answer(cli, "doorctl")


if __name__ == "__main__":
    main()
