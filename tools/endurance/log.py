"""The log of a long run: what ran on what, how long, and what came of it.

Rules kept here:
- A line is written when its part has ended, never before: a log holds what ran.
- No name of the machine, its user or its network.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path

from tools.benchmark import machine

_WORTH_KNOWING = ("date", "commit", "machine", "kernel", "python", "pynacl")


class Log:
    """Lines to the terminal, and to the file `path` if there is one."""

    def __init__(self, path: Path | None, sources: Iterable[Path]) -> None:
        self._path = path
        about = machine.described()
        for name in _WORTH_KNOWING:
            self.line(f"{name}: {about[name]}")
        self.line(f"sha256 over the sources tried: {digest(sources)}")

    def line(self, text: str) -> None:
        """One line, at once."""
        print(text, flush=True)
        if self._path:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(text + "\n")


def digest(sources: Iterable[Path]) -> str:
    """What tells one state of `sources` from another, also between two commits."""
    whole = sha256()
    for path in sorted(sources):
        whole.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return whole.hexdigest()
