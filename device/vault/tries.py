"""Trying out attacks: for a while vault compares nobody, refuses every approach, and tells desk what eye held it for.

Rules kept here:
- Nobody is recognised by it: an approach that began or ended while it lasted is compared with nothing, and lock hears
  REFUSED. What was seen is forgotten with the message it came in.
- What desk is told is eye's verdict on an attack, once for each approach, and only of approaches that began and ended
  while it lasted: none of somebody who pressed before it began.
- It ends by desk's word, with desk's connection, and by itself after `LONGEST_NS`. It is never begun by anybody but
  desk, and not while somebody enrols.

Pure: times are CLOCK_MONOTONIC nanoseconds, handed in.
"""

from __future__ import annotations

from dataclasses import dataclass

LONGEST_NS = 15 * 60 * 1_000_000_000


@dataclass(slots=True)
class Tries:
    """Whether faces are tried out, and whether the approach under way is one of the tries."""

    ends_ns: int | None = None
    _begun_so: bool = False

    @property
    def on(self) -> bool:
        """Whether they are tried out now; time that has run out is seen by `tick`."""
        return self.ends_ns is not None

    def begin(self, now_ns: int) -> None:
        """From now on, for `LONGEST_NS`; what lasts already begins anew."""
        self.ends_ns = now_ns + LONGEST_NS

    def end(self) -> bool:
        """It is over; whether it lasted until now."""
        lasted, self.ends_ns = self.on, None
        return lasted

    def tick(self, now_ns: int) -> bool:
        """End it if its time has run out; whether that was just now."""
        return self.ends_ns is not None and now_ns >= self.ends_ns and self.end()

    def approach_began(self) -> None:
        """Lock named an approach."""
        self._begun_so = self.on

    @property
    def compares(self) -> bool:
        """Whether the approach under way may be compared with anybody: it has nothing to do with a try."""
        return not self.on and not self._begun_so

    @property
    def counts(self) -> bool:
        """Whether the approach under way is a try from its beginning to now."""
        return self.on and self._begun_so
