"""How long each call into the camera may take, reckoned so that eye ends itself before its watchdog does.

Rules kept here:
- Every call has a limit of its own, at which the leash ends the process (`device.eye.leash`). The watchdog is fed
  before and after each, so what it sees is one call at a time, and a camera that is slow at everything is not taken
  for one that hangs.
- The longest call that `device.config.tables` permits is shorter than WatchdogSec= of eye's unit: an end by the leash
  says in which line it hung, an end by the watchdog does not. tests/unit/eye/test_waits.py reckons it from both files.
"""

from __future__ import annotations

from typing import Final

CALL_LIMIT_S: Final = 5.0  # for calls into the camera that have no timeout of their own
_READ_GRACE_S: Final = 3.0  # for a read that has waited long enough, to give up; or to copy and decode what came


def read_limit_s(frame_timeout_ms: int) -> float:
    """How long reading one frame may take, seconds."""
    return frame_timeout_ms / 1000 + _READ_GRACE_S


def longest_call_s(frame_timeout_ms: int) -> float:
    """How long the longest single call may take, seconds."""
    return max(CALL_LIMIT_S, read_limit_s(frame_timeout_ms))


def quiet_limit_s(frame_timeout_ms: int) -> float:
    """How long an approach may go on without a frame, seconds.

    One open, one setting of exposure and one read, each at its limit, and one more call for what eye was doing when
    the Look came.
    """
    return 3 * CALL_LIMIT_S + read_limit_s(frame_timeout_ms)
