"""`make bench`: measure this machine and print ratios, limits, and what was missed.

Rules kept here:
- Exit code 0 whatever the figures are; 1 if something could not be measured, with the reason; 130 after Ctrl-C.
- Tables on stdout, progress on the terminal only; `--json` prints one object instead of tables.
- Whatever was started is stopped, however this program ends.
"""

from __future__ import annotations

import json
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import click

from tools.benchmark import machine
from tools.benchmark.figures import NotMeasured, Plan, Section
from tools.benchmark.processes import others_percent
from tools.benchmark.show import Show

SECTIONS = ("start", "eye", "liveness", "vault", "walls", "watched", "size", "reaction", "card", "footprint", "day")
QUIET_CHECK_S = 0.5
_ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_WITH_A_DOOR = ("reaction", "card", "footprint", "day")
Tell = Callable[[str], None]


def run(names: tuple[str, ...], plan: Plan, tell: Tell, show: Callable[[Section], None]) -> dict[str, str]:
    """Measure and show section by section; what could not be measured, and why."""
    missing: dict[str, str] = {}
    for name in names:
        if name not in _WITH_A_DOOR:
            _guarded(name, missing, lambda name=name: show(_noted(lambda: _alone(name, plan, tell))))  # type: ignore[misc] # bound now
    with_a_door = [name for name in names if name in _WITH_A_DOOR]
    if with_a_door:
        _guarded(", ".join(with_a_door), missing, lambda: _in_a_house(with_a_door, plan, tell, show))
    return missing


def _noted(measure: Callable[[], Section]) -> Section:
    """The section, with a note on how quiet the machine was."""
    others = others_percent(QUIET_CHECK_S)
    section = measure()
    note = f"Just before, other work on this machine took {others:.0f} % of a core."
    return replace(section, notes=(*section.notes, note))


def _guarded(name: str, missing: dict[str, str], measure: Callable[[], None]) -> None:
    from device.errors import Fault, Refusal

    try:
        measure()
    except (NotMeasured, Refusal, Fault, OSError) as reason:
        missing[name] = str(reason)


def _alone(name: str, plan: Plan, tell: Tell) -> Section:
    # Imported one by one: the first sections fork, and a small process forks as a small one.
    if name == "start":
        from tools.benchmark import start

        return start.measure(plan, tell)
    if name == "eye":
        from tools.benchmark import eye

        return eye.measure(plan, tell)
    if name == "liveness":
        from tools.benchmark import liveness

        return liveness.measure(plan, tell)
    if name == "vault":
        from tools.benchmark import vault

        return vault.measure(plan, tell)
    if name == "walls":
        from tools.benchmark import walls

        return walls.measure(plan, tell)
    if name == "watched":
        from tools.benchmark import watched

        return watched.measure(plan, tell)
    from tools.benchmark import size

    return size.measure(plan, tell)


def _in_a_house(names: list[str], plan: Plan, tell: Tell, show: Callable[[Section], None]) -> None:
    from tools.benchmark import card, day, footprint, reaction
    from tools.benchmark.house import house

    tell("a door is set up, and somebody moves in")
    with house() as one:
        # Memory first: it is asked for as a door that stands idle has it.
        if "footprint" in names:
            show(_noted(lambda: footprint.measure(one, plan, tell)))
        if "day" in names:
            show(_noted(lambda: day.measure(one, plan, tell)))
        if "reaction" in names:
            show(_noted(lambda: reaction.measure(one, plan, tell)))
        if "card" in names:
            show(_noted(lambda: card.measure(one, plan, tell)))


@contextmanager
def _ended_in_order() -> Iterator[None]:
    """SIGTERM and SIGHUP end this program as Ctrl-C does: by way of every `finally`, and Ctrl-C does so everywhere.

    A shell starts what runs in its background with SIGINT ignored; a program with a door to stop does not go along.
    """

    def stop(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, stop) for number in _ENDINGS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--rounds", type=click.IntRange(1, 100), default=None, help="Interleaved repetitions. Default 5; quick 3."
)
@click.option("--quick", is_flag=True, help="Up to two minutes: fewer and smaller rounds.")
@click.option("--only", type=click.Choice(SECTIONS), multiple=True, help="Measure this section; may be given again.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def main(rounds: int | None, *, quick: bool, only: tuple[str, ...], as_json: bool) -> None:
    """Measure how fast and how small the door is on this machine, as ratios.

    \b
    Example: python -m tools.benchmark --only eye --rounds 10
    """
    machine.one_blas_thread()
    plan = Plan(rounds or (3 if quick else 5), quick)
    show, began = Show(as_json=as_json), time.monotonic()
    facts = machine.described()
    found: list[Section] = []

    def keep(section: Section) -> None:
        found.append(section)
        show.section(section)

    try:
        with _ended_in_order(), show.progress() as tell:
            show.facts(facts)
            missing = run(only or SECTIONS, plan, tell, keep)
    except KeyboardInterrupt:
        click.echo("\nbenchmark stopped; the door, the broker and their folder are gone", err=True)
        sys.exit(130)
    seconds = time.monotonic() - began
    if as_json:
        whole: dict[str, Any] = {
            "machine": facts,
            "rounds": plan.rounds,
            "quick": plan.quick,
            "sections": [section.plain() for section in found],
            "not_measured": missing,
            "seconds": round(seconds, 1),
        }
        click.echo(json.dumps(whole))
    else:
        show.summary(found, missing, seconds)
    sys.exit(1 if missing else 0)


if __name__ == "__main__":
    main()
