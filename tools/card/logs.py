"""The logs that the card reads: which they are, that nobody changed them, and that they are of these sources.

Rules kept here (ADR 33):
- The newest log of a kind counts, also if an older one would please more.
- Its bytes have the sum that docs/logs/SHA256SUMS gives, or nothing is read of it.
- Each source that decides its figures, as the present tree names them, has to be what the log names; a log that names
  none has to name a clean commit, and that commit's files have to be these. A source too many or too few is a change.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from device.errors import Refusal
from tools.log_header import header
from tools.log_header.header import Header
from tools.log_header.sources import PACKAGE, of_file

FOLDER: Final = "docs/logs"
SUMS: Final = f"{FOLDER}/SHA256SUMS"
_NAMED: Final = r"(\d{{4}}-\d\d-\d\d)-{kind}(?:-(\d+))?\.(?:{ending})"
_SHOWN: Final = 5
_SUM_LINE: Final = re.compile(r"([0-9a-f]{64})  (\S+)")

AtCommit = Callable[[str, str], bytes | None]
"""The bytes of a path at a commit; None where there is no such file, or no such commit."""


class NoLog(Refusal, ValueError):
    """A log is missing, cannot be read, was changed, or is of other sources: a sentence without the name."""


@dataclass(frozen=True, slots=True)
class Log:
    """A log whose bytes are the ones committed. `path` is below the root."""

    path: str
    sha256: str
    header: Header
    text: str


def newest(root: Path, kind: str, ending: str) -> str:
    """The path of the newest log of `kind`, by the day in its name and the number after it. Raises NoLog."""
    pattern = re.compile(_NAMED.format(kind=re.escape(kind), ending=ending))
    folder = root / FOLDER
    named = [(found, path) for path in folder.iterdir() if (found := pattern.fullmatch(path.name))]
    if not named:
        msg = "there is no such log"
        raise NoLog(msg)
    return f"{FOLDER}/{max(named, key=lambda each: (each[0][1], int(each[0][2] or 1)))[1].name}"


def read(root: Path, path: str) -> Log:
    """The log at `path`, whole and as committed. Raises NoLog."""
    sealed = _sums(root)
    name = Path(path).name
    if name not in sealed:
        msg = f"its sum is not in {SUMS}"
        raise NoLog(msg)
    actual = of_file(root / path)
    if actual != sealed[name]:
        msg = f"it is not the log whose sum is in {SUMS}: somebody changed one of the two"
        raise NoLog(msg)
    try:
        text = (root / path).read_text(encoding="utf-8")
        return Log(path, actual, _header(text, path), text)
    except (ValueError, KeyError, TypeError, AttributeError) as cause:
        msg = f"it cannot be read: {cause}"
        raise NoLog(msg) from cause


def belongs(log: Log, now: Mapping[str, str], root: Path, at_commit: AtCommit) -> None:
    """That the sources of `log` are those of `now`. Raises NoLog, naming what changed."""
    changed = _since_named(log.header.sources, now) if log.header.sources else _since_commit(log, now, root, at_commit)
    if changed:
        more = f" and {len(changed) - _SHOWN} more" if len(changed) > _SHOWN else ""
        msg = f"changed since it ran: {', '.join(changed[:_SHOWN])}{more}"
        raise NoLog(msg)


def _since_named(then: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    return sorted(path for path in then.keys() | now.keys() if then.get(path) != now.get(path))


def _since_commit(log: Log, now: Mapping[str, str], root: Path, at_commit: AtCommit) -> list[str]:
    """Packages are not asked: an older log names none, and its commit's files say what they were."""
    commit = log.header.clean_commit
    if commit is None:
        msg = "it names neither the sources that decide its figures nor one clean commit"
        raise NoLog(msg)
    paths = [path for path in now if not path.startswith(PACKAGE)]
    return [path for path in paths if at_commit(commit, path) != (root / path).read_bytes()]


def _sums(root: Path) -> dict[str, str]:
    try:
        lines = (root / SUMS).read_text(encoding="ascii").splitlines()
    except OSError:
        return {}
    found = [_SUM_LINE.fullmatch(line) for line in lines]
    if not all(found):
        msg = f"{SUMS} is not what sha256sum writes"
        raise NoLog(msg)
    return {match[2]: match[1] for match in found if match}


def _header(text: str, path: str) -> Header:
    if not path.endswith(".json"):
        return header.read(text)
    told = json.loads(text)
    return Header(str(told["date"]), str(told["commit"]), told.get("sources"))
