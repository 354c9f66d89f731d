"""What the fleet refuses, in the words of the console's reader.

Rules kept here:
- A sentence is made where its cause is known, in English and once: the command line shows it as it is. Its template is
  the key by which a language has it (as with gettext); a test reads every template in the code that a console can
  reach, and fails for one that a language lacks.
- What stands in a sentence (a name, a number, a day) stands in its translation as well; a part that is a sentence of
  ours itself is translated too.
- A sentence that no catalogue knows is shown as it is: a wrong language is better than no reason.
- Where a sentence names an option of the command line, the console's own English says what to do on its pages.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

_GAP = "{}"
_LONGEST = 2000  # what is longer is no sentence of ours, and not searched for one
_DEEPEST = 2


@dataclass(frozen=True, slots=True)
class Known:
    """A sentence: `pattern` takes its values out, `said` has places for them, by number or in their order."""

    pattern: re.Pattern[str]
    letters: int
    said: str


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The sentences of a language, those with the most letters of their own first."""

    known: tuple[Known, ...]

    def said(self, text: str, depth: int = 0) -> str:
        """`text` in this language; as it is if nobody has translated it."""
        if len(text) > _LONGEST:
            return text
        for each in self.known:
            found = each.pattern.fullmatch(text)
            if found is not None:
                values = found.groups()
                return each.said.format(
                    *(self.said(value, depth + 1) if depth < _DEEPEST else value for value in values)
                )
        return text


def templates(language: str) -> dict[str, str]:
    """Every sentence that a language has, by its English template."""
    text = files("provisioning.console").joinpath(f"words/refusals-{language}.toml").read_text("utf-8")
    return {each["en"]: each["said"] for each in tomllib.loads(text)["refusal"]}


@cache
def catalogue(language: str) -> Catalogue:
    """The catalogue of a language."""
    known = [
        Known(_pattern(template), len(template.replace(_GAP, "")), said)
        for template, said in templates(language).items()
    ]
    return Catalogue(tuple(sorted(known, key=lambda each: -each.letters)))


def _pattern(template: str) -> re.Pattern[str]:
    return re.compile("(.*?)".join(re.escape(part) for part in template.split(_GAP)), re.DOTALL)
