"""The first lines of a log: date, commit, machine, and a line for each source that decides its figures.

Rules kept here:
- No name of the machine, its user or its network.
- What is written here can be read here; a line that cannot is an error, never skipped.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from tools.benchmark import machine

_WORTH_KNOWING: Final = ("date", "commit", "machine", "kernel", "python")
_SOURCE: Final = "source: "
_CLEAN: Final = re.compile(r"[0-9a-f]{7,40}")


@dataclass(frozen=True, slots=True)
class Header:
    """What a log says of itself. `sources`: path and sha256 (package and version), or None where it names none."""

    date: str
    commit: str
    sources: Mapping[str, str] | None

    @property
    def clean_commit(self) -> str | None:
        """The commit, if the log names one and nothing beside it: uncommitted changes are no commit's."""
        return self.commit if _CLEAN.fullmatch(self.commit) else None


def lines(sources: Mapping[str, str]) -> list[str]:
    """The header of a run that begins now."""
    about = machine.described()
    return [
        *(f"{name}: {about[name]}" for name in _WORTH_KNOWING),
        *(f"{_SOURCE}{value} {path}" for path, value in sources.items()),
    ]


def read(text: str) -> Header:
    """The header of a text log. Raises ValueError where it has no date or commit, or a source line without a sum."""
    named: dict[str, str] = {}
    sources: dict[str, str] = {}
    for line in text.splitlines():
        key, parted, value = line.partition(": ")
        if not line or (not parted and not line.startswith(" ")):
            break
        if line.startswith(_SOURCE):
            number, _, path = value.partition(" ")
            if not number or not path:
                msg = f"this line names no source: {line}"
                raise ValueError(msg)
            sources[path] = number
        elif not line.startswith(" "):
            named.setdefault(key, value)
    if "date" not in named or "commit" not in named:
        msg = "it says no date and no commit in its first lines"
        raise ValueError(msg)
    return Header(named["date"], named["commit"], sources or None)
