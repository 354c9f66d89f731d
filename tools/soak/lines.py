"""Every line that anybody wrote during the day is explained, or it is a finding. Pure but for `Tails`.

Rules kept here:
- A line is explained by a pattern that fits the whole of it, and only while something that leads to it is going on or
  was a moment ago (`Cause`). Everything else is unexplained, however harmless it reads.
- No pattern has room for a digit row that somebody typed; and besides, each line is searched for everything secret of
  this day (PINs, codes, invitations, numbers of cards, names, flats as a word of their own).
- A room's half line is looked at once it is whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum, unique
from pathlib import Path
from typing import Final


@unique
class Cause(StrEnum):
    """What leads to a line."""

    START = "the door starts"
    KILL = "a room was killed"
    BROKER = "the broker was in trouble"
    COPY = "a copy of a card was used"
    BUSY = "other work wanted more processors than the machine has"
    ALWAYS = "nothing special"


@dataclass(frozen=True, slots=True)
class Explained:
    """Lines of `who` (a room, "daemon" or "broker") that `pattern` fits, and why they are written."""

    who: str
    pattern: re.Pattern[str]
    causes: frozenset[Cause]
    why: str


@dataclass(frozen=True, slots=True)
class Line:
    """One line of `who`, and what went on when it was read."""

    who: str
    text: str
    going_on: frozenset[Cause]


MEMORY_S: Final = 120.0
"""So long after something ended its lines are still explained: report waits up to a minute between tries to connect."""


@dataclass(slots=True)
class Causes:
    """What goes on, and what went on a moment ago. Times are seconds of one clock, handed in."""

    _last_s: dict[Cause, float] = field(default_factory=dict)
    _lasting: set[Cause] = field(default_factory=set)

    def happened(self, cause: Cause, now_s: float) -> None:
        """Something that is over at once."""
        self._last_s[cause] = now_s

    def begins(self, cause: Cause) -> None:
        """Something that lasts until `ends`."""
        self._lasting.add(cause)

    def ends(self, cause: Cause, now_s: float) -> None:
        """It is over."""
        self._lasting.discard(cause)
        self._last_s[cause] = now_s

    def now(self, now_s: float) -> frozenset[Cause]:
        """What may explain a line now."""
        recent = {cause for cause, last_s in self._last_s.items() if now_s - last_s <= MEMORY_S}
        return frozenset(recent | self._lasting | {Cause.ALWAYS})


@dataclass(slots=True)
class Secrets:
    """What no line may hold: `anywhere` in it, or as one of `words`."""

    anywhere: set[str] = field(default_factory=set, repr=False)
    words: set[str] = field(default_factory=set, repr=False)

    def found_in(self, text: str) -> bool:
        """Whether one of them stands there."""
        low = text.lower()
        return any(each.lower() in low for each in self.anywhere) or not self.words.isdisjoint(
            re.findall(r"[0-9a-z]+", low)
        )


@dataclass(slots=True)
class Journal:
    """All lines of the day, judged. `counts`: how many each explanation took."""

    explanations: tuple[Explained, ...]
    secrets: Secrets
    unexplained: list[Line] = field(default_factory=list)
    leaking: list[str] = field(default_factory=list)  # who wrote a line with a secret, never the line
    counts: dict[Explained, int] = field(default_factory=dict)
    lines: int = 0

    def read(self, line: Line) -> None:
        """Judge one line."""
        self.lines += 1
        if self.secrets.found_in(line.text):
            self.leaking.append(line.who)
            return
        for each in self.explanations:
            if each.who == line.who and each.causes & line.going_on and each.pattern.fullmatch(line.text):
                self.counts[each] = self.counts.get(each, 0) + 1
                return
        self.unexplained.append(line)


_STAMP: Final = re.compile(r"[0-9]{9,11}: ")  # Mosquitto begins its lines with the time


@dataclass(slots=True)
class Tails:
    """What was written into files since they were looked at last."""

    _at: dict[Path, int] = field(default_factory=dict)

    def news(self, logs: Mapping[str, Path], going_on: frozenset[Cause]) -> Iterable[Line]:
        """The whole lines that are new, empty ones left out."""
        for who, path in logs.items():
            if not path.exists():
                continue
            at = self._at.get(path, 0)
            with path.open("rb") as file:
                file.seek(at)
                fresh = file.read()
            whole = fresh[: fresh.rfind(b"\n") + 1]
            self._at[path] = at + len(whole)
            for text in whole.decode("utf-8", "replace").splitlines():
                if text.strip():
                    yield Line(who, _STAMP.sub("", text, count=1) if who == "broker" else text, going_on)
