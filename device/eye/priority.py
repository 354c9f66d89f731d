"""eye gives way: it runs at a lower priority than every other room, so that a face never delays a PIN.

Rules kept here:
- eye lowers itself before it does anything else, with or without units that ask for it; a process may always do so.
- Where the kernel shares a core between sessions first (sched(7), "autogroup"), a lower priority counts only inside
  one session. A room that systemd starts is a session of its own, so the session is lowered as well; a session that
  others share is not ours to lower.
- It changes who waits, never what is decided.

Measured on two cores that other work kept busy: from a PIN's last key to the coil the median was 194 ms beside an eye
that did not give way, 127 ms beside one that did, 116 ms without one. A core that nobody else wants is eye's alone.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Final

GIVES_WAY: Final = 10  # nice(2): about a tenth of a core that another room wants at the same time
_AUTOGROUP: Final = Path("/proc/self/autogroup")


def give_way() -> None:
    """Lower this process, and its session if that is its own."""
    os.nice(GIVES_WAY)
    if os.getsid(0) == os.getpid():
        with suppress(OSError):  # a kernel without autogroups
            _AUTOGROUP.write_text(str(GIVES_WAY), encoding="ascii")
