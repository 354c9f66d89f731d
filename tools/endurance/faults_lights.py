"""Missing guards around the two white lights: their pace, when they burn, and the challenge.

Rules kept here:
- What could make somebody ill, or tell eye of lights that never were, is a fault as much as a door that opens.
"""

from __future__ import annotations

from tools.endurance.fault import fault

LIGHTS = (
    fault(
        "the lights keep no pace",
        400,
        ("lights", "pace_ns, challenge = may_change_ns(state.lights_changed_ns),", "pace_ns, challenge = 0,"),
    ),
    fault(
        "a new process keeps no pace with the one before it",
        2800,
        ("loop", "lights.at_start(time.monotonic_ns())", "lights.at_start(0)"),
    ),
    fault(
        "the lights burn on when the camera is closed",
        200,
        ("lights", "return None if state.lights == OFF else pace_ns", "return None"),
    ),
    fault(
        "lights are driven where none are fitted",
        100,
        ("lights", "if not rules.lights:\n        return state, ()", "if not rules:\n        return state, ()"),
    ),
    fault(
        "a challenge outlives its approach",
        800,
        (
            "lights",
            "challenge is not None and (state.window is None or state.window.nonce != challenge.nonce):",
            "challenge is not None and state.window is None:",
        ),
    ),
    fault(
        "any request counts for the newest approach",
        2400,
        ("lights", "window.nonce != nonce or", ""),
        ("lights", "Challenge(nonce, draw", "Challenge(window.nonce, draw"),
    ),
    fault(
        "a challenge may be asked for twice",
        100,
        ("permits", "wire.ChallengeRequest, asked)", "wire.ChallengeRequest, always)"),
    ),
    fault(
        "the log tells what was planned",
        700,
        ("lights", "(*challenge.made, (now_ns, following))", "(*challenge.made, (due_ns, following))"),
    ),
    fault(
        "the log comes before the last light has lasted",
        200,
        ("lights", "return last_ns + LAST_MS * MS", "return last_ns"),
    ),
)
