"""The `--network` of `doorctl audit`.

Rules kept here:
- Each finding is said as it is there; exit code 1 as soon as one failed.
"""

from __future__ import annotations

from typing import Final

from device import config
from device.desk.answers import Answer, if_stopped, tell
from device.desk.audit.finding import State
from device.desk.network import audit
from device.paths import Paths

DEFAULT_S: Final = 60.0
LONGEST_S: Final = 86400.0
STOPPED: Final = "Stopped; nothing can be said of a network that was not listened to for the whole time."


def listened(paths: Paths, seconds: float) -> Answer:
    """Listen for `seconds` and answer. Raises ConfigRefused, ListeningRefused, ListeningFault."""
    door = config.load(paths.config)
    if_stopped(STOPPED)
    # A door below a folder of its own is a simulated one: one user runs all its rooms.
    heard = audit.listen(door.report.broker, seconds, simulated=str(paths.root) != "/", page=door.page)
    tell("\n".join(("Permitted:", *(f"  {line}" for line in heard.allowed.lines))))
    found = list(audit.findings(heard))
    for each in found:
        tell(each.line)
    tell("\n".join(("What this cannot see:", *(f"- {limit}" for limit in audit.CANNOT_SHOW))))
    bad = [each.name for each in found if each.state is State.FAILED]
    listed = [{"name": each.name, "state": each.state.name.lower(), "sentence": each.sentence} for each in found]
    told: dict[str, object] = {**audit.facts(heard), "checks": listed, "cannot_show": list(audit.CANNOT_SHOW)}
    sentence = f"Not well: {', '.join(bad)}." if bad else f"In {seconds:g} seconds nothing went where it may not go."
    return Answer(sentence, told, ok=not bad)
