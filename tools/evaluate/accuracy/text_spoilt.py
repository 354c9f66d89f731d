"""The report's part on light, blur, masks, distance and turned heads."""

from __future__ import annotations

import math

from tools.evaluate.accuracy.measured import Conditions
from tools.evaluate.accuracy.rates import FEW, Rate
from tools.evaluate.accuracy.wording import rate, small, table


def _needed(refused: Rate) -> str:
    """How many pictures it would take; nothing where there are enough."""
    if not refused.few:
        return "enough"
    return f"{math.ceil(FEW / refused.value):,}" if refused.value else "nobody knows"


def conditions(made: Conditions) -> str:
    """Its tables."""
    lines = [
        "## Light, blur, masks, distance",
        "",
        f"{made.people} people, enrolled with five pictures as they are, shown {made.shown} others that were spoilt",
        "in stated ways (tools/evaluate/accuracy/conditions.py); masked ones are compared with templates in the same",
        f"cloth. One frame is judged at {made.single_threshold:.3f}, where {made.single_fmr:.0e} of mixed strangers",
        f"match on pictures as they are; the mean of three at {made.fused_threshold:.3f}, the door's with one face",
        "awake. `refused`: one frame that gave a hint or did not match.",
        "",
        table(
            (
                "condition",
                "FTA",
                "FNMR, one frame",
                "refused",
                "FMR, one frame",
                "FNMR, three frames",
                "covered",
                "for 30 errors",
            ),
            [
                [
                    cost.name,
                    rate(cost.fta),
                    rate(cost.single),
                    rate(cost.refused),
                    small(cost.single_fmr),
                    rate(cost.fused),
                    f"{cost.covered:.0%}",
                    _needed(cost.refused),
                ]
                for cost in made.costs
            ],
        ),
        "",
        "`for 30 errors`: how many pictures would have to be shown, at the rate seen, until `refused` has 30 errors",
        "behind it. Until then the interval is the result.",
        "`covered`: share of the acquired that the door noticed as covered. Against a bare template, which no door",
        "compares a covered face with, one frame would be refused as often as this: "
        + "; ".join(f"{name} {rate(found)}" for name, found in made.bare)
        + ".",
        "Pictures of a folder have the sharpness they have: one whose eyes stand 40 px apart cannot show what a nearer",
        "face would give, so the rows of short distances tell of enlarging, not of detail.",
        "",
        "## Turned heads",
        "",
        "By the yaw that the face mesh reads from the picture, of pictures as they are; FNMR of one frame against five",
        "other pictures, at the same threshold.",
        "",
        table(
            ("degrees", "FTA", "pictures", "FNMR, one frame", "comparisons"),
            [
                [
                    f"{part.low:g} to {part.high:g}",
                    rate(part.fta),
                    str(part.fta.trials) if part.fta else "0",
                    rate(part.fnmr),
                    str(part.fnmr.trials) if part.fnmr else "0",
                ]
                for part in made.turned
            ],
        ),
    ]
    return "\n".join(lines) + "\n"
