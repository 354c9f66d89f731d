"""What dpkg was told to leave out of every package, as small images do with manuals: not there, and nothing is wrong.

Rules kept here:
- A file is left out if dpkg's own rules say so today, in dpkg's order: the last rule that fits a path decides.
- Only a file that is not there can have been left out. One that is there is compared, wherever it lies.
- A rule that is not understood leaves nothing out: then a missing file counts as lost.

Sources: dpkg(1), path-exclude and path-include, "Configuration files" (the folder first, in the order of names, then
dpkg.cfg), and what dpkg 1.21.22 does: `*` fits `/` as well. Rules that somebody gave on dpkg's command line are written
down nowhere.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

SETTINGS = Path("/etc/dpkg")
_NAME = re.compile(r"[A-Za-z0-9_-]+\Z")  # which files of the folder dpkg reads
_RULE = re.compile(r"path-(exclude|include)(?:=|\s=?)\s*(\S.*)\Z")
_QUOTES = ('"', "'")
_MISSING = "missing"  # how a line of `dpkg --verify` begins for a file that is not there


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of dpkg's settings: paths that fit `pattern` are left out, or are not."""

    pattern: str
    out: bool


def rules(settings: Path = SETTINGS) -> tuple[Rule, ...]:
    """What dpkg leaves out on this machine, in its order. Raises OSError if its settings cannot be read."""
    folder = settings / "dpkg.cfg.d"
    named = sorted(each for each in folder.iterdir() if _NAME.match(each.name)) if folder.is_dir() else []
    files = [each for each in (*named, settings / "dpkg.cfg") if each.is_file()]
    lines = (line for file in files for line in file.read_text(encoding="utf-8", errors="replace").splitlines())
    return tuple(rule for line in lines if (rule := _rule(line)))


def left_out(path: str, by: tuple[Rule, ...]) -> bool:
    """Whether dpkg does not install `path`, which begins with a slash."""
    fitting = [rule for rule in by if fnmatchcase(path, rule.pattern)]
    return bool(fitting) and fitting[-1].out


def changed(verified: str, by: tuple[Rule, ...]) -> list[str]:
    """The files that `dpkg --verify` complains of in `verified`, but for those it was told to leave out itself."""
    lines = [line.split() for line in verified.splitlines() if line.strip()]
    return [words[-1] for words in lines if not (words[0] == _MISSING and left_out(words[-1], by))]


def _rule(line: str) -> Rule | None:
    found = _RULE.match(line.rstrip())
    if not found:
        return None
    pattern = found[2]
    if pattern[0] in _QUOTES and pattern[-1] == pattern[0]:
        pattern = pattern[1:-1]
    return Rule(pattern, found[1] == "exclude")
