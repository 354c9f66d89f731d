"""Whether a face alone may be chosen for this door, and what it needs first.

Rules kept here:
- A real door needs the two white lights, a pinned camera, and attacks that were tried on it with just these settings.
  Each refusal says what to do first. A simulated door needs nothing: it opens nothing.
- Set-up only writes the wish down. What opens is looked at anew at every start (`device.config.load`), and lock wants
  a policy of the manager that names it besides.

Pure.
"""

from __future__ import annotations

from device import config as door_config
from device import tried
from device.desk.setup.camera import sees
from device.desk.setup.draft import Draft
from device.desk.setup.machine import Machine
from device.desk.setup.questions import Choice, Question
from device.errors import ConfigRefused


def refuse(draft: Draft, machine: Machine) -> None:
    """Raise ConfigRefused if `draft` lets a face alone open, and nothing was tried on this door that allows it."""
    lock, facts = draft.config.lock, door_config.tried_facts(draft.config)
    if lock.tier != "face" or lock.board == "sim":
        return
    draft.checked()
    if why := tried.why_not(machine.tried, facts):
        msg = f'[lock] tier "face" is not to be had yet: {why}'
        raise ConfigRefused(msg)


def tier_question(draft: Draft, _machine: Machine) -> Question | None:
    """What a recognised face is worth; not asked where nothing sees."""
    if not sees(draft):
        return None
    words = "What is a recognised face worth at this door?"
    why = (
        "A photograph would open a door where a face alone does and nothing looks for one. So a face alone needs the "
        "two white lights, a print and a screen that were held up to this very door (`doorctl try-attacks`) and "
        'never taken for a live face, and a policy of the manager that names "face".'
    )
    choices = (
        Choice("face+pin", "it takes the place of the flat number, and the PIN is asked for as well"),
        Choice("face", "it opens alone; only where attacks were tried on this door, and the manager signs it"),
    )
    return Question("lock.tier", words, why, draft.config.lock.tier, choices)


def take(draft: Draft, machine: Machine, tier: str) -> Draft:
    """`draft` with this tier. Raises ConfigRefused."""
    chosen = draft.put("lock", tier=tier)
    refuse(chosen, machine)
    return chosen
