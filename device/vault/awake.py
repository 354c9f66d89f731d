"""Which faces are awake: who may be compared now, kept up to date one slot at a time.

Rules kept here:
- A face is awake if it is not paused, its consent is to the terms in force, its place has not ended, and its slot has a
  working PIN or card taken under the same offer as when the face was enrolled. All of them, always.
- Nobody is awake until keeper was heard on the slot.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class Awake:
    """The slots that are awake, how many pictures each of their templates averages, and how many it is worth."""

    _pictures: dict[int, tuple[int, int]] = field(default_factory=dict, repr=False)
    _counts: Counter[tuple[int, int]] = field(default_factory=Counter, repr=False)

    def __len__(self) -> int:
        return len(self._pictures)

    def __contains__(self, slot: int) -> bool:
        return slot in self._pictures

    @property
    def slots(self) -> tuple[int, ...]:
        """All of them."""
        return tuple(self._pictures)

    @property
    def pictures(self) -> int:
        """The most pictures that were averaged in one of them; 1 if nobody is awake."""
        return max((pictures for pictures, _ in self._counts), default=1)

    @property
    def worth(self) -> int:
        """As how many different pictures the one of them is compared that counts most; 1 if nobody is awake."""
        return max((worth for _, worth in self._counts), default=1)

    def note(self, slot: int, pictures: int | None, worth: int = 0) -> bool:
        """`slot` is awake with a template of so many pictures, or asleep (None). Returns whether that is news.

        `worth`: as how many different ones they count; 0: as many.
        """
        now = None if pictures is None else (pictures, worth or pictures)
        before = self._pictures.pop(slot, None)
        if before is not None:
            self._counts[before] -= 1
            self._counts += Counter()  # forget those nobody has: `pictures` asks for the largest
        if now is not None:
            self._pictures[slot] = now
            self._counts[now] += 1
        return before != now
