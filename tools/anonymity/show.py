"""The measured lines for people (a Markdown table) and for programs (JSON), and what they come to.

Rules kept here:
- Every rate stands beside its number of trials, luck, and the exact 95 % bounds of the advantage.
- A leak counts as caught if one attacker's advantage is beyond the limit at the lower bound, and beyond whatever the
  unbroken door shows under the very same question.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from tools.anonymity.measure import LIMIT, Result
from tools.anonymity.plan import LEAKS, PROMISE, Section
from tools.anonymity.voices import Building

HEAD = (
    "| what is told | question | people | attacker | trials | luck | right | advantage | at least | at most |",
    "|---|---|---|---|---|---|---|---|---|---|",
)


@dataclass(frozen=True, slots=True)
class Measured:
    """A section and what came of its lines."""

    section: Section
    results: tuple[Result, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the sections come to. `quick`: too few trials for the bound; then only a shown advantage fails."""

    held: bool
    missed: tuple[str, ...]

    @property
    def well(self) -> bool:
        """Whether the promise holds and every leak was caught."""
        return self.held and not self.missed


def judge(measured: list[Measured], *, quick: bool) -> Verdict:
    """Judge what was measured."""
    everything = [result for each in measured for result in each.results]
    promised = [result for each in measured if each.section is PROMISE for result in each.results]
    held = all(result.at_least <= LIMIT if quick else result.holds for result in promised)
    leaks = {result.line.name: False for each in measured if each.section is LEAKS for result in each.results}
    for each in measured:
        for result in each.results if each.section is LEAKS else ():
            leaks[result.line.name] |= result.caught and result.at_least > _unbroken(result, everything)
    return Verdict(held, tuple(name for name, caught in leaks.items() if not caught))


def _unbroken(leak: Result, everything: list[Result]) -> float:
    same = [
        result.at_most
        for result in everything
        if result.line.voice is Building and result.line.setting == leak.line.setting
    ]
    return max(same, default=0.0)


def markdown(measured: list[Measured], verdict: Verdict) -> str:
    """The tables."""
    lines: list[str] = []
    for each in measured:
        lines += [f"**{each.section.title}**", "", *HEAD, *map(row, each.results), ""]
    lines.append(_sentence(measured, verdict))
    return "\n".join(lines)


def _sentence(measured: list[Measured], verdict: Verdict) -> str:
    promised = [result.at_most for each in measured if each.section is PROMISE for result in each.results]
    held = "holds" if verdict.held else "DOES NOT HOLD"
    promise = "the promise was not asked for"
    if promised:
        promise = f"the promise {held} (largest upper bound {_points(max(promised))})"
    if not any(each.section is LEAKS and each.results for each in measured):
        leaks = "no seeded leak was asked for"
    else:
        leaks = "every seeded leak was caught" if not verdict.missed else f"NOT CAUGHT: {', '.join(verdict.missed)}"
    return f"Profile building: {promise}; {leaks}."


def row(result: Result) -> str:
    """One line of a table."""
    setting = result.line.setting
    told = result.line.name.partition(":")[0]
    return (
        f"| {told} | {setting.task.value} | {setting.people} | {result.attacker} | {result.asked} | {result.luck:.1%} "
        f"| {result.rate:.1%} | {_points(result.rate - result.luck)} | {_points(result.at_least)} "
        f"| {_points(result.at_most)} |"
    )


def _points(share: float) -> str:
    return f"{100 * share:+.1f}"


def as_json(measured: list[Measured], verdict: Verdict, *, seed: int) -> str:
    """One object."""
    return json.dumps(
        {
            "seed": seed,
            "limit": LIMIT,
            "held": verdict.held,
            "missed": verdict.missed,
            "lines": [
                {
                    "section": each.section.title,
                    "told": result.line.name.partition(":")[0],
                    "question": result.line.setting.task.value,
                    "people": result.line.setting.people,
                    "encrypted": result.line.wire,
                    "attacker": result.attacker,
                    "trials": result.asked,
                    "right": result.right,
                    "luck": result.luck,
                    "at_least": round(result.at_least, 5),
                    "at_most": round(result.at_most, 5),
                }
                for each in measured
                for result in each.results
            ],
        }
    )
