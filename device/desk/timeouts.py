"""How long the desk, and the person at its command line, wait for a room.

Rules kept here:
- The desk gives up before doorctl does, so that a person gets the desk's answer and not a guess.
"""

from __future__ import annotations

from device.wire import Purpose

STATUS_S = 3.0
RECORD_S = 3.0
DOCUMENT_S = 15.0  # lock has keeper store each offer durably before it answers
ACT_S = 10.0
ENROL_S = 140.0  # the grant's 60 s to reach the button, a window of 10 s, and 60 s to confirm with the PIN
REKEY_S = 60.0  # every stored face is written anew before there is an answer
GRACE_S = 2.0  # what doorctl waits longer than the desk


def act_s(purpose: Purpose) -> float:
    """Seconds that an act of this purpose may take."""
    return ENROL_S if purpose is Purpose.ENROL else ACT_S
