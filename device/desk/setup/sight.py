"""Trying the keypad, the camera and the budget: what other rooms' code says, in words.

Rules kept here:
- Of keys it is told which keypad gave a 5, of pictures their size, their brightness and how large faces are: no more.
- The camera that is there is pinned, so that another one is a fault: while somebody answers it is the one that was just
  tried, and a pin that stands is shown as a difference when it changes.
- One frame is looked at, only after a yes, with the lamp lit, and it is kept nowhere.
- A budget is told by what follows from it for residents, not by a threshold.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from device.desk.setup import parts
from device.desk.setup.draft import Draft, render
from device.desk.setup.machine import Machine
from device.desk.setup.neighbours import EYE, LOCK, VAULT, Ask, NeighbourFault
from device.desk.setup.questions import Choice, Question
from device.desk.setup.terminal import Terminal, agrees, put, sentence

KEYPAD_S = 20.0
_GRACE_S = 10.0


def keypad(draft: Draft, machine: Machine, terminal: Terminal, ask: Ask, *, may_change: bool) -> tuple[Draft, bool]:
    """Find the keypad by its 5; the draft with the one that was pressed, and whether the right one was."""
    paths = [pad.path for pad in machine.keypads]
    wanted = draft.config.lock.keypad
    if not wanted or not paths:
        return draft, not wanted
    choices = (Choice("go", "try it now"), Choice("skip", "skip it"))
    words = f"The keypad. After Enter you have {KEYPAD_S:.0f} seconds to press 5 on it."
    while put(Question("trial.keypad", words, "It finds out which device it is.", "go", choices), terminal) == "go":
        terminal.say("Press 5 now.")
        try:
            told = ask(LOCK, "keypads", f"{KEYPAD_S:g}", *paths, patience_s=KEYPAD_S + _GRACE_S)
        except NeighbourFault as fault:
            terminal.say(sentence(fault))
            continue
        pressed = str(told.get("keypad", ""))
        if pressed == wanted:
            terminal.say("Seen: a 5 on this keypad.")
            return draft, True
        if pressed not in paths:
            terminal.say("No 5 was seen on any keypad.")
            continue
        terminal.say(f"Seen: a 5, but on {pressed}.")
        why = "The door listens to one keypad; another one with its make is an alarm."
        if may_change and agrees(terminal, "trial.keypad.other", "Is that the door's keypad?", why, default="yes"):
            return parts.pin_keypad(draft, machine, pressed), True
    return draft, False


def probe(draft: Draft, ask: Ask) -> Draft:
    """The draft with the camera that is there pinned; no frame is read. Raises NeighbourFault if it is not there."""
    told = ask(EYE, "probe", toml=render(draft.config))
    return draft.put("camera", pinned=str(told.get("pinned", "")))


def camera(
    draft: Draft, terminal: Terminal, ask: Ask, lit: Callable[[Callable[[], None]], None], *, may_change: bool
) -> tuple[Draft, bool]:
    """The draft with the camera pinned, and whether it is there and gives a picture if the person wants one.

    `lit`: with the lamp on. `may_change`: whether another camera than the pinned one may take its place.
    """
    known = draft.config.camera.pinned
    try:
        draft = probe(draft.put("camera", pinned="") if may_change else draft, ask)
    except NeighbourFault as fault:
        terminal.say(sentence(fault))
        return draft, False
    if known and known != draft.config.camera.pinned:
        terminal.say(f"It is another camera: {draft.config.camera.pinned} instead of {known}.")
    toml = render(draft.config)
    terminal.say("The camera is there. No picture was taken.")
    words = "Shall it take one picture? Stand where people will stand. It is not stored, and the lamp is lit meanwhile."
    why = "Shown are its size, its brightness, and how far apart the eyes of a face are in it."
    if not agrees(terminal, "trial.picture", words, why):
        return draft, True
    try:
        lit(lambda: terminal.say(_picture(draft, ask(EYE, "frame", toml=toml))))
    except NeighbourFault as fault:
        terminal.say(sentence(fault))
        return draft, False
    return draft, True


def _picture(draft: Draft, told: object) -> str:
    facts = cast("dict[str, object]", told)
    brightness = int(cast("int", facts["brightness"]))
    apart = sorted((int(each) for each in cast("list[int]", facts["eye_distances_px"])), reverse=True)
    lines = [f"{facts['width_px']} by {facts['height_px']} pixels, brightness {brightness} of 255."]
    eye = draft.config.eye
    for each in apart[:3]:
        near = each >= eye.min_eye_distance_px
        fits = "near enough" if near else f"too far: {eye.min_eye_distance_px:g} are needed"
        lines.append(f"A face of {each} px between the eyes, {fits}.")
    return " ".join(lines if apart else [*lines, "No face was found."])


def consequence(draft: Draft, ask: Ask) -> str:
    """What the budget means for residents. Raises NeighbourFault."""
    table = draft.config.vault
    told = ask(VAULT, toml=render(draft.config))
    faces, alone, at_most = (float(cast("float", told[key])) for key in ("faces", "alone", "at_most"))
    begins = (
        f"False opens a year: at most {table.false_opens_per_year:g}, if {table.strangers_per_day:g} strangers a day "
        "press the button. So "
    )
    if not faces:
        return begins + (
            "hardly any face could be told from theirs, not even after a flat number: such a face is not enrolled, and "
            "PIN and card open. Expect fewer strangers if faces shall open."
        )
    return begins + (
        f"with up to {faces:.0f} faces a press is enough, with more a flat number is asked for first. Of the right "
        f"people's tries {alone:.1%} are refused with one face, {at_most:.1%} with {faces:.0f}; everybody has three."
    )
