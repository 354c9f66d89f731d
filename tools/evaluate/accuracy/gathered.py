"""Look at every picture of a folder once, on all cores, and go on later where it was ended.

Rules kept here:
- Nothing is lost: what was looked at is kept (`cache`) before anything is computed from it; Ctrl-C and kill -9 cost a
  second of work.
- A file that is no picture is counted and named, and ends nothing. A folder without pictures is refused in a sentence.
- The same bytes are looked at once, wherever they lie; each place they lie in is a row.

How others use it: `gather(root, chain, cache)` gives a `Gathered` with a row for each file of root/person/picture, in
the order of their names: `records[...]` is a structured array (`look.RECORD` says what each field is), `good` a mask of
those that became an embedding, `people` and `files` their names.

    with Cache(folder) as cache:
        found = gather(Path("lfw-dev"), Chain(models_dir()), cache)
    vectors, labels = found.vectors[found.good], found.people[found.good]
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from device.eye.pictures import SUFFIXES
from tools.evaluate.accuracy.cache import Cache
from tools.evaluate.accuracy.conditions import CLEAN, Condition
from tools.evaluate.accuracy.crew import Task, looked
from tools.evaluate.accuracy.look import RECORD, UNREADABLE, Chain

Names = npt.NDArray[np.str_]
Mask = npt.NDArray[np.bool_]


class FolderRefused(FileNotFoundError):
    """A folder from which nothing can be measured."""


class Interrupted(KeyboardInterrupt):
    """Somebody ended the run. `done`, `total`: looks that are kept, and those that were wanted."""

    def __init__(self, done: int, total: int) -> None:
        super().__init__(f"ended after {done} of {total} looks; they are kept, and the same command goes on from there")
        self.done, self.total = done, total


@dataclass(frozen=True, slots=True, eq=False)
class Gathered:
    """A row for each file. people, files: names; pictures: sha256 (n, 32) uint8; records: (n,) of `look.RECORD`."""

    people: Names
    files: Names
    pictures: npt.NDArray[np.uint8]
    records: npt.NDArray[np.void]

    def __len__(self) -> int:
        return len(self.files)

    @property
    def good(self) -> Mask:
        """(n,): whether it became an embedding."""
        found: Mask = self.records["hint"] == 0
        return found

    @property
    def readable(self) -> Mask:
        """(n,): whether it is a picture at all."""
        found: Mask = self.records["hint"] != UNREADABLE
        return found

    @property
    def vectors(self) -> npt.NDArray[np.float32]:
        """(n, 128): length 1 where `good`, else zeros."""
        found: npt.NDArray[np.float32] = self.records["embedding"]
        return found

    def of(self, chosen: npt.NDArray[Any]) -> Gathered:
        """The chosen rows, by mask or number."""
        return Gathered(self.people[chosen], self.files[chosen], self.pictures[chosen], self.records[chosen])


def paths_in(root: Path) -> list[Path]:
    """All pictures root/person/picture, sorted, by the suffixes that the replay camera reads.

    Raises FolderRefused, in a sentence.
    """
    if not root.is_dir():
        raise FolderRefused(f"there is no folder {root}")
    paths = sorted(path for path in root.glob("*/*") if path.suffix.lower() in SUFFIXES and path.is_file())
    if not paths:
        raise FolderRefused(f"there is no picture in {root}: a folder for each person with pictures in it is wanted")
    return paths


def gather(
    root: Path,
    chain: Chain,
    cache: Cache,
    condition: Condition = CLEAN,
    workers: int | None = None,
    only: Names | None = None,
) -> Gathered:
    """What the door sees in each picture of `root` in `condition`.

    `only`: file names as "person/picture"; without it all. `workers`: processes; as many as cores unless said, and with
    0 the work is done here. Raises FolderRefused, ModelRefused, Interrupted.
    """
    return next(iter(gather_all(root, chain, cache, (condition,), workers, only).values()))


def gather_all(
    root: Path,
    chain: Chain,
    cache: Cache,
    conditions: Sequence[Condition],
    workers: int | None = None,
    only: Names | None = None,
) -> dict[Condition, Gathered]:
    """The same in several conditions; each picture is read and searched once for all that are still missing."""
    paths = paths_in(root)
    if only is not None:
        wanted = frozenset(only.tolist())
        paths = [path for path in paths if f"{path.parent.name}/{path.name}" in wanted]
    sums = [_sum(path) for path in paths]
    keys = {condition: chain.key(condition) for condition in conditions}
    kept = {condition: cache.of(key) for condition, key in keys.items()}
    tasks = _missing(paths, sums, kept)
    total = sum(len(left) for _, _, left in tasks)
    done = 0
    try:
        with _progress() as progress:
            bar = progress.add_task(f"{root.name}: {len(paths)} pictures", total=total)
            for own, condition, record in looked(tasks, chain, os.cpu_count() or 1 if workers is None else workers):
                cache.put([(keys[condition], own, record)])
                kept[condition][own] = record
                done += 1
                progress.advance(bar)
    except KeyboardInterrupt:
        raise Interrupted(done, total) from None
    people = np.array([path.parent.name for path in paths])
    files = np.array([path.name for path in paths])
    pictures = np.frombuffer(b"".join(sums), np.uint8).reshape(-1, 32)
    return {
        condition: Gathered(people, files, pictures, np.frombuffer(b"".join(rows[own] for own in sums), RECORD))
        for condition, rows in kept.items()
    }


def _missing(paths: Sequence[Path], sums: Sequence[bytes], kept: dict[Condition, dict[bytes, bytes]]) -> list[Task]:
    tasks: dict[bytes, Task] = {}
    for path, own in zip(paths, sums, strict=True):
        left = tuple(condition for condition, rows in kept.items() if own not in rows)
        if left:
            tasks.setdefault(own, (path, own, left))
    return list(tasks.values())


def _sum(path: Path) -> bytes:
    """The sha256 of its bytes; of a file that cannot be opened, of its name: it is looked at, and found unreadable."""
    try:
        return hashlib.sha256(path.read_bytes()).digest()
    except OSError:
        return hashlib.sha256(bytes(path)).digest()


def _progress() -> Progress:
    """A bar on standard error, where it does not mix with what is printed; nothing where that is no terminal."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=Console(stderr=True), transient=True)
