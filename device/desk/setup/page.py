"""The questions about the residents' page (docs/page.md). Pure.

Rules kept here:
- Nobody can call a door whose page was not asked for: no is the default, and a no takes back what stood there.
- Port and name are checked when they are typed, each by itself. What is not asked (one chosen address) stays as it is.
"""

from __future__ import annotations

from dataclasses import replace

from device.config.tables import PageTable
from device.desk.setup.draft import NEW, Draft
from device.desk.setup.machine import Machine
from device.desk.setup.questions import YES_NO, Choice, Question
from device.errors import ConfigRefused

PORT = 8443
_NO_PORT = "please type a port from 1 to 65535, such as 8443; for no page at all, go back"


def served(draft: Draft, _machine: Machine) -> Question:
    """Whether there is a page."""
    words = (
        "Shall this door serve a page for its residents on your network?\n"
        "With yes, whoever is on that network can call this machine at one port; with no, nobody can call it."
    )
    why = (
        "Residents see there, on a telephone of their own, what the door holds of their face, and agree to it or "
        "delete it. Nobody needs it: the keypad and `doorctl` can do the same. Nothing is done there for anybody who "
        "does not type flat, PIN and a code at the keypad."
    )
    return Question("page.served", words, why, "yes" if draft.config.page.served else "no", YES_NO)


def take_served(draft: Draft, _machine: Machine, answer: str) -> Draft:
    """The draft with a page, at its port of before or the usual one; or with none."""
    if answer == "yes":
        return draft.put("page", port=draft.config.page.port or PORT)
    plain = PageTable()
    return draft.put("page", port=plain.port, address=plain.address, name=plain.name, always=plain.always)


def port(draft: Draft, _machine: Machine) -> Question | None:
    """At which port it is called."""
    if not draft.config.page.served:
        return None
    why = "Take another one only if something on this machine has it already. With 443 nobody has to type the port."
    return Question("page.port", "At which port is the page called?", why, str(draft.config.page.port))


def take_port(draft: Draft, _machine: Machine, typed: str) -> Draft:
    """The draft with that port. Raises ConfigRefused."""
    # isascii: `int` also reads other scripts' digits, and underscores.
    if not (typed.isascii() and typed.isdigit() and len(typed) <= 5 and int(typed)):  # noqa: PLR2004 - up to 65535
        raise ConfigRefused(_NO_PORT)
    return _put(draft, port=int(typed))


def name(draft: Draft, _machine: Machine) -> Question | None:
    """Under which name or address people type it."""
    if not draft.config.page.served:
        return None
    words = "Under which name or address do telephones on your network reach this machine? none if it has none yet."
    why = (
        "It stands in the address that people type, on the sign, in the QR code and in the certificate. Give this "
        "machine a name or a fixed address at your router; the door cannot announce one. With none there is no QR code."
    )
    return Question("page.name", words, why, draft.config.page.name, may_be_empty=True)


def take_name(draft: Draft, _machine: Machine, typed: str) -> Draft:
    """The draft with that name, in small letters. Raises ConfigRefused."""
    return _put(draft, name=typed.lower())


def always(draft: Draft, _machine: Machine) -> Question | None:
    """Whether it is up without keys at the door."""
    if not draft.config.page.served:
        return None
    why = "While it is shut it answers nobody. What residents do there needs their own keys at the door either way."
    choices = (
        Choice("no", "for ten minutes after somebody types 012 # at the keypad"),
        Choice("yes", "always"),
    )
    return Question("page.always", "When is the page open?", why, "yes" if draft.config.page.always else "no", choices)


def take_always(draft: Draft, _machine: Machine, answer: str) -> Draft:
    """The draft with a page that is up always, or while it is armed."""
    return _put(draft, always=answer == "yes")


def _put(draft: Draft, **values: object) -> Draft:
    taken = draft.put("page", **values)
    # By itself: what contradicts in other tables is told at their questions, or at the end.
    Draft(replace(NEW, page=taken.config.page)).checked()
    return taken
