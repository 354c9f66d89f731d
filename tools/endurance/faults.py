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
        300,
        ("machine", _ALIVE, "alive = now_ns - verdict.stamped_ns <= rules.verdict_life_ns"),
    ),
    _fault(
        "a verdict lives a millisecond longer",
        600,
        ("machine", _ALIVE, "alive = 0 <= now_ns - verdict.stamped_ns <= rules.verdict_life_ns + 1_000_000"),
    ),
    _fault("a verdict needs no question", 1400, ("machine", "valid = expected and alive", "valid = alive")),
    _fault(
        "a question may be answered twice",
        100,
        ("machine", "state = _answered(state, verdict.nonce)\n    alive", "alive"),
        ("machine", "return _answer(_answered(state, nonce), nonce, outcome)", "return _answer(state, nonce, outcome)"),
    ),
    _fault(
        "another room may answer for keeper (two guards)",
        600,
        ("machine", "asked.nonce == verdict.nonce and asked.room is sender for", "asked.nonce == verdict.nonce for"),
        ("machine", "check.opens and sender is Room.KEEPER and", "check.opens and"),
    ),
    _fault(
        "keeper's no opens",
        100,
        ("machine", "valid and verdict.outcome in _ACCEPTED and verdict.slot", "valid and verdict.slot"),
    ),
    _fault("keeper may accept nobody", 200, ("machine", " and verdict.slot != wire.NOBODY", "")),
    _fault(
        "the proof for a personal act opens",
        100,
        ("machine", "check and check.opens and sender", "check and sender"),
    ),
    _fault(
        "any answer of keeper counts for the newest PIN",
        300,
        ("machine", " and check.nonce == verdict.nonce", ""),
    ),
    _fault(
        "keeper may take for ever, about a PIN and about a card",
        100,
        ("machine", "if state.check and now_ns >= state.check.until_ns:", "if state.check and now_ns < 0:"),
    ),
    # ---- the card
    _fault(
        "any yes of keeper counts for the card that is there",
        600,
        ("machine", " and check.nonce == verdict.nonce", " and (check.card or check.nonce == verdict.nonce)"),
    ),
    _fault(
        "keeper may take for ever about a card",
        100,
        (
            "machine",
            "if state.check and now_ns >= state.check.until_ns:",
            "if (at := state.check) and now_ns >= at.until_ns and not at.card:",
        ),
    ),
    _fault(
        "an answer opens",
        100,
        (
            "machine",
            "return _answer(_answered(state, nonce), nonce, outcome)",
            "return _verdict(state, event.sender, wire.Verdict(nonce, now_ns, outcome, 12), now_ns, fresh, rules)",
        ),
    ),
    _fault(
        "a card that is added opens",
        100,
        (
            "machine",
            "(Show(well if accepted else Signal.REFUSED), *card.let_go(check))",
            "(Release(1_000_000), Show(well if accepted else Signal.REFUSED), *card.let_go(check))",
        ),
    ),
    _fault(
        "a card begins beside what is checked",
        100,
        ("card", "    if state.check:\n        # Beside", "    if state.check and now_ns < 0:\n        # Beside"),
    ),
    _fault(
        "keys are read beside a card",
        200,
        (
            "machine",
            "if state.check:\n        return state, (Show(Signal.WAIT),)",
            "if state.check and not state.check.card:\n        return state, (Show(Signal.WAIT),)",
        ),
    ),
    _fault(
        "keeper talks to the card in the name of another one",
        400,
        ("card", "_there(state) and state.check and state.check.nonce == nonce", "_there(state)"),
    ),
    _fault(
        "keeper talks to whatever card comes after",
        100,
        ("card", "state.check.card and not state.check.left", "state.check.card"),
    ),
    _fault(
        "what a card says when nobody asks goes to keeper",
        100,
        (
            "card",
            "    if not (state.check and _there(state)):\n        return state, ()\n    return state, (Send",
            "    if not state.check:\n        return state, ()\n    return state, (Send",
        ),
    ),
    _fault(
        "a card is kept when its exchange is over",
        100,
        ("card", "return (CardSend(None),) if check.card else ()", "return ()"),
    ),
    _fault(
        "a card is kept when its time is over",
        100,
        ("card", "return (*told_already, CardSend(None))", "return told_already"),
    ),
    _fault(
        "a card is kept when keeper is gone",
        200,
        ("machine", "(*effects, Show(Signal.REFUSED), *card.let_go(state.check))", "(*effects, Show(Signal.REFUSED))"),
    ),
    _fault(
        "a card beside a PIN is kept",
        100,
        (
            "card",
            "(Show(Signal.WAIT),) if state.check.card else (Show(Signal.WAIT), CardSend(None))",
            "(Show(Signal.WAIT),)",
        ),
    ),
    # ---- duress
    _fault(
        "a duress that vault speaks of opens",
        2100,
        ("window", "case Outcome.ACCEPTED:", "case Outcome.ACCEPTED | Outcome.DURESS:"),
        ("window", "case Outcome.REFUSED | Outcome.DURESS:", "case Outcome.REFUSED:"),
    ),
    _fault(
        "keeper's duress opens nothing",
        500,
        (
            "machine",
            "_ACCEPTED = frozenset({Outcome.ACCEPTED, Outcome.DURESS})",
            "_ACCEPTED = frozenset({Outcome.ACCEPTED})",
        ),
    ),
    _fault(
        "nobody hears the call for help",
        700,
        ("machine", "    return state, (*effects, _HELP)", "    return state, effects"),
    ),
    _fault(
        "keeper's call is not heard when its verdict is stale",
        300,
        (
            "machine",
            "if expected and verdict.outcome is Outcome.DURESS else",
            "if opens and verdict.outcome is Outcome.DURESS else",
        ),
    ),
    _fault(
        "a call that report was not there for is forgotten",
        1100,
        ("machine", "return replace(state, help_owed=True), effects", "return state, effects"),
    ),
    _fault(
        "everybody calls for help",
        100,
        ("machine", "if expected and verdict.outcome is Outcome.DURESS else shown", "if opens else shown"),
    ),
    _fault(
        "the lamp waits for the call",
        700,
        ("machine", "return (*(effect for effect in effects if effect != _HELP), _HELP)", "return effects"),
    ),
    # ---- the face
    _fault(
        "a face that is nobody's opens",
        1100,
        ("window", "if verdict.slot == NOBODY or window.claim", "if window.claim"),
    ),
    _fault("a claim is not compared", 300, ("window", " or window.claim not in (NOBODY, verdict.slot):", ":")),
    _fault(
        "a face alone opens every door",
        100,
        ("window", "return Worth.OPENS if rules.face_alone_opens else Worth.PIN", "return Worth.OPENS"),
    ),
    _fault(
        "a child's face opens without the PIN",
        700,
        (
            "window",
            "case Outcome.WITH_PIN:\n            return Worth.PIN",
            "case Outcome.WITH_PIN:\n            return Worth.OPENS",
        ),
    ),
    _fault(
        "an unknown face opens",
        1800,
        (
            "window",
            "case Outcome.REFUSED | Outcome.DURESS:",
            "case Outcome.REFUSED:\n            return Worth.OPENS\n        case Outcome.DURESS:",
        ),
    ),
    _fault(
        "an enrolment opens the door",
        100,
        ("machine", "looking and looking.mode is LookMode.RECOGNISE and", "looking and"),
    ),
    _fault(
        "any answer of vault counts for the newest approach",
        900,
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
        300,
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
        100,
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
        600,
        ("window", "if not answer.awake or not _can_look(state, rules)", "if not _can_look(state, rules)"),
    ),
    _fault(
        "any answer of vault counts for the newest claim",
        200,
        ("window", "inquiry is None or inquiry.nonce != answer.nonce", "inquiry is None"),
    ),
    _fault(
        "a question about a claim stands for ever",
        200,
        ("window", "if state.inquiry and now_ns >= state.inquiry.until_ns:", "if state.inquiry and now_ns < 0:"),
    ),
    _fault(
        "a window does not end",
        100,
        ("window", "if state.window and now_ns >= state.window.until_ns:", "if state.window and now_ns < 0:"),
    ),
    _fault(
        "approaches are not counted",
        600,
        ("window", "if window.approaches_left == 0:", "if window.approaches_left < 0:"),
    ),
    _fault("a window outlives eye", 1000, ("machine", "if room in (Room.EYE, Room.VAULT):", "if room is Room.VAULT:")),
    _fault("a window outlives vault", 200, ("machine", "if room in (Room.EYE, Room.VAULT):", "if room is Room.EYE:")),
    _fault(
        "a window outlives its camera",
        100,
        (
            "window",
            "if condition is CameraCondition.FAULT:\n        state, effects = ended(state, Signal.USE_PIN_OR_CARD)",
            "if condition is CameraCondition.FAULT:",
        ),
    ),
    _fault(
        "a window for anybody outlives the budget",
        400,
        ("window", "if window.claim == NOBODY and ready.claim_first:", "if window.claim == NOBODY and not ready:"),
    ),
    _fault(
        "the next approach forgets the claim",
        200,
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
        100,
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
        3500,
        ("machine", "if method not in rules.methods or", "if method not in rules.methods | Method.PIN or"),
    ),
    _fault(
        "the hours are not asked about a card",
        500,
        ("machine", "if method not in rules.methods or", "if method not in rules.methods | Method.CARD or"),
    ),
    _fault(
        "a card counts as a PIN",
        500,
        (
            "machine",
            "_decide(state, now_ns, rules, check.by, verdict.slot)",
            "_decide(state, now_ns, rules, Method.PIN, verdict.slot)",
        ),
    ),
    _fault("a slot's own hours are not asked", 700, ("machine", " or slot in rules.barred", "")),
    _fault(
        "a slot's own hours are not asked about a face",
        4300,
        ("machine", " or slot in rules.barred", " or (slot in rules.barred and method is not Method.FACE)"),
    ),
    _fault(
        "a slot's own hours are not asked about a card",
        700,
        ("machine", " or slot in rules.barred", " or (slot in rules.barred and method is not Method.CARD)"),
    ),
    _fault("keeper hears of no day", 100, ("machine", "digits, rules.day)", "digits, 0)")),
    _fault(
        "the hours are not asked about a face",
        4600,
        ("loop", "self._rules.face_alone_opens and Method.FACE in allowed", "self._rules.face_alone_opens"),
        ("machine", "if method not in rules.methods or", "if method not in rules.methods | Method.FACE or"),
    ),
    _fault(
        "a window outlives its hours",
        1200,
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
        700,
        ("machine", "asked=tuple(asked for asked in state.asked if asked.room is not room)", "asked=state.asked"),
    ),
)
