"""A row of the table of questions, and the rows that are alike at every door: a number. Pure.

Rules kept here:
- A question that is None is not asked at this door; what an answer cannot be is refused with one sentence.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from device.desk.setup.draft import Draft
from device.desk.setup.machine import Machine
from device.desk.setup.questions import Choice, Question
from device.errors import ConfigRefused


@dataclass(frozen=True, slots=True)
class Step:
    """A row: `question` None means that this door is not asked; `take` raises ConfigRefused."""

    question: Callable[[Draft, Machine], Question | None]
    take: Callable[[Draft, Machine, str], Draft]


def number(
    table: str, key: str, words: str, why: str, *, per_unit: float = 1.0, when: Callable[[Draft], bool] = bool
) -> Step:
    """A row for a number, bounded in `device.config.tables`; one typed unit is `per_unit` of the setting's units."""

    def question(draft: Draft, _machine: Machine) -> Question | None:
        stands = getattr(getattr(draft.config, table), key) / per_unit
        return Question(f"{table}.{key}", words, why, f"{stands:g}") if when(draft) else None

    def take(draft: Draft, _machine: Machine, typed: str) -> Draft:
        try:
            number = float(typed.replace(",", ".")) * per_unit
        except ValueError as cause:
            raise ConfigRefused("please type a number, such as 4 or 2.5") from cause
        whole = isinstance(getattr(getattr(draft.config, table), key), int) and number.is_integer()
        return draft.put(table, **{key: int(number) if whole else number})

    return Step(question, take)


def listed(found: tuple[tuple[str, str], ...], stands: str) -> tuple[Choice, ...]:
    """What is plugged in (path and words), with what `stands` in the draft though it is not, and none."""
    choices = [Choice(path, words) for path, words in found]
    if stands and stands not in dict(found):
        choices.append(Choice(stands, f"{stands}, as now; it is not plugged in"))
    return (Choice("none", "none"), *choices)
