"""`python -m tools.benchmark.peers.plot RUN.json OUT.svg`: what a picture costs, and who was let in and kept out.

Rules kept here:
- Drawn from a run's JSON alone; nothing is typed in.
"""

from __future__ import annotations

import json
import statistics
from pathlib import Path
from typing import Any

import click

KIND = "1 residents, 3 pictures"


@click.command()
@click.argument("run", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("out", type=click.Path(dir_okay=False, path_type=Path))
def main(run: Path, out: Path) -> None:
    """Draw RUN, which `python -m tools.benchmark.peers --json` wrote, into OUT."""
    try:
        tools: list[dict[str, Any]] = json.loads(run.read_text(encoding="utf-8"))["tools"]
        drawn(tools, out)
    except (ValueError, KeyError, TypeError, UnicodeDecodeError) as cause:
        raise click.ClickException(f"{run} is not what peers --json writes ({cause})") from None


def drawn(tools: list[dict[str, Any]], out: Path) -> None:
    """Bars of processor time, and each tool by its two kinds of mistakes with their intervals."""
    import matplotlib as mpl

    mpl.use("svg")
    # The same file from the same figures: no date in it, and no random names.
    mpl.rcParams["svg.hashsalt"] = "doorward"
    from matplotlib import pyplot as plt

    figure, (cost, mistakes) = plt.subplots(1, 2, figsize=(11, 4.2), layout="constrained")
    names = [one["tool"] for one in tools]
    times = [statistics.median(one["processor_ms_a_picture"]) for one in tools]
    colours = ["#0b6e4f"] + ["#8a8f98"] * (len(tools) - 1)
    bars = cost.barh(names, times, color=colours)
    cost.bar_label(bars, [f"{time:.0f}" for time in times], padding=3)
    cost.invert_yaxis()
    cost.set_xlabel("milliseconds of processor for a picture")
    cost.set_xlim(0, max(times) * 1.15)
    for one, colour in zip(tools, colours, strict=True):
        found = one["errors"][KIND]
        across, up = (_percent(found[kind]) for kind in ("residents_rejected", "strangers_accepted"))
        mistakes.errorbar(
            across[1], up[1], xerr=_bars(across), yerr=_bars(up), fmt="o", color=colour, capsize=3, elinewidth=1
        )
        mistakes.annotate(one["tool"], (across[1], up[1]), textcoords="offset points", xytext=(7, 5), fontsize=9)
    mistakes.set_xlabel("residents refused, %")
    mistakes.set_ylabel("strangers let in at some door, %")
    mistakes.set_xlim(left=-1)
    mistakes.set_ylim(bottom=-2)
    figure.savefig(out, metadata={"Date": None})
    plt.close(figure)


def _percent(share: dict[str, float]) -> tuple[float, float, float]:
    return share["low"] * 100, share["people_wrong"] / share["people"] * 100, share["high"] * 100


def _bars(percent: tuple[float, float, float]) -> list[list[float]]:
    low, middle, high = percent
    return [[middle - low], [high - middle]]


if __name__ == "__main__":
    main()
