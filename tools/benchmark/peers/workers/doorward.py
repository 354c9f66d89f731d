"""Doorward's own code in one process, from a picture to a slot: eye's networks and rules, vault's budget and gallery.

Rules kept here:
- What decides is what ships: detector, quality rules, alignment, embedder, the mean of enrolment pictures and of an
  approach, the threshold that the budget gives for these faces awake.
- What the door does besides costs more and is measured elsewhere: six processes, sealed templates, the challenge of the
  lights. Left out because these pictures are no film of one sitting: that a frame must agree with those before it, and
  that nobody else may be in view.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lines import Ask, See, answer  # type: ignore[import-not-found] # beside this file, in another environment


def _begin() -> tuple[See, Ask]:
    from pathlib import Path

    import numpy as np

    from device.config import Config, DoorTable
    from device.eye.gather import Good, mean_of
    from device.eye.quality import light, light_hint, points_inside, pose, pose_hint
    from device.manifest import Job, load
    from device.paths import models_dir
    from device.vault import tail
    from device.vault.budget import Budget, Thresholds
    from device.vault.gallery import gallery_of
    from device.vault.rotation import Rotation
    from tools.evaluate.gather import Floats, Pipeline
    from tools.models.faces import read

    models = models_dir()
    manifest = load(models)
    pipeline = Pipeline(models, manifest)
    frames = Config(DoorTable(id="0" * 16)).eye.frames
    measured = tail.load(models, manifest.for_job(Job.EMBED).sha256)
    thresholds = Thresholds(Budget(), measured, frames)
    turn = Rotation.of(bytes(32))
    faces: dict[str, Floats] = {}

    def see(path: str) -> bool:
        picture = np.ascontiguousarray(read(Path(path)))
        face = pipeline.face(picture)
        if face is None or not points_inside(face.points, picture.shape[1], picture.shape[0]):
            return False
        if pose_hint(pose(face.points)):
            return False
        if light_hint(light(pipeline.crop(picture, face))):
            return False
        faces[path] = pipeline.embedding(picture, face)
        return True

    def mean(paths: Sequence[str]) -> Floats:
        return mean_of([Good(0, faces[path], covered=False) for path in paths]).embedding

    def ask(gallery: Mapping[str, Sequence[str]], probes: Sequence[str]) -> str | None:
        pictures = max(map(len, gallery.values()))
        enrolled = {int(slot): turn.apply(mean(paths)) for slot, paths in gallery.items()}
        threshold = thresholds.threshold(len(enrolled), pictures)
        if threshold is None or not probes:
            return None  # a press is not enough there: the door asks for a claim first
        slot = gallery_of(enrolled, turn, pictures).compare(mean(probes[:frames]), threshold)
        return None if slot is None else str(slot)

    return see, ask


answer(_begin)
