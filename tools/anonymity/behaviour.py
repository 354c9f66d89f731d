"""What the rest of the door does to the figures, as text: it decides them by this and by nothing else.

Rules kept here:
- Of lock the trials use nothing but what follows from each kind of act (`lock.consequences`): all of it stands here.
- Of everything that only carries names and numbers (wire) the first trials of every line tell, with every message as
  the broker has it. They are a sample: what report itself does is named by its sources, not by them.
- The same tree gives the same text.
"""

from __future__ import annotations

from hashlib import sha256

import numpy as np

from tools.anonymity import tasks
from tools.anonymity.acts import Act
from tools.anonymity.channel import capture
from tools.anonymity.lock import consequences, lived
from tools.anonymity.measure import Line
from tools.anonymity.plan import SECTIONS

TRIALS = 2


def told() -> str:
    """A line for each act by a camera that is well and by one that is not, and a line for each line of the plan."""
    acts = [
        f"{act.name} {'dark' if dark else 'light'}: "
        + " ".join(f"{each.at_s:g} {each.what.name}" for each in consequences(act, dark=dark))
        for act in Act
        for dark in (False, True)
    ]
    return "\n".join([*acts, *(f"{line.name}: {_arrives(line)}" for each in SECTIONS for line in each.lines)])


def _arrives(line: Line) -> str:
    number = sha256()
    draw = np.random.default_rng(1)
    for each in range(TRIALS):
        trial = tasks.trial(draw, line.setting, each % line.setting.answers)
        for seen in capture(line.voice(draw.bytes(4).hex()), lived(trial.done), trial.days, draw):
            number.update(f"{seen.at_s:.6f} {seen.topic} ".encode() + seen.payload)
    return number.hexdigest()
