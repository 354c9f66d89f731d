"""Which faces are awake: who may be compared now, kept up to date one slot at a time.

Rules kept here:
- A face is awake if it is not paused, its consent is to the terms in force, its place has not ended, and its slot has a
  working PIN or card taken under the same offer as when the face was enrolled. All of them, always.
- Nobody is awake until keeper was heard on the slot.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from device.vault.record import Averaged


@dataclass(slots=True)
class Awake:
    """The slots that are awake, and of what each of their templates is the mean."""

    _averaged: dict[int, Averaged] = field(default_factory=dict, repr=False)
    _counts: Counter[Averaged] = field(default_factory=Counter, repr=False)

    def __len__(self) -> int:
        return len(self._averaged)

    def __contains__(self, slot: int) -> bool:
        return slot in self._averaged

    @property
    def slots(self) -> tuple[int, ...]:
        """All of them."""
        return tuple(self._averaged)

    @property
    def kinds(self) -> tuple[Averaged, ...]:
        """Each way in which one of their templates was averaged, once."""
        return tuple(self._counts)

    def count(self, kind: Averaged) -> int:
        """How many of them were averaged so."""
        return self._counts[kind]

    def averaged(self, slot: int) -> Averaged | None:
        """Of what the template of `slot` is the mean; None if it is not awake."""
        return self._averaged.get(slot)

    def note(self, slot: int, averaged: Averaged | None) -> bool:
        """`slot` is awake with such a template, or asleep (None). Returns whether that is news."""
        before = self._averaged.pop(slot, None)
        if before is not None:
            self._counts[before] -= 1
            self._counts += Counter()  # forget those nobody has: `kinds` asks for all
        if averaged is not None:
            self._averaged[slot] = averaged
            self._counts[averaged] += 1
        return before != averaged
