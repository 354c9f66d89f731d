"""Counts of a run as rates with their intervals, in the words of ISO/IEC 30107-3.

Rules kept here:
- APCER: of attacks of one instrument, those that pass as bona fide. Never pooled: an average hides the best attack.
- BPCER: of people, those that do not. That is counted strictly: a door in doubt ("inconclusive") refuses like one that
  calls somebody an attack. Which of the two it was stands beside it; ISO/IEC 30107-3 has non-response rates for doubt.
- A door asks for a challenge when a good face has stood still before it. A window without a frame in which eye saw one
  alone (two people in a photograph, one who looks away) is nobody's attempt, and how many there were is said.
- *Attempt*: the first approach of each window, so that attempts are independent. *Transaction*: the window of a door
  that wants the PIN besides, which has three approaches. A person is refused if all of them are, an instrument passes
  if any does. An attempt that is called an attack ends it, as at the door; what a record made before that rule holds
  after it is not counted.
- *Twice*: the window of a door where a face alone opens, which has five approaches and takes two that pass. It is
  counted of windows that were rendered until two did, and of no others.
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
_MOST = 3
_MOST_TWICE = 5  # device.lock.state.Rules.approaches_twice


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
    """What became of the windows of one kind: the verdicts of first attempts, and what decided.

    `passed`: how many passed at which approach (1 is the first). `twice`: the windows in which two of five passed; None
    where windows were not rendered so far. `halves`: attempts that passed, of those with even and
    of those with odd numbers, which are two halves of the people (`tools.attack_lab.faces`).
    `unseen`: windows left out.
    """

    name: str
    verdicts: Counter[Attack] = field(default_factory=Counter)
    why: Counter[str] = field(default_factory=Counter)
    passed: Counter[int] = field(default_factory=Counter)
    halves: tuple[Rate, Rate] = (Rate(0, 0), Rate(0, 0))
    unseen: int = 0
    twice: Rate | None = None

    @classmethod
    def of(cls, name: str, windows: Iterable[tuple[int, tuple[Attempt, ...]]], *, twice: bool = False) -> Tally:
        """Counted, of numbered windows: the attempts of each in order. `twice`: they were made until two passed."""
        kept = list(windows)
        whole = [attempts for _, attempts in kept if any(one.seen for one in attempts)]
        each = [(number, as_at_the_door(attempts[:_MOST])) for number, attempts in kept]
        each = [(number, attempts) for number, attempts in each if any(one.seen for one in attempts)]
        first = [(number, attempts[0]) for number, attempts in each]
        last = (len(attempts) for _, attempts in each if attempts[-1].attack is Attack.BONA_FIDE)
        halves = [[one.attack is Attack.BONA_FIDE for number, one in first if number % 2 == half] for half in (0, 1)]
        return cls(
            name,
            Counter(one.attack for _, one in first),
            Counter(one.why for _, one in first),
            Counter(last),
            (Rate(sum(halves[0]), len(halves[0])), Rate(sum(halves[1]), len(halves[1]))),
            len(kept) - len(each),
            Rate(sum(map(passed_twice, whole)), len(whole)) if twice and whole else None,
        )

    @property
    def trials(self) -> int:
        """How many windows there were, and first attempts."""
        return self.verdicts.total()

    @property
    def attempt(self) -> Rate:
        """First attempts that passed."""
        return self.rate(Attack.BONA_FIDE)

    @property
    def transaction(self) -> Rate:
        """Windows in which one passed."""
        return Rate(self.passed.total(), self.trials)

    def rate(self, verdict: Attack) -> Rate:
        """The share of first attempts that got `verdict`."""
        return Rate(self.verdicts[verdict], self.trials)

    def plain(self) -> dict[str, Any]:
        """For a JSON object."""
        named = {"passed": Attack.BONA_FIDE, "called_attack": Attack.PRESENTATION, "inconclusive": Attack.INCONCLUSIVE}
        rates = {word: self.rate(verdict).plain() for word, verdict in named.items()}
        later = {str(approach): count for approach, count in sorted(self.passed.items())}
        whole = {"transaction_passed": self.transaction.plain(), "passed_at_approach": later}
        if self.twice is not None:
            whole["twice_passed"] = self.twice.plain()
        return {"name": self.name, **rates, **whole, "unseen": self.unseen, "why": dict(self.why.most_common())}


def as_at_the_door(attempts: tuple[Attempt, ...]) -> tuple[Attempt, ...]:
    """Up to the first that is no doubt."""
    ends = (place for place, one in enumerate(attempts, 1) if one.attack is not Attack.INCONCLUSIVE)
    return attempts[: next(ends, len(attempts))]


def passed_twice(attempts: tuple[Attempt, ...]) -> bool:
    """Whether two of the first five passed before anything was called an attack."""
    ends = (place for place, one in enumerate(attempts) if one.attack is Attack.PRESENTATION)
    counted = attempts[: next(ends, len(attempts))][:_MOST_TWICE]
    return sum(one.attack is Attack.BONA_FIDE for one in counted) > 1


def table(tallies: Iterable[Tally]) -> str:
    """The table of a report, a line for each; with a column for two answers if any was rendered for it."""
    rows = list(tallies)
    both = any(tally.twice is not None for tally in rows)
    twice = " two of five pass |" if both else ""
    lines = [
        f"| rendered | attempt: passes | called an attack | inconclusive | transaction: passes |{twice} decided by |",
        "|---|---|---|---|---|" + "---|" * (1 + both),
    ]
    for tally in rows:
        verdicts = (Attack.BONA_FIDE, Attack.PRESENTATION, Attack.INCONCLUSIVE)
        why = ", ".join(f"{word.lower()} {count}" for word, count in tally.why.most_common(4))
        why += f"; {tally.unseen} never seen" if tally.unseen else ""
        rates = " | ".join(str(tally.rate(verdict)) for verdict in verdicts)
        twice = f" {tally.twice or '-'} |" if both else ""
        lines.append(f"| {tally.name} | {rates} | {tally.transaction} |{twice} {why} |")
    return "\n".join(lines)


def halves(tallies: Iterable[Tally]) -> str:
    """First attempts that passed, of each half of the people."""
    lines = ["| rendered | of even numbers | of odd numbers |", "|---|---|---|"]
    both = (tally for tally in tallies if all(half.trials for half in tally.halves))
    lines += [f"| {tally.name} | {tally.halves[0]} | {tally.halves[1]} |" for tally in both]
    return "\n".join(lines)
