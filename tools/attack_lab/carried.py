"""Windows of an earlier record under a rule with more approaches and more answers: rendered on, or taken over.

Rules kept here:
- What is taken over without being rendered is a window that ended because something was called an attack: no rule goes
  on after that. Every other window is rendered anew, from its first attempt, under the new rule.
- Attempts that both have must be the same, verdict, reason and frames; the command counts them and fails if one is not.
- Taken over from sources that differ in nothing but when a window ends (`tools/attack_lab/run.py`); which those of the
  earlier record were, its own log says. Whoever takes over says both.

    python -m tools.attack_lab.carried OLDER.jsonl NEWER.jsonl --faces DIR --seed S --only KIND ...
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from device.wire import Attack
from tools.attack_lab.counts import as_at_the_door
from tools.attack_lab.faces import Faces
from tools.attack_lab.instruments import BEYOND, INSTRUMENTS, PEOPLE
from tools.attack_lab.record import OtherRecord, Outcome, Record, of_sources
from tools.attack_lab.run import Kind, one


@click.command()
@click.argument("older", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.argument("newer", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--faces", type=click.Path(path_type=Path, exists=True, file_okay=False), required=True)
@click.option("--seed", type=click.IntRange(0), required=True, help="Of the earlier run.")
@click.option("--only", multiple=True, type=click.Choice((PEOPLE, *INSTRUMENTS, *BEYOND)), help="These kinds alone.")
@click.option("--before", "most_before", type=click.IntRange(1), default=3, show_default=True, help="Its approaches.")
@click.option("--approaches", "most", type=click.IntRange(1), default=5, show_default=True, help="Of the new rule.")
@click.option("--answers", type=click.IntRange(1), default=2, show_default=True, help="Attempts that have to pass.")
@click.option("--attacks/--no-attacks", "over", default=True, help="Take over what was called an attack.")
def main(  # noqa: PLR0913 - an option each
    *,
    older: Path,
    newer: Path,
    faces: Path,
    seed: int,
    only: tuple[str, ...],
    most_before: int,
    most: int,
    answers: int,
    over: bool,
) -> None:
    """Windows of OLDER, as they go on under the new rule, kept in NEWER."""
    known = Faces.below(faces)
    try:
        earlier, record = read(older), Record(newer, of_sources(known.digest))
    except OtherRecord as refused:
        raise click.UsageError(str(refused)) from refused
    same = rendered = taken = 0
    for name in only or (PEOPLE, *INSTRUMENTS, *BEYOND):
        before, after = Kind(name, 1, most_before, seed=seed), Kind(name, 1, most, seed=seed, answers=answers)
        for number, whole in sorted(earlier.get(before.key, {}).items()):
            if number in record.of(after.key):
                continue
            was = None if whole is None else as_at_the_door(whole)
            if was is None or was[-1].attack is Attack.PRESENTATION:
                if over:
                    record.add(after.key, number, was)
                    taken += 1
                continue
            found = one(after, known.number(number), number)
            rendered, same = rendered + 1, same + (found is not None and found[: len(was)] == was)
            record.add(after.key, number, found)
            print(f"{name} {number}: {_said(found)}, the same in {same} of {rendered}", file=sys.stderr, flush=True)
    print(f"{taken} taken over, {rendered} rendered, what both have is the same in {same}")
    if same != rendered:
        raise SystemExit(1)


def read(path: Path) -> dict[str, dict[int, Outcome]]:
    """The windows of a record, of whatever sources, by key and number. Raises OtherRecord for what is none."""
    try:
        made_by = json.loads(path.read_text(encoding="utf-8").splitlines()[0])["sources"]
    except (ValueError, KeyError, TypeError, IndexError) as cause:
        raise OtherRecord(f"{path} is no record of the attack lab") from cause
    return Record(path, made_by).all()


def _said(found: Outcome) -> str:
    return "nobody" if found is None else " ".join(each.attack.name.lower() for each in found)


if __name__ == "__main__":
    main()
