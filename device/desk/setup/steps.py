"""The table of questions: when each is asked, in which words, and what its answer changes. Pure.

Rules kept here:
- One row a question, in the order of asking; what a door cannot have is not asked for it.
- A default is what stands in the draft; a new door's draft holds the cautious values of `device.config.tables`.
- A question that decides about safety says so in its own words, before the answer and not in the help.

The questions lie by what they are about: `board`, `parts`, `camera`, `alone`, `places`, `page`.
"""

from __future__ import annotations

from dataclasses import replace

from device.desk.setup import alone, board, camera, page, parts, places, wiring
from device.desk.setup.draft import Draft
from device.desk.setup.machine import Machine
from device.desk.setup.questions import YES_NO, Question
from device.desk.setup.step import Step, number


def _contact(draft: Draft, _machine: Machine) -> Question:
    words = "Whom can people ask about this door? One line for the sign: an office, a telephone number, an address."
    why = (
        "It is printed on the sign for everybody who passes by, and stands in door.toml. How long what is kept is "
        "kept follows from the door and is on the sign by itself: nothing of people who pass by, a resident's template "
        "until they erase it or their place ends."
    )
    return Question("sign.contact", words, why, draft.config.sign.contact or None)


def _watchdog(draft: Draft, machine: Machine) -> Question | None:
    if draft.config.lock.board == "sim" or not machine.watchdog:
        return None
    words = "Shall this board start anew by itself when it hangs? Its watchdog is then fed by systemd."
    why = (
        "When systemd or the kernel stands still for ten seconds, nobody can open the door by anything; a new start "
        "mends that, and the bolt is meanwhile as without power. It holds for the whole machine. No failure of a part "
        "of the door resets the board."
    )
    return Question("machine.watchdog", words, why, "yes" if draft.watchdog else "no", YES_NO)


def _label(draft: Draft, _machine: Machine) -> Question | None:
    if not draft.label_due or draft.config.door.id:
        return None
    words = "Where is the label of the manager? A file; none to join later with `doorctl join`."
    why = (
        "The manager makes a label for this door with `doorward`. With it the door learns its id, whose documents it "
        "believes, and its broker. Afterwards you read a fingerprint to the manager."
    )
    return Question("label", words, why, draft.label, may_be_empty=True)


STEPS: tuple[Step, ...] = (
    Step(board.board, board.take_board),
    Step(board.pins, lambda draft, _, answer: replace(draft, own_lines=answer == "no")),
    *(
        board.pin(
            wire, asked=(lambda _: True) if wire.optional and not wire.one_by_one else (lambda draft: draft.own_lines)
        )
        for wire in wiring.WIRES
    ),
    Step(board.lock, board.take_lock),
    Step(board.level, lambda draft, _, answer: draft.put("lock", bolt_active_high=answer == "high")),
    number(
        "lock",
        "unlock_ms",
        "For how many seconds does an opening last?",
        "The door locks again by itself after this time, or as soon as it was opened and shut. The relay's one-shot is "
        "set to the same time or a little more.",
        per_unit=1000,
    ),
    Step(board.rex, lambda draft, _, answer: draft.put("lock", rex_wired=answer == "yes")),
    Step(parts.keypad, parts.pin_keypad),
    Step(parts.osdp, lambda draft, _, answer: draft.put("lock", osdp="" if answer == "none" else answer)),
    number(
        "lock", "osdp_address", "Which address does the reader have?", "Its maker's tool sets it.", when=parts.has_osdp
    ),
    number("lock", "osdp_baud", "How many baud does the line have?", "Its maker's tool sets it.", when=parts.has_osdp),
    Step(parts.cards, lambda draft, _, answer: draft.put("lock", card_reader="" if answer == "none" else answer)),
    Step(camera.camera, camera.take_camera),
    Step(lambda draft, machine: places.faces(draft, machine) if camera.sees(draft) else None, places.take_faces),
    Step(places.pins, places.take_pins),
    number(
        "vault",
        "strangers_per_day",
        "How many strangers a day press the face button?",
        "The threshold follows from it, docs/budget.md. More strangers make the door stricter; at least 5 are counted.",
        when=camera.sees,
    ),
    number(
        "vault",
        "false_opens_per_year",
        "How many false opens a year are allowed at most?",
        "A door that opens by face will one day open for a stranger who looks like a resident. Less is stricter, and "
        "refuses residents more often; more than 1 is not to be had.",
        when=camera.sees,
    ),
    Step(alone.tier_question, alone.take),
    number(
        "sign",
        "view_deg",
        "How many degrees wide does the camera see?",
        "Its maker names the horizontal field of view; 66 is a Raspberry Pi Camera Module 3, 102 its wide one. From it "
        "the sign says how far away a face may still be found.",
        when=camera.sees,
    ),
    Step(_contact, lambda draft, _, answer: draft.put("sign", contact=answer)),
    Step(page.served, page.take_served),
    Step(page.port, page.take_port),
    Step(page.name, page.take_name),
    Step(page.always, page.take_always),
    Step(_watchdog, lambda draft, _, answer: replace(draft, watchdog=answer == "yes")),
    Step(_label, lambda draft, _, answer: replace(draft, label=answer)),
)
