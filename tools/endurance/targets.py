"""Every parser that takes bytes from outside, with honest inputs for each.

Rules kept here:
- A parser stands in the module of what it parses, and once in this list.
"""

from __future__ import annotations

from pathlib import Path

from tools.endurance.card_answers import card_answers
from tools.endurance.fuzz import Target
from tools.endurance.handed import handed
from tools.endurance.kept import kept
from tools.endurance.osdp_parser import osdp_parser
from tools.endurance.readers import readers
from tools.endurance.said import said
from tools.endurance.texts import texts


def targets(folder: Path) -> tuple[Target, ...]:
    """All of them; `folder` is theirs to write in."""
    return (
        *said(),
        *kept(folder),
        osdp_parser(),
        *readers(folder),
        *card_answers(),
        *texts(folder),
        *handed(folder),
    )
