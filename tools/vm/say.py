"""What the tools of the machine tell a person, and the one error they end with.

Rules kept here:
- A step that takes seconds says what it does before it begins and how long it took afterwards.
- What went wrong is one sentence; the log with everything a program said is named, not printed.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager


class VmFault(RuntimeError):
    """The machine could not be built, booted or asked; its text is one sentence for a person."""


@contextmanager
def step(what: str) -> Iterator[None]:
    """Say `what` is being done, and how many seconds it took."""
    sys.stderr.write(f"vm: {what} ...\n")
    began_s = time.monotonic()
    yield
    sys.stderr.write(f"vm: {what}: {time.monotonic() - began_s:.0f} s\n")
