"""Sittings of covered faces: what `tools.evaluate.sittings` renders, with painted cloth over mouth and nose.

Rules kept here:
- A sitting is one picture in one cloth, and frames made of both together: the cloth turns with the head. Of every
  picture it lies a little otherwise, as it would on every day; all of one run wear the same.
- A frame counts if it would count at an enrolment of a covered face: its crop by the five points seems covered, and is
  then cut by the mesh, as the door does it. So who looks here is somebody whose cloth the door has noticed.
- People with 8 pictures or more, as of bare faces; `SITTINGS` of each. Of pictures only embeddings are kept.
- Without a cloth it is the same of bare faces, to be compared with: five points, and no cover noticed.
- The cloth is painted: it says what less of a face costs, and not what real cloth does.
"""

from __future__ import annotations

import hashlib
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from multiprocessing import get_context
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from device.eye.alignment import picture_to_crop
from device.eye.covered import cover, seems_covered
from device.eye.pixels import Picture
from device.manifest import Job, load
from tools.evaluate.gather import Floats
from tools.evaluate.groups import BORDER_PX
from tools.evaluate.sittings import BANK, LEAST, LOOKING, NOISE, SIDE_PX, STEADY, WIDE, Relief, relief, seen
from tools.evaluate.tries.aligned import MESH, Looker, adults
from tools.models.covered import Cloth
from tools.models.faces import read

SITTINGS: Final = 6  # three that are joined, three to look with
ENROLLING: Final = 5
TRIES: Final = 3  # at each frame
LIKE_CELLS: Final = ("black-female", "asian-female")  # whose strangers are most alike in cloth


@dataclass(frozen=True)
class Task:
    """One person: `files` of them in `cloth` (or bare), `sittings` at most, each with `looking` frames to look with."""

    files: tuple[Path, ...]
    cloth: Cloth | None
    models: Path
    seed: int
    sittings: int = SITTINGS
    looking: int = LOOKING
    border_px: int = 0


def person(task: Task) -> Floats:
    """(sittings, 1 + ENROLLING + looking, 128): of each picture itself, then its frames."""
    looker, rng = _looker(task.models), np.random.default_rng(task.seed)
    bank = np.random.default_rng(7).normal(0, NOISE, (BANK, SIDE_PX, SIDE_PX, 3)).astype(np.float32)
    made: list[list[Floats]] = []
    for at in rng.permutation(len(task.files)):
        if len(made) < task.sittings:
            sitting = _sitting(task.files[at], task, looker, rng, bank)
            made += [sitting] if sitting else []
    return np.array(made, np.float32).reshape(len(made), 1 + ENROLLING + task.looking, 128)


def _sitting(
    file: Path, task: Task, looker: Looker, rng: np.random.Generator, bank: NDArray[np.float32]
) -> list[Floats]:
    bare = np.ascontiguousarray(read(file, task.border_px))
    found = looker.face(bare)
    if found is None:
        return []
    covered = task.cloth is not None
    worn = task.cloth.over(bare, found[0].points, file.name) if task.cloth else bare
    itself, shape = embedded(looker, worn, covered=covered), _relief(worn, found[0].points)
    if itself is None or shape is None:
        return []
    made = [itself]
    for number in range(ENROLLING + task.looking):
        most = WIDE if number < ENROLLING else STEADY
        for _ in range(TRIES):
            picture = seen(shape, rng.uniform(-1, 1, 6), most, bank[rng.integers(BANK)])
            frame = embedded(looker, picture, covered=covered)
            if frame is not None:
                made.append(frame)
                break
        else:
            return []
    return made


def _relief(worn: Picture, points: NDArray[np.float64]) -> Relief | None:
    """Of the part around the face; `points` are those of the bare one: a head turns about where it is."""
    height, width = worn.shape[:2]
    if min(height, width) < SIDE_PX:
        return None
    across, down = points.mean(0) - SIDE_PX / 2
    left, top = int(np.clip(across, 0, width - SIDE_PX)), int(np.clip(down, 0, height - SIDE_PX))
    part = np.ascontiguousarray(worn[top : top + SIDE_PX, left : left + SIDE_PX])
    return relief(part, points - np.array([left, top]))


def embedded(looker: Looker, picture: Picture, *, covered: bool = True) -> Floats | None:
    """(128,), length 1, as the door embeds a covered or a bare face; None if it finds none, or one of the other."""
    found = looker.face(picture)
    if found is None:
        return None
    by_points = looker.embedded(picture, picture_to_crop(found[0].points))
    if seems_covered(cover(looker.crop)) is not covered:
        return None
    if not covered:
        return by_points
    placed = looker.placed(picture, *found, ask_mesh=True)
    return by_points if placed.by_mesh is None else looker.embedded(picture, placed.to_crop(MESH))


def gather(root: Path, models: Path, cache: Path, cloth: Cloth, jobs: int = 2) -> list[Floats]:
    """Everybody's sittings in `cloth`, of those of whom there are `SITTINGS`.

    Raises FileNotFoundError if nobody has enough pictures.
    """
    everybody = [files for each in sorted(root.iterdir()) if len(files := sorted(each.glob("*.jpg"))) >= LEAST]
    if not everybody:
        msg = f"nobody in {root} has {LEAST} pictures"
        raise FileNotFoundError(msg)
    tasks = [Task(tuple(files), cloth, models, 1000 + number) for number, files in enumerate(everybody)]
    return [own for own in _from_cache(tasks, cache, f"{root.name}: {cloth.name}", jobs) if len(own) == SITTINGS]


def gather_cell(
    root: Path, cell: str, models: Path, cache: Path, cloth: Cloth | None, jobs: int = 2
) -> tuple[list[str], Floats]:
    """One sitting of every picture of one cell of the group set: their file names, and (n, 1 + ENROLLING, 128)."""
    files = [path for path in adults(root) if path.parent.name == cell]
    tasks = [Task((path,), cloth, models, 5000 + row, 1, 0, BORDER_PX) for row, path in enumerate(files)]
    found = _from_cache(tasks, cache, f"{cell}: {cloth.name if cloth else 'bare'}", jobs)
    names = [path.name for path, own in zip(files, found, strict=True) if len(own)]
    return names, np.concatenate([own for own in found if len(own)])


def _from_cache(tasks: list[Task], cache: Path, name: str, jobs: int) -> list[Floats]:
    folder = cache / "covered-sittings"
    folder.mkdir(parents=True, exist_ok=True)
    kept = [folder / f"{_key(task)}.npy" for task in tasks]
    missing = [(task, path) for task, path in zip(tasks, kept, strict=True) if not path.exists()]
    if missing:
        with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
            waiting = [pool.submit(_made, task, path) for task, path in missing]
            for one in track(waiting, description=name):
                one.result()
    return [np.load(path) for path in kept]


def _key(task: Task) -> str:
    networks = [load(task.models).for_job(job).sha256.hex() for job in (Job.DETECT, Job.LANDMARKS, Job.EMBED)]
    shown = [f"{path.parent.name}/{path.name} {path.stat().st_size}" for path in task.files]
    drawn = [str(one) for one in (task.seed, task.sittings, ENROLLING, task.looking, task.border_px)]
    return hashlib.sha256(
        "\n".join([*networks, task.cloth.name if task.cloth else "", *drawn, *shown]).encode()
    ).hexdigest()[:24]


@lru_cache(maxsize=1)
def _looker(models: Path) -> Looker:
    return Looker(models)


def _made(task: Task, kept: Path) -> None:
    half = kept.with_suffix(".half")
    with half.open("wb") as file:
        np.save(file, person(task))
    half.replace(kept)
