"""What a run found, as Markdown: what it costs, who was let in and who was not, and which goals were met.

Rules kept here:
- A goal is told by the figures beside it, met or missed, and never left out because it was missed.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence

from tools.benchmark.peers.count import STRICT, Share
from tools.benchmark.peers.draw import ENROLLED, Draw
from tools.benchmark.peers.run import KINDS, Result

FASTER, SMALLER = 8.0, 3.0


def markdown(results: Sequence[Result], drawn: Draw, machine: Mapping[str, str], busy: float) -> str:
    """The report. `busy`: what other work took just before, in % of a core."""
    lines = [
        ", ".join(f"{name} {value}" for name, value in machine.items()) + ".",
        _drawn(drawn, busy),
        "",
        *_costs(results),
        "",
    ]
    for residents, pictures in KINDS:
        lines += [*_errors(results, residents, pictures), ""]
    return "\n".join([*lines, *_strict(results), "", *_goals(results)])


def _drawn(drawn: Draw, busy: float) -> str:
    who = f"{len(drawn.households)} households of 4, {len(drawn.strangers)} strangers, {len(drawn.pictures)} pictures"
    return f"{who}; {ENROLLED} pictures enrol somebody; just before, other work took {busy:.0f} % of a core."


def _costs(results: Sequence[Result]) -> list[str]:
    ours = statistics.median(results[0].see_s)
    costs = ("a picture, ms of processor", "of Doorward's", "start, s (of processor)", "peak memory, MB")
    titles = ("tool", "decides by", *costs, "idle, % of a core", "no face found")
    lines = [f"| {' | '.join(titles)} |", "|---" * len(titles) + "|"]
    for one in results:
        middle = statistics.median(one.see_s)
        low, high = min(one.see_s) * 1000, max(one.see_s) * 1000
        lines.append(
            f"| {one.tool.name} | {one.tool.decides_by} | {middle * 1000:.1f} ({low:.1f} to {high:.1f}) | "
            f"{middle / ours:.1f} × | {one.start_s:.1f} ({one.start_processor_s:.1f}) | {one.peak_mb:.0f} | "
            f"{one.idle_share * 100:.1f} | {one.faceless} of {one.pictures} |"
        )
    return lines


def _errors(results: Sequence[Result], residents: int, pictures: int) -> list[str]:
    who = "one resident" if residents == 1 else f"{residents} residents"
    what = "one picture" if pictures == 1 else f"{pictures} pictures"
    lines = [
        f"A door of {who}, an approach of {what}:",
        "",
        "| tool | strangers let in (at one door or more) | residents refused | taken for a neighbour |",
        "|---|---|---|---|",
    ]
    for one in results:
        found = one.errors[residents, pictures]
        cells = (found.strangers_accepted, found.residents_rejected, found.residents_mistaken)
        lines.append(f"| {one.tool.name} | {' | '.join(map(_told, cells))} |")
    return lines


def _strict(results: Sequence[Result]) -> list[str]:
    """Every tool with a limit of its own, read off these strangers, so that all let in equally few of them."""
    lines = [
        "All equally strict: a door of one resident, and for each tool the limit at which so many of the strangers'",
        "approaches pass, read off these very strangers, which flatters every tool. Residents refused:",
        "",
        f"| tool | approach | {' | '.join(f'{share:.1%} of strangers' for share in STRICT)} |",
        "|---" * (2 + len(STRICT)) + "|",
    ]
    for pictures in sorted({pictures for one in results for pictures in one.strict}):
        what = "one picture" if pictures == 1 else f"{pictures} pictures"
        lines += [f"| {one.tool.name} | {what} | {' | '.join(map(_told, one.strict[pictures]))} |" for one in results]
    return lines


def _told(share: Share) -> str:
    low, high = share.interval
    told = f"{share.wrong} of {share.of} ({low * 100:.1f} to {high * 100:.1f} %)"
    if share.approaches > share.of:
        told += f"; {share.approaches_wrong} of {share.approaches} approaches"
    return told


def _goals(results: Sequence[Result]) -> list[str]:
    ours, peers = results[0], results[1:]
    if not peers:
        return []
    costs = {one.tool.name: statistics.median(one.see_s) / statistics.median(ours.see_s) for one in peers}
    cheapest = min(costs, key=lambda name: costs[name])
    sizes = {one.tool.name: one.peak_mb / ours.peak_mb for one in peers}
    smallest = min(sizes, key=lambda name: sizes[name])
    fewer = all(_wrong(ours, kind) <= _wrong(one, kind) for one in peers for kind in KINDS)
    time = f"{costs[cheapest]:.1f} times less than {cheapest}, {_met(costs[cheapest] >= FASTER)}"
    memory = f"{1 / sizes[smallest]:.2f} of {smallest}'s, {_met(sizes[smallest] >= SMALLER)}"
    equal = [
        ours.strict[pictures][at].wrong <= one.strict[pictures][at].wrong
        for one in peers
        for pictures in ours.strict
        for at in range(len(STRICT))
    ]
    own = "in every table of own defaults (approaches let in or refused wrongly)"
    alike = f"in {sum(equal)} of {len(equal)} comparisons"
    return [
        f"- processor time, {FASTER:.0f} times less than the best peer: {time}",
        f"- memory, a third of the best peer's: {memory}",
        f"- no more errors than each, {own}: {_met(fewer)}",
        f"- all equally strict, no more residents refused than by each, {alike}: {_met(all(equal))}",
    ]


def _wrong(one: Result, kind: tuple[int, int]) -> int:
    found = one.errors[kind]
    return sum(
        share.approaches_wrong
        for share in (found.strangers_accepted, found.residents_rejected, found.residents_mistaken)
    )


def _met(met: bool) -> str:  # noqa: FBT001 # one word for one boolean
    return "met" if met else "MISSED"
