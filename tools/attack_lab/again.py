"""Windows of an earlier record rendered again with other sources: whether anything became of them that had not.

For sources that were changed and should decide nothing else: quicker ones. Rules kept here:
- Windows are rendered in turns of one of each kind, in an order that follows from nothing but the record, until
  the time is over: nobody chooses which.
- A window counts as alike if every attempt has the same verdict, the same reason and as many frames, seen and in all.
- What was rendered again is kept in a record of the new sources. What was not is taken over only on request, and
  only if everything that was rendered is alike.

    python -m tools.attack_lab.again OLDER.jsonl NEWER.jsonl --faces DIR --seed S ... --minutes M [--take-over]
"""

from __future__ import annotations

import hashlib
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

import click

from tools.attack_lab.carried import read
from tools.attack_lab.faces import Faces
from tools.attack_lab.instruments import BEYOND, INSTRUMENTS, PEOPLE
from tools.attack_lab.record import OtherRecord, Outcome, Record, of_sources
from tools.attack_lab.run import Kind, one

Windows = dict[str, dict[int, Outcome]]


@dataclass(frozen=True, slots=True)
class Counted:
    """`rendered` windows, of which `alike` came to what they had come to before."""

    rendered: int = 0
    alike: int = 0


def kinds(seeds: tuple[int, ...], most: int, answers: int) -> tuple[Kind, ...]:
    """Everything that may be in a record of these seeds, as windows of this rule."""
    names = (PEOPLE, *INSTRUMENTS, *BEYOND)
    return tuple(
        Kind(name, 1, most, relief=relief, seed=seed, answers=answers)
        for relief in (True, False)
        for seed in seeds
        for name in names
    )


def in_turns(older: Windows, some: tuple[Kind, ...]) -> Iterator[tuple[Kind, int]]:
    """One window of each kind, then the next of each: those of a kind in the order of a hash of their names."""

    def order(kind: Kind) -> list[tuple[Kind, int]]:
        numbers = sorted(older.get(kind.key, {}), key=lambda n: hashlib.sha256(f"{kind.key} {n}".encode()).digest())
        return [(kind, number) for number in numbers]

    for turn in zip_longest(*(order(kind) for kind in some)):
        yield from (window for window in turn if window is not None)


def compared(older: Windows, newer: Windows) -> Counted:
    """The windows that both have."""
    both = [
        outcome == older[key][number]
        for key, windows in newer.items()
        for number, outcome in windows.items()
        if number in older.get(key, {})
    ]
    return Counted(len(both), sum(both))


def take_over(older: Windows, newer: Record) -> int:
    """What `newer` has not, as it was; how many windows that is."""
    taken = 0
    for key, windows in older.items():
        for number, outcome in windows.items():
            if number not in newer.of(key):
                newer.add(key, number, outcome)
                taken += 1
    return taken


@click.command()
@click.argument("older", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.argument("newer", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--faces", type=click.Path(path_type=Path, exists=True, file_okay=False), required=True)
@click.option("--seed", "seeds", type=click.IntRange(0), multiple=True, required=True, help="Of the earlier runs.")
@click.option("--approaches", "most", type=click.IntRange(1), default=5, show_default=True, help="Of their rule.")
@click.option("--answers", type=click.IntRange(1), default=2, show_default=True, help="Attempts that have to pass.")
@click.option("--minutes", type=click.FloatRange(0), required=True, help="When to stop, between two windows.")
@click.option("--take-over", "over", is_flag=True, help="Afterwards, what was not rendered.")
def main(
    *,
    older: Path,
    newer: Path,
    faces: Path,
    seeds: tuple[int, ...],
    most: int,
    answers: int,
    minutes: float,
    over: bool,
) -> None:
    """Windows of OLDER once more, kept in NEWER."""
    known = Faces.below(faces)
    try:
        before, record = read(older), Record(newer, of_sources(known.digest))
    except OtherRecord as refused:
        raise click.UsageError(str(refused)) from refused
    ends = time.monotonic() + minutes * 60
    for kind, number in in_turns(before, kinds(seeds, most, answers)):
        if number in record.of(kind.key):
            continue
        if time.monotonic() >= ends:
            break
        found = one(kind, known.number(number), number)
        record.add(kind.key, number, found)
        said = "alike" if found == before[kind.key][number] else "OTHER THAN BEFORE"
        print(f"{kind.key} {number}: {said}", file=sys.stderr, flush=True)
    counted = compared(before, record.all())
    print(f"{counted.rendered} windows rendered again, {counted.alike} of them alike in every attempt")
    if counted.alike != counted.rendered:
        raise SystemExit(1)
    if over:
        print(f"{take_over(before, record)} taken over as they were")


if __name__ == "__main__":
    main()
