"""One retained message: what the broker should hold, and whether it does.

Rules kept here:
- It is no queue: what was wanted before and not sent is not made up for, and nothing of it is kept on disk.
- What an earlier start of report may have left with the broker is taken back like what this one did.
- Another connection may be another broker: it knows nothing, and is told anew.
- What a broker declines is given up, so that reports do not wait behind it.
"""

from __future__ import annotations

FORGET = b""  # an empty retained message: the broker forgets the one before (MQTT 5.0, 3.3.1.3)


class Retained:
    """The message on one topic; `left`: the broker may hold one from before this start."""

    def __init__(self, *, left: bool = False) -> None:
        self._left = left
        self._wanted: bytes | None = None  # None: nothing is to be said
        self._under_way: bytes | None = None
        self._arrived: bytes | None = None

    def want(self, payload: bytes) -> None:
        """The broker is to hold `payload`."""
        self._wanted = payload

    def over(self) -> None:
        """The broker is to hold nothing."""
        if self._wanted is not None or self._left:
            self._wanted = FORGET

    @property
    def gone(self) -> bool:
        """Whether the broker holds nothing, and nothing is under way to it."""
        return self._wanted is None and self._under_way is None and not self._left

    def due(self) -> bytes | None:
        """What is to be sent now; None if the broker holds it, or it is under way."""
        return None if self._under_way is not None or self._wanted == self._arrived else self._wanted

    def sent(self, payload: bytes) -> None:
        """`payload` is under way."""
        self._under_way = payload

    def accepted(self) -> None:
        """The broker has it."""
        self._arrived, self._under_way = self._under_way, None
        if self._wanted == self._arrived == FORGET:
            self._wanted = self._arrived = None
            self._left = False

    def declined(self) -> None:
        """The broker will not have it."""
        self._arrived, self._under_way = self._under_way, None

    def reconnected(self) -> None:
        """Another connection."""
        self._under_way = self._arrived = None
