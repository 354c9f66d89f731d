"""Missing guards around answers: whose, to which question, how old, and what they may do.

Rules kept here:
- What is said here of keeper, of a card and of a call for help holds for every method that needs keeper.
"""

from __future__ import annotations

from tools.endurance.fault import fault

_ALIVE = "alive = 0 <= now_ns - verdict.stamped_ns <= rules.verdict_life_ns"

ANSWERS = (
    # ---- the verdict
    fault("a verdict never goes stale", 200, ("machine", _ALIVE, "alive = 0 <= now_ns - verdict.stamped_ns")),
    fault(
        "a verdict may come from the future",
        300,
        ("machine", _ALIVE, "alive = now_ns - verdict.stamped_ns <= rules.verdict_life_ns"),
    ),
    fault(
        "a verdict lives a millisecond longer",
        700,
        ("machine", _ALIVE, "alive = 0 <= now_ns - verdict.stamped_ns <= rules.verdict_life_ns + 1_000_000"),
    ),
    fault("a verdict needs no question", 1400, ("machine", "valid = expected and alive", "valid = alive")),
    fault(
        "a question may be answered twice",
        100,
        ("machine", "changed(state, asked=kept, check=None)", "changed(state, check=None)"),
        ("machine", "    state = changed(state, asked=kept)\n    looking", "    looking"),
        (
            "machine",
            "return _answer(_answered(state, event.sender, nonce), nonce, outcome, now_ns, rules)",
            "return _answer(state, nonce, outcome, now_ns, rules)",
        ),
    ),
    fault(
        "another room may answer for keeper (two guards)",
        600,
        (
            "machine",
            "(asked[at].room, asked[at].nonce, asked[at].motion) == (room,",
            "(room, asked[at].nonce, asked[at].motion) == (room,",
        ),
        ("machine", "check.opens and sender is Room.KEEPER and", "check.opens and"),
    ),
    fault(
        "keeper's no opens",
        100,
        ("machine", "valid and verdict.outcome in _ACCEPTED and verdict.slot", "valid and verdict.slot"),
    ),
    fault("keeper may accept nobody", 200, ("machine", " and verdict.slot != wire.NOBODY", "")),
    fault(
        "the proof for a personal act opens",
        100,
        ("machine", "check and check.opens and sender", "check and sender"),
    ),
    fault(
        "any answer of keeper counts for the newest PIN",
        300,
        ("machine", " and check.nonce == verdict.nonce", ""),
    ),
    fault(
        "keeper may take for ever, about a PIN and about a card",
        100,
        ("machine", "if state.check and now_ns >= state.check.until_ns:", "if state.check and now_ns < 0:"),
    ),
    # ---- the card
    fault(
        "any yes of keeper counts for the card that is there",
        1000,
        ("machine", " and check.nonce == verdict.nonce", " and (check.card or check.nonce == verdict.nonce)"),
    ),
    fault(
        "keeper may take for ever about a card",
        100,
        (
            "machine",
            "if state.check and now_ns >= state.check.until_ns:",
            "if (at := state.check) and now_ns >= at.until_ns and not at.card:",
        ),
    ),
    fault(
        "an answer opens",
        100,
        (
            "machine",
            "return _answer(_answered(state, event.sender, nonce), nonce, outcome, now_ns, rules)",
            "return _verdict(state, event.sender, wire.Verdict(nonce, now_ns, outcome, 12), now_ns, fresh, rules)",
        ),
    ),
    fault(
        "a card that is added opens",
        100,
        (
            "machine",
            "(Show(well if accepted else no), *card.let_go(check))",
            "(Release(1_000_000), Show(well if accepted else no), *card.let_go(check))",
        ),
    ),
    fault(
        "a card begins beside what is checked",
        100,
        ("card", "    if state.check:\n        # Beside", "    if state.check and now_ns < 0:\n        # Beside"),
    ),
    fault(
        "keys are read beside a card",
        200,
        (
            "typed",
            "if state.check:\n        return state, (Show(Signal.WAIT),)",
            "if state.check and not state.check.card:\n        return state, (Show(Signal.WAIT),)",
        ),
    ),
    fault(
        "keeper talks to the card in the name of another one",
        400,
        ("card", "if check and check.nonce == nonce else ()", "if check else ()"),
    ),
    fault(
        "keeper talks to whatever card comes after",
        2700,
        ("card", "state.check.card and not state.check.left", "state.check.card"),
    ),
    fault(
        "what a card says when nobody asks goes to keeper",
        200,
        (
            "card",
            "    check = _there(state)\n    return state, (Send",
            "    check = state.check\n    return state, (Send",
        ),
    ),
    fault(
        "a card is kept when its exchange is over",
        100,
        ("card", "return (CardSend(None),) if check.card else ()", "return ()"),
    ),
    fault(
        "a card is kept when its time is over",
        100,
        ("card", "return (*told_already, CardSend(None))", "return told_already"),
    ),
    fault(
        "a card is kept when keeper is gone",
        500,
        (
            "neighbours",
            "(*effects, Show(Signal.REFUSED), *card.let_go(state.check))",
            "(*effects, Show(Signal.REFUSED))",
        ),
    ),
    fault(
        "a card beside a PIN is kept",
        100,
        (
            "card",
            "(Show(Signal.WAIT),) if state.check.card else (Show(Signal.WAIT), CardSend(None))",
            "(Show(Signal.WAIT),)",
        ),
    ),
    # ---- duress
    fault(
        "a duress that vault speaks of opens",
        2100,
        ("window", "case Outcome.ACCEPTED:", "case Outcome.ACCEPTED | Outcome.DURESS:"),
        ("window", "case Outcome.REFUSED | Outcome.DURESS | Outcome.USED:", "case Outcome.REFUSED | Outcome.USED:"),
    ),
    fault(
        "keeper's duress opens nothing",
        500,
        (
            "machine",
            "_ACCEPTED = frozenset({Outcome.ACCEPTED, Outcome.DURESS})",
            "_ACCEPTED = frozenset({Outcome.ACCEPTED})",
        ),
    ),
    fault(
        "nobody hears the call for help",
        700,
        ("machine", "    return state, (*effects, HELP)", "    return state, effects"),
    ),
    fault(
        "keeper's call is not heard when its verdict is stale",
        300,
        (
            "machine",
            "if expected and verdict.outcome is Outcome.DURESS else",
            "if opens and verdict.outcome is Outcome.DURESS else",
        ),
    ),
    fault(
        "a call that report was not there for is forgotten",
        1100,
        ("machine", "return changed(state, help_owed=True), effects", "return state, effects"),
    ),
    fault(
        "everybody calls for help",
        100,
        ("machine", "if expected and verdict.outcome is Outcome.DURESS else shown", "if opens else shown"),
    ),
    fault(
        "the lamp waits for the call",
        700,
        ("machine", "return (*(other for other in effects if other is not HELP), HELP)", "return effects"),
    ),
    fault(
        "a page is armed where there is none",
        500,
        ("typed", "if not rules.page or Room.DESK not in", "if Room.DESK not in"),
    ),
    fault(
        "a page is armed by any command",
        300,
        ("typed", "if keypad.arms_page(entry):", 'if entry.keys == "02#":'),
    ),
)
