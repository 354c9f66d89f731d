"""The command line: `python -m tools.fleet_sim`."""

from __future__ import annotations

import random
import sys
from dataclasses import replace
from pathlib import Path

import click
from rich.console import Console

from device.errors import BrokerFault
from tools.fleet_sim import cluster as brokers
from tools.fleet_sim import show, storm
from tools.fleet_sim.course import Plan, run


@click.group(invoke_without_command=True)
@click.option("--doors", default=10_000, show_default=True, type=click.IntRange(1))
@click.option("--workers", default=4, show_default=True, type=click.IntRange(1, 64), help="Processes of doors.")
@click.option("--cadence", default=60.0, show_default=True, help="Seconds between a door's reports.")
@click.option("--ramp", default=60.0, show_default=True, help="Seconds within which the doors start.")
@click.option("--steady", default=30.0, show_default=True, help="Seconds before the restart.")
@click.option("--away", default=5.0, show_default=True, help="Seconds without a broker.")
@click.option("--after", default=60.0, show_default=True, help="Seconds after the restart.")
@click.option("--alone", default=0.0, show_default=True, help="Seconds before the restart in which nobody listens.")
@click.option("--alarms", default=5.0, show_default=True, help="Alarms per second in the whole fleet.")
@click.option("--late", default=400.0, show_default=True, help="Seconds after which a message is late.")
@click.option("--tls/--plain", default=True, show_default=True)
@click.option("--jitter/--no-jitter", default=True, help="Without: a seeded fault, which has to be told.")
@click.option("--kill", is_flag=True, help="Kill the broker (-9) instead of stopping it.")
@click.option("--queue", default=0, help="Messages the broker keeps for whoever is away (0: 20 a door).")
@click.option("--seed", default=1, show_default=True)
@click.option("--plot", type=click.Path(path_type=Path, dir_okay=False), help="Write the restart as an SVG.")
@click.option("--json", "as_json", type=click.Path(path_type=Path, dir_okay=False), help="Write what was counted.")
@click.option(
    "--beside", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="Draw this --json as well."
)
@click.pass_context
def main(  # noqa: PLR0913  # one argument an option
    context: click.Context,
    *,
    doors: int,
    workers: int,
    cadence: float,
    ramp: float,
    steady: float,
    away: float,
    after: float,
    alone: float,
    alarms: float,
    late: float,
    tls: bool,
    jitter: bool,
    kill: bool,
    queue: int,
    seed: int,
    plot: Path | None,
    as_json: Path | None,
    beside: Path | None,
) -> None:
    """A fleet of doors against one real broker that is restarted; exit code 1 if anything is lost or not spread.

    \b
    Example: python -m tools.fleet_sim --doors 1000 --plain
    """
    if context.invoked_subcommand is not None:
        return
    plan = Plan(
        doors=doors,
        workers=workers,
        cadence_s=cadence,
        ramp_s=ramp,
        steady_s=steady,
        away_s=away,
        after_s=after,
        late_s=late,
        alarms_per_s=alarms,
        alone_s=alone,
        tls=tls,
        jitter=jitter,
        kill=kill,
        queue=queue,
        seed=seed,
    )
    console = Console()
    try:
        earlier = show.read_counted(beside) if beside else None
        outcome = run(plan, lambda said: console.print(said, highlight=False))
    except (BrokerFault, ValueError) as fault:
        raise click.ClickException(str(fault)) from fault
    show.table(outcome, console)
    if as_json is not None:
        show.write_json(outcome, as_json)
    if plot is not None:
        plot.write_text(show.picture(show.counted(outcome), earlier))
    sys.exit(1 if outcome.faults else 0)


@main.command()
@click.argument("root", type=click.Path(path_type=Path, file_okay=False))
@click.option("--doors", default=60, show_default=True, type=click.IntRange(1))
@click.option("--away", default=10.0, show_default=True, help="Seconds for which one node is dead.")
def cluster(root: Path, doors: int, away: float) -> None:
    """Three nodes of RabbitMQ 4 in the Debian 13 below ROOT (made if need be), one of them killed."""
    plan = Plan(doors=doors, workers=1, cadence_s=5.0, ramp_s=10.0, steady_s=10.0, away_s=away, after_s=20.0)
    console = Console()
    try:
        brokers.prepare(root)
        outcome = run(
            replace(plan, tls=False, kill=True, alarms_per_s=1.0),
            lambda said: console.print(said, highlight=False),
            lambda folder: brokers.Cluster(root, folder),
        )
    except BrokerFault as fault:
        raise click.ClickException(str(fault)) from fault
    show.table(outcome, console)
    sys.exit(1 if outcome.faults else 0)


@main.command()
@click.option("--doors", default=1_000_000, show_default=True, type=click.IntRange(1))
@click.option("--takes", default=[2000, 5000, 10_000], multiple=True, show_default=True, help="Connections per second.")
@click.option("--away", default=60, show_default=True, help="Seconds without a broker.")
def model(doors: int, takes: list[int], away: int) -> None:
    """How long a fleet of any size would take to come back to brokers that take so many connections a second."""
    for each in takes:
        found = storm.recovery(doors, each, away, random.Random(1))
        click.echo(
            f"{doors} doors, {each} connections/s, {away} s away: half after {found.half_s} s, all after "
            f"{found.all_s} s; {found.attempts / doors:.1f} attempts a door, {found.busiest} in the busiest second"
        )


@main.command("console")
@click.option("--times", default=200, show_default=True, type=click.IntRange(20), help="How often each page is asked.")
@click.option("--doors", default=10_000, show_default=True, type=click.IntRange(200), help="Compared with 100.")
@click.option("--seed", default=1, show_default=True)
@click.option("--postgresql", "server", is_flag=True, help="On a PostgreSQL server of its own instead of SQLite.")
def console_pages(times: int, doors: int, seed: int, *, server: bool) -> None:
    """How long pages of the console take with 100 doors and with 10,000; exit code 1 if one is twice as slow."""
    from tools.fleet_sim import pages  # as it takes the pages' packages along

    try:
        rows = pages.measure(times, seed, doors, server=server)
    except RuntimeError as missing:
        raise click.ClickException(str(missing)) from missing
    click.echo(pages.shown(rows, times, doors))
    slow = [row.name for row in rows if row.ratio > pages.LIMIT]
    if slow:
        click.echo(f"more than {pages.LIMIT:g} times as slow: {', '.join(slow)}", err=True)
        sys.exit(1)
