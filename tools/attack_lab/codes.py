"""Challenges as the door draws them, and the log that eye is given.

Rules kept here:
- Codes are drawn by `device.challenge`, from random bytes, as lock draws them; nobody here prefers one.
- The log tells what was driven, a little late as a busy lock is; lights that others drive (a recording, a guess) have
  the same form and are never told.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from device import challenge, wire
from device.challenge import MS, REST, Code, Lights
from tools.attack_lab.camera import Drive

BEGAN_NS: Final = 1_000_000_000_000
LATEST_MS: Final = 6.0


@dataclass(frozen=True, slots=True)
class Driven:
    """A challenge that ran: what the lights did, and what lock says of it."""

    drive: Drive
    log: wire.ChallengeLog

    @property
    def span_ns(self) -> tuple[int, int]:
        """From before the first change until after the last light."""
        return self.log.began_ns - 60 * MS, self.log.ended_ns + 60 * MS


def drawn(rng: np.random.Generator) -> Code:
    """A code as lock draws one while the lights are at rest."""
    return challenge.draw(rng.bytes(16), REST)


def driven(code: Code, rng: np.random.Generator, began_ns: int = BEGAN_NS, shift_ms: float = 0.0) -> Driven:
    """`code` after REST, each change up to LATEST_MS late; `shift_ms` moves all of it."""
    begin_ns = began_ns + round(shift_ms * MS)
    at = [begin_ns + round((offset + rng.uniform(0, LATEST_MS)) * MS) for offset in code.offsets_ms]
    ended = at[2] + round((challenge.LAST_MS + rng.uniform(0, LATEST_MS)) * MS)
    lights: tuple[Lights, Lights, Lights, Lights] = (REST, *code.lights)
    rest, first, second, third = lights
    log = wire.ChallengeLog(
        nonce=rng.bytes(wire.NONCE_BYTES),
        began_ns=begin_ns,
        left_0=rest.left,
        right_0=rest.right,
        at_1_ns=at[0],
        left_1=first.left,
        right_1=first.right,
        at_2_ns=at[1],
        left_2=second.left,
        right_2=second.right,
        at_3_ns=at[2],
        left_3=third.left,
        right_3=third.right,
        ended_ns=ended,
    )
    return Driven(Drive((0, *at), lights), log)
