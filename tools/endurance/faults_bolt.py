"""Missing guards around the strike: how long it is free, in which hours, and which messages may come at all.

Rules kept here:
- Each method has its own hour, and each slot: a fault leaves out one of them, not all.
"""

from __future__ import annotations

from tools.endurance.fault import fault

BOLT = (
    # ---- the end of it
    fault(
        "granted does not end",
        100,
        ("machine", "if state.granted_until_ns is not None and now_ns >= state.granted_until_ns:", "if now_ns < 0:"),
    ),
    fault(
        "the strike is let go for twice the time",
        100,
        ("machine", "Release(rules.unlock_ns)", "Release(2 * rules.unlock_ns)"),
    ),
    fault(
        "granted lasts a second longer",
        300,
        (
            "machine",
            "granted_until_ns=now_ns + rules.unlock_ns,",
            "granted_until_ns=now_ns + rules.unlock_ns + 1_000_000_000,",
        ),
    ),
    fault(
        "the end of granted moves no bolt",
        100,
        ("machine", "passage_until_ns=late_ns), (Secure(),)", "passage_until_ns=late_ns), ()"),
        ("passage", "changed(state, granted_until_ns=None), (Secure(),)", "changed(state, granted_until_ns=None), ()"),
    ),
    fault(
        "a door that fell shut stays unlocked",
        100,
        ("passage", "if state.granted_until_ns is not None and state.opened_while_granted:", "if now_ns < 0:"),
    ),
    fault(
        "a bolt that fails stays granted",
        100,
        ("passage", "changed(state, granted_until_ns=None), Alarm.BOLT_FAULT", "state, Alarm.BOLT_FAULT"),
    ),
    fault(
        "a fail-safe coil is driven like a fail-secure one",
        100,
        ("bolt", "return released if wiring is Wiring.FAIL_SECURE else not released", "return released"),
    ),
    # ---- the hours
    fault(
        "the hours are not asked about a PIN",
        3500,
        ("machine", "if method not in rules.methods or", "if method not in rules.methods | Method.PIN or"),
    ),
    fault(
        "the hours are not asked about a card",
        500,
        ("machine", "if method not in rules.methods or", "if method not in rules.methods | Method.CARD or"),
    ),
    fault(
        "a card counts as a PIN",
        500,
        (
            "machine",
            "_decide(state, now_ns, rules, check.by, verdict.slot)",
            "_decide(state, now_ns, rules, Method.PIN, verdict.slot)",
        ),
    ),
    fault("a slot's own hours are not asked", 700, ("machine", " or slot in rules.barred", "")),
    fault(
        "a slot's own hours are not asked about a face",
        4300,
        ("machine", " or slot in rules.barred", " or (slot in rules.barred and method is not Method.FACE)"),
    ),
    fault(
        "a slot's own hours are not asked about a card",
        700,
        ("machine", " or slot in rules.barred", " or (slot in rules.barred and method is not Method.CARD)"),
    ),
    fault("keeper hears of no day", 100, ("typed", "digits, rules.day)", "digits, 0)")),
    fault(
        "the hours are not asked about a face",
        4600,
        ("narrowing", "self.rules.face_alone_opens and Method.FACE in allowed", "self.rules.face_alone_opens"),
        ("machine", "if method not in rules.methods or", "if method not in rules.methods | Method.FACE or"),
    ),
    fault(
        "a window outlives its hours",
        1200,
        (
            "window",
            "if (state.window or state.inquiry) and not opens_by_face(rules):",
            "if state.inquiry and not rules.methods & ANY_FACE:",
        ),
    ),
    # ---- the table of messages
    fault(
        "a reply needs no question",
        100,
        (
            "permits",
            "any(one.nonce == nonce and one.room is sender and not one.motion for one in reversed(state.asked))",
            "True",
        ),
    ),
    fault(
        "a reply may come from another room",
        100,
        ("permits", "one.room is sender and not one.motion for", "not one.motion for"),
    ),
    fault(
        "a question outlives the room it went to",
        700,
        ("neighbours", "asked=tuple([asked for asked in state.asked if asked.room is not room])", "asked=state.asked"),
    ),
)
