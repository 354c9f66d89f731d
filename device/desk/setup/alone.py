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
from device.desk.setup.draft import Draft
from device.desk.setup.machine import Machine
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


def take(draft: Draft, machine: Machine, tier: str) -> Draft:
    """`draft` with this tier. Raises ConfigRefused."""
    chosen = draft.put("lock", tier=tier)
    refuse(chosen, machine)
    return chosen
