"""Locks with one guard taken out: random lives must find every one of them.

Rules kept here:
- A fault is one a person could make: a condition that is missing, turned round, or too generous.
- Where two guards stand behind each other, a fault takes out both, and says so.
- `within`: how many lives may pass until it is found. Ten times what was measured, and never below a hundred, so that
  a change of the lives does not make a test fail that found its fault by luck.
"""

from __future__ import annotations

from dataclasses import dataclass

from tools.endurance.locks import Edit


@dataclass(frozen=True, slots=True)
class Fault:
    """A guard that is missing; the rule whose breach shows it (the beginning of the sentence)."""

    name: str
    edits: tuple[Edit, ...]
    within: int


def _fault(name: str, within: int, *edits: tuple[str, str, str]) -> Fault:
    return Fault(name, tuple(Edit(*edit) for edit in edits), within)


_ALIVE = "alive = 0 <= now_ns - verdict.stamped_ns <= rules.verdict_life_ns"

FAULTS = (
    # ---- the verdict
    _fault("a verdict never goes stale", 200, ("machine", _ALIVE, "alive = 0 <= now_ns - verdict.stamped_ns")),
    _fault(
        "a verdict may come from the future",
        200,
        ("machine", _ALIVE, "alive = now_ns - verdict.stamped_ns <= rules.verdict_life_ns"),
    ),
    _fault(
        "a verdict lives a millisecond longer",
        800,
        ("machine", _ALIVE, "alive = 0 <= now_ns - verdict.stamped_ns <= rules.verdict_life_ns + 1_000_000"),
    ),
    _fault("a verdict needs no question", 400, ("machine", "valid = expected and alive", "valid = alive")),
    _fault(
        "a question may be answered twice",
        100,
        ("machine", "state = _answered(state, verdict.nonce)\n    alive", "alive"),
        ("machine", "return _answer(_answered(state, nonce), nonce, outcome)", "return _answer(state, nonce, outcome)"),
    ),
    _fault(
        "another room may answer for keeper (two guards)",
        200,
        ("machine", "asked.nonce == verdict.nonce and asked.room is sender for", "asked.nonce == verdict.nonce for"),
        ("machine", "state.check.opens and sender is Room.KEEPER and", "state.check.opens and"),
    ),
    _fault(
        "keeper's no opens",
        100,
        ("machine", "valid and verdict.outcome is Outcome.ACCEPTED and verdict.slot", "valid and verdict.slot"),
    ),
    _fault("keeper may accept nobody", 500, ("machine", " and verdict.slot != wire.NOBODY", "")),
    _fault(
        "the proof for a personal act opens",
        200,
        ("machine", "state.check and state.check.opens and", "state.check and"),
    ),
    _fault(
        "any answer of keeper counts for the newest PIN",
        100,
        ("machine", " and state.check.nonce == verdict.nonce", ""),
    ),
    _fault(
        "keeper may take for ever",
        100,
        ("machine", "if state.check and now_ns >= state.check.until_ns:", "if state.check and now_ns < 0:"),
    ),
    # ---- the face
    _fault(
        "a face that is nobody's opens",
        4100,
        ("window", "if verdict.slot == NOBODY or window.claim", "if window.claim"),
    ),
    _fault("a claim is not compared", 2200, ("window", " or window.claim not in (NOBODY, verdict.slot):", ":")),
    _fault(
        "a face alone opens every door",
        100,
        ("window", "return Worth.OPENS if rules.face_alone_opens else Worth.PIN", "return Worth.OPENS"),
    ),
    _fault(
        "a child's face opens without the PIN",
        300,
        (
            "window",
            "case Outcome.WITH_PIN:\n            return Worth.PIN",
            "case Outcome.WITH_PIN:\n            return Worth.OPENS",
        ),
    ),
    _fault(
        "an unknown face opens",
        100,
        (
            "window",
            "case Outcome.REFUSED:\n            return Worth.NOTHING",
            "case Outcome.REFUSED:\n            return Worth.OPENS",
        ),
    ),
    _fault(
        "an enrolment opens the door",
        500,
        ("machine", "looking and looking.mode is LookMode.RECOGNISE and", "looking and"),
    ),
    _fault(
        "any answer of vault counts for the newest approach",
        700,
        ("machine", " and looking.nonce == verdict.nonce", ""),
    ),
    # ---- the end of it
    _fault(
        "granted does not end",
        100,
        ("machine", "if state.granted_until_ns is not None and now_ns >= state.granted_until_ns:", "if now_ns < 0:"),
    ),
    _fault(
        "the strike is let go for twice the time",
        100,
        ("machine", "Release(rules.unlock_ns)", "Release(2 * rules.unlock_ns)"),
    ),
    _fault(
        "granted lasts a second longer",
        200,
        (
            "machine",
            "granted_until_ns=now_ns + rules.unlock_ns,",
            "granted_until_ns=now_ns + rules.unlock_ns + 1_000_000_000,",
        ),
    ),
    _fault(
        "the end of granted moves no bolt",
        100,
        ("machine", "passage_until_ns=late_ns), (Secure(),)", "passage_until_ns=late_ns), ()"),
        ("passage", "replace(state, granted_until_ns=None), (Secure(),)", "replace(state, granted_until_ns=None), ()"),
    ),
    _fault(
        "a door that fell shut stays unlocked",
        100,
        ("passage", "if state.granted_until_ns is not None and state.opened_while_granted:", "if now_ns < 0:"),
    ),
    _fault(
        "a bolt that fails stays granted",
        100,
        ("passage", "replace(state, granted_until_ns=None), Alarm.BOLT_FAULT", "state, Alarm.BOLT_FAULT"),
    ),
    _fault(
        "a fail-safe coil is driven like a fail-secure one",
        100,
        ("bolt", "return released if wiring is Wiring.FAIL_SECURE else not released", "return released"),
    ),
    # ---- the camera
    _fault(
        "a press looks for anybody where a claim comes first",
        200,
        (
            "window",
            "if state.claim_first_ready:\n        return state, (Show(Signal.CLAIM_FIRST),)\n    return _opened",
            "return _opened",
        ),
    ),
    _fault(
        "a press looks although nobody is ready",
        100,
        (
            "window",
            "    if not _can_look(state, rules):\n        return state, (Show(Signal.USE_PIN_OR_CARD),)\n    if",
            "    if",
        ),
    ),
    _fault(
        "vault's no to a claim opens the camera",
        300,
        ("window", "if not answer.awake or not _can_look(state, rules)", "if not _can_look(state, rules)"),
    ),
    _fault(
        "any answer of vault counts for the newest claim",
        800,
        ("window", "inquiry is None or inquiry.nonce != answer.nonce", "inquiry is None"),
    ),
    _fault(
        "a question about a claim stands for ever",
        1200,
        ("window", "if state.inquiry and now_ns >= state.inquiry.until_ns:", "if state.inquiry and now_ns < 0:"),
    ),
    _fault(
        "a window does not end",
        300,
        ("window", "if state.window and now_ns >= state.window.until_ns:", "if state.window and now_ns < 0:"),
    ),
    _fault(
        "approaches are not counted",
        5200,
        ("window", "if window.approaches_left == 0:", "if window.approaches_left < 0:"),
    ),
    _fault("a window outlives eye", 200, ("machine", "if room in (Room.EYE, Room.VAULT):", "if room is Room.VAULT:")),
    _fault("a window outlives vault", 100, ("machine", "if room in (Room.EYE, Room.VAULT):", "if room is Room.EYE:")),
    _fault(
        "a window outlives its camera",
        300,
        (
            "window",
            "if condition is CameraCondition.FAULT:\n        state, effects = ended(state, Signal.USE_PIN_OR_CARD)",
            "if condition is CameraCondition.FAULT:",
        ),
    ),
    _fault(
        "a window for anybody outlives the budget",
        300,
        ("window", "if window.claim == NOBODY and ready.claim_first:", "if window.claim == NOBODY and not ready:"),
    ),
    _fault(
        "the next approach forgets the claim",
        400,
        ("window", "again = replace(window, nonce=fresh,", "again = replace(window, claim=NOBODY, nonce=fresh,"),
    ),
    # ---- the lamp
    _fault(
        "the lamp does not wait for a read under way",
        100,
        (
            "window",
            "return state.window is not None or state.fading_until_ns is not None",
            "return state.window is not None",
        ),
    ),
    _fault(
        "the lamp waits for eye as long as it likes",
        200,
        (
            "window",
            "until = state.fading_until_ns if state.fading_until_ns and now_ns < state.fading_until_ns else None",
            "until = state.fading_until_ns",
        ),
    ),
    _fault(
        "the lamp is lit after the look began",
        100,
        ("window", "return (Lamp(on=True), *effects) if is_lit", "return (*effects, Lamp(on=True)) if is_lit"),
    ),
    # ---- the hours
    _fault(
        "the hours are not asked about a PIN",
        1200,
        ("machine", "if method not in rules.methods:", "if method not in rules.methods | Method.PIN:"),
    ),
    _fault(
        "the hours are not asked about a face",
        2400,
        ("loop", "self._rules.face_alone_opens and Method.FACE in allowed", "self._rules.face_alone_opens"),
        ("machine", "if method not in rules.methods:", "if method not in rules.methods | Method.FACE:"),
    ),
    _fault(
        "a window outlives its hours",
        1800,
        (
            "window",
            "if (state.window or state.inquiry) and not rules.methods & ANY_FACE:",
            "if state.inquiry and not rules.methods & ANY_FACE:",
        ),
    ),
    # ---- the table of messages
    _fault(
        "a reply needs no question",
        100,
        ("permits", "return any(one.nonce == nonce and one.room is sender for one in state.asked)", "return True"),
    ),
    _fault(
        "a reply may come from another room",
        100,
        ("permits", "one.nonce == nonce and one.room is sender for", "one.nonce == nonce for"),
    ),
    _fault(
        "a question outlives the room it went to",
        600,
        ("machine", "asked=tuple(asked for asked in state.asked if asked.room is not room)", "asked=state.asked"),
    ),
)
