"""Missing guards around the two white lights: their pace, when they burn, and both challenges.

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
        1500,
        (
            "lights",
            "challenge is not None and (state.window is None or state.window.nonce != challenge.nonce):",
            "challenge is not None and state.window is None:",
        ),
    ),
    fault(
        "any request counts for the newest approach",
        10500,
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
    fault(
        "a face that was asked to turn opens by itself",
        500,
        ("window", "not rules.face_alone_opens or window.doubted", "not rules.face_alone_opens"),
    ),
    fault(
        "somebody is asked to turn in the middle of the light challenge",
        400,
        ("prompts", "challenge.nonce != nonce or not challenge.over", "challenge.nonce != nonce"),
    ),
    fault(
        "whoever wants may ask for turns without end",
        200,
        ("permits", "wire.MotionRequest, looked)", "wire.MotionRequest, always)"),
    ),
    fault(
        "a motion challenge outlives its approach",
        9100,
        (
            "prompts",
            "return motion if motion.nonce == window.nonce else replace(motion, over=True)",
            "return motion",
        ),
    ),
    fault(
        "a prompt burns on after the log",
        4900,
        (
            "prompts",
            "return replace(motion, over=True), REST,",
            "return replace(motion, over=True), LIGHTS[motion.asked[2]],",
        ),
        (
            "prompts",
            "return state.lights != REST and state.lights_changed_ns[-1:] == motion.began_ns[-1:]",
            "return False",
        ),
    ),
    fault(
        "the prompts keep no pace",
        6900,
        ("prompts", "return 0 if burning == REST else pace_ns", "return 0"),
    ),
    fault(
        "a prompt that came late is made up for",
        20700,
        (
            "prompts",
            "(motion.began_ns[-1], PROMPT_MS) if motion.began_ns else (motion.rest_ns, LEAD_MS)",
            "(motion.rest_ns, LEAD_MS + PROMPT_MS * len(motion.began_ns))",
        ),
    ),
)
