"""What several frames of one sitting are worth, beside pictures of different days.

Rules kept here:
- A sitting is one picture and frames made from it: the head turned, swayed, with the noise of a sensor, found and
  aligned anew each time (`tools.models.views` has how). So frames of one sitting share light, camera and day, and the
  networks' own noise is real. How alike frames or two sittings are at a door is not known from it.
- People with 8 or more pictures, 8 of each: what is enrolled and what is looked with are never of one sitting.
- Everything is measured on the same people and draws, so that rows can be compared with each other.
- Pictures are changed in memory; of them only embeddings are kept, in the cache folder.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from rich.progress import track

from device.eye.alignment import picture_to_crop
from device.eye.pixels import Picture
from device.manifest import Job, load
from device.vault import tail as tail_file
from device.vault.budget import Budget, Thresholds
from device.vault.tail import Tail
from tools.evaluate.figures import mean_vector
from tools.evaluate.gather import Floats, Pipeline
from tools.models.faces import read

LEAST = 8
ENROLLING, LOOKING = 9, 3  # frames made of each picture
SIDE_PX = 180  # of the part of the picture around the face
WIDE = (12.0, 8.0, 3.0, 0.03, 6.0)  # at most: degrees of yaw, of pitch, of roll, share of the scale, pixels
STEADY = (5.0, 4.0, 2.0, 0.02, 4.0)
NOISE, BANK = 2.0, 8
MIDDLE_GREY = (128, 128, 128)
DRAWS = 20
RATES = (1e-2, 1e-3, 1e-4)
GALLERIES = (1, 2, 3, 4)

Reals = NDArray[np.float64]
Enrol = Callable[[Floats, NDArray[np.int_], np.random.Generator], tuple[Floats, int]]


@dataclass(frozen=True)
class Relief:
    """A face as a relief: where each pixel is, and how far it moves when the head turns."""

    picture: NDArray[np.float32]
    across: NDArray[np.float32]
    down: NDArray[np.float32]
    moves: NDArray[np.float32]


def relief(picture: Picture, points: NDArray[np.float64]) -> Relief:
    """Depth is that of an ellipsoid with a nose, as in `tools.models.views`. points: the five of the detector."""
    to_crop = picture_to_crop(points)
    height, width = picture.shape[:2]
    ys, xs = np.mgrid[0:height, 0:width].astype(np.float32)
    at = to_crop.a * (xs + 1j * ys) + to_crop.b
    u, v = ((at.real - 56) / 35).astype(np.float32), ((at.imag - 72) / 35).astype(np.float32)
    depth = 1.1 * np.sqrt(np.clip(1 - (u / 1.5) ** 2 - (v / 2) ** 2, 0, None))
    depth += 0.3 * np.exp(-((u / 0.28) ** 2) - (v / 0.35) ** 2)
    return Relief(picture.astype(np.float32), xs, ys, ((depth - 0.55) * 35 / to_crop.scale).astype(np.float32))


def seen(face: Relief, chance: Reals, most: tuple[float, ...], noise: NDArray[np.float32]) -> Picture:
    """One frame. chance: six numbers from -1 to 1, of yaw, pitch, roll, scale and shift, each times its most."""
    yaw, pitch, roll, share = (float(one * limit) for one, limit in zip(chance[:4], most[:4], strict=True))
    height, width = face.picture.shape[:2]
    x = np.clip(face.across - np.sin(np.deg2rad(yaw)) * face.moves, 0, width - 1.01)
    y = np.clip(face.down - np.sin(np.deg2rad(pitch)) * face.moves, 0, height - 1.01)
    column, row = x.astype(int), y.astype(int)
    right, low = ((part - whole)[..., None].astype(np.float32) for part, whole in ((x, column), (y, row)))
    above = face.picture[row, column] * (1 - right) + face.picture[row, column + 1] * right
    below = face.picture[row + 1, column] * (1 - right) + face.picture[row + 1, column + 1] * right
    turned = Image.fromarray((above * (1 - low) + below * low).astype(np.uint8))
    back = 1 / (np.exp(1j * np.deg2rad(roll)) * (1 + share))
    middle = complex(width / 2, height / 2)
    shift = middle - back * (middle + complex(chance[4] * most[4], chance[5] * most[4]))
    matrix = (back.real, -back.imag, shift.real, back.imag, back.real, shift.imag)
    swayed = turned.transform(
        (width, height), Image.Transform.AFFINE, matrix, Image.Resampling.BILINEAR, fillcolor=MIDDLE_GREY
    )
    return np.ascontiguousarray(np.clip(np.asarray(swayed) + noise, 0, 255).astype(np.uint8))


def person(files: list[Path], pipeline: Pipeline, number: int) -> Floats:
    """(sittings, 1 + ENROLLING + LOOKING, 128): of each picture itself, then its frames; fewer sittings than files."""
    rng = np.random.default_rng(1000 + number)
    bank = np.random.default_rng(7).normal(0, NOISE, (BANK, SIDE_PX, SIDE_PX, 3)).astype(np.float32)
    found = [_sitting(files[at], pipeline, rng, bank) for at in rng.permutation(len(files))[:LEAST]]
    whole = [sitting for sitting in found if len(sitting) == 1 + ENROLLING + LOOKING]
    return np.array(whole, np.float32).reshape(len(whole), 1 + ENROLLING + LOOKING, 128)


def _sitting(file: Path, pipeline: Pipeline, rng: np.random.Generator, bank: NDArray[np.float32]) -> list[Floats]:
    full = np.ascontiguousarray(read(file))
    face = pipeline.face(full)
    if face is None:
        return []
    height, width = full.shape[:2]
    across, down = face.points.mean(0) - SIDE_PX / 2
    left, top = int(np.clip(across, 0, width - SIDE_PX)), int(np.clip(down, 0, height - SIDE_PX))
    part = np.ascontiguousarray(full[top : top + SIDE_PX, left : left + SIDE_PX])
    shape = relief(part, face.points - np.array([left, top]))
    made = [pipeline.embedding(full, face)]
    for number in range(ENROLLING + LOOKING):
        most = WIDE if number < ENROLLING else STEADY
        for _ in range(3):
            frame = seen(shape, rng.uniform(-1, 1, 6), most, bank[rng.integers(BANK)])
            again = pipeline.face(frame)
            if again is not None:
                made.append(pipeline.embedding(frame, again))
                break
        else:
            return []
    return made


def gather(root: Path, models: Path, cache: Path) -> list[Floats]:
    """Everybody's sittings; each person's are kept in the cache. Raises FileNotFoundError if nobody has enough."""
    manifest = load(models)
    identity = "-".join(manifest.for_job(job).model_id.hex() for job in (Job.DETECT, Job.EMBED))
    folder = cache / f"{root.name}-sittings-{identity}"
    folder.mkdir(parents=True, exist_ok=True)
    everybody = [files for each in sorted(root.iterdir()) if len(files := sorted(each.glob("*.jpg"))) >= LEAST]
    if not everybody:
        msg = f"nobody in {root} has {LEAST} pictures"
        raise FileNotFoundError(msg)
    pipeline, made = Pipeline(models, manifest), []
    for number, files in enumerate(track(everybody, description=f"{root.name}: sittings")):
        kept = folder / f"{files[0].parent.name}.npy"
        if not kept.exists():
            half = kept.with_suffix(".half")
            with half.open("wb") as file:
                np.save(file, person(files, pipeline, number))
            half.replace(kept)
        made.append(np.load(kept))
    return [sittings for sittings in made if len(sittings) == LEAST]


def of_sittings(sittings: int, frames: int) -> Enrol:
    """`frames` of each of so many sittings."""

    def enrol(own: Floats, order: NDArray[np.int_], rng: np.random.Generator) -> tuple[Floats, int]:
        chosen = [own[at, 1 + rng.permutation(ENROLLING)[:frames]] for at in order[:sittings]]
        return np.concatenate(chosen), sittings

    return enrol


def of_pictures(pictures: int) -> Enrol:
    """So many pictures of different days."""

    def enrol(own: Floats, order: NDArray[np.int_], _rng: np.random.Generator) -> tuple[Floats, int]:
        return own[order[:pictures], 0], pictures

    return enrol


@dataclass(frozen=True)
class Scores:
    """Of all draws: genuine and impostor cosines, and the length of each template's mean."""

    genuine: Reals
    impostor: Reals
    lengths: Reals

    def threshold(self, rate: float) -> float:
        """With that rate of false matches of mixed strangers."""
        return float(np.sort(self.impostor)[-int(rate * len(self.impostor)) - 1])


def compared(people: list[Floats], enrol: Enrol, approach: str) -> Scores:
    """approach: "picture", "frames" (LOOKING of one sitting) or "days" (LOOKING pictures of different days)."""
    rng = np.random.default_rng(0)
    genuine, impostor, lengths = [], [], []
    for _ in range(DRAWS):
        templates, probes, owner = [], [], []
        for row, own in enumerate(people):
            order = rng.permutation(len(own))
            frames, used = enrol(own, order, rng)
            templates.append(mean_vector(frames))
            lengths.append(float(np.linalg.norm(frames.mean(axis=0))))
            rest = order[used:]
            if approach == "days":
                looked = [mean_vector(own[rest[:LOOKING], 0])]
            else:
                looked = [own[at, 0] if approach == "picture" else mean_vector(own[at, -LOOKING:]) for at in rest]
            probes += looked
            owner += [row] * len(looked)
        scores = np.stack(probes).astype(np.float64) @ np.stack(templates).T
        right = np.zeros(scores.shape, bool)
        right[np.arange(len(owner)), owner] = True
        genuine.append(scores[right])
        impostor.append(scores[~right])
    return Scores(np.concatenate(genuine), np.concatenate(impostor), np.array(lengths))


ROWS: tuple[tuple[str, Enrol, int], ...] = (
    ("5 pictures of 5 days", of_pictures(5), 5),
    ("1 sitting, 5 frames", of_sittings(1, 5), 5),
    ("1 sitting, 9 frames", of_sittings(1, 9), 9),
    ("2 sittings, 5 frames each", of_sittings(2, 5), 9),
    ("3 sittings, 3 frames each", of_sittings(3, 3), 9),
)


def table(people: list[Floats], models: Path) -> str:
    """Markdown: for each way to enrol and to look what it does to strangers, and how many residents are refused."""
    tail = tail_file.load(models, load(models).for_job(Job.EMBED).sha256)
    single = compared(people, of_pictures(1), "picture")
    lines = [
        f"{len(people)} people, {LEAST} pictures each, {DRAWS} draws; frames of a sitting made from one picture.",
        "",
        "| enrolled | looked with | length of the mean | worth | strangers | pooled 1e-4 | door, 1 to 4 faces awake |",
        "|---|---|---|---|---|---|---|",
    ]
    lines += [
        _row(name, pictures, approach, compared(people, enrol, approach), single, tail)
        for approach in ("frames", "days")
        for name, enrol, pictures in ROWS
        if not (approach == "days" and name.startswith("3 sittings"))
    ]
    return "\n".join(lines)


def _row(name: str, pictures: int, approach: str, made: Scores, single: Scores, tail: Tail) -> str:
    length = float(np.median(made.lengths))
    worth = tail.worth(pictures, length)
    thresholds = Thresholds(Budget(), tail, LOOKING)
    rises = max(made.threshold(rate) - single.threshold(rate) for rate in RATES)
    heights = [thresholds.threshold(faces, pictures, worth=worth) for faces in GALLERIES]
    refused = ", ".join("claim" if height is None else f"{(made.genuine < height).mean():.1%}" for height in heights)
    looked = "3 pictures of 3 days" if approach == "days" else "3 frames"
    pooled = float((made.genuine < made.threshold(1e-4)).mean())
    return f"| {name} | {looked} | {length:.3f} | {worth} | {rises:+.3f} | {pooled:.2%} | {refused} |"
