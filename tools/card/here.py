"""Figures that are read or measured while the card is made: walls, what is kept how long, support, limits.

Rules kept here:
- What the code says is taken from the code; what a document says, from the one document that says it, whole.
- A document whose section or table is gone is refused: a card that lists fewer limits than there are would be a lie.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from device.consent import RETENTION
from device.desk.page.sittings import CODE_S, SITTING_S
from device.edges import PROCESSES
from device.errors import Refusal
from device.keeper.loop import GRANT_NS
from device.vault.budget import WINDOW_NS
from tools.card.figure import Figure, seconds
from tools.card.measured import Part, Row

YEARS: Final = 5  # the least that the Cyber Resilience Act asks of who sells such a product (Article 13(8))
_LIMITS: Final = "## What we do not stop"
_SUPPORT: Final = "## Supported versions"
_KEPT: Final = "## 2. Which data, where, how long"
_LINK: Final = re.compile(r"\[([^\]]*)\]\([^)]*\)")
_LEVEL: Final = re.compile(r"Overall exposure level for \S+: ([0-9.]+)")


class NotHere(Refusal, ValueError):
    """What the card needs of this tree or machine is not there. The message is a sentence."""


@dataclass(frozen=True, slots=True)
class Support:
    """The present version, and until when it gets security updates; `until` is None before it is released."""

    version: Figure
    until: Figure | None


def walls(root: Path) -> Part:
    """How far systemd calls the unit of each process open, from 0 (closed) to 10. Raises NotHere."""
    program = shutil.which("systemd-analyze")
    if program is None:
        msg = "the walls cannot be measured here: apt-get install systemd"
        raise NotHere(msg)
    told = _said(program, "--version").split()
    release = Figure("walls.systemd", told[1], told[1], "systemd-analyze --version", "first line")
    rows: list[Row] = []
    for room in PROCESSES:
        unit = f"systemd/system/doorward-{room}.service"
        command = f"systemd-analyze security --offline=true {unit}"
        found = _LEVEL.search(_said(program, "security", "--offline=true", "--no-pager", str(root / unit)))
        if not found:
            msg = f"{command} tells no exposure level"
            raise NotHere(msg)
        rows.append(
            {"room": str(room), "open": Figure(f"walls.{room}", found[1], float(found[1]), command, "last line")}
        )
    least = max((row["open"] for row in rows if isinstance(row["open"], Figure)), key=lambda each: float(each.value))
    return Part({"systemd": release, "most_open": least}, tuple(rows))


def kept(root: Path) -> Part:
    """What is kept and how long: spans from the code, the rest from the impact assessment's table. Raises NotHere."""
    path = "docs/impact-assessment.md"
    rows: list[Row] = []
    for number, cells in enumerate(_table(_section(root / path, _KEPT))):
        told = {name: _plain(cell) for name, cell in zip(("what", "where", "long"), cells, strict=False)}
        rows.append(
            {name: Figure(f"kept.{number}.{name}", text, text, path, f"{_KEPT}, {name}") for name, text in told.items()}
        )
    spans = {
        "window": (WINDOW_NS / 1e9, "device/vault/budget.py", "WINDOW_NS"),
        "grant": (GRANT_NS / 1e9, "device/keeper/loop.py", "GRANT_NS"),
        "code": (CODE_S, "device/desk/page/sittings.py", "CODE_S"),
        "sitting": (SITTING_S, "device/desk/page/sittings.py", "SITTING_S"),
    }
    figures = {
        name: Figure(f"kept.{name}", seconds(value), value, source, place)
        for name, (value, source, place) in spans.items()
    }
    figures["face"] = Figure("kept.face", RETENTION, RETENTION, "device/consent.py", "RETENTION")
    return Part(figures, tuple(rows))


def limits(root: Path) -> Part:
    """What SECURITY.md says that we do not stop, each point. Raises NotHere."""
    lines = _section(root / "SECURITY.md", _LIMITS)
    told = [_plain(each) for each in re.split(r"^- ", "\n".join(lines), flags=re.MULTILINE)[1:]]
    if not told:
        msg = f"SECURITY.md has no points below {_LIMITS!r}"
        raise NotHere(msg)
    rows = ({"text": Figure(f"limits.{at}", text, text, "SECURITY.md", _LIMITS)} for at, text in enumerate(told))
    return Part({}, tuple(rows))


def support(root: Path) -> Support:
    """The version of pyproject.toml and its line in SECURITY.md.

    Raises NotHere, also where the span is too short or CHANGELOG.md gives the version another day.
    """
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    number = str(project["version"])
    version = Figure("version", number, number, "pyproject.toml", "project.version")
    said = {cells[0]: cells[1:] for cells in _table(_section(root / "SECURITY.md", _SUPPORT))}
    if number not in said:
        msg = f"SECURITY.md has no line for {number} below {_SUPPORT!r}"
        raise NotHere(msg)
    released, until = said[number][:2]
    if released == "not yet":
        return Support(version, None)
    if f"## {number} — {released}" not in (root / "CHANGELOG.md").read_text(encoding="utf-8").splitlines():
        msg = f"SECURITY.md says that {number} was released on {released}, and CHANGELOG.md does not"
        raise NotHere(msg)
    try:
        first, last = date.fromisoformat(released), date.fromisoformat(until)
    except ValueError as cause:
        msg = f"SECURITY.md gives no dates for {number}: {cause}"
        raise NotHere(msg) from cause
    if (last.year - first.year, (last.month, last.day) >= (first.month, first.day)) < (YEARS, True):
        msg = f"SECURITY.md supports {number} for less than {YEARS} years"
        raise NotHere(msg)
    return Support(version, Figure("support.until", until, until, "SECURITY.md", _SUPPORT))


def _said(program: str, *words: str) -> str:
    done = subprocess.run([program, *words], capture_output=True, text=True, check=False, timeout=60)
    return done.stdout


def _section(path: Path, title: str) -> list[str]:
    """The lines below a heading, up to the next one. Raises NotHere."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        begin = lines.index(title) + 1
    except (OSError, ValueError) as cause:
        msg = f"{path.name} has no section {title!r}"
        raise NotHere(msg) from cause
    end = next((at for at, line in enumerate(lines) if at >= begin and line.startswith("## ")), len(lines))
    # A point ends where a paragraph of its own begins.
    while end > begin and not lines[end - 1].startswith(("- ", "  ", "|")):
        end -= 1
    return lines[begin:end]


def _table(lines: list[str]) -> list[list[str]]:
    rows = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in lines if line.startswith("|")]
    return rows[2:]


def _plain(markdown: str) -> str:
    """Without links, code marks and emphasis."""
    text = " ".join(_LINK.sub(r"\1", markdown).split())
    return re.sub(
        r"\s*\(\s*\)", "", text.replace("`____`", "to be said by who runs the door").replace("`", "").replace("*", "")
    )
