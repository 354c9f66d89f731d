"""What a person hears and sees for every signal and hint: one rhythm each, for a buzzer and for a light. Pure.

Rules kept here:
- A rhythm is told apart by how many beats it has and which are short or long. The buzzer and the light give the same
  one, so that neither hearing nor sight is needed, and nothing depends on pitch or colour.
- Every refusal is the same one, whatever its cause: a pattern follows from the signal and the hint, and nothing else.
  Only who shows what was right before (an invitation that was used, the PIN of a place offered anew) hears more.
- *Opened* is one very long beat and *refused* three short ones. No other rhythm begins with either, so that none which
  is cut short by the next can be taken for them.
- The light flashes at most three times a second (W3C, WCAG 2.2, success criterion 2.3.1: people with photosensitive
  epilepsy). `player` keeps the same bound from one pattern to the next.
- A pattern is over before the next act: a key's before the next key, "opened" before the bolt falls again, every other
  one before the shortest window ends.

The lengths were chosen at a desk. No person has tried them at a door.
"""

from __future__ import annotations

from dataclasses import dataclass

from device.lock.state import Signal
from device.wire import Hint

FLASH_EVERY_MS = 340  # from one flash's beginning to the next: at most three in any second
LONGEST_MS = 2000  # the shortest window that door.toml allows
OPENED_MS = 1500
_CLICK_MS = 40  # a key's: people who know their PIN type about ten digits a second

# `.` a short beat, `-` a long one, `!` a click, `=` the one that says the door is open.
_SIGNALS = {
    Signal.KEY: "!",
    Signal.WAIT: "..",
    Signal.OPENED: "=",
    Signal.REFUSED: "...",
    Signal.NOTED: ".-",
    Signal.DONE: ".--",
    Signal.LOOK: "-.",
    Signal.ENTER_PIN: "--",
    Signal.USE_PIN_OR_CARD: "---",
    Signal.CLAIM_FIRST: "--.",
    Signal.CLOSE_DOOR: "-...",
    Signal.DOOR_ENDS: "--.-",
    Signal.TELL_MANAGER: "---.",
}
_HINTS = {
    Hint.COME_CLOSER: "..-",
    Hint.STEP_BACK: "-..",
    Hint.LOOK_AT_CAMERA: ".-.",
    Hint.HOLD_STILL: "-.-",
    Hint.NOBODY: ".-.-",
    Hint.TOO_DARK: "-.-.",
    Hint.TOO_BRIGHT: "-..-",
    Hint.ONE_PERSON_ONLY: "--..",
    Hint.TURN_A_LITTLE: ".-..",
    Hint.CONFIRM_WITH_PIN: ".--.",
    Hint.UNCOVER_YOUR_FACE: "..-.",
    Hint.LOOKS_LIKE_ANOTHER: "..--",
    Hint.COVER_YOUR_FACE: "-.--",
}


@dataclass(frozen=True, slots=True)
class Pattern:
    """Milliseconds on, off, on, ... for each; both begin and end with a beat."""

    tone_ms: tuple[int, ...]
    light_ms: tuple[int, ...]

    @property
    def length_ms(self) -> int:
        """Until the longer of the two is over."""
        return max(sum(self.tone_ms), sum(self.light_ms))


def pattern_of(signal: Signal, hint: Hint | None, unlock_ms: int) -> Pattern:
    """What `signal` sounds and looks like; `hint` counts with Signal.LOOK alone.

    `unlock_ms`: how long this door stays open, so that "opened" does not outlast it.
    """
    rhythm = _HINTS[hint] if hint is not None and signal is Signal.LOOK else _SIGNALS[signal]
    opened_ms = min(OPENED_MS, unlock_ms)
    tone = {"!": _CLICK_MS, ".": 90, "-": 320, "=": opened_ms}
    light = {"!": 120, ".": 120, "-": 340, "=": opened_ms}
    return Pattern(
        _track([tone[beat] for beat in rhythm], gap_ms=110),
        _track([light[beat] for beat in rhythm], gap_ms=FLASH_EVERY_MS - light["."]),
    )


def _track(beats_ms: list[int], gap_ms: int) -> tuple[int, ...]:
    track: list[int] = []
    for beat_ms in beats_ms:
        track += [beat_ms, gap_ms]
    return tuple(track[:-1])
