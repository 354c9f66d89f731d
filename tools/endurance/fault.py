"""What a missing guard is: edits to lock's sources, and how many lives may pass until they are found.

Rules kept here:
- A fault is one a person could make: a condition that is missing, turned round, or too generous.
- Where two guards stand behind each other, a fault takes out both, and says so.
- `within` is ten times what was measured, and never below a hundred, so that a change of the lives does not make a test
  fail that found its fault by luck.
"""

from __future__ import annotations

from dataclasses import dataclass

from tools.endurance.locks import Edit


@dataclass(frozen=True, slots=True)
class Fault:
    """A guard that is missing; `within` how many lives random ones must find it."""

    name: str
    edits: tuple[Edit, ...]
    within: int


def fault(name: str, within: int, *edits: tuple[str, str, str]) -> Fault:
    """A fault of `edits`: module of lock, what stands there, and what stands there instead."""
    return Fault(name, tuple(Edit(*edit) for edit in edits), within)
