"""Questions about what stands beside the board: keypad, OSDP reader, card reader. Pure.

Rules kept here:
- What is plugged in is offered; what door.toml names and is not there is offered as it stands, and called so.
- A keypad is written down with its make, a card reader by the beginning of its name: what follows is another number
  whenever it is plugged in.
"""

from __future__ import annotations

from device.desk.setup.draft import Draft
from device.desk.setup.machine import Machine
from device.desk.setup.questions import Question
from device.desk.setup.step import listed


def keypad(draft: Draft, machine: Machine) -> Question | None:
    """Which keypad of the input layer."""
    if draft.config.lock.board == "sim":
        return None
    found = tuple((pad.path, f"{pad.called or 'a keypad'}, {pad.path}") for pad in machine.keypads)
    why = (
        "Take one with a raised 5. Which of several it is, the test finds out: press 5 on it. Its name and its make "
        "are written down, so that another one is an alarm. A keypad that is not listed is not plugged in."
    )
    stands = draft.config.lock.keypad
    only = found[0][0] if len(found) == 1 else "none"
    choices = listed(found, stands)
    return Question("lock.keypad", "Which keypad does the door have?", why, stands or only, choices)


def pin_keypad(draft: Draft, machine: Machine, path: str) -> Draft:
    """The draft with the keypad `path` and its make; "none" for no keypad."""
    makes = {pad.path: pad.make for pad in machine.keypads}
    if path == "none":
        return draft.put("lock", keypad="", keypad_id="")
    known = draft.config.lock.keypad_id if path == draft.config.lock.keypad else ""
    return draft.put("lock", keypad=path, keypad_id=makes.get(path, "") or known)


def osdp(draft: Draft, machine: Machine) -> Question | None:
    """Which serial line an OSDP reader hangs on."""
    if draft.config.lock.board == "sim":
        return None
    why = (
        "A reader with keys on two wires (RS-485) with OSDP and its secure channel. It needs a key of its own, "
        "docs/wiring.md. Cards are read over PC/SC."
    )
    found = tuple((path, path) for path in machine.serials)
    stands = draft.config.lock.osdp
    words = "Which serial line does an OSDP reader hang on?"
    return Question("lock.osdp", words, why, stands or "none", listed(found, stands))


def has_osdp(draft: Draft) -> bool:
    """Whether the door has an OSDP reader."""
    return bool(draft.config.lock.osdp)


def cards(draft: Draft, machine: Machine) -> Question | None:
    """Which card reader over PC/SC."""
    if draft.config.lock.board == "sim":
        return None
    stands = draft.config.lock.card_reader
    found = dict.fromkeys(_beginning(name) for name in machine.readers)
    why = (
        "A contactless reader over PC/SC, inside, behind a panel. Only the beginning of its name is written down: the "
        "numbers at the end change when it is plugged in again. One that is not listed: see docs/wiring.md."
    )
    words = "Which card reader does the door have?"
    return Question("lock.card_reader", words, why, stands or "none", listed(tuple((n, n) for n in found), stands))


def _beginning(name: str) -> str:
    words = name.split(" ")
    while len(words) > 1 and words[-1].isdigit():
        words.pop()
    return " ".join(words)
