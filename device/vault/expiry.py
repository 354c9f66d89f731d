"""When the place of a face has ended: it sleeps at once, and is erased once the clock has meant it.

Rules kept here:
- A face whose end has come by the wall clock is asleep from that look on.
- It is erased when every look for `grace_ns` (CLOCK_MONOTONIC) has found it ended: a clock that jumped and was set
  right costs nobody their face. Should the clock go back before, the face is as it was, and the time begins anew.
- A face whose place keeper calls ended (`end`: by the manager's word) is asleep and due at once: no clock is asked.
- Pure: ends and both clocks come in, what sleeps and what is due comes out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

LOOK_EVERY_NS = 60_000_000_000  # the wall clock can jump, so an end is looked for and not waited for
_LOOK_AGAIN_NS = 1_000_000_000  # at the earliest: who could not be erased must not keep the process busy


@dataclass(slots=True)
class Expiry:
    """`grace_ns`: for how long the clock has to say so. `next_look_ns`: when to look again, None while nothing ends."""

    grace_ns: int
    next_look_ns: int | None = field(default=None, init=False)
    _since_ns: dict[int, int] = field(default_factory=dict, init=False, repr=False)
    _by_word: set[int] = field(default_factory=set, init=False, repr=False)

    @property
    def over(self) -> frozenset[int]:
        """The slots that had ended at the last look."""
        return frozenset(self._by_word) | frozenset(self._since_ns)

    def __contains__(self, slot: int) -> bool:
        """Whether `slot` had ended at the last look."""
        return slot in self._since_ns or slot in self._by_word

    def look(self, ends_unix: Mapping[int, int], now_unix: float, now_ns: int) -> tuple[int, ...]:
        """The slots that are due to be erased. `ends_unix`: the end of every face that has one, by slot."""
        ended = [slot for slot, end in ends_unix.items() if now_unix >= end]
        self._since_ns = {slot: self._since_ns.get(slot, now_ns) for slot in ended}
        meant = [slot for slot, since_ns in self._since_ns.items() if now_ns - since_ns >= self.grace_ns]
        return (*self._by_word, *(slot for slot in meant if slot not in self._by_word))

    def looked(self, ends_unix: Mapping[int, int], now_unix: float, now_ns: int) -> None:
        """What was due is erased, or could not be: `next_look_ns` follows from the ends that are left."""
        waits_ns = [since_ns + self.grace_ns - now_ns for since_ns in self._since_ns.values()]
        # Who is past that could not be erased: not every second again, the disk and the journal have other work.
        waits_ns = [wait_ns for wait_ns in waits_ns if wait_ns > 0]
        waits_ns += [int((end - now_unix) * 1e9) + 1 for end in ends_unix.values() if end > now_unix]
        soonest_ns = min([*waits_ns, LOOK_EVERY_NS])
        self.next_look_ns = now_ns + max(soonest_ns, _LOOK_AGAIN_NS) if ends_unix or self._by_word else None

    def added(self) -> None:
        """There is a new end: look at once."""
        self.next_look_ns = 0

    def end(self, slot: int) -> None:
        """The place of `slot` has ended by the manager's word: its face is due at the next look, which is at once."""
        self._by_word.add(slot)
        self.added()

    def forget(self, slot: int) -> None:
        """The face of `slot` is gone: the next one there has an end of its own."""
        self._since_ns.pop(slot, None)
        self._by_word.discard(slot)
