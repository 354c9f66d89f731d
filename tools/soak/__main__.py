"""`python -m tools.soak`: a day of door life, compressed. docs/soak.md says how to read what it prints.

Rules kept here:
- Exit code 0 if everything held, also where a life was too short to tell of its memory; 1 if anything was found.
- Ctrl-C or SIGTERM ends the day early, with all its last checks, and the log says so.
- What cannot be had (a broker, room on the disk, a place for the log) is said in one sentence, and before anything is
  started where it can be known then. A day that loses it in the middle says what was reached.
"""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from types import FrameType

import click

from device.errors import Fault, Refusal
from tools.log_header import header
from tools.log_header.kinds import KINDS
from tools.log_header.sources import sums
from tools.samples import SampleMissingError
from tools.soak import told
from tools.soak.day import Day
from tools.soak.house import house
from tools.soak.plan import Sizes

APPROACHES_A_KILL = 250
APPROACHES_A_FLAP = 150


@click.command()
@click.option("--approaches", type=click.IntRange(20), default=60, show_default=True, help="So many are drawn.")
@click.option("--cycles", type=click.IntRange(0), default=2, show_default=True, help="Homes that change hands.")
@click.option("--kills", type=click.IntRange(0), help="Of rooms; default: one in 250 approaches, at least one of each.")
@click.option("--flaps", type=click.IntRange(0), help="Of the broker; default: one in 150 approaches, at least two.")
@click.option("--seed", default=1, show_default=True, help="The same seed draws the same day.")
@click.option("--log", type=click.Path(path_type=Path), help="Also write it to this new file, with what it ran on.")
def main(approaches: int, cycles: int, kills: int | None, flaps: int | None, seed: int, log: Path | None) -> None:
    """Soak a simulated door: people by every way, homes that change hands, rooms killed, a broker that flaps.

    \b
    Example: python -m tools.soak --approaches 10000 --cycles 200 --log soak.txt
    """
    sizes = Sizes(
        approaches,
        cycles,
        max(6, approaches // APPROACHES_A_KILL) if kills is None else kills,
        max(2, approaches // APPROACHES_A_FLAP) if flaps is None else flaps,
    )
    # What it runs on is read before it begins: sources may change meanwhile.
    head = [*header.lines(sums(KINDS["soak"], Path(__file__).resolve().parents[2])), ""]
    _claimed(log)
    try:
        with house() as here:
            day = Day(here, sizes, seed, lambda text: print(text, file=sys.stderr, flush=True))

            def early(_number: int, _frame: FrameType | None) -> None:
                day.early = True

            signal.signal(signal.SIGINT, early)
            signal.signal(signal.SIGTERM, early)
            try:
                day.live()
            except (Fault, Refusal, OSError) as cause:
                if not day.begun:
                    raise
                day.ledger.finds(f"the day could not go on: {cause}")
            ended = told.outcome(day)
            said = [*told.lines(day, ended)]
    except (Fault, Refusal, SampleMissingError, OSError) as cause:
        if log is not None:
            log.unlink(missing_ok=True)
        raise click.ClickException(f"the soak could not begin: {cause}") from cause
    print("\n".join(said))
    if log is not None:
        try:
            log.write_text("\n".join([*head, *said, ""]), encoding="utf-8")
        except OSError as cause:
            raise click.ClickException(
                f"{log} could not be written ({cause.strerror}); it is what stands above"
            ) from cause
    sys.exit(0 if ended.held else 1)


def _claimed(log: Path | None) -> None:
    """Make the log, empty: that it cannot be had is no news for the end of an hour. Raises ClickException."""
    if log is None:
        return
    try:
        log.touch(exist_ok=False)
    except FileExistsError as cause:
        raise click.ClickException(f"{log} is there already; name a new file") from cause
    except OSError as cause:
        raise click.ClickException(f"{log} cannot be written: {cause.strerror}") from cause


if __name__ == "__main__":
    main(prog_name="python -m tools.soak")
