"""Doorward's own code in one process, from a picture to a slot: eye's networks and rules, vault's budget and gallery.

Rules kept here:
- What decides is what ships: `device.eye.sight` looks, and the mean of enrolment pictures and of an approach is
  compared with the threshold that the budget gives for these faces awake. A picture is the camera's plane as it lies
  there, and how near somebody stands refuses nobody.
- What the door does besides costs more and is measured elsewhere: six processes, sealed templates, the challenge of the
  lights. Left out because these pictures are no film of one sitting: that a frame must agree with those before it, and
  that nobody else may be in view.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lines import Ask, See, answer, prominence  # type: ignore[import-not-found] # beside this file, in another environment

_ANY_PX = 10_000  # between the eyes: nobody stands too near


def _begin() -> tuple[See, Ask]:
    from dataclasses import replace

    import numpy as np
    from PIL import Image

    from device.config.tables import Config, DoorTable
    from device.eye.camera import Frame
    from device.eye.detector import Face
    from device.eye.gather import Good, mean_of
    from device.eye.pixels import fit_area
    from device.eye.runtime import Floats
    from device.eye.sight import Sight
    from device.manifest import Job, load
    from device.paths import models_dir
    from device.vault import tail
    from device.vault.budget import Budget, Thresholds
    from device.vault.gallery import gallery_of
    from device.vault.rotation import Rotation

    class Meant(Sight):
        """The door's sight of a picture in which only the one who is meant is there."""

        def faces(self, frame: Frame) -> list[Face]:
            found = super().faces(frame)
            size = frame.main.shape[0], frame.main.shape[1]
            return [max(found, key=lambda face: prominence(*map(float, face.box), size))] if found else []

    models = models_dir()
    eye = Config(DoorTable(id="0" * 16)).eye
    sight = Meant.load(replace(eye, min_eye_distance_px=1, max_eye_distance_px=_ANY_PX), models)
    _, high, wide, _ = sight.networks[0].entry.input.shape
    measured = tail.load(models, load(models).for_job(Job.EMBED).sha256)
    thresholds = Thresholds(Budget(), measured, eye.frames)
    turn = Rotation.of(bytes(32))
    faces: dict[str, Floats] = {}

    def see(path: str) -> bool:
        with Image.open(path) as opened:
            main = np.ascontiguousarray(np.asarray(opened.convert("RGB"))[..., ::-1])
        factor = min(1.0, high / main.shape[0], wide / main.shape[1])
        low = fit_area(main, round(main.shape[0] * factor), round(main.shape[1] * factor))
        found = sight.look(Frame(main, low, 0)).embedding
        if found is None:
            return False
        faces[path] = found
        return True

    def mean(paths: Sequence[str]) -> Floats:
        return mean_of([Good(0, faces[path], covered=False) for path in paths]).embedding

    def ask(gallery: Mapping[str, Sequence[str]], probes: Sequence[str]) -> tuple[str | None, float]:
        pictures, shown = max(map(len, gallery.values())), mean(probes[: eye.frames])
        means = {int(slot): mean(paths) for slot, paths in gallery.items()}
        likeness = max(float(shown @ each) for each in means.values())
        enrolled = {slot: turn.apply(each) for slot, each in means.items()}
        threshold = thresholds.threshold(len(enrolled), pictures)
        if threshold is None:
            return None, likeness  # a press is not enough there: the door asks for a claim first
        slot = gallery_of(enrolled, turn).compare(shown, threshold)
        return None if slot is None else str(slot), likeness

    return see, ask


answer(_begin)
