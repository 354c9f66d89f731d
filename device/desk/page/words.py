"""The page's sentences, in every language of the notice.

Rules kept here:
- A sentence that lacks a language, a result or a hint is missed by a test, not by a person.
- PIN and card stand first wherever a choice is shown, and nothing praises a face.
- No sentence says how close a face came, whose it resembled, or whether a flat exists.

The sentences lie in words.LANGUAGE.toml beside this file.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from device.consent import LANGUAGES
from device.wire import Hint, Purpose, Result

NAMES: Mapping[str, str] = {"en": "English", "zh": "中文"}
TAGS: Mapping[str, str] = {"en": "en", "zh": "zh-Hans"}
_DAY_S = 86400


@cache
def tables(language: str) -> Mapping[str, Mapping[str, str]]:
    """The sentences of one of `LANGUAGES`, by table and key."""
    text = Path(__file__).with_name(f"words.{language}.toml").read_text("utf-8")
    found: dict[str, dict[str, str]] = tomllib.loads(text)
    return found


@dataclass(frozen=True, slots=True)
class Words:
    """The sentences of one of `LANGUAGES`."""

    language: str

    def __call__(self, key: str, **values: object) -> str:
        """The sentence `key` of the pages, its blanks filled."""
        return tables(self.language)["shown"][key].format(**values)

    def hint(self, hint: Hint) -> str:
        """What whoever enrols should do."""
        return tables(self.language)["hint"][hint.name.lower()]

    def ended(self, purpose: Purpose, result: Result, *, again: bool = False) -> str:
        """How an act ended. `again`: it was another sitting of a face that is kept."""
        found = tables(self.language)
        if again and (said := found["again"].get(result.name.lower())):
            return said
        if result is Result.DONE:
            return found["done"][purpose.name.lower()]
        return found["ended"].get(result.name.lower(), found["ended"]["other"])

    def stopped(self, *, again: bool = False) -> str:
        """That somebody ended it themselves."""
        return tables(self.language)["again" if again else "ended"]["stopped"]

    def paper(self, purpose: Purpose) -> str:
        """What the paper about an act is called; empty if the door signs none about it."""
        return tables(self.language)["paper"].get(purpose.name.lower(), "")

    def day(self, unix_s: int) -> str:
        """A date, as UTC."""
        at = datetime.fromtimestamp(unix_s, UTC)
        return f"{at.year} 年 {at.month} 月 {at.day} 日" if self.language == "zh" else f"{at.day} {at:%B %Y}"

    def of_day(self, day: int) -> str:
        """A date by its days since 1970."""
        return self.day(day * _DAY_S)


def wanted(accepted: str) -> str:
    """The best of `LANGUAGES` for an Accept-Language header (RFC 9110, 12.5.4); the first one if it names none."""
    asked: list[tuple[float, int, str]] = []
    for order, part in enumerate(accepted.split(",")[:16]):
        tag, _, parameter = part.strip().partition(";")
        name, _, weight = parameter.strip().partition("=")
        try:
            quality = float(weight) if name.strip() == "q" else 1.0
        except ValueError:
            continue
        language = tag.strip().lower().split("-")[0]
        if language in LANGUAGES and 0 < quality <= 1:
            asked.append((-quality, order, language))
    return min(asked)[2] if asked else LANGUAGES[0]
