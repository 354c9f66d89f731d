"""What came of a try-out, in words and as plain values.

Rules kept here:
- A count is never told without its bound: none of 30 is not never.
- What a simulated door tried is called so wherever it is shown.

Pure.
"""

from __future__ import annotations

from device.tried import ATTACKS, Instrument, Tryout, percent, upper_bound

_BOUND = "with 95 % confidence at most {} in 100"


def lines(tryout: Tryout) -> tuple[str, ...]:
    """A line for each instrument, and one for the date."""
    where = "simulated door, " if tryout.simulated else ""
    told = [f"Tried on {tryout.date} ({where}software {tryout.facts.version}):"]
    for instrument in ATTACKS:
        count = tryout.counts[instrument]
        bound = _BOUND.format(percent(upper_bound(count.as_live, count.tries)))
        told.append(f"  {instrument:<7}{count.tries} tries, {count.as_live} taken for a live face ({bound})")
    live = tryout.counts[Instrument.LIVE]
    missed = live.tries - live.as_live
    bound = _BOUND.format(percent(upper_bound(missed, live.tries)))
    return (*told, f"  {'live':<7}{live.tries} tries, {missed} not taken for a live face ({bound})")


def facts(tryout: Tryout) -> dict[str, object]:
    """The same for --json; a bound is that of the rate of errors: attacks taken for live faces, live faces refused."""
    told: dict[str, object] = {"date": tryout.date, "simulated": tryout.simulated}
    for instrument in Instrument:
        count = tryout.counts[instrument]
        errors = count.as_live if instrument in ATTACKS else count.tries - count.as_live
        told[instrument.value] = {
            "tries": count.tries,
            "as_live": count.as_live,
            "as_attack": count.as_attack,
            "unclear": count.unclear,
            "bound": round(upper_bound(errors, count.tries), 4),
        }
    return told
