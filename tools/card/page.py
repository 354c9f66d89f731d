"""The page, and the look at the finished page that finds what comes from nowhere.

Rules kept here (ADR 33):
- The template holds no digit. A figure goes through `figure`, which marks it with its key.
- The finished page is read again by a parser that knows nothing of the template: a digit outside of a marked figure, a
  marked figure that reads other than what was measured, and a style that writes text are each refused.
- One file, no script, nothing from elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, Final

import jinja2
from markupsafe import Markup, escape

from device.errors import Refusal
from tools.card.figure import Figure

HERE: Final = Path(__file__).parent
_DIGIT: Final = re.compile(r"\d")
_SPOKEN: Final = ("alt", "aria-label", "title", "placeholder", "value", "content", "summary", "label")
_VOID: Final = {"meta", "br", "hr", "img", "link", "input", "wbr", "col"}
_SILENT: Final = {"style"}


class Untraced(Refusal, ValueError):
    """A number stands on the page that was not measured. The message is a sentence."""


def figure(one: Figure | str) -> str:
    """One figure, marked; words that are none (names of attacks, of processes) as they are."""
    if isinstance(one, str):
        return str(escape(one))
    return Markup('<data value="{}" data-key="{}">{}</data>').format(one.value, one.key, one.text)


def render(told: Mapping[str, Any]) -> str:
    """The page. Raises jinja2.UndefinedError for a figure that the template names and nobody measured."""
    loader = jinja2.FileSystemLoader(HERE)
    places = jinja2.Environment(loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)
    places.filters["figure"] = lambda one: Markup(figure(one))  # noqa: S704 - escaped there
    style = (HERE / "card.css").read_text(encoding="utf-8")
    return places.get_template("card.html.j2").render(**told, style=Markup(style))  # noqa: S704 - our own file


def check(html: str, figures: Mapping[str, Figure]) -> None:
    """That every number of the page is one of `figures`. Raises Untraced."""
    reader = _Reader(figures)
    reader.feed(html)
    reader.close()
    if reader.wrong:
        raise Untraced(reader.wrong[0])


class _Reader(HTMLParser):
    def __init__(self, figures: Mapping[str, Figure]) -> None:
        super().__init__(convert_charrefs=True)
        self._figures = figures
        self._open: list[tuple[str, str | None]] = []
        self._said = ""
        self.wrong: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        about = {name: value or "" for name, value in attrs}
        key = about.get("data-key")
        if tag == "script":
            self.wrong.append("there is a script on the page")
        known = self._figures.get(key) if key is not None else None
        if key is not None and known is None:
            self.wrong.append(f"the page shows a figure {key}, which nobody measured")
        if known and about.get("value") != str(known.value):
            self.wrong.append(f"the page gives {key} another value than was measured")
        for name in _SPOKEN:
            told = about.get(name, "")
            if _DIGIT.search(told) and key is None and about.get("name") != "viewport":
                self.wrong.append(f"a number stands in {name}={told!r}, and comes from no log")
        if tag not in _VOID:
            self._open.append((tag, key))
            self._said = "" if key is not None else self._said

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open[-1][0] != tag:
            self.wrong.append(f"the page closes {tag}, which is not open")
            return
        _, key = self._open.pop()
        known = self._figures.get(key) if key is not None else None
        if known and self._said != known.text:
            self.wrong.append(f"the page shows {self._said!r} for {key}, and {known.text!r} was measured")

    def handle_data(self, data: str) -> None:
        tag, _ = self._open[-1] if self._open else ("", None)
        if tag in _SILENT:
            if "content:" in data.replace(" ", ""):
                self.wrong.append("the style of the page writes text")
            return
        if any(key is not None for _, key in self._open):
            self._said += data
        elif _DIGIT.search(data):
            self.wrong.append(f"a number stands on the page and comes from no log: {' '.join(data.split())!r}")
