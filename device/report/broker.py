"""The broker a door talks to, and how long it waits before it tries again.

Rules kept here:
- Which broker it may be, `device.config.broker` says.
- Doors that lose one broker together do not come back together: every wait is drawn at random.
"""

from __future__ import annotations

from device.config.broker import Broker, parse

__all__ = ["Broker", "parse", "wait_s"]

WAIT_MIN_S = 0.5
WAIT_FIRST_S = 8.0
WAIT_MAX_S = 300.0


def wait_s(failures: int, chance: float) -> float:
    """How long to wait after `failures` tries in a row (from 1); `chance` is uniform in [0, 1).

    Full jitter: uniform up to a ceiling that doubles with every failure
    (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/).
    """
    ceiling = min(WAIT_FIRST_S * 2.0 ** min(failures - 1, 16), WAIT_MAX_S)
    return WAIT_MIN_S + chance * (ceiling - WAIT_MIN_S)
