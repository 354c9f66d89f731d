"""How a command's answer reaches whoever typed it: what `doorctl`, `doorward` and `guestcodes` have in common.

Rules kept here:
- 1 refused, with the reason in one sentence; 130 interrupted, as shells report it. A question that the end of the input
  left open is refused: nobody wished to stop.
- A terminal that lacks a script shows escapes instead of failing: notices and doors' names are in more than one.
- What somebody else may have named, a file say, moves no cursor, sets no title and turns no line around: of a refusal
  only what can be printed is printed, and the rest as escapes.
- An answer that cannot be written, to a full disk say, is one sentence and exit code 1. What fails within a command has
  its own sentence there.
- Each says which version it is (`--version`) and, below its help, what its exit codes mean (`EXIT_CODES`).
"""

from __future__ import annotations

import errno
import io
import json
import os
import re
import sys
from collections.abc import Callable
from typing import Final, TypeVar

import click

from device.version import software_version

EXIT_REFUSED: Final = 1
EXIT_INTERRUPTED: Final = 130  # 128 + SIGINT
EXIT_CODES: Final = (
    "Exit codes: 0 done; 1 refused, or found something wrong, and says why; 2 the command was not understood; "
    "130 stopped by Ctrl-C."
)
_SPACES: Final = frozenset("\n\u00a0\u3000")  # which Python does not call printable
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EIO})
_OF_A_FILE: Final = re.compile(r"\S+ cannot be (?:read|written)\b")
_Command = TypeVar("_Command", bound=Callable[..., object])


def says_version(command: _Command) -> _Command:
    """Give a click command the option --version: one line, its name and the version."""

    def say(context: click.Context, _option: click.Parameter, asked: bool) -> None:  # noqa: FBT001 - click's value
        if asked and not context.resilient_parsing:
            click.echo(f"{context.find_root().info_name} {software_version()}")
            context.exit()

    words = "Say which version this is, and end."
    return click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=say, help=words)(command)


def answer(command: Callable[..., object], name: str) -> None:
    """Run the click command `command` under `name`; exits. Raises OSError that is no matter of a full disk."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        command(prog_name=name)
    except OSError as cause:
        if cause.errno not in _FULL:
            raise
        sys.stderr.write(f"The answer could not be written: {cause.strerror}. What was asked for may have been done.\n")
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python would try once more, and complain
        sys.exit(1)


def plain(text: str) -> str:
    """`text` with escapes for what is no letter, mark, sign or space: control characters, and those of direction."""
    return "".join(
        each if each.isprintable() or each in _SPACES else each.encode("unicode_escape").decode() for each in text
    )


def sentence(text: str) -> str:
    """The message of a refusal or a fault, as it is said to a person: `plain`, with a capital letter and a stop."""
    text = plain(text)
    # A file's name stays as it is, whether or not it looks like one.
    named = {".", "/", "_"} & set(text.split(" ", 1)[0]) or _OF_A_FILE.match(text)
    return (text[:1] if named else text[:1].upper()) + text[1:] + ("" if text.endswith((".", "!", "?", ".)")) else ".")


def refuse(said: str, code: int, *, as_json: bool) -> None:
    """End the command with `code` and the sentence `said`: for a program one object on stdout, or on stderr."""
    if as_json:
        click.echo(json.dumps({"ok": False, "reason": said}))
    else:
        click.echo(said, err=True)
    click.get_current_context().exit(code)


def unanswered(stop: BaseException) -> bool:
    """Whether the input ended at a question. click makes Abort of that and of Ctrl-C, the person's wish, alike."""
    return isinstance(stop.__context__, EOFError)
