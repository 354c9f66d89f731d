"""Counts of a run as rates with their intervals, in the words of ISO/IEC 30107-3.

Rules kept here:
- APCER: of attacks of one instrument, those that pass as bona fide. Never pooled: an average hides the best attack.
- BPCER: of people, those called an attack. "Inconclusive" is counted apart, for people and for attacks: at the door it
  is PIN or card for both.
- Each rate comes with a two-sided interval of 95 % after Clopper and Pearson.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from device.wire import Attack
from tools.attack_lab.attempt import Attempt
from tools.evaluate.intervals import upper_bound

_SIDE = 0.975


@dataclass(frozen=True, slots=True)
class Rate:
    """`count` of `trials`."""

    count: int
    trials: int

    @property
    def low(self) -> float:
        """The lower end of the interval."""
        return 1 - upper_bound(self.trials - self.count, self.trials, _SIDE)

    @property
    def high(self) -> float:
        """The upper end."""
        return upper_bound(self.count, self.trials, _SIDE)

    def __str__(self) -> str:
        return f"{self.count}/{self.trials} {self.count / self.trials:.1%} ({self.low:.1%} to {self.high:.1%})"

    def plain(self) -> dict[str, float]:
        """For a JSON object."""
        return {"count": self.count, "trials": self.trials, "low": round(self.low, 5), "high": round(self.high, 5)}


@dataclass(frozen=True, slots=True)
class Tally:
    """What became of the attempts of one kind: how many verdicts of each, and what decided."""

    name: str
    verdicts: Counter[Attack] = field(default_factory=Counter)
    why: Counter[str] = field(default_factory=Counter)

    @classmethod
    def of(cls, name: str, attempts: Iterable[Attempt]) -> Tally:
        """Counted."""
        each = list(attempts)
        return cls(name, Counter(one.attack for one in each), Counter(one.why for one in each))

    @property
    def trials(self) -> int:
        """How many there were."""
        return self.verdicts.total()

    def rate(self, verdict: Attack) -> Rate:
        """The share that got `verdict`."""
        return Rate(self.verdicts[verdict], self.trials)

    def plain(self) -> dict[str, Any]:
        """For a JSON object."""
        named = {"passed": Attack.BONA_FIDE, "called_attack": Attack.PRESENTATION, "inconclusive": Attack.INCONCLUSIVE}
        rates = {word: self.rate(verdict).plain() for word, verdict in named.items()}
        return {"name": self.name, **rates, "why": dict(self.why.most_common())}


def table(tallies: Iterable[Tally]) -> str:
    """The table of a report, a line for each."""
    lines = [
        "| rendered | passes as a person | called an attack | inconclusive | decided by |",
        "|---|---|---|---|---|",
    ]
    for tally in tallies:
        verdicts = (Attack.BONA_FIDE, Attack.PRESENTATION, Attack.INCONCLUSIVE)
        why = ", ".join(f"{word.lower()} {count}" for word, count in tally.why.most_common(3))
        lines.append(f"| {tally.name} | {' | '.join(str(tally.rate(verdict)) for verdict in verdicts)} | {why} |")
    return "\n".join(lines)
