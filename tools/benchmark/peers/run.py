"""One run: every tool sees the same pictures in turns, then answers the same questions.

Rules kept here:
- Tools take turns block by block, and the one that goes first changes, so that other work here slows all alike.
- Processor time is the kernel's, of seeing and asking together, over the pictures; start-up and memory stand apart.
- Before any question the machine's own noise and every tool's stillness are measured, with all of them loaded.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tools.benchmark.peers.child import Child, Tool
from tools.benchmark.peers.count import STRICT, Errors, Share, as_strict, errors, questions
from tools.benchmark.peers.draw import APPROACH, Draw

BLOCK = 20
IDLE_S = 10.0
WARM = 4  # pictures that are seen before anything is counted: networks are made ready at the first
KINDS = tuple((residents, pictures) for residents in (1, 4) for pictures in (1, APPROACH))


@dataclass(slots=True)
class Result:
    """What one tool cost and decided. Times in seconds, memory in MB of 1,024 kB."""

    tool: Tool
    start_s: float
    start_processor_s: float
    see_s: list[float] = field(default_factory=list)  # processor time a picture, block by block
    ask_s: float = 0.0
    asked: int = 0
    idle_share: float = 0.0
    peak_mb: float = 0.0
    faceless: int = 0
    pictures: int = 0
    errors: dict[tuple[int, int], Errors] = field(default_factory=dict)
    strict: dict[int, list[Share]] = field(default_factory=dict)  # by pictures of an approach, one for each of STRICT

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "tool": self.tool.name,
            "decides_by": self.tool.decides_by,
            "start_s": self.start_s,
            "start_processor_s": self.start_processor_s,
            "processor_ms_a_picture": [second * 1000 for second in self.see_s],
            "processor_ms_a_question": self.ask_s / self.asked * 1000 if self.asked else None,
            "idle_percent_of_a_core": self.idle_share * 100,
            "peak_mb": self.peak_mb,
            "pictures": self.pictures,
            "pictures_without_a_face": self.faceless,
            "errors": {
                f"{residents} residents, {pictures} pictures": {
                    "strangers_accepted": found.strangers_accepted.plain(),
                    "residents_rejected": found.residents_rejected.plain(),
                    "residents_mistaken": found.residents_mistaken.plain(),
                }
                for (residents, pictures), found in self.errors.items()
            },
            "residents_rejected_as_strict": {
                f"{pictures} pictures": {f"{share:g}": found.plain() for share, found in zip(STRICT, rows, strict=True)}
                for pictures, rows in self.strict.items()
            },
        }


def run(chosen: list[Tool], drawn: Draw, folder: Path, log: Path, tell: Callable[[str], None]) -> list[Result]:
    """Every tool of `chosen` on `drawn`, whose pictures are paths below `folder`. Raises NotMeasured."""
    pictures = [str(folder / name) for name in drawn.pictures]
    with ExitStack() as stack:
        results: list[tuple[Child, Result]] = []
        for tool in chosen:
            tell(f"peers: {tool.name} starts")
            child = stack.enter_context(Child(tool, log))
            results.append((child, Result(tool, child.started_s, child.started_processor_s)))
            child.see(pictures[:WARM])
        _idle(results)
        seen: dict[str, set[str]] = {tool.name: set() for tool in chosen}
        for number, start in enumerate(range(0, len(pictures), BLOCK)):
            block = pictures[start : start + BLOCK]
            turn = number % len(results)
            for child, result in (*results[turn:], *results[:turn]):
                before = child.processor_s()
                found = child.see(block)
                result.see_s.append((child.processor_s() - before) / len(block))
                result.pictures += len(block)
                result.faceless += found.count(False)
                seen[result.tool.name].update(path for path, face in zip(block, found, strict=True) if face)
            tell(f"peers: {min(start + BLOCK, len(pictures))} of {len(pictures)} pictures")
        for child, result in results:
            tell(f"peers: {result.tool.name} decides")
            _ask(child, result, drawn, folder, frozenset(seen[result.tool.name]))
            result.peak_mb = child.peak_mb()
        return [result for _, result in results]


def _idle(results: list[tuple[Child, Result]]) -> None:
    time.sleep(1.0)
    before = [child.processor_s() for child, _ in results]
    time.sleep(IDLE_S)
    for (child, result), used in zip(results, before, strict=True):
        result.idle_share = (child.processor_s() - used) / IDLE_S


def _ask(child: Child, result: Result, drawn: Draw, folder: Path, seen: frozenset[str]) -> None:
    for residents, pictures in KINDS:
        asked = questions(_below(folder, drawn), residents, pictures)
        plain = [one.plain(seen) for one in asked]
        # Nobody can open a door at which nobody could be enrolled, or to which no face came.
        answerable = [row for row, one in enumerate(plain) if one["gallery"] and one["probes"]]
        before = child.processor_s()
        told = child.ask([plain[row] for row in answerable])
        answers: Mapping[int, tuple[int | None, float]] = dict(zip(answerable, told, strict=True))
        result.ask_s += child.processor_s() - before
        result.asked += len(answerable)
        whole = [answers.get(row, (None, -math.inf)) for row in range(len(asked))]
        result.errors[residents, pictures] = errors(asked, [slot for slot, _ in whole])
        if residents == 1:
            result.strict[pictures] = [as_strict(asked, [like for _, like in whole], each) for each in STRICT]


def _below(folder: Path, drawn: Draw) -> Draw:
    from dataclasses import replace

    def moved(person: Any) -> Any:
        enrolled, approach = (
            tuple(str(folder / name) for name in names) for names in (person.enrolled, person.approach)
        )
        return replace(person, enrolled=enrolled, approach=approach)

    return Draw(
        tuple(tuple(map(moved, household)) for household in drawn.households), tuple(map(moved, drawn.strangers))
    )
