"""A second network that is asked only where the first one is unsure: what the whole rule refuses, and who pays for it.

Rules kept here:
- The rule: what the first network scores above `sure` is accepted; between `unsure` and `sure` both networks together
  decide; below, the face is refused. Strangers are counted over the whole rule, whichever half of it accepted them.
- A rule is fitted to a share of strangers, as a threshold is: `sure` lies above the threshold that the first network
  alone would have, because what the band lets in has to be saved there.
- How wide the band is, how the strangers are shared out and how much the second network counts is chosen on one half
  of the people, for each rate anew, and shown on the other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Final

import numpy as np
import numpy.typing as npt

from tools.evaluate.groups import NOT_USED
from tools.evaluate.tries import measures, norms, report
from tools.evaluate.tries.embed import Bench, Folder
from tools.evaluate.tries.measures import Counts, Floats, Rate, Way, half
from tools.evaluate.tries.second import DLIB, WEIGHTS
from tools.evaluate.tries.tries import FIVE

BANDS: Final = (0.03, 0.06, 0.1, 0.2)
SHARES: Final = (0.1, 0.25, 0.5, 0.75, 0.9)
Over = Callable[[Sequence[float]], float]


@dataclass(frozen=True)
class Setting:
    """weight: of the second network where both decide. band: how far below the threshold of the first alone it begins.

    share: how much of the strangers that may be accepted is left to both networks together.
    """

    weight: float
    band: float
    share: float


SETTINGS: Final = tuple(Setting(*each) for each in product(WEIGHTS, BANDS, SHARES))


@dataclass(frozen=True, eq=False)
class Scores:
    """The same comparisons by either network, (n,) each, of `of`; what is not among them scores low."""

    first: Floats
    second: Floats
    of: int

    def fused(self, weight: float) -> Floats:
        """The weighted sum."""
        return np.asarray((1 - weight) * self.first + weight * self.second, np.float32)

    def above(self, mark: float) -> Scores:
        """Only those that the first network scores above `mark`."""
        kept = self.first > mark
        return Scores(self.first[kept], self.second[kept], self.of)


@dataclass(frozen=True)
class Rule:
    """Thresholds: the first network's two, and that of both together."""

    unsure: float
    sure: float
    both: float
    weight: float

    def asks(self, scores: Scores) -> npt.NDArray[np.bool_]:
        """(n,): where the second network is run."""
        return np.asarray((scores.first > self.unsure) & (scores.first <= self.sure))

    def accepts(self, scores: Scores) -> npt.NDArray[np.bool_]:
        """(n,)."""
        asked = self.asks(scores)
        return np.asarray((scores.first > self.sure) | (asked & (scores.fused(self.weight) > self.both)))


def mark(scores: Floats, of: int, fmr: float) -> float:
    """Lowest threshold at which at most `fmr` of `of` comparisons are accepted, `scores` being the highest of them."""
    below = scores.size - int(fmr * of) - 1
    return float(np.partition(scores, below)[below]) if below >= 0 else -1.0


def fitted(sets: Sequence[Scores], fmr: float, setting: Setting, over: Over = max) -> Rule:
    """The rule whose share of accepted strangers, `over` all sets, is `fmr`."""
    unsure = over([mark(each.first, each.of, fmr) for each in sets]) - setting.band
    sure = over([mark(each.first, each.of, fmr * (1 - setting.share)) for each in sets])
    return Rule(unsure, sure, over([_both(each, fmr, unsure, sure, setting.weight) for each in sets]), setting.weight)


def _both(scores: Scores, fmr: float, unsure: float, sure: float, weight: float) -> float:
    left = int(fmr * scores.of) - int((scores.first > sure).sum())
    asked = np.sort(scores.fused(weight)[(scores.first > unsure) & (scores.first <= sure)])[::-1]
    if left < 0:
        return 2.0  # nothing is left to give away
    return float(asked[left]) if left < len(asked) else -1.0


def people_scores(first: Floats, second: Floats, names: measures.Names, draws: int) -> list[Drawn]:
    """A Drawn for each draw: the same draws, people and comparisons for either network."""
    one, two = (measures.drawn(Way(each, each), names, draws) for each in (first, second))
    return [
        Drawn(
            Scores(one.genuine[at], two.genuine[at], len(one.genuine[at])),
            one.owner[at],
            Scores(one.strangers[at], two.strangers[at], one.strangers[at].size).above(LEAST),
            one.people,
        )
        for at in range(draws)
    ]


LEAST: Final = 0.2
"""Strangers below are kept in no list: the lowest threshold here lies above 0.4, and the widest band is 0.2."""


@dataclass(frozen=True, eq=False)
class Drawn:
    """One draw: the right people's comparisons with who they are, and strangers' above LEAST."""

    genuine: Scores
    owner: Counts
    strangers: Scores
    people: int


def cells(first: Floats, second: Floats, sets: report.Sets) -> list[Scores]:
    """Strangers of each adult cell, one picture against one of another person."""
    found = []
    for cell in np.unique(sets.cells):
        if str(cell).startswith(NOT_USED):
            continue
        inside = sets.cells == cell
        apart = sets.person[inside][:, None] != sets.person[inside][None, :]
        one, two = ((own[inside] @ own[inside].T)[apart] for own in (first, second))
        found.append(Scores(one, two, one.size).above(LEAST))
    return found


def rate(drawn: Iterable[Drawn], rules: Iterable[Rule]) -> tuple[Rate, float]:
    """Refusals under a rule a draw, and the share of looks for which the second network is run."""
    errors = comparisons = np.zeros(0)
    asked = looks = 0
    for each, rule in zip(drawn, rules, strict=True):
        if not errors.size:
            errors, comparisons = np.zeros(each.people), np.zeros(each.people)
        errors += np.bincount(each.owner, ~rule.accepts(each.genuine), each.people)
        comparisons += np.bincount(each.owner, minlength=each.people)
        asked, looks = asked + int(rule.asks(each.genuine).sum()), looks + len(each.owner)
    return Rate(errors, comparisons), asked / looks


ALONE: Final = Setting(0.0, 0.0, 0.0)
KINDS: Final = (
    ("pooled 1e-4", 1e-4, None),
    ("pooled 1e-5", 1e-5, None),
    ("worst group 1e-2", measures.WORST_AT, max),
    ("median group 1e-3", measures.MEDIAN_AT, np.median),
    ("worst group 1e-3", measures.DOOR_AT, max),
)


def measured(
    drawn: list[Drawn], groups: list[Scores], fmr: float, over: Over | None, setting: Setting
) -> tuple[Rate, float, float]:
    """Refusals, and the shares of looks that pay: of the right people, and of the strangers the rule is fitted to."""
    if over is None:
        rules = [fitted([each.strangers], fmr, setting) for each in drawn]
        met = [(rule.asks(each.strangers).sum(), each.strangers.of) for rule, each in zip(rules, drawn, strict=True)]
    else:
        rules = [fitted(groups, fmr, setting, over)] * len(drawn)
        met = [(rules[0].asks(each).sum(), each.of) for each in groups]
    found, paid = rate(drawn, rules)
    return found, paid, float(sum(part for part, _ in met) / sum(whole for _, whole in met))


def table(bench: Bench, people: Folder, adults: Folder, sets: report.Sets, draws: int) -> str:
    """A Markdown table, a row a rate. dlib's network, which must be there, is the second; its middle the odd half's."""
    odd = half(sets.names, odd=True)
    own = {folder.name: bench.embeddings(folder, [FIVE])[FIVE] for folder in (people, adults)}
    second = {folder.name: bench.embeddings(folder, [DLIB])[DLIB] for folder in (people, adults)}
    middle = second[people.name][odd].mean(axis=0)
    second = {name: norms.centred(vectors, middle) for name, vectors in second.items()}
    groups = cells(own[adults.name], second[adults.name], sets)
    parts = [
        people_scores(own[people.name][chosen], second[people.name][chosen], sets.names[chosen], draws)
        for chosen in (np.ones(len(odd), bool), odd, ~odd)
    ]
    lines = ["| " + " | ".join(COLUMNS) + " |", "|---" * len(COLUMNS) + "|"]
    best = {
        name: min(SETTINGS, key=lambda each: measured(parts[1], groups, fmr, over, each)[0].value)
        for name, fmr, over in KINDS
    }
    for name, fmr, over in KINDS:
        alone = [measured(part, groups, fmr, over, ALONE)[0] for part in parts]
        made = [measured(part, groups, fmr, over, best[name]) for part in parts]
        same = measured(parts[0], groups, fmr, over, best[SHARED])[0]
        less = [report.points(*(found.less_than(base))) for (found, _, _), base in zip(made, alone, strict=True)]
        rates = report.with_interval(alone[0]), report.with_interval(made[0][0])
        chosen = f"{best[name].weight:g}, {best[name].band:g}, {best[name].share:g}"
        cost = f"{made[0][1]:.2%}", f"{made[0][2]:.2%}"
        lines.append(
            f"| {' | '.join((name, *rates, *less, chosen, *cost, report.points(*same.less_than(alone[0]))))} |"
        )
    return "\n".join(lines)


SHARED: Final = "pooled 1e-5"  # what its setting costs at the other rates is told beside them
COLUMNS: Final = (
    "strangers",
    "the first alone",
    "with the second where unsure",
    "points fewer",
    "odd half, chosen on it",
    "even half",
    "weight, band, share",
    "residents' looks that pay",
    "strangers' that pay",
    f"points fewer by the setting of {SHARED}",
)
