"""What a run came to, for people and for the next run: a table, an object, a picture.

Rules kept here:
- Every figure stands with what it is a figure of, and with the machine's load, because other work disturbs it.
- The object holds what the picture is drawn from, so that one run can be drawn beside another.
"""

from __future__ import annotations

import json
import os
import platform
from dataclasses import asdict
from pathlib import Path
from typing import TypedDict

from rich.console import Console
from rich.table import Table

from tools.fleet_sim import storm
from tools.fleet_sim.course import Outcome
from tools.fleet_sim.plot import Panel, Series, svg

BEFORE_S, SHOWN_S = 10, 75


class Counted(TypedDict):
    """Counts a second, from `BEFORE_S` before the broker went: what a picture is drawn from."""

    doors: int
    jitter: bool
    tls: bool
    away_s: float
    tried: list[int]
    came: list[int]
    arrived: list[int]


def counted(outcome: Outcome) -> Counted:
    """The counts around the restart."""
    start_s = outcome.gone_s - BEFORE_S
    return Counted(
        doors=outcome.plan.doors,
        jitter=outcome.plan.jitter,
        tls=outcome.plan.tls,
        away_s=round(outcome.back_s - outcome.gone_s, 1),
        tried=storm.per_second(outcome.tried, start_s, SHOWN_S),
        came=storm.per_second(outcome.came, start_s, SHOWN_S),
        arrived=storm.per_second(outcome.arrivals, start_s, SHOWN_S),
    )


def write_json(outcome: Outcome, path: Path) -> None:
    """Everything that was counted, as one object."""
    rows = dict(figures(outcome))
    content = {"plan": asdict(outcome.plan), "figures": rows, "faults": outcome.faults, "counted": counted(outcome)}
    path.write_text(json.dumps(content, indent=1) + "\n")


def read_counted(path: Path) -> Counted:
    """The counts of an earlier run. Raises ValueError if the file is none of ours."""
    try:
        found: Counted = json.loads(path.read_text())["counted"]
        return found
    except (ValueError, KeyError, TypeError) as cause:
        message = f"{path} was not written by --json"
        raise ValueError(message) from cause


def picture(now: Counted, beside: Counted | None = None) -> str:
    """The restart as an SVG."""
    away = (0.0, now["away_s"])
    label = "attempts" if beside is None else _label(now, "attempts")
    tries = [Series(label, "#7aa5d2", now["tried"], bars=True)]
    if beside is not None:
        tries.append(Series(_label(beside, "attempts"), "#b0413e", beside["tried"], dashed=True))
    arrived = (
        Series("doors that got in", "#4c8c4a", now["came"], bars=True),
        Series("reports and alarms that arrived", "#8a4a7c", now["arrived"]),
    )
    panels = (
        Panel("Attempts to connect, each second", -BEFORE_S, away, tuple(tries)),
        Panel("What the broker made of it, each second", -BEFORE_S, away, arrived),
    )
    title = f"{now['doors']} doors lose their broker and come back"
    description = (
        f"Two diagrams over {SHOWN_S} seconds. The broker is away from second 0 to {now['away_s']}. Attempts to "
        f"connect reach {max(now['tried'])} a second at most"
        + (f"; in the other run {max(beside['tried'])}." if beside is not None else ".")
    )
    return svg(title, description, panels)


def figures(outcome: Outcome) -> list[tuple[str, str]]:
    """The table's rows: what, and how much."""
    plan, judged = outcome.plan, outcome.judgement
    steady = [at for at in outcome.arrivals if at < outcome.gone_s - plan.alone_s]
    span = max(plan.steady_s, 1.0)
    speaking = sum(at >= outcome.gone_s - plan.alone_s - span for at in steady) / span
    tries = outcome.storm_tries()
    back = sorted(max(at - outcome.back_s, 0.0) for at in outcome.came if at >= outcome.gone_s)
    each = (outcome.full.resident_bytes - outcome.idle_bytes) / max(plan.doors, 1)
    loads = [sample.load for sample in outcome.samples]
    return [
        ("doors, processes, transport", f"{plan.doors}, {plan.workers}, {'TLS 1.3' if plan.tls else 'plain'}"),
        ("a door reports every", f"{plan.cadence_s:g} s"),
        ("messages handed out", str(judged.handed)),
        ("messages heard, different ones", str(judged.heard)),
        ("lost", str(len(judged.lost))),
        ("arrived twice (QoS 1 may)", str(judged.twice)),
        (f"later than {plan.late_s:g} s", str(len(judged.late))),
        ("times the listener's session was forgotten", str(outcome.forgotten)),
        ("slowest message", f"{judged.slowest_s:.1f} s"),
        ("dropped by outboxes", str(judged.dropped)),
        ("messages per second, before", f"{speaking:.0f}"),
        (
            "broker's processor, before",
            f"{_cpu(outcome, outcome.gone_s - plan.alone_s - span, outcome.gone_s):.1%} of one",
        ),
        ("broker's memory per door", f"{each / 1024:.1f} KiB" if each > 0 else "too little to tell"),
        ("broker's memory in all", f"{outcome.full.resident_bytes / 2**20:.0f} MiB"),
        ("broker away", f"{outcome.back_s - outcome.gone_s:.1f} s, {'killed' if plan.kill else 'stopped'}"),
        (
            "attempts in the busiest second",
            f"{storm.busiest(tries)} ({storm.busiest(tries) / plan.doors:.1%} of the doors)",
        ),
        ("attempts a door", f"{len(tries) / plan.doors:.2f}"),
        ("doors let in, busiest second", str(storm.busiest([at for at in outcome.came if at >= outcome.gone_s]))),
        ("half of the doors back after", f"{back[len(back) // 2]:.1f} s" if back else "never"),
        ("the last door back after", f"{back[-1]:.1f} s" if back else "never"),
        ("broker's processor, 20 s after", f"{_cpu(outcome, outcome.back_s, outcome.back_s + 20):.1%} of one"),
        ("doors there before, at the end", f"{outcome.online[0]}, {outcome.online[1]}"),
        ("doors' processor in all", f"{outcome.workers_cpu_s:.0f} s"),
        ("machine", f"{platform.machine()}, {os.cpu_count()} cores, load {min(loads):.1f} to {max(loads):.1f}"),
    ]


def table(outcome: Outcome, console: Console) -> None:
    """Print the figures, and what must not be."""
    shown = Table(box=None, show_header=False, pad_edge=False)
    for name, value in figures(outcome):
        shown.add_row(name, value)
    console.print(shown)
    for fault in outcome.faults:
        console.print(f"[bold red]wrong:[/] {fault}")
    if not outcome.faults:
        console.print("[bold green]nothing lost, and the storm was spread[/]")


def _cpu(outcome: Outcome, start_s: float, end_s: float) -> float:
    """The share of one core that the broker used between two moments in which it was not restarted."""
    within = [each for each in outcome.samples if start_s <= each.at_s <= end_s and each.usage.resident_bytes]
    if len(within) < 2:
        return 0.0
    first, last = within[0], within[-1]
    return (last.usage.cpu_s - first.usage.cpu_s) / (last.at_s - first.at_s)


def _label(run: Counted, what: str) -> str:
    return f"{what}, {'as doors are' if run['jitter'] else 'without jitter'}"
