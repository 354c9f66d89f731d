"""The false-open budget: what a face may cost, and the threshold that follows from it.

Rules kept here:
- The threshold is computed, never set: from the budget, the faces awake now, the tries of a window, the pictures that
  were averaged, and the measured tail of the worst adult group at its upper bound. A budget can only be made stricter.
- Frames of one sitting are alike, and bring strangers' scores less near than as many pictures of different days: a
  template counts for as many different pictures as the length of its own mean says, measured when it was made, never
  for more than were averaged. How often residents are refused is read as if all of one sitting were different, and of
  several sittings as of one.
- Each template is compared under the threshold that follows from its own worth: what one resident's averages raises
  nobody else's. The promise holds all the same: a stranger matches somebody at most as often as the sum over all
  templates, and each keeps to its share of the budget under its own. That the best score alone counts can but lower it.
- More residents, tries, strangers or averaged pictures, or fewer false opens allowed, never lower it.
- Covered faces are compared under a threshold of their own, from a tail that was measured on covered faces, and never
  under a lower one than bare faces are; without such a tail under none.
- Liveness is not counted in its favour: a stranger is somebody with their own face.
- Where the right people would be refused too often, or where the measurement ends, a press of the button is not enough:
  somebody has to say first who they are. The door asks for that rather than loosen.
- The lock asks at most three times a window, five where a face alone opens, which takes two that match. Should eye be
  taken over and probe by itself, at most six probes may fail in 20 s; after that every probe is refused without a
  comparison. Where a face alone opens, a probe that succeeds is free: the door says by itself that it knew the face.
  Where it opens nothing without the PIN, every probe counts, or what is left would tell whether a photograph was known;
  twelve in 20 s then, so that neighbours do not wait.
- The limit says nothing outside: a probe refused by it looks like every other refusal.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from device.vault.record import Averaged
from device.vault.tail import Tail

APPROACHES_PER_WINDOW = 3  # docs/rules.md, rule 7
WINDOW_NS = 10_000_000_000  # docs/rules.md, rule 2
# Two windows, because two people in a row may each need three approaches.
FAILURES_ALLOWED = 2 * APPROACHES_PER_WINDOW
PROBES_ALLOWED_WITH_PIN = 4 * APPROACHES_PER_WINDOW
FAILURES_SPAN_NS = 2 * WINDOW_NS
DAYS_A_YEAR = 365
# Beyond it the right people are refused more often than let in, and a door that hears first who somebody claims to be
# serves them better.
REFUSALS_ALLOWED = 0.5


@dataclass(frozen=True, slots=True)
class Budget:
    """How many false opens a year are allowed, if so many strangers a day press the button. Rule 7's defaults."""

    false_opens_per_year: float = 1.0
    strangers_per_day: float = 5.0

    def false_match_rate(self, gallery: int, tries: int = APPROACHES_PER_WINDOW) -> float:
        """The rate of false matches one comparison may have, with `gallery` faces awake.

        A stranger makes tries x gallery comparisons, and the chance that one of them matches is at most their sum:

            false opens a year <= strangers a day x 365 x tries x gallery x rate

        With 4 residents and 3 tries: 1 / (5 x 365 x 3 x 4) = 1 / 21,900 = 4.6e-5. With one resident 1.8e-4.
        """
        return self.false_opens_per_year / (self.strangers_per_day * DAYS_A_YEAR * tries * max(1, gallery))


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Where a match begins at this door. frames: how many a probe averages at most ([eye] frames).

    tail: of bare faces; covered: of covered ones, None if it was not measured.
    """

    budget: Budget
    tail: Tail
    frames: int
    covered: Tail | None = None

    def threshold(
        self,
        gallery: int,
        pictures: int,
        tries: int = APPROACHES_PER_WINDOW,
        *,
        covered: bool = False,
        worth: int = 0,
        sittings: int = 1,
    ) -> float | None:
        """The cosine at and above which a comparison of means is a match; None: ask for a claim first.

        gallery: faces of that kind awake now; pictures: that were averaged of one sitting of the template; worth: as
        how many different ones all of it counts, 0 if that is not known: then as many. sittings: how many it has.
        """
        threshold = self._strictest(gallery, worth or pictures, tries, covered=covered)
        if threshold is None:
            return None
        read_at = threshold
        if sittings > 1:
            # Each sitting more was measured to be refused less often in spite of the higher threshold
            # (docs/recognition-tried.md). Read at that one, it could cost the whole house the press.
            one = self._strictest(gallery, self.worth(pictures, 1.0, covered=covered), tries, covered=covered)
            read_at = threshold if one is None else min(one, threshold)
        tail = self.covered if covered else self.tail
        refused = tail.refused(pictures, self.frames, read_at) if tail else 1.0
        return None if refused > REFUSALS_ALLOWED else threshold

    def heights(
        self, kinds: Iterable[Averaged], gallery: int, tries: int = APPROACHES_PER_WINDOW, *, covered: bool = False
    ) -> tuple[float, ...] | None:
        """The threshold of each of `kinds`, among `gallery` faces awake; None if one has none: ask for a claim first.

        For all of them or for none: whoever presses the button is not to be refused because of who they are.
        """
        each = [
            self.threshold(gallery, one.pictures, tries, covered=covered, worth=one.worth, sittings=one.sittings)
            for one in kinds
        ]
        found = tuple(height for height in each if height is not None)
        return found if len(found) == len(each) else None

    def worth(self, pictures: int, length: float, *, covered: bool = False) -> int:
        """How many different pictures a template of `pictures` counts for; `length`: of the mean it was made of.

        A covered one has to keep to both tails, and counts for what either says at most.
        """
        return max(tail.worth(pictures, length) if tail else pictures for tail in self._tails(covered=covered))

    def length(self, pictures: int, *, covered: bool = False) -> float | None:
        """How long the mean of so many different pictures is; None if that was not measured.

        Of a covered face the shorter one of both tails, so that it never counts for fewer.
        """
        found = [tail.length(pictures) if tail else None for tail in self._tails(covered=covered)]
        lengths = [length for length in found if length is not None]
        return min(lengths) if len(lengths) == len(found) else None

    def _tails(self, *, covered: bool) -> tuple[Tail | None, ...]:
        """Those that faces of that kind have to keep to; None where one was not measured."""
        return (self.tail, self.covered) if covered else (self.tail,)

    def _strictest(self, gallery: int, pictures: int, tries: int, *, covered: bool) -> float | None:
        """What the tails ask for that faces of that kind have to keep to; None where one was not measured so far."""
        needed = [self._height(tail, gallery, pictures, tries) for tail in self._tails(covered=covered)]
        heights = [height for height in needed if height is not None]
        return max(heights) if len(heights) == len(needed) else None

    def _height(self, tail: Tail | None, gallery: int, pictures: int, tries: int) -> float | None:
        """What `tail` asks for; None where it was not measured."""
        single = tail.threshold(self.budget.false_match_rate(gallery, tries)) if tail else None
        shift = tail.shift(pictures, self.frames) if tail else None
        return None if single is None or shift is None else single + shift


@dataclass(slots=True)
class FailureLimit:
    """When the last few probes failed. `allowed`: how many may in `FAILURES_SPAN_NS`."""

    allowed: int = FAILURES_ALLOWED
    _failed_ns: deque[int] = field(default_factory=deque, init=False)

    def charge(self, now_ns: int) -> bool:
        """Pay for one comparison before it is made; False if there is none left."""
        if len(self._failed_ns) >= self.allowed:
            if now_ns - self._failed_ns[0] < FAILURES_SPAN_NS:
                return False
            self._failed_ns.popleft()
        self._failed_ns.append(now_ns)
        return True

    def refund(self) -> None:
        """The comparison that was paid for last was a match."""
        self._failed_ns.pop()
