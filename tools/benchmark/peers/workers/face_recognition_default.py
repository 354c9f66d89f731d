"""face_recognition (dlib) as its README shows it: HOG detector, distance 0.6, the nearest picture wins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lines import Ask, See, answer, prominence  # type: ignore[import-not-found] # beside this file, in another environment


def _begin() -> tuple[See, Ask]:
    import face_recognition  # type: ignore[import-not-found] # in the peers' environment

    faces: dict[str, Any] = {}

    def see(path: str) -> bool:
        picture = face_recognition.load_image_file(path)
        found = face_recognition.face_locations(picture)
        if not found:
            return False
        face = max(
            found, key=lambda one: prominence(one[3], one[0], one[1] - one[3], one[2] - one[0], picture.shape[:2])
        )
        faces[path] = face_recognition.face_encodings(picture, [face])[0]
        return True

    def ask(gallery: Mapping[str, Sequence[str]], probes: Sequence[str]) -> tuple[str | None, float]:
        slots = [slot for slot, paths in gallery.items() for _ in paths]
        known = [faces[path] for paths in gallery.values() for path in paths]
        likeness = -min(float(face_recognition.face_distance(known, faces[path]).min()) for path in probes)
        for path in probes:
            matches = face_recognition.compare_faces(known, faces[path])
            best = int(face_recognition.face_distance(known, faces[path]).argmin())
            if matches[best]:
                return slots[best], likeness
        return None, likeness

    return see, ask


answer(_begin)
