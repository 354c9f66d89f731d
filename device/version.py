"""Which version of Doorward is installed.

Rules kept here:
- It is read off the name of the installed distribution's folder, as the installer wrote it. `importlib.metadata` says
  the same and loads what reads mail and archives to do so: two megabytes in every room that ever asks.

Source: "Recording installed projects", https://packaging.python.org/en/latest/specifications/recording-installed-packages/
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

NOT_INSTALLED: Final = "unknown"
_PREFIX: Final = "doorward-"
_SUFFIX: Final = ".dist-info"


def software_version() -> str:
    """The installed distribution's version, the first on Python's path; `NOT_INSTALLED` in a bare checkout."""
    for place in sys.path:
        for found in sorted(Path(place).glob(f"{_PREFIX}*{_SUFFIX}")):
            return found.name.removeprefix(_PREFIX).removesuffix(_SUFFIX)
    return NOT_INSTALLED
