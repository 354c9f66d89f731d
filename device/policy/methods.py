"""The ways in: PIN, card, face.

Rules kept here:
- A face has two strengths, alone or with the PIN, named as in door.toml; where both are allowed the face is enough.
- What a policy allows never goes beyond door.toml: the two are combined by `and`, in lock.
"""

from __future__ import annotations

from enum import IntFlag


class Method(IntFlag):
    """What opens a door, as bits of one byte."""

    PIN = 1
    CARD = 2
    FACE_WITH_PIN = 4
    FACE = 8


NOTHING = Method(0)
PIN_AND_CARD = Method.PIN | Method.CARD
ANY_FACE = Method.FACE_WITH_PIN | Method.FACE
EVERYTHING = PIN_AND_CARD | ANY_FACE

WORDS = {"pin": Method.PIN, "card": Method.CARD, "face+pin": Method.FACE_WITH_PIN, "face": Method.FACE}


def words(methods: Method) -> tuple[str, ...]:
    """The methods as written in a policy's file, PIN and card first."""
    return tuple(word for word, method in WORDS.items() if method in methods)
