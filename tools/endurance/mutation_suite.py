"""Which tests stand for which sources, and how they are run.

Rules kept here:
- Everything of lock and of keeper but the two files that start them, which only whole processes run.
- Tests that change the source as text are left out: mutants are written from the syntax tree, where no text fits.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

_NOT_OF_BEHAVIOUR = "test_lives_find_a_lock_without"


@dataclass(frozen=True, slots=True)
class Suite:
    """All of `sources` but the files named `without`, and their `tests`. Paths from the root of the tree."""

    name: str
    sources: str
    tests: tuple[str, ...]
    without: tuple[str, ...] = ("__main__.py",)

    def files(self, tree: Path) -> list[Path]:
        """The sources in `tree`, in order."""
        return [path for path in sorted((tree / self.sources).rglob("*.py")) if path.name not in self.without]


_PARTS = ("bolt", "board", "keypad", "osdp", "cards")
SUITES = (
    Suite("lock", "device/lock", ("tests/unit/lock", *(f"tests/contract/{part}" for part in _PARTS))),
    Suite("keeper", "device/keeper", ("tests/unit/keeper",)),
)


def options() -> list[str]:
    """What pytest is told: no memory of earlier runs, no text about failures, nothing left in the usual places."""
    return [
        "-q",
        "--tb=no",
        "--assert=plain",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:xdist",
        "-k",
        f"not {_NOT_OF_BEHAVIOUR}",
    ]
