"""The card of a tree: which figures it has, which are missing and why, and the three files.

Rules kept here (ADR 33):
- A figure of a long run is there if its log is whole and of these sources. Otherwise its whole part is missing, and
  says so on the page; nothing of an older state is shown beside it.
- A release has no missing part, and its tree no change that is not committed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from tools.card import here, measured, page, parts_list
from tools.card.figure import Figure, Missing
from tools.card.logs import AtCommit, Log, NoLog, belongs, newest, read
from tools.card.measured import Part
from tools.log_header.kinds import KINDS, Kind
from tools.log_header.sources import NoSource, sums


@dataclass(frozen=True, slots=True)
class Asked:
    """A part that a long run's log is read for."""

    name: str
    kind: str
    ending: str
    figures: str
    reader: Callable[[Log], Part]


LONG: Final = (
    Asked("recognition", "accuracy", "json", "failures, refusals, false matches, groups", measured.accuracy),
    Asked("attacks", "attack-lab", "txt", "each instrument, and people", measured.attacks),
    Asked("anonymity", "anonymity", "txt", "the promise, alarms, seeded leaks", measured.anonymity),
)


@dataclass(frozen=True, slots=True)
class Tree:
    """What the card is made of: the folder, its commit, whether it is clean, and the kinds of logs."""

    root: Path
    commit: str
    clean: bool
    at_commit: AtCommit
    kinds: Mapping[str, Kind]


@dataclass(frozen=True, slots=True)
class Card:
    """The files, and what keeps them from being a release's."""

    html: str
    data: str
    parts: str
    missing: tuple[Missing, ...]
    figures: Mapping[str, Figure]


def tree(root: Path, present: tuple[str, bool], at_commit: AtCommit) -> Tree:
    """The tree at `root` with the kinds of this project."""
    return Tree(root, *present, at_commit, KINDS)


def of_logs(where: Tree) -> tuple[dict[str, Part], list[Log], list[Missing]]:
    """The parts whose logs hold, those logs, and the parts that are missing."""
    parts: dict[str, Part] = {}
    logs: list[Log] = []
    missing: list[Missing] = []
    for asked in LONG:
        path = f"docs/logs/*-{asked.kind}.{asked.ending}"
        try:
            path = newest(where.root, asked.kind, asked.ending)
            log = read(where.root, path)
            belongs(log, sums(where.kinds[asked.kind], where.root), where.root, where.at_commit)
            parts[asked.name] = asked.reader(log)
            logs.append(log)
        except (NoLog, NoSource, OSError) as cause:
            missing.append(Missing(asked.name, asked.figures, path, str(cause)))
    return parts, logs, missing


def build(where: Tree, now: datetime | None = None) -> Card:
    """The card. Raises here.NotHere, page.Untraced."""
    parts, logs, missing = of_logs(where)
    whole = parts_list.document(where.root)
    parts |= {
        "walls": here.walls(where.root),
        "kept": here.kept(where.root),
        "limits": here.limits(where.root),
        "parts": parts_list.libraries(whole),
        "networks": parts_list.networks(whole),
    }
    told = here.support(where.root)
    if told.until is None:
        missing.append(Missing("support", "until when there are security updates", "SECURITY.md", "not released yet"))
    if not where.clean:
        missing.append(Missing("commit", "of which tree all of this is", "git", "this tree has changes not committed"))
    day = (now or datetime.now(UTC)).strftime("%Y-%m-%d")
    about = {
        "version": told.version,
        "commit": Figure("commit", where.commit, where.commit, "git rev-parse HEAD", "output"),
        "day": Figure("day", day, day, "the clock, when this card was made", "date"),
        "years": Figure("years", str(here.YEARS), here.YEARS, "tools/card/here.py", "YEARS"),
        "missing": Figure("missing", str(len(missing)), len(missing), "this card", "parts without a log of this state"),
    }
    if told.until:
        about["until"] = told.until
    origin = [_of_log(at, log) for at, log in enumerate(logs)]
    gaps = [_of_gap(each) for each in missing]
    figures = {each.key: each for each in _all(parts, about, origin, gaps)}
    html = page.render({"about": about, "part": parts, "logs": origin, "gaps": {g["name"]: g for g in gaps}})
    page.check(html, figures)
    return Card(html, _data(figures, logs, missing, where), _written(whole), tuple(missing), figures)


def _of_log(at: int, log: Log) -> dict[str, Figure | str]:
    told = {"path": log.path, "sha": log.sha256, "date": log.header.date, "commit": log.header.commit}
    return {name: Figure(f"log.{at}.{name}", text, text, log.path, "header") for name, text in told.items()}


def _of_gap(missing: Missing) -> dict[str, Figure | str]:
    key = f"missing.{missing.name}"
    return {
        "name": missing.name,
        "log": Figure(f"{key}.log", missing.log, missing.log, missing.log, "name"),
        "why": Figure(f"{key}.why", missing.why, missing.why, missing.log, "why it does not count"),
    }


def _all(parts: Mapping[str, Part], about: Mapping[str, Figure], *rows: list[dict[str, Figure | str]]) -> list[Figure]:
    cells = [*(row for part in parts.values() for row in part.rows), *(row for many in rows for row in many)]
    return [
        *about.values(),
        *(figure for part in parts.values() for figure in part.figures.values()),
        *(cell for row in cells for cell in row.values() if isinstance(cell, Figure)),
    ]


def _data(figures: Mapping[str, Figure], logs: list[Log], missing: list[Missing], where: Tree) -> str:
    return _written(
        {
            "commit": where.commit,
            "release": not missing,
            "figures": {
                key: {"value": each.value, "text": each.text, "source": each.source, "place": each.place}
                for key, each in sorted(figures.items())
            },
            "logs": [
                {"path": log.path, "sha256": log.sha256, "date": log.header.date, "commit": log.header.commit}
                for log in logs
            ],
            "missing": [{"part": each.name, "log": each.log, "why": each.why} for each in missing],
        }
    )


def _written(told: dict[str, Any]) -> str:
    return json.dumps(told, indent=1, ensure_ascii=False) + "\n"
