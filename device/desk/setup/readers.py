"""Trying the card reader and the OSDP reader: "hold a card to it", "press 5 on it", and what was seen.

Rules kept here:
- Any card will do, a resident's or not: it is seen, and nothing is asked of it.
- A trial may be skipped, and again and again repeated. What was skipped or never worked is told at the end.
"""

from __future__ import annotations

from dataclasses import dataclass

from device.desk.setup.draft import Draft, render
from device.desk.setup.neighbours import READERS, Ask, NeighbourFault
from device.desk.setup.questions import Choice, Question
from device.desk.setup.terminal import Terminal, put, sentence

WAIT_S = 20.0
_GRACE_S = 30.0  # to open its key, and to give the reader back


@dataclass(frozen=True, slots=True)
class _Trial:
    called: str
    word: str
    do: str
    why: str


_CARDS = _Trial(
    "card reader",
    "card",
    "hold a card to it that did not lie there before",
    "Any card: it says that one came, and asks nothing of it. What a card may open is between it and keeper.",
)
_OSDP = _Trial(
    "OSDP reader",
    "osdp",
    "press 5 on it",
    "The reader's own key has to be sealed before, docs/wiring.md: a reader is never used without its channel.",
)


def untried(draft: Draft, terminal: Terminal, ask: Ask) -> list[str]:
    """Try the readers that `draft` names; what did not work, or was not tried."""
    lock = draft.config.lock
    trials = [trial for trial, named in ((_CARDS, lock.card_reader), (_OSDP, lock.osdp)) if named]
    if lock.board == "sim":
        return []
    return [f"the {trial.called}" for trial in trials if not _works(trial, draft, terminal, ask)]


def _works(trial: _Trial, draft: Draft, terminal: Terminal, ask: Ask) -> bool:
    words = f"The {trial.called}. After Enter you have {WAIT_S:.0f} seconds to {trial.do}."
    choices = (Choice("go", "try it now"), Choice("skip", "skip it"))
    question = Question(f"trial.{trial.word}", words, trial.why, "go", choices)
    while put(question, terminal) == "go":
        terminal.say("Now.")
        try:
            told = ask(READERS, trial.word, f"{WAIT_S:g}", toml=render(draft.config), patience_s=WAIT_S + _GRACE_S)
        except NeighbourFault as fault:
            terminal.say(sentence(fault))
            continue
        if told.get("seen") is True:
            terminal.say(f"Seen, by the {trial.called}.")
            return True
        if told.get("well") is True:
            terminal.say(f"The {trial.called} is there, and nothing was seen.")
        else:
            terminal.say(f"The {trial.called} is not there, or not as it should be: docs/wiring.md.")
    return False
