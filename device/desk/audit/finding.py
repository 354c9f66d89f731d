"""One thing that was looked at, and how it was found."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, unique


@unique
class State(Enum):
    """How it was found. SKIPPED: it could not be looked at, which is no fault of the door's."""

    OK = "ok"
    FAILED = "FAILED"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Finding:
    """`sentence` says what was found, for a person."""

    name: str
    state: State
    sentence: str

    @property
    def line(self) -> str:
        """One line of a report."""
        return f"{self.state.value:<9}{self.name:<16}{self.sentence}"


def ok(name: str, sentence: str) -> Finding:
    """As it should be."""
    return Finding(name, State.OK, sentence)


def failed(name: str, sentence: str) -> Finding:
    """Not as it should be."""
    return Finding(name, State.FAILED, sentence)


def skipped(name: str, sentence: str) -> Finding:
    """Not looked at; `sentence` says why."""
    return Finding(name, State.SKIPPED, sentence)
