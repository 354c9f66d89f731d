"""One frame in, one answer out: detector, choice, quality, alignment, embedder.

Rules kept here:
- The order is the privacy: a face out of range, one of several, turned away or badly lit never becomes an embedding.
- Of a frame only the answer remains; `forget` overwrites the buffers that every frame passes through.
- The low plane is for finding, the main plane for the crop; both show the same field of view.
- A bare face is cut by the detector's five points. Where that crop seems covered, it is cut again by the mesh
  (`device.eye.steady`), which places what is left to see better: what each embedding means is told apart
  (`device.meaning`). A bare crop in little light is brought to that of others as it is embedded (`device.eye.dark`);
  the one that is kept stays as it was seen.
- Enrolling asks for more than recognising, never for less: nobody else in range, and a face that is covered or bare as
  its person declared. Whether it seems covered is told with every embedding.
- At a door with lights a face is watched before it is embedded, in the same order: `watch` and `follow` make no
  embedding.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import numpy as np

from device.config.tables import CameraTable, EyeTable
from device.errors import ConfigRefused, ModelRefused
from device.eye.alignment import CROP_PX, picture_to_crop
from device.eye.attack.approach import Watched
from device.eye.attack.hints import Repeats
from device.eye.attack.motion import Moment
from device.eye.attack.moved import Followed
from device.eye.attack.watch import Watch
from device.eye.camera import LOW_HEIGHT_PX, LOW_WIDTH_PX, Frame
from device.eye.choose import Range, choose
from device.eye.covered import cover, cover_in, seems_covered
from device.eye.dark import lit
from device.eye.detector import Detector, Face
from device.eye.embedder import Embedder
from device.eye.middle import middle
from device.eye.pixels import Picture, Warp
from device.eye.quality import light_hint, light_in, points_inside, pose, pose_hint
from device.eye.runtime import Floats, Network
from device.eye.runtime import choose as choose_runtime
from device.eye.steady import Aligner
from device.manifest import Job, load
from device.meaning import meaning_of
from device.wire import Hint, LookMode

_MAX_STRETCH: Final = 0.01


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """What one frame gave: an embedding (float32, (128,), L2 norm 1), or a hint; never both.

    `eye_distance_px` is that of the chosen face in the main plane, 0 if none was chosen. `covered`: the lower half
    of the one that was embedded seems covered.
    """

    frame_ns: int
    hint: Hint | None = None
    embedding: Floats | None = None
    eye_distance_px: float = 0.0
    covered: bool = False


@dataclass(frozen=True, slots=True)
class _Cut:
    """Of the crop by five points: what its light lacks, its middle's mean grey, and whether it seems covered."""

    dim: Hint | None
    mean: float
    covered: bool


class Sight:
    """Everything eye can see with; one thread only."""

    def __init__(
        self,
        detector: Network,
        embedder: Network,
        mesh: Network,
        within: Range,
        view_deg: float | None = None,
    ) -> None:
        """`view_deg`: the camera's horizontal field of view, at a door with lights."""
        self._detector = Detector(detector)
        self._embedder = Embedder(embedder)
        self._within = within
        self._aligner = Aligner(mesh)
        self._meaning = meaning_of(embedder.entry, mesh.entry)
        self._watch = Watch(self._detector, mesh, within, view_deg) if view_deg is not None else None
        self._repeats = Repeats()
        self._warp = Warp(CROP_PX)
        self._crop = np.zeros((CROP_PX, CROP_PX, 3), np.uint8)
        if self._detector.width < LOW_WIDTH_PX or self._detector.height < LOW_HEIGHT_PX:
            msg = f"{detector.entry.file} is too small for the camera's low plane"
            raise ModelRefused(msg)

    @classmethod
    def load(cls, eye: EyeTable, models: Path, view_deg: float | None = None) -> Self:
        """The networks from the folder `models`, checked against its manifest. Raises ModelRefused.

        `view_deg`: the camera's horizontal field of view, at a door with lights; without it there is no `watch`.
        """
        manifest = load(models)
        runtime = choose_runtime(eye.runtime)
        detector, embedder, mesh = (
            Network.load(manifest.for_job(job), models, runtime, eye.threads)
            for job in (Job.DETECT, Job.EMBED, Job.LANDMARKS)
        )
        return cls(detector, embedder, mesh, Range(eye.min_eye_distance_px, eye.max_eye_distance_px), view_deg)

    def model_id(self, *, covered: bool = False) -> bytes:
        """What an embedding of this sight may be compared with (`device.wire.ModelId`), of a bare or a covered face."""
        return self._meaning.model_id(covered=covered)

    @property
    def networks(self) -> tuple[Network, Network]:
        """Detector and embedder, for a benchmark that wants their own time."""
        return self._detector.network, self._embedder.network

    @property
    def watching(self) -> Network:
        """The mesh, for the same. Raises ModelRefused at a door without lights."""
        return self._watching().network

    def faces(self, frame: Frame) -> list[Face]:
        """All faces of a frame, in pixels of its main plane, best score first."""
        factor = frame.main.shape[1] / frame.low.shape[1]
        return [face.scaled(factor) for face in self._detector.find(frame.low)]

    def look(self, frame: Frame, mode: LookMode = LookMode.RECOGNISE) -> Seen:
        """What `frame` shows."""
        face = choose(self.faces(frame), self._within, alone=mode.enrols)
        if isinstance(face, Hint):
            return Seen(frame.time_ns, face)
        if not points_inside(face.points, frame.main.shape[1], frame.main.shape[0]):
            return Seen(frame.time_ns, Hint.LOOK_AT_CAMERA)
        apart_px, turned = face.eye_distance_px, pose_hint(pose(face.points))
        if turned:
            return Seen(frame.time_ns, turned, eye_distance_px=apart_px)
        cut = self._cut(frame, face)
        if cut.dim:
            return Seen(frame.time_ns, cut.dim, eye_distance_px=apart_px)
        crop = self._crop if cut.covered else lit(self._crop, cut.mean)
        return Seen(frame.time_ns, None, self._embedder.embed(crop), apart_px, cut.covered)

    def begin(self) -> None:
        """Another approach begins: nothing of the last one is compared with it."""
        self._repeats.begin()
        self._watching().begin()

    def watch(self, frame: Frame, *, crop: bool) -> Watched:
        """What `frame` shows of a face that is challenged: a glance, and with `crop` its crop if that is good enough.

        Raises ModelRefused at a door without lights.
        """
        watch, again = self._watching(), self._repeats.again(frame.main)
        face = choose(self.faces(frame), self._within)
        if isinstance(face, Hint):
            return Watched(frame.time_ns, face, again=again)
        inside = points_inside(face.points, frame.main.shape[1], frame.main.shape[0])
        turned = pose_hint(pose(face.points)) if inside else Hint.LOOK_AT_CAMERA
        if turned:
            return Watched(frame.time_ns, turned, again=again)
        glance = watch.at(frame, face)
        if glance is None:
            return Watched(frame.time_ns, Hint.LOOK_AT_CAMERA, again=again)
        if not crop:
            return Watched(frame.time_ns, None, glance, again=again)
        dim, of_use = self._cut_to_keep(frame, face)
        return Watched(frame.time_ns, dim, glance, self._crop if of_use else None, again)

    def follow(self, frame: Frame, *, crop: bool) -> Followed:
        """What `frame` shows of a face that was asked to turn: a moment, with `crop` its crop if light and rest allow.

        Where it is turned to is no reason for a hint here. Raises ModelRefused at a door without lights.
        """
        watch, again = self._watching(), self._repeats.again(frame.main)
        face = choose(self.faces(frame), self._within)
        if isinstance(face, Hint):
            return Followed(frame.time_ns, face, again=again)
        if not points_inside(face.points, frame.main.shape[1], frame.main.shape[0]):
            return Followed(frame.time_ns, Hint.LOOK_AT_CAMERA, again=again)
        shot = watch.shot(frame, face)
        if shot is None:
            return Followed(frame.time_ns, again=again)
        kept: Picture | None = None
        if crop and self._cut_to_keep(frame, face)[1]:
            kept = self._crop.copy()
        return Followed(frame.time_ns, None, Moment(frame.time_ns, shot, kept), again)

    def embed(self, crop: Picture) -> Floats:
        """The embedding of a crop that `watch` or `follow` gave: float32, (128,), L2 norm 1."""
        planes = middle(crop)
        covered = seems_covered(cover_in(planes))
        return self._embedder.embed(crop if covered else lit(crop, light_in(planes).mean))

    def _cut(self, frame: Frame, face: Face) -> _Cut:
        """Fill the crop, and say what it is. Only where it seems covered the mesh is asked, and it is cut again."""
        self._warp(frame.main, picture_to_crop(face.points).inverse(), self._crop)
        planes = middle(self._crop)
        found = light_in(planes)
        dim = light_hint(found)
        if dim or not seems_covered(cover_in(planes)):
            return _Cut(dim, found.mean, covered=False)
        to_crop = self._aligner.to_crop(frame.main, face)
        if to_crop is not None:
            self._warp(frame.main, to_crop.inverse(), self._crop)
        return _Cut(None, found.mean, covered=True)

    def _cut_to_keep(self, frame: Frame, face: Face) -> tuple[Hint | None, bool]:
        """The same for a crop that is looked at later; what its light lacks, and whether it is of use.

        Whether it is covered is then read off the crop itself (`device.eye.attack`): one that was cut as covered and
        seems bare is of no use, for it would be told as what it is not.
        """
        cut = self._cut(frame, face)
        return cut.dim, not cut.dim and (not cut.covered or seems_covered(cover(self._crop)))

    def _watching(self) -> Watch:
        if self._watch is None:
            msg = "this sight was loaded for a door without lights: it has no face mesh"
            raise ModelRefused(msg)
        return self._watch

    def forget(self) -> None:
        """Overwrite the crop and everything inside the networks: the last face is not left lying in this process.

        Pages that numpy or the runtime have given back to the allocator are beyond this call's reach.
        """
        self._crop.fill(0)
        self._warp.forget()
        for network in self.networks:
            network.forget()
        self._aligner.forget()
        self._repeats.begin()
        if self._watch:
            self._watch.forget()


def refuse_stretched(camera: CameraTable) -> None:
    """Raise ConfigRefused if the main plane has another shape than the detector's 4:3 plane."""
    stretch = camera.width_px * LOW_HEIGHT_PX / (camera.height_px * LOW_WIDTH_PX)
    if abs(stretch - 1) > _MAX_STRETCH:
        msg = (
            f"[camera] width_px and height_px must stand 4:3 like the detector's plane, "
            f"not {camera.width_px}:{camera.height_px}"
        )
        raise ConfigRefused(msg)
