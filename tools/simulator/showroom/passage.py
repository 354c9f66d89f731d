"""Who goes through the drawn door, and the closer that shuts it. Pure.

Rules kept here:
- A leaf moves only where a real one would: when the bolt lets go, from inside by the handle, or by force.
- What was pushed open falls shut again, by the closer, after CLOSES_S.
"""

from __future__ import annotations

from dataclasses import dataclass

from tools.simulator.showroom.view import View

CLOSES_S = 2.5
WALKS_AFTER_S = 0.6


@dataclass(slots=True)
class Passage:
    """The closer, and somebody who walks through whenever the bolt lets go, if `walks`."""

    walks: bool = True
    _goes_at_s: float | None = None
    _shuts_at_s: float | None = None

    def seen(self, now: View, now_s: float) -> bool | None:
        """Whether the leaf is to be opened (True), shut (False), or left (None)."""
        if not now.power:
            self._goes_at_s = self._shuts_at_s = None
            return None
        if now.leaf_open:
            self._goes_at_s = None
            if self._shuts_at_s is None:
                self._shuts_at_s = now_s + CLOSES_S
            return False if now_s >= self._shuts_at_s else None
        self._shuts_at_s = None
        if not (now.granted and self.walks):
            self._goes_at_s = None
            return None
        if self._goes_at_s is None:
            self._goes_at_s = now_s + WALKS_AFTER_S
        return True if now_s >= self._goes_at_s else None
