"""What the console says, in English and Chinese.

Rules kept here:
- Every sentence stands in both files of `words`; a test compares their keys and the values that go into them.
- Which language, the reader chose; before that, the browser says it.
- What the fleet refuses is said in the reader's language too (`refusals`).
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from provisioning.console import refusals

LANGUAGES = {"en": "English", "zh": "中文"}


@dataclass(frozen=True, slots=True)
class Words:
    """All sentences of a language; `words("doors.title")` is one."""

    language: str
    sentences: dict[str, str]

    def __call__(self, key: str, **values: object) -> str:
        """The sentence called `key`, with its values put in. Raises KeyError if there is none."""
        return self.sentences[key].format(**values) if values else self.sentences[key]

    def command(self, command: str) -> str:
        """What somebody did who called `command`; as it is if it is none of ours."""
        return self.sentences.get(_key(command), command)

    def refusal(self, cause: object) -> str:
        """What was refused, or went wrong, as a sentence."""
        return sentence(refusals.catalogue(self.language).said(str(cause)), self.sentences["base.stop"])


def _key(command: str) -> str:
    return "commands." + command.replace(" ", "_").replace("-", "_")


def sentence(text: str, stop: str = ".") -> str:
    """A refusal as a sentence: with a capital letter and a full stop."""
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?", "。")) else stop)


@cache
def words(language: str) -> Words:
    """The words of a language of LANGUAGES."""
    text = files("provisioning.console").joinpath(f"words/{language}.toml").read_text("utf-8")
    tables: dict[str, dict[str, str]] = tomllib.loads(text)
    return Words(language, {f"{at}.{name}": said for at, table in tables.items() for name, said in table.items()})


def language(chosen: str | None, accepted: str) -> str:
    """Which language: the one `chosen`, or the first that the browser accepts and we have (RFC 9110, 12.5.4)."""
    if chosen in LANGUAGES:
        return str(chosen)
    ranked: list[tuple[float, str]] = []
    for part in accepted.split(",")[:20]:
        tag, _, weight = part.strip().partition(";q=")
        found = tag.split("-")[0].lower()
        try:
            quality = float(weight) if weight else 1.0
        except ValueError:
            quality = 0.0
        if found in LANGUAGES:
            ranked.append((quality, found))
    return max(ranked, key=lambda each: each[0], default=(0.0, "en"))[1]
