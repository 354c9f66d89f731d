"""Questions about the board, its lines and the lock that hangs on them. Pure.

Rules kept here:
- What decides about safety (what happens without power, what a line at rest does) is said before the answer.
- A line has one owner; the lines of one board are forgotten with it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from device.config.tables import CameraTable, LockTable
from device.desk.setup import wiring
from device.desk.setup.draft import NEW, Draft
from device.desk.setup.machine import Machine
from device.desk.setup.questions import YES_NO, Choice, Question
from device.desk.setup.step import Step
from device.errors import ConfigRefused


def board(draft: Draft, machine: Machine) -> Question:
    """Which library drives the pins."""
    choices = [
        Choice("gpiozero", "Raspberry Pi, the pins of its 40-pin header"),
        Choice("gpiod", "Jetson or another Linux board, lines by name or by chip label"),
    ]
    if machine.simulated or draft.config.lock.board == "sim":
        choices.append(Choice("sim", "simulated board, for trying things out: it opens no real door"))
    default = draft.config.lock.board
    if draft.config == NEW:
        default = "sim" if machine.simulated else "gpiozero" if "Raspberry Pi" in machine.model else "gpiod"
    here = f" This machine calls itself {machine.model}." if machine.model else ""
    why = "It decides by which library the pins are driven. The pins themselves come next."
    return Question("lock.board", f"Which board is this?{here}", why, default, tuple(choices))


def take_board(draft: Draft, machine: Machine, board: str) -> Draft:
    """The draft with this board; another one has other lines and another camera."""
    plain = LockTable()
    pins = {wire.key: getattr(plain, wire.key) for wire in wiring.WIRES} if board != draft.config.lock.board else {}
    draft = draft.put("lock", board=board, **pins)
    if board == "sim":
        return draft.put("camera", backend="replay", replay=f"{machine.simulated}/scene.json", pinned="")
    return draft.put("camera", backend=CameraTable().backend, replay="") if _replays(draft) else draft


def _replays(draft: Draft) -> bool:
    return draft.config.camera.backend == "replay"


def pins(draft: Draft, _machine: Machine) -> Question | None:
    """Whether the lines are those of the drawing."""
    if draft.config.lock.board == "sim":
        return None
    words = f"The lines are wired like this:\n{wiring.table_of(draft.config.lock)}\nIs that so?"
    why = (
        "docs/wiring.md has the same table with a drawing. With no, each line is asked for. Contacts close to ground, "
        "so that a cut cable reads as door open and housing open."
    )
    return Question("pins", words, why, "yes", YES_NO)


def pin(wire: wiring.Wire, *, asked: Callable[[Draft], bool]) -> Step:
    """The row for one line; `asked` says whether a draft wants it named by itself."""

    def question(draft: Draft, machine: Machine) -> Question | None:
        if draft.config.lock.board == "sim" or not asked(draft):
            return None
        named = "GPIO17" if draft.config.lock.board == "gpiozero" else "line:PA.04 or chip:LABEL:17"
        none = ", or none" if wire.optional else ""
        words = f"Which line is the {wire.called} on? A name such as {named}{none}."
        labels = " ".join(f"Chip {chip.label} has {len(chip.lines)} lines." for chip in machine.chips)
        why = f"It is wired {wire.wired}. {labels}".strip()
        stands = str(getattr(draft.config.lock, wire.key))
        return Question(f"lock.{wire.key}", words, why, stands, may_be_empty=wire.optional)

    def take(draft: Draft, machine: Machine, pin: str) -> Draft:
        taken = draft.put("lock", **{wire.key: pin})
        wiring.refuse_lines(taken.config, machine.chips)
        before = wiring.WIRES[: wiring.WIRES.index(wire)]
        other = next((each for each in before if pin and getattr(draft.config.lock, each.key) == pin), None)
        if other is not None:
            msg = f"{pin} is the line of the {other.called} already; one line has one owner"
            raise ConfigRefused(msg)
        return taken

    return Step(question, take)


def lock(draft: Draft, _machine: Machine) -> Question:
    """What the lock does without power."""
    words = (
        "Which kind of lock is it?\n"
        "A magnet lets the door open whenever its power fails, by design. A strike stays locked without power."
    )
    why = (
        "The way out never passes through this device: a strike has a handle inside; a magnet needs an exit button, an "
        "emergency release and the fire alarm, each cutting its current by itself. Doors on escape routes are "
        "regulated: ask your fire officer. docs/wiring.md has both circuits."
    )
    choices = (
        Choice("fail-secure", "strike, fail-secure: locked without power"),
        Choice("fail-safe", "magnet, fail-safe: OPEN without power"),
    )
    return Question("lock.wiring", words, why, draft.config.lock.wiring, choices)


def take_lock(draft: Draft, _machine: Machine, kind: str) -> Draft:
    """The draft with this kind of lock, and the level that keeps a line at rest locked for it."""
    if kind != draft.config.lock.wiring:  # docs/wiring.md
        return draft.put("lock", wiring=kind, bolt_active_high=kind == "fail-secure")
    return draft


def level(draft: Draft, _machine: Machine) -> Question | None:
    """At which level current flows, said with what a line at rest then does."""
    if draft.config.lock.board == "sim":
        return None

    def told(*, high: bool) -> str:
        rests = wiring.opens_at_rest(replace(draft.config.lock, bolt_active_high=high))
        rest = "OPEN while the computer is off or starting, unless the relay itself pulls it up" if rests else "locked"
        return f"current flows while the line is {'high' if high else 'low'}; a line that nobody drives: {rest}"

    words = "At which level of its line does current flow through the lock?"
    why = (
        "Take the answer under which a line that nobody drives is a locked door. A computer that is off, starts or "
        "crashes drives nothing. The test of the bolt shows whether it is right."
    )
    choices = (Choice("high", told(high=True)), Choice("low", told(high=False)))
    return Question(
        "lock.bolt_active_high", words, why, "high" if draft.config.lock.bolt_active_high else "low", choices
    )


def rex(draft: Draft, _machine: Machine) -> Question:
    """Whether request to exit is wired."""
    words = "Is there a contact for request to exit?"
    why = (
        "It only keeps an opening from inside from being an alarm; it never moves the bolt. Without it the door cannot "
        "tell an opening from inside from a forced one, and raises no such alarm."
    )
    return Question("lock.rex_wired", words, why, "yes" if draft.config.lock.rex_wired else "no", YES_NO)
