"""Missing guards around the face: what it is worth, when the camera looks, and when the lamp is lit.

Rules kept here:
- A camera that looks too long, or unseen, is as much a fault as a face that opens.
"""

from __future__ import annotations

from tools.endurance.fault import fault

SIGHT = (
    # ---- the face
    fault(
        "a face that is nobody's opens",
        7900,
        ("window", "if verdict.slot == NOBODY or window.claim", "if window.claim"),
    ),
    fault("a claim is not compared", 300, ("window", " or window.claim not in (NOBODY, verdict.slot):", ":")),
    fault(
        "a face alone opens every door",
        100,
        ("window", "if not rules.face_alone_opens or window.doubted:\n                return Worth.PIN\n", ""),
    ),
    fault(
        "one answered challenge opens",
        700,
        (
            "window",
            "return Worth.OPENS if not rules.twice or window.answered == verdict.slot else",
            "return Worth.OPENS if rules else",
        ),
    ),
    fault(
        "any two faces open",
        9000,
        ("window", "window.answered == verdict.slot else", "window.answered != NOBODY else"),
    ),
    fault(
        "a child's face opens without the PIN",
        700,
        (
            "window",
            "case Outcome.WITH_PIN:\n            return Worth.PIN",
            "case Outcome.WITH_PIN:\n            return Worth.OPENS",
        ),
    ),
    fault(
        "an unknown face opens",
        1800,
        (
            "window",
            "case Outcome.REFUSED | Outcome.DURESS | Outcome.USED:",
            "case Outcome.REFUSED:\n            return Worth.OPENS\n        case Outcome.DURESS | Outcome.USED:",
        ),
    ),
    fault(
        "an enrolment opens the door",
        1300,
        ("machine", "looking and looking.mode is LookMode.RECOGNISE and", "looking and"),
    ),
    fault(
        "any answer of vault counts for the newest approach",
        900,
        ("machine", " and looking.nonce == verdict.nonce", ""),
    ),
    # ---- the camera
    fault(
        "a press looks for anybody where a claim comes first",
        100,
        (
            "window",
            "if state.claim_first_ready:\n        return state, (Show(Signal.CLAIM_FIRST),)\n    return _opened",
            "return _opened",
        ),
    ),
    fault(
        "a press looks although nobody is ready",
        100,
        (
            "window",
            "    if not _can_look(state, rules):\n        return state, (Show(Signal.USE_PIN_OR_CARD),)\n    if",
            "    if",
        ),
    ),
    fault(
        "vault's no to a claim opens the camera",
        600,
        ("window", "if not answer.awake or not _can_look(state, rules)", "if not _can_look(state, rules)"),
    ),
    fault(
        "any answer of vault counts for the newest claim",
        200,
        ("window", "inquiry is None or inquiry.nonce != answer.nonce", "inquiry is None"),
    ),
    fault(
        "a question about a claim stands for ever",
        200,
        ("window", "if state.inquiry and now_ns >= state.inquiry.until_ns:", "if state.inquiry and now_ns < 0:"),
    ),
    fault(
        "a window does not end",
        100,
        ("window", "if state.window and now_ns >= state.window.until_ns:", "if state.window and now_ns < 0:"),
    ),
    fault(
        "approaches are not counted",
        3900,
        ("window", "if window.approaches_left == 0:", "if window.approaches_left < 0:"),
    ),
    fault(
        "a window outlives eye", 1000, ("neighbours", "if room in (Room.EYE, Room.VAULT):", "if room is Room.VAULT:")
    ),
    fault("a window outlives vault", 200, ("neighbours", "if room in (Room.EYE, Room.VAULT):", "if room is Room.EYE:")),
    fault(
        "a window outlives its camera",
        100,
        (
            "window",
            "if condition is CameraCondition.FAULT:\n        state, effects = ended(state, Signal.USE_PIN_OR_CARD)",
            "if condition is CameraCondition.FAULT:",
        ),
    ),
    fault(
        "a window for anybody outlives the budget",
        400,
        ("window", "if window.claim == NOBODY and ready.claim_first:", "if window.claim == NOBODY and not ready:"),
    ),
    fault(
        "the next approach forgets the claim",
        200,
        ("window", "again = replace(window, nonce=fresh,", "again = replace(window, claim=NOBODY, nonce=fresh,"),
    ),
    # ---- the lamp
    fault(
        "the lamp does not wait for a read under way",
        100,
        (
            "window",
            "return state.window is not None or state.fading_until_ns is not None",
            "return state.window is not None",
        ),
    ),
    fault(
        "the lamp waits for eye as long as it likes",
        100,
        (
            "window",
            "until = state.fading_until_ns if state.fading_until_ns and now_ns < state.fading_until_ns else None",
            "until = state.fading_until_ns",
        ),
    ),
    fault(
        "the lamp is lit after the look began",
        100,
        ("window", "return (Lamp(on=True), *effects) if is_lit", "return (*effects, Lamp(on=True)) if is_lit"),
    ),
)
