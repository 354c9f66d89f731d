"""Which PINs people may choose.

Rules kept here:
- 6 to 12 digits: six random digits are what the guess budget (`throttle`) is reckoned for.
- What half the world would choose is refused, by rule where a rule says it, else from a short list.
- An invitation, which the manager knows, cannot become the PIN; nor can the PIN that is being replaced.
- A PIN and a duress PIN differ in at least two places or in length: one finger that slips calls nobody.
- A refusal is one sentence that helps to choose better and never repeats what was typed.

Source of the choice: Markert et al., "This PIN Can Be Easily Guessed" (IEEE S&P 2020), report as the ten commonest
six-digit PINs 000000, 111111, 112233, 121212, 123123, 123456, 159753, 654321, 666666 and 789456. The rules below refuse
eight of these and their whole families; the list holds the rest: lines that a finger draws on a keypad.
"""

from __future__ import annotations

import itertools

from device.errors import CredentialRefused

SHORTEST = 6
LONGEST = 12

# Three keys of a row, column or diagonal followed by three more, on a telephone keypad.
_STROKES = ("123", "456", "789", "147", "258", "369", "159", "357")
DRAWN = frozenset(
    one[::a] + other[::b] for one in _STROKES for other in _STROKES if one != other for a in (1, -1) for b in (1, -1)
)


def refuse_weak(pin: str, shown: str) -> None:
    """Refuse `pin` if it may not be set by somebody who showed `shown`. Raises CredentialRefused."""
    if not (pin.isascii() and pin.isdigit() and SHORTEST <= len(pin) <= LONGEST):
        msg = f"a PIN has {SHORTEST} to {LONGEST} digits"
        raise CredentialRefused(msg)
    if pin == shown:
        msg = "the new PIN must be another one than what you just showed"
        raise CredentialRefused(msg)
    if _is_run(pin):
        msg = "a PIN must not be one digit repeated, or digits in equal steps"
        raise CredentialRefused(msg)
    if _repeats_a_block(pin) or _mirrors_itself(pin) or _is_doubled_run(pin):
        msg = "a PIN must not be the same few digits over again, nor read the same backwards"
        raise CredentialRefused(msg)
    if pin in DRAWN:
        msg = "a PIN must not be a plain line across the keypad"
        raise CredentialRefused(msg)


def refuse_near(pin: str, other: str) -> None:
    """Refuse `pin` if one mistyped digit makes it `other`, or none. Raises CredentialRefused."""
    if near(pin, other):
        msg = "the PIN and the duress PIN must differ in at least two places"
        raise CredentialRefused(msg)


def near(pin: str, other: str) -> bool:
    """Whether two PINs of one length differ in at most one place."""
    return len(pin) == len(other) and sum(a != b for a, b in zip(pin, other, strict=True)) <= 1


def _is_run(pin: str) -> bool:
    """Equal steps on a ring of ten digits: 000000, 123456, 890123, 987654, 246802."""
    steps = {(int(later) - int(earlier)) % 10 for earlier, later in itertools.pairwise(pin)}
    return len(steps) == 1


def _repeats_a_block(pin: str) -> bool:
    """A block of at most half the length, over and over: 121212, 123123."""
    return any(pin == (pin[:size] * len(pin))[: len(pin)] for size in range(1, len(pin) // 2 + 1))


def _mirrors_itself(pin: str) -> bool:
    """123321."""
    return pin == pin[::-1]


def _is_doubled_run(pin: str) -> bool:
    """112233: every digit twice, in equal steps."""
    return len(pin) % 2 == 0 and pin[::2] == pin[1::2] and _is_run(pin[::2])
