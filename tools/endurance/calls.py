"""Calls for help under duress, judged from outside: made if keeper said so, once, and behind all that can be noticed.

Rules kept here:
- Duress is keeper's word alone. What it says while lock still waits for it is called out, also where the hours refuse
  it or the verdict is stale; while report is not there, as soon as it is.
- A call for which lock waited no longer may be made as well: it costs nobody anything.
- Nothing at the door happens behind a call in the same moment: what somebody sees does not wait for it.
"""

from __future__ import annotations

from dataclasses import dataclass

from tools.endurance.broken import Broken


@dataclass(slots=True)
class Calls:
    """Of one life of a lock."""

    _may: bool = False
    _must: bool = False
    _made: bool = False  # in this very moment

    def begins(self) -> None:
        """A new moment."""
        self._made = False

    def spoken(self, *, counts: bool) -> None:
        """Note that keeper spoke of duress; `counts`: to what it was asked, while lock waited."""
        self._may = True
        self._must = self._must or counts

    def made(self) -> None:
        """Note that report is told. Raises Broken."""
        if not self._may:
            raise Broken("a call for help is made that keeper did not ask for")
        self._may = self._must = False
        self._made = True

    def seen(self) -> None:
        """Something happens that somebody at the door can notice. Raises Broken."""
        if self._made:
            raise Broken("what can be seen at the door waits for a call for help")

    def heard(self, *, report: bool) -> None:
        """What was asked for has been made, if there is a `report` to hear it. Raises Broken."""
        if self._must and report:
            raise Broken("nobody hears the call for help")
