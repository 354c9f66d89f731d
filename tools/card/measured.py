"""The figures of the three long logs: recognition, attacks, anonymity.

Rules kept here:
- Every number is read from the log's own text at the moment the card is made; none stands here.
- A log without the line that a figure is read from is refused, and nothing of it is shown.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from tools.card.figure import Figure, at_most, count, interval, percent, points
from tools.card.logs import Log, NoLog

Row = Mapping[str, Figure | str]

_PROMISE: Final = "Profile building: the promise"
_ALARMS: Final = "Profile building: what an alarm tells all the same"
_LEAKS: Final = "Seeded leaks: each must be caught"
_TITLE: Final = re.compile(r"\*\*(.+)\*\*")
_COLUMNS: Final = 10
_CHILDREN: Final = "child"  # how the group set calls them; its other groups are adults
_OWN: Final = ("people",)  # a row of the lab that is no attack


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the card: figures by name, and the rows of its table."""

    figures: Mapping[str, Figure]
    rows: tuple[Row, ...] = ()


def accuracy(log: Log) -> Part:
    """Of docs/logs/*-accuracy.json. Raises NoLog."""
    try:
        told = json.loads(log.text)
        made = _Maker("accuracy", log.path)
        enrolled = max(range(len(told["enrolled"])), key=lambda place: told["enrolled"][place]["pictures"])
        most = max(
            range(len(told["verified"])),
            key=lambda place: (
                told["verified"][place]["design"]["frames"],
                told["verified"][place]["design"]["enrolled"],
            ),
        )
        design = f"verified.{most}"
        whole = told["verified"][most]
        company = told["enrolled"][enrolled]["company"]
        fte = told["enrolled"][enrolled]["fte"]
        figures = [
            made("people", told["people"], count(told["people"]), "people"),
            made("pictures", told["pictures"], count(told["pictures"]), "pictures"),
            made(
                "enrolled", whole["design"]["enrolled"], count(whole["design"]["enrolled"]), f"{design}.design.enrolled"
            ),
            made("frames", whole["design"]["frames"], count(whole["design"]["frames"]), f"{design}.design.frames"),
            made("residents", whole["residents"], count(whole["residents"]), f"{design}.residents"),
            made(
                "fte_pictures",
                told["enrolled"][enrolled]["pictures"],
                count(told["enrolled"][enrolled]["pictures"]),
                f"enrolled.{enrolled}.pictures",
            ),
            *made.rate("fte", fte, f"enrolled.{enrolled}.fte"),
            made("fte_company", company, count(company), f"enrolled.{enrolled}.company"),
            made("fte_errors", fte["errors"], count(fte["errors"]), f"enrolled.{enrolled}.fte.errors"),
            *_worst(made, told["groups"]["rows"], "worst", children=False),
            *_worst(made, told["groups"]["rows"], "worst_child", children=True),
            made(
                "pooled",
                told["groups"]["thresholds"][0][0],
                percent(float(told["groups"]["thresholds"][0][0])),
                "groups.thresholds.0.0",
            ),
        ]
        rows = []
        for place, door in enumerate(whole["door"]):
            at = f"{design}.door.{place}"
            faces = made(f"door.{place}.faces", door["faces"], count(door["faces"]), f"{at}.faces")
            refused, bounds = made.rate(f"door.{place}.fnmr", door["fnmr"], f"{at}.fnmr")
            false = made(f"door.{place}.fmr", door["fmr"]["high"], at_most(door["fmr"]["high"]), f"{at}.fmr.high")
            rows.append({"faces": faces, "refused": refused, "bounds": bounds, "false": false})
            figures += [faces, refused, bounds, false]
        return Part({each.key.removeprefix("accuracy."): each for each in figures}, tuple(rows))
    except (ValueError, KeyError, TypeError, IndexError) as cause:
        msg = f"it has no such figures as a log of recognition has: {cause!r}"
        raise NoLog(msg) from cause


def _worst(made: _Maker, rows: list[dict[str, Any]], key: str, *, children: bool) -> list[Figure]:
    """Of the groups of children, or of those of adults, the one in which strangers pass most often."""
    places = [
        place
        for place, row in enumerate(rows)
        if row["ages"] == "all" and row["name"].startswith(_CHILDREN) is children
    ]
    worst = max(places, key=lambda place: float(rows[place]["fmr"][0]["value"]))
    name = rows[worst]["name"]
    return [
        *made.rate(key, rows[worst]["fmr"][0], f"groups.rows.{worst}.fmr.0"),
        made(f"{key}_group", name, name.replace("-", ", "), f"groups.rows.{worst}.name"),
    ]


def attacks(log: Log) -> Part:
    """Of docs/logs/*-attack-lab*.txt, whose last line is one JSON object. Raises NoLog."""
    try:
        told = json.loads(log.text.rstrip().splitlines()[-1])
        made = _Maker("attacks", log.path)
        rows, people, figures = [], {}, []
        for place, kind in enumerate(told["kinds"]):
            at = f"last line, kinds.{place}"
            once = _counted(made, f"{place}", kind["transaction_passed"], f"{at}.transaction_passed")
            twice: dict[str, Figure] = {}
            if "twice_passed" in kind:
                twice = _counted(made, f"{place}.twice", kind["twice_passed"], f"{at}.twice_passed")
            figures += [*once.values(), *twice.values()]
            if kind["name"] in _OWN:
                people = {f"people_{name}": each for name, each in once.items()}
                people |= {f"people_twice_{name}": each for name, each in twice.items()}
            else:
                none = dict.fromkeys(once, "")  # its windows were not rendered so far, and the page says so
                rows.append({"name": kind["name"], **once, **{f"twice_{n}": w for n, w in (twice or none).items()}})
        if not people or not rows:
            msg = "it has no people, or no attacks"
            raise NoLog(msg)
        return Part({each.key: each for each in figures} | people, tuple(rows))
    except (ValueError, KeyError, TypeError, IndexError) as cause:
        if isinstance(cause, NoLog):
            raise
        msg = f"its last line is not the object of an attack lab: {cause!r}"
        raise NoLog(msg) from cause


def _counted(made: _Maker, key: str, rate: Mapping[str, Any], place: str) -> dict[str, Figure]:
    """Windows tried, those that passed, and the interval of their share."""
    return {
        "tried": made(f"{key}.trials", rate["trials"], count(rate["trials"]), f"{place}.trials"),
        "passed": made(f"{key}.count", rate["count"], count(rate["count"]), f"{place}.count"),
        "bounds": made(f"{key}.bounds", f"{rate['low']} {rate['high']}", interval(rate["low"], rate["high"]), place),
    }


def anonymity(log: Log) -> Part:
    """Of docs/logs/*-anonymity*.txt, tables of `tools.anonymity`. Raises NoLog."""
    tables = _tables(log.text)
    for title in (_PROMISE, _ALARMS, _LEAKS):
        if not tables.get(title):
            msg = f"it has no table called {title}"
            raise NoLog(msg)
    made = _Maker("anonymity", log.path)
    try:
        promised = max(tables[_PROMISE], key=lambda row: float(row[-1]))
        told = max(tables[_ALARMS], key=lambda row: float(row[-1]))
        figures = [
            made("attacks", len(tables[_PROMISE]), count(len(tables[_PROMISE])), f"rows of {_PROMISE}"),
            made(
                "largest", float(promised[-1]), points(float(promised[-1])), f"{_PROMISE}: {' | '.join(promised[:4])}"
            ),
            made("alarm", float(told[-1]), points(float(told[-1])), f"{_ALARMS}: {' | '.join(told[:4])}"),
            made("alarm_told", f"{told[0]}: {told[1]}", f"{told[0]}: {told[1]}", f"{_ALARMS}: {' | '.join(told[:4])}"),
            made("alarm_people", told[2], told[2], f"{_ALARMS}: {' | '.join(told[:4])}"),
            made(
                "leaks",
                len({tuple(row[:3]) for row in tables[_LEAKS]}),
                count(len({tuple(row[:3]) for row in tables[_LEAKS]})),
                f"rows of {_LEAKS}",
            ),
        ]
    except (ValueError, IndexError) as cause:
        msg = f"a row of its tables is not one of tools.anonymity: {cause}"
        raise NoLog(msg) from cause
    return Part({each.key.removeprefix("anonymity."): each for each in figures})


@dataclass(frozen=True, slots=True)
class _Maker:
    part: str
    path: str

    def __call__(self, key: str, value: float | str, text: str, place: str) -> Figure:
        return Figure(f"{self.part}.{key}", text, value, self.path, place)

    def rate(self, key: str, rate: Mapping[str, Any], place: str) -> tuple[Figure, Figure]:
        """Value and interval."""
        low, high = rate["low"], rate["high"]
        return (
            self(key, rate["value"], percent(rate["value"]), f"{place}.value"),
            self(f"{key}_bounds", f"{low} {high}", interval(low, high), f"{place}.low, {place}.high"),
        )


def _tables(text: str) -> dict[str, list[list[str]]]:
    """The rows of every table, below its title; a title that comes again goes on where it was."""
    found: dict[str, list[list[str]]] = {}
    title = ""
    for line in text.splitlines():
        if named := _TITLE.fullmatch(line):
            title = named[1]
            found.setdefault(title, [])
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if title and line.startswith("| ") and len(cells) == _COLUMNS and cells[0] != "what is told":
            found[title].append(cells)
    return found
