"""deepface, its SFace path: its own detector (OpenCV's cascade) and threshold (cosine), the nearest picture wins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lines import Ask, See, answer, prominence  # type: ignore[import-not-found] # beside this file, in another environment


def _begin() -> tuple[See, Ask]:
    from deepface import DeepFace  # type: ignore[import-not-found] # in the peers' environment
    from deepface.modules.verification import (  # type: ignore[import-not-found] # likewise
        find_distance,
        find_threshold,
    )
    from PIL import Image

    DeepFace.build_model("SFace")
    limit = find_threshold("SFace", "cosine")
    faces: dict[str, Any] = {}

    def see(path: str) -> bool:
        try:
            found = DeepFace.represent(path, model_name="SFace")
        except ValueError:  # what it raises where it finds no face
            return False
        with Image.open(path) as picture:
            size = (picture.height, picture.width)
        boxes = [one["facial_area"] for one in found]
        likely = [prominence(box["x"], box["y"], box["w"], box["h"], size) for box in boxes]
        faces[path] = found[likely.index(max(likely))]["embedding"]
        return True

    def ask(gallery: Mapping[str, Sequence[str]], probes: Sequence[str]) -> tuple[str | None, float]:
        nearest = [
            min(
                (float(find_distance(faces[known], faces[path], "cosine")), slot)
                for slot, paths in gallery.items()
                for known in paths
            )
            for path in probes
        ]
        likeness = -min(distance for distance, _ in nearest)
        return next((slot for distance, slot in nearest if distance <= limit), None), likeness

    return see, ask


answer(_begin)
