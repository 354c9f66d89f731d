"""`python -m device.desk.upkeep.restarting`: every room starts anew with the files of today. For after an upgrade.

Rules kept here:
- One room after the other, in their starting order, each when the one before is ready: a PIN waits a second, no more.
- A room that somebody stopped stays stopped. One that failed is started: it may be the version before it that failed.
- A room that does not come up keeps none of the others from it; all that did not are named in one sentence.
- Nothing here moves the bolt: lock secures it when it ends, and its unit drives the line locked once more.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

from device.edges import PROCESSES

SYSTEMCTL = "/usr/bin/systemctl"
RESTART_S = 1200.0  # a unit ends its own start, by TimeoutStartSec=, which a slow board may have raised
Systemctl = Callable[[tuple[str, ...]], bool]


def restart_all(systemctl: Systemctl) -> list[str]:
    """Restart every room that runs or has failed; the names of those that did not come up again."""
    return [str(room) for room in PROCESSES if not _restart(f"doorward-{room}.service", systemctl)]


def _restart(unit: str, systemctl: Systemctl) -> bool:
    if not systemctl(("is-failed", "--quiet", unit)):
        return systemctl(("try-restart", unit))
    systemctl(("reset-failed", unit))  # it may have been started too often: then systemd starts it no more
    return systemctl(("start", unit))


def _systemctl(words: tuple[str, ...]) -> bool:
    try:
        ended = subprocess.run((SYSTEMCTL, *words), timeout=RESTART_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return ended.returncode == 0


def main() -> int:
    """0: all rooms that ran run again; 1: not all, with a sentence."""
    away = restart_all(_systemctl)
    if away:
        print(f"After the upgrade did not start again: {', '.join(away)}.", file=sys.stderr)  # noqa: T201 - a command
    return 1 if away else 0


if __name__ == "__main__":
    sys.exit(main())
