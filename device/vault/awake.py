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
    """The slots that are awake, and how many pictures were averaged in each of their templates."""

    _pictures: dict[int, int] = field(default_factory=dict, repr=False)
    _counts: Counter[int] = field(default_factory=Counter, repr=False)

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
        return max(self._counts, default=1)

    def note(self, slot: int, pictures: int | None) -> bool:
        """`slot` is awake with a template of so many pictures, or asleep (None). Returns whether that is news."""
        before = self._pictures.pop(slot, None)
        if before is not None:
            self._counts[before] -= 1
            self._counts += Counter()  # forget those nobody has: `pictures` asks for the largest
        if pictures is not None:
            self._pictures[slot] = pictures
            self._counts[pictures] += 1
        return before != pictures
