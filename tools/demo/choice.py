"""Whether `make demo` tells its story or opens the showroom. Pure, but for the question itself.

Rules kept here:
- A machine gets the story, as ever: nobody is asked who could not answer, and no browser is opened where none could
  show itself.
- DEMO=show and DEMO=story decide it without a question.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from device.errors import Refusal
from tools.simulator.showroom.cli import has_display

QUESTION = "Watch it in your browser, and press the keys yourself? [Y/n] "


class UnknownDemo(Refusal, ValueError):
    """DEMO names no demo."""


def in_browser(environ: Mapping[str, str], *, person: bool, ask: Callable[[str], str]) -> bool:
    """Whether the showroom is wanted. `person`: somebody sits at this terminal. Raises UnknownDemo."""
    wish = environ.get("DEMO", "")
    if wish not in ("", "show", "story"):
        raise UnknownDemo('DEMO is "show", for the page, or "story", for the terminal')
    if wish:
        return wish == "show"
    if not (person and has_display(environ)):
        return False
    try:
        return ask(QUESTION).strip().lower() in ("", "y", "yes")
    except EOFError:
        return False
