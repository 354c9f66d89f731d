"""Faces in the dark: what a look loses there against a picture in the light, and what lighting the crop gains back.

Rules kept here:
- Enrolled in the light, looked at in the dark; strangers, and with them the threshold, stay as they are in the light.
- A loss is in points of refusals above those of the same people in the light.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from tools.evaluate.tries import measures
from tools.evaluate.tries.embed import Bench, Folder
from tools.evaluate.tries.measures import Way, drawn
from tools.evaluate.tries.tries import FIVE, of_networks
from tools.evaluate.tries.variants import Variant

LIGHTS: Final = ("as is", "gamma", "smooth", "smooth gamma", "smooth stretch")


def table(bench: Bench, people: Folder, draws: int = measures.DRAWS, lights: Sequence[str] = LIGHTS) -> str:
    """A Markdown table; a row of every other network that is there."""
    names = people.geometry.folders
    tried = [Variant(spoiled="dark", light=light) for light in lights]
    tried += [Variant(each.name, spoiled="dark") for each in of_networks(bench.networks)[1:]]
    head = "| in the dark | " + " | ".join(f"pooled {fmr:.0e}" for fmr in measures.POOLED)
    lines = [head + " | loss at 1e-4 | odd half | even half |", "|---" * 6 + "|"]
    for variant in tried:
        base = Variant(variant.network)
        made = bench.embeddings(people, [base, variant])
        cells = []
        for chosen in (None, True, False):
            mask = measures.half(names, odd=bool(chosen))
            mask = mask | True if chosen is None else mask
            way = Way(made[base][mask], made[base][mask])
            light = drawn(way, names[mask], draws)
            found = drawn(way, names[mask], draws, spoiled=made[variant][mask])
            rates = [found.rate(light.marks(fmr)) for fmr in measures.POOLED]
            cells.append((rates, rates[0].value - light.pooled(measures.POOLED[0]).value))
        name = variant.light if variant.network == FIVE.network else variant.network
        shown = " | ".join("{:.2f} ({:.2f}-{:.2f})".format(*_percent(rate)) for rate in cells[0][0])
        lines.append(f"| {name} | {shown} | " + " | ".join(f"{100 * loss:+.2f}" for _, loss in cells) + " |")
    return "\n".join(lines)


def _percent(rate: measures.Rate) -> tuple[float, float, float]:
    low, high = rate.interval()
    return 100 * rate.value, 100 * low, 100 * high
