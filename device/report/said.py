"""Log lines about what somebody else sends: each once, so that a flood of messages is no flood of lines.

Rules kept here:
- A sentence is said the first time. There is room for a few; who can vary a sentence at will fills no log either.
- `anew` begins from the start, once what was wrong has ended.
"""

from __future__ import annotations

from device.journal import log

_AT_MOST = 16  # different sentences


class SaidOnce:
    """What was said so far."""

    def __init__(self) -> None:
        self._said: set[str] = set()

    def say(self, sentence: str) -> None:
        """Log `sentence`, unless it was said or there is no room for more."""
        if sentence not in self._said and len(self._said) < _AT_MOST:
            self._said.add(sentence)
            log(sentence)

    def anew(self) -> None:
        """What was wrong has ended; should it come again, it is said again."""
        self._said.clear()
