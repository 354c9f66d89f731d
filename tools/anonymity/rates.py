"""How many tests a day: what the best attacker there can be gains at "home or holiday", for a rate of tests.

Rules kept here:
- Alarms alone, without reports and network: empty weeks are simulated, and how much likelier each would be in a house
  that is lived in is reckoned (`suspicion`), by somebody who knows every habit and all odds.
- Whoever guesses by those likelihoods is right more often than luck by half the total variation distance between the
  two kinds of week, and nobody by more: half the mean of max(0, likelihood ratio - 1) over empty weeks.
- The same seed gives the same numbers.

`python -m tools.anonymity.rates` prints the table; docs/adr/0025 and docs/anonymity.md have it.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import expm1, sqrt

import click
import numpy as np

from tools.anonymity.habits import DAY_S, household
from tools.anonymity.observed import Hint
from tools.anonymity.suspicion import somebody_was_there
from tools.anonymity.tasks import WEEK

PEOPLE = (5, 20, 100)
A_DAY = (8, 16, 32, 48, 64, 96)
STRETCH_S = 90.0
"""As `observed` reads an alarm: somebody left within so long before it."""
_ONE_SIDED = 1.645


@dataclass(frozen=True, slots=True)
class Gain:
    """An advantage over luck (a share), and the one-sided 95 % error of its estimate."""

    share: float
    error: float


def gain(people: int, tests_a_day: float, weeks: int, seed: int = 1) -> Gain:
    """What the best attacker gains, from so many empty weeks of so many households."""
    draw = np.random.default_rng((seed, people, round(1000 * tests_a_day)))
    found = np.empty(weeks)
    for number in range(weeks):
        house = household(draw, people)
        at_s = draw.uniform(0.0, WEEK * DAY_S, draw.poisson(WEEK * tests_a_day))
        hints = [Hint(float(each) - STRETCH_S, float(each), alarm=True) for each in at_s]
        found[number] = max(0.0, expm1(somebody_was_there(house, WEEK, hints, tests_a_day)))
    return Gain(float(found.mean()) / 2, _ONE_SIDED * float(found.std()) / 2 / sqrt(weeks))


@click.command()
@click.option(
    "--weeks", type=click.IntRange(min=1), default=3000, show_default=True, help="How many empty weeks for each number."
)
@click.option("--seed", default=1, show_default=True, help="The same seed is the same weeks.")
def main(weeks: int, seed: int) -> None:
    """Print what is gained at "home or holiday", in percentage points, by people and tests a day.

    Example: python -m tools.anonymity.rates --weeks 500
    """
    click.echo("| tests a day | " + " | ".join(f"{people} people" for people in PEOPLE) + " |")
    click.echo("|---" * (len(PEOPLE) + 1) + "|")
    for a_day in A_DAY:
        gains = [gain(people, a_day, weeks, seed) for people in PEOPLE]
        click.echo(f"| {a_day} | " + " | ".join(f"{100 * g.share:.1f} ± {100 * g.error:.1f}" for g in gains) + " |")


if __name__ == "__main__":
    main()
