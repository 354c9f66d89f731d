"""What every board of real lines does alike, whatever drives them: tones, lights, and the order of its end.

Rules kept here:
- The bolt is secured before anything else is given back, and the rest is given back even if that fails.
- Buzzer, status light and white lights keep no door from locking or opening: `feedback` and `light_lines` see to that.
"""

from __future__ import annotations

from contextlib import ExitStack

from device.lock.bolt import Bolt
from device.lock.feedback import Feedback
from device.lock.light_lines import LightLines
from device.lock.state import Signal
from device.wire import Hint


class BoardLines:
    """A board whose driver has claimed its lines. `_held` gives all of them back, in the reverse order."""

    bolt: Bolt
    _feedback: Feedback
    _lights: LightLines
    _held: ExitStack

    def lights(self, left: int, right: int) -> None:
        """Set the white lights, where they are fitted: all lines at once, as nearly as the driver can."""
        self._lights.show(left, right)

    def show(self, signal: Signal, hint: Hint | None) -> None:
        """Play the pattern of `signal` on the buzzer and the status light, where they are wired."""
        self._feedback.show(signal, hint)

    def card(self, command: bytes | None) -> None:
        """No line of a board reads cards; readers stand beside it (`parts`)."""

    def close(self) -> None:
        """Secure, dark, lines given back."""
        try:
            self.bolt.close()  # before anything else can fail
        finally:
            self._held.close()
