"""A question and how its answer is read. Pure.

Rules kept here:
- Choices are numbers, the default stands in brackets, an empty answer is the default: one hand and a numeric block do.
- What is no answer is refused with one sentence that says what is one; nothing is guessed.
- Every question says why it is asked (`?`), in words for somebody who mounts doors.
"""

from __future__ import annotations

from dataclasses import dataclass

from device.errors import Refusal

EXPLAIN, BACK = "?", "back"
NONE = ("none", "-")


class NoAnswer(Refusal, ValueError):
    """What was typed answers nothing."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several: what it stands for, and its words."""

    value: str
    words: str


YES_NO = (Choice("yes", "yes"), Choice("no", "no"))


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked. Without choices a text is wanted; `default` None: there is none, an answer is needed."""

    key: str
    words: str
    why: str
    default: str | None = None
    choices: tuple[Choice, ...] = ()
    may_be_empty: bool = False

    def shown(self) -> str:
        """The question with its choices, as lines for a terminal or a screen reader."""
        lines = [self.words, *(f"  {number}  {choice.words}" for number, choice in enumerate(self.choices, start=1))]
        return "\n".join(lines)

    def prompt(self) -> str:
        """What stands before the answer: the default in brackets."""
        if self.default is None:
            return "> "
        numbers = {choice.value: str(number) for number, choice in enumerate(self.choices, start=1)}
        return f"[{numbers.get(self.default, self.default) or NONE[0]}] > "

    def read(self, typed: str) -> str:
        """The value that `typed` stands for. Raises NoAnswer."""
        said = typed.strip()
        if not said:
            if self.default is None:
                raise NoAnswer("this question has no default; please answer it, or type ? for help")
            return self.default
        if not self.choices:
            if self.may_be_empty and said.lower() in NONE:
                return ""
            return said
        by_name = {choice.value: choice.value for choice in self.choices}
        by_number = {str(number): choice.value for number, choice in enumerate(self.choices, start=1)}
        found = {**by_name, **by_number}.get(said.lower())
        if found is None:
            raise NoAnswer(f"please type a number from 1 to {len(self.choices)}, ? for help, or back")
        return found
