"""Reading a capture: one row of numbers for each message, and the moments at which somebody may have passed.

Rules kept here:
- The attacker knows the software: the grid, the format, which parts change by themselves. Everything a message shows
  becomes a column; nothing is left out because it "should not" tell anything. Of what is sealed that is whether its
  letters are those of the report before: more nobody has of it without the key.
- A hint is a stretch of time in which something must have happened for the message to look as it does. That of an alarm
  is marked: it may be a test, in which nothing has happened.
- Whoever sees only encrypted records (`wire=True`) has times and lengths, and no topic and no payload.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from device.report import schedule
from device.report.envelope import SIZE
from tools.anonymity.channel import Seen, record_length
from tools.anonymity.door import CADENCE_S, DOOR

Array = npt.NDArray[np.float64]

COLUMNS = (
    "gap",
    "off_grid",
    "record",
    "longer",
    "steps",
    "changed",
    "number",
    "daily",
    "alarm",
    "state",
    "network",
    "bytes",
    "again",
)
_BY_ITSELF = frozenset({"v", "kind", "door", "run", "seq", "sw", "dropped", "docs", "count", "reason", "sealed"})
_ON_TIME_S, _AFTER_ONLINE_S = 1.0, 2.0
_SEQUENCE = re.compile(rb'"seq":(\d+)')
_SEALED = re.compile(rb'"sealed":"([^"]*)"')
_BAD_IF_TRUE = frozenset({"lockout"})
_ODD_S = 60.0
_HELD_S = 60.0  # device.lock.state.Rules.held_open_ns: an alarm for it dates the leaving a minute earlier
_RECORDS = {kind: record_length(len(f"doorward/{DOOR}/{kind}"), SIZE, expires=True) for kind in ("report", "alarm")}
_REPORT_RECORD = _RECORDS["report"]


@dataclass(frozen=True, slots=True)
class Hint:
    """Somebody may have passed between the two moments (seconds of the trial)."""

    from_s: float
    to_s: float
    alarm: bool = False


@dataclass(frozen=True, slots=True)
class Observed:
    """What one capture shows: `at_s` (messages), `rows` (messages, COLUMNS), and the hints in it."""

    at_s: Array
    rows: Array
    hints: tuple[Hint, ...]


def observe(seen: Sequence[Seen], *, wire: bool = False) -> Observed:
    """Read a capture as somebody at the broker does, or at the wire."""
    reader = _Reader(wire=wire)
    rows = [reader.row(each) for each in seen]
    at_s = np.array([each.at_s for each in seen])
    return Observed(at_s, np.array(rows).reshape(len(rows), len(COLUMNS)), tuple(reader.hints))


class _Reader:
    def __init__(self, *, wire: bool) -> None:
        self.hints: list[Hint] = []
        self._wire = wire
        self._phase_s = schedule.phase_s(DOOR, CADENCE_S)
        self._before_s = 0.0
        self._report_s = 0.0
        self._online_s = -CADENCE_S
        self._silent_s = 0.0  # the last report before the network failed
        self._sequence = 0
        self._flags: dict[str, Any] = {}
        self._number = self._daily = 0.0
        self._worse = False
        self._bytes = self._letters = b""
        self._repeats = False

    def row(self, each: Seen) -> list[float]:
        kind = "" if self._wire else each.topic.rpartition("/")[2]
        after_grid = (each.at_s - self._phase_s) % CADENCE_S
        off_grid = min(after_grid, CADENCE_S - after_grid)
        gap, self._before_s = each.at_s - self._before_s, each.at_s
        record = each.record
        short = record < _REPORT_RECORD - SIZE // 2
        network = kind == "availability" or (self._wire and short and b"line" in each.payload)
        if network:
            self._silent_s = min(self._report_s, each.at_s - _ODD_S)
            self._online_s = each.at_s
        odd_time = off_grid > _ON_TIME_S and not network and each.at_s - self._online_s > _AFTER_ONLINE_S
        known = self._wire or kind in _RECORDS
        alarm = kind == "alarm" or (self._wire and record == _RECORDS["alarm"])
        longer = float(record - _RECORDS["alarm" if alarm else "report"]) if known and not network else 0.0
        self._worse = False
        steps, changed, number, differing = self._inside(each) if kind in ("report", "alarm") else (0.0,) * 4
        again = self._again(each.payload) if kind == "report" else 0.0
        if alarm and each.at_s - self._online_s <= _AFTER_ONLINE_S:
            # It waited for the network with what was said before and after it.
            self.hints.append(Hint(self._silent_s, each.at_s, alarm=True))
        elif odd_time or alarm:
            self._hint_exact(each.at_s, alarm=alarm)
        elif longer or self._worse or number or (steps > 1 and kind == "report"):
            # What waited for the network arrives all at once: then the stretch is a guess.
            self.hints.append(Hint(min(self._report_s, each.at_s - _ODD_S), each.at_s))
        if not network and not alarm and kind in ("report", ""):
            self._report_s = each.at_s
        return [
            gap,
            after_grid if odd_time else 0.0,
            float(record),
            longer,
            steps,
            changed,
            number,
            self._daily if kind == "report" else 0.0,
            float(alarm and not longer),
            float(kind == "state" or (self._wire and odd_time)),
            float(network),
            differing,
            again,
        ]

    def _hint_exact(self, at_s: float, *, alarm: bool) -> None:
        self.hints.append(Hint(at_s - _HELD_S - 30.0 if alarm else at_s - 30.0, at_s + 30.0 - 30.0 * alarm, alarm))

    def _inside(self, each: Seen) -> tuple[float, float, float, float]:
        """Steps of the sequence since the last message, flags changed, numbers that are no flag, bytes that differ."""
        payload = each.payload
        counted = _SEQUENCE.search(payload)
        sequence = int(counted[1]) if counted else 0
        steps = float(sequence - self._sequence) if self._sequence and sequence else 1.0
        self._sequence = sequence or self._sequence
        if b'"kind":"alarm"' in payload:
            return steps, 0.0, 0.0, 0.0
        masked = payload.replace(counted[0], b"", 1) if counted else payload
        if sealed := _SEALED.search(masked):
            masked = masked.replace(sealed[0], b"", 1)
        before, self._bytes = self._bytes or masked, masked
        if before != masked or not self._flags:
            told = json.loads(payload)
            said = {key: value for key, value in told.items() if key not in _BY_ITSELF}
            self._number = float(sum(value for value in said.values() if type(value) in (int, float)))
            self._daily = float(told.get("count") or 0)
            self._flags, flags = {key: value for key, value in said.items() if type(value) is bool}, self._flags
            turned = [key for key, value in self._flags.items() if flags.get(key, value) != value]
            # What gets well again does so by itself, and an alarm has told its moment already.
            self._worse = any(self._flags[key] is (key in _BAD_IF_TRUE) for key in turned if key != "alarm")
            changed = float(len(turned))
            return steps, changed, self._number, float(_differing(before, masked))
        return steps, 0.0, self._number, 0.0

    def _again(self, payload: bytes) -> float:
        """Whether the sealed letters are those of the report before. Where they ever are, others are another state."""
        found = _SEALED.search(payload)
        before, self._letters = self._letters, found[1] if found else b""
        again = bool(before) and before == self._letters
        self._worse |= self._repeats and not again
        self._repeats |= again
        return float(again)


def _differing(before: bytes, now: bytes) -> int:
    return sum(a != b for a, b in zip(before, now, strict=False)) + abs(len(before.rstrip()) - len(now.rstrip()))
