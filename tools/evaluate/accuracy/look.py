"""One picture in, everything the door saw in it out: the embedding or the hint, and what they were decided from.

Rules kept here:
- What is measured is what runs: `device.eye.sight.Sight.look` decides, on a picture laid into the main plane as the
  replay camera does it. Nothing of it is written again here; what it found on its way is only read.
- Of a picture numbers remain, never pixels.
- A look is of exactly one chain: which networks, which planes, which code, which condition (`Chain.key`).
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from device.config.tables import CameraTable, EyeTable
from device.errors import PictureRefused
from device.eye.attack.mesh import Mesh, face_to_picture
from device.eye.camera import LOW_HEIGHT_PX, LOW_WIDTH_PX, Frame
from device.eye.choose import Range, choose
from device.eye.detector import Face
from device.eye.pictures import read_scaled
from device.eye.pixels import Picture, fit_area
from device.eye.quality import light, pose
from device.eye.runtime import Network
from device.eye.runtime import choose as choose_runtime
from device.eye.sight import Seen, Sight
from device.manifest import Job, load
from device.wire import EMBEDDING_DIM, Hint
from tools.evaluate.accuracy.conditions import CLEAN, Condition, Where
from tools.evaluate.accuracy.floating import FloatEmbedder

Record = npt.NDArray[np.void]

UNREADABLE: Final = 255
RECORD: Final = np.dtype(
    [
        ("hint", "u1"),  # 0: embedded; a device.wire.Hint; UNREADABLE: no picture
        ("alone", "u1"),  # whether an enrolment would take it, too: nobody else in range
        ("covered", "u1"),  # whether the lower half of the face seemed covered
        ("embedding", "<f4", (EMBEDDING_DIM,)),  # length 1, or zeros
        ("points", "<f4", (5, 2)),  # eyes, nose, mouth corners in pixels of the main plane
        ("box", "<f4", (4,)),  # left, top, width, height in pixels of the main plane
        ("score", "<f4"),  # the detector's
        ("eyes_px", "<f4"),  # between the eyes, main plane
        ("yaw", "<f4"),  # device.eye.quality.Pose
        ("pitch", "<f4"),
        ("roll_deg", "<f4"),
        ("mean", "<f4"),  # device.eye.quality.Light of the crop; no number where no crop was cut
        ("contrast", "<f4"),
        ("clipped", "<f4"),
        ("sharpness", "<f4"),
        ("mesh_yaw_deg", "<f4"),  # of the face mesh, see `mesh_yaw_deg`; no number where it saw no face
    ]
)
_SOURCES: Final = (
    *(
        f"device/eye/{name}.py"
        for name in (
            "alignment",
            "choose",
            "covered",
            "dark",
            "detector",
            "embedder",
            "pictures",
            "pixels",
            "quality",
            "runtime",
            "sight",
            "steady",
            "attack/mesh",
        )
    ),
    *(f"tools/evaluate/accuracy/{name}.py" for name in ("conditions", "floating", "look")),
    "tools/models/covered.py",
)
_ROOT: Final = Path(__file__).resolve().parents[3]
_PAIRS: Final = ((33, 263), (61, 291), (234, 454))
"""Points of the mesh that lie alike on both sides of a face: outer corners of the eyes, of the mouth, cheeks."""


@dataclass(frozen=True, slots=True)
class Chain:
    """How a picture becomes a record. `scale`: see `read_scaled`; `networks`: folder of the manifest.

    floating: a float network (sface-float32.tflite) that embeds instead of the door's, or None. aside: of several faces
    only the largest is there, as if the others had stepped aside.
    """

    models: Path
    scale: float = 1.0
    floating: Path | None = None
    width: int = CameraTable().width_px
    height: int = CameraTable().height_px
    aside: bool = False

    def key(self, condition: Condition = CLEAN) -> bytes:
        """32 bytes that change with anything that could change a record: networks, code, runtime, planes, condition."""
        manifest = load(self.models)
        eye = EyeTable()
        told = [RECORD.descr, self.scale, self.width, self.height, self.aside, condition.kind, condition.amount]
        told += [eye.min_eye_distance_px, eye.max_eye_distance_px, choose_runtime(eye.runtime)]
        told += [manifest.for_job(job).sha256.hex() for job in (Job.DETECT, Job.EMBED, Job.LANDMARKS)]
        told += [hashlib.sha256(self.floating.read_bytes()).hexdigest() if self.floating else ""]
        told += [hashlib.sha256((_ROOT / source).read_bytes()).hexdigest() for source in _SOURCES]
        return hashlib.sha256(repr(told).encode()).digest()


class _Recorded(Sight):
    """The door's sight, which lets read what it found on its way to the answer."""

    found: list[Face]
    aside = False

    def faces(self, frame: Frame) -> list[Face]:
        self.found = super().faces(frame)
        if self.aside and self.found:
            self.found = [max(self.found, key=lambda face: face.eye_distance_px)]
        return self.found

    @property
    def aligned(self) -> Picture:
        """The crop of the face that was looked at last."""
        return self._crop


class Looker:
    """Looks at pictures; one process only. Raises ModelRefused as a door would."""

    def __init__(self, chain: Chain) -> None:
        eye = EyeTable()
        runtime = choose_runtime(eye.runtime)
        manifest = load(chain.models)
        embed = manifest.for_job(Job.EMBED)
        mesh = Network.load(manifest.for_job(Job.LANDMARKS), chain.models, runtime)
        self._chain = chain
        self._within = Range(eye.min_eye_distance_px, eye.max_eye_distance_px)
        self._sight = _Recorded(
            Network.load(manifest.for_job(Job.DETECT), chain.models, runtime),
            FloatEmbedder.of(embed, chain.floating)
            if chain.floating
            else Network.load(embed, chain.models, runtime, eye.threads),
            mesh,
            self._within,
        )
        self._sight.aside = chain.aside
        self._mesh = Mesh(mesh)

    def at(self, path: Path, sha256: bytes, conditions: tuple[Condition, ...]) -> list[Record]:
        """A record of the picture in `path` for each of `conditions`; unreadable ones say so."""
        try:
            main = self._read(path, 1.0)
        except PictureRefused:
            return [_unreadable() for _ in conditions]
        face = self._chosen(main)
        return [self._look(path, main, face, condition, sha256) for condition in conditions]

    def _look(self, path: Path, main: Picture, face: Face | None, condition: Condition, sha256: bytes) -> Record:
        eyes_px = condition.eyes_px(self._chain.width)
        if eyes_px is not None and face is not None:
            main = self._read(path, eyes_px / face.eye_distance_px)
        elif face is not None:
            main = condition.spoil(main, Where(face.points, sha256))
        return self._record(main)

    def _read(self, path: Path, factor: float) -> Picture:
        return read_scaled(path, self._chain.width, self._chain.height, self._chain.scale * factor)

    def _chosen(self, main: Picture) -> Face | None:
        """The face that spoiling is done to: the largest, as the door chooses it, in range or not."""
        found = self._sight.faces(_frame(main))
        return max(found, key=lambda face: face.eye_distance_px, default=None)

    def _record(self, main: Picture) -> Record:
        seen = self._sight.look(_frame(main))
        record = np.zeros((), RECORD)
        record["hint"] = seen.hint or 0
        for name in ("mean", "contrast", "clipped", "sharpness", "mesh_yaw_deg"):
            record[name] = math.nan
        if not self._sight.found:
            return record
        face = max(self._sight.found, key=lambda each: each.eye_distance_px)
        record["alone"] = seen.embedding is not None and not isinstance(
            choose(self._sight.found, self._within, alone=True), Hint
        )
        self._of_face(record, face)
        self._of_crop(record, seen)
        record["mesh_yaw_deg"] = self._turned_deg(main, face)
        return record

    def _of_face(self, record: Record, face: Face) -> None:
        turned = pose(face.points)
        record["points"], record["box"] = face.points, face.box
        record["score"], record["eyes_px"] = face.score, face.eye_distance_px
        record["yaw"], record["pitch"], record["roll_deg"] = turned.yaw, turned.pitch, turned.roll_deg

    def _of_crop(self, record: Record, seen: Seen) -> None:
        if seen.embedding is not None or seen.hint in (Hint.TOO_DARK, Hint.TOO_BRIGHT, Hint.HOLD_STILL):
            lit = light(self._sight.aligned)
            record["mean"], record["contrast"] = lit.mean, lit.contrast
            record["clipped"], record["sharpness"] = lit.clipped, lit.sharpness
        if seen.embedding is not None:
            record["embedding"], record["covered"] = seen.embedding, seen.covered

    def _turned_deg(self, main: Picture, face: Face) -> float:
        if face.eye_distance_px == 0:
            return math.nan
        points = self._mesh.find(main, face_to_picture(face))
        return math.nan if points is None else mesh_yaw_deg(points)


def mesh_yaw_deg(points: npt.NDArray[Any]) -> float:
    """How far a face is turned aside, degrees, from its mesh, (468, 3): the mean of three pairs of points.

    Positive if the side that is left in the picture is nearer. The mesh guesses depth from one picture.
    """
    left, right = np.array(_PAIRS).T
    across = points[right] - points[left]
    return float(np.degrees(np.arctan2(across[:, 2], across[:, 0])).mean())


def _frame(main: Picture) -> Frame:
    return Frame(main, fit_area(main, LOW_HEIGHT_PX, LOW_WIDTH_PX), 0)


def _unreadable() -> Record:
    record = np.zeros((), RECORD)
    record["hint"] = UNREADABLE
    return record
