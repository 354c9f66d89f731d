"""How a command's answer reaches whoever typed it: `doorctl` and `doorward` end by `answer`.

Rules kept here:
- A terminal that lacks a script shows escapes instead of failing: notices and doors' names are in more than one.
- What somebody else may have named, a file say, moves no cursor, sets no title and turns no line around: of a refusal
  only what can be printed is printed, and the rest as escapes.
- An answer that cannot be written, to a full disk say, is one sentence and exit code 1. What fails within a command has
  its own sentence there.
"""

from __future__ import annotations

import errno
import io
import os
import sys
from collections.abc import Callable
from typing import Final

_SPACES: Final = frozenset("\n\u00a0\u3000")  # which Python does not call printable
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EIO})


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
